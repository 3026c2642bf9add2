"""What operators write down about providers: rows that are only ever added."""

from dataclasses import dataclass, field
from datetime import datetime

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class ProviderNote:
    """A note, and who wrote it when. Its words are not in the repr: they may be personal."""

    note_id: str
    provider_id: str
    author: str
    note: str = field(repr=False)
    created_at: datetime


_COLUMNS = "select id::text as note_id, provider_id::text, author, note, created_at from provider_notes"


def insert_note(conn: Connection, new: ProviderNote) -> None:
    """The note is there."""
    conn.execute(
        "insert into provider_notes (id, provider_id, author, note, created_at) values (%s, %s, %s, %s, %s)",
        (new.note_id, new.provider_id, new.author, new.note, new.created_at),
    )


def notes_of(conn: Connection, provider_id: str, before_note_id: str | None, limit: int) -> list[ProviderNote]:
    """The provider's newest notes that are older than the given one, the newest first."""
    return all_rows(
        conn,
        ProviderNote,
        _COLUMNS + " where provider_id = %s and (%s::uuid is null or id < %s) order by id desc limit %s",
        (provider_id, before_note_id, before_note_id, limit),
    )
