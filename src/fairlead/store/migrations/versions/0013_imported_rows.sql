-- An imported lead remembers which row of a file it was, apart from what the row was taken for: the same file adds nothing
-- when the niche's form or the mapping of its columns has changed in between. Null: no file, or imported before this.
alter table leads add column row_key bytea constraint row_key_is_sha256 check (octet_length(row_key) = 32);
create unique index leads_row_is_imported_once on leads (niche_id, row_key) where row_key is not null;
