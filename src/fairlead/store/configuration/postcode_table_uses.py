"""Who loaded which version of a postcode table, and which subscriptions' filters were written with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fairlead.core.canonical import JsonObject
from fairlead.store.configuration.postcode_tables import postcode_table_rows
from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class LoadedPostcodeTable:
    """A version of a table. `loaded_by` is the actor of the audit log."""

    name: str
    version: int
    postcode_count: int
    created_at: datetime
    loaded_by: str
    is_newest: bool


@dataclass(frozen=True, slots=True)
class PostcodeTableUse:
    """A living subscription whose filter has a distance by that version; `use_count` is how many such there are."""

    name: str
    version: int
    subscription_id: str
    provider_id: str
    provider_name: str
    niche_name: str
    level_name: str
    use_count: int


@dataclass(frozen=True, slots=True)
class FilterByOlderVersion:
    """A living subscription whose filter has a distance by a version of a table that is not the newest."""

    subscription_id: str
    provider_id: str
    provider_name: str
    niche_id: str
    level_id: str
    filter_rules: JsonObject
    form_schema: JsonObject


def filters_by_older_versions(conn: Connection, name: str, version: int) -> Sequence[FilterByOlderVersion]:
    """Those of filters with a distance by a version of the table before this one, by id. Locks nothing."""
    return all_rows(
        conn,
        FilterByOlderVersion,
        """
        select s.id::text as subscription_id, s.provider_id::text, p.name as provider_name, s.niche_id::text,
               s.competition_level_id::text as level_id, s.filter_rules, n.form_schema
        from subscriptions s join niches n on n.id = s.niche_id join providers p on p.id = s.provider_id
        where s.deleted_at is null and s.filter_rules @? '$.rules.**.value.table'
          and jsonb_path_exists(s.filter_rules, '$.rules.**.value ? (@.table == $name && @.version < $version)',
                                jsonb_build_object('name', %s::text, 'version', %s::integer))
        order by s.id
        """,
        (name, version),
    )


def loaded_postcode_tables(conn: Connection) -> Sequence[LoadedPostcodeTable]:
    """Every version of every table, by name, the newest first. Locks nothing."""
    return all_rows(
        conn,
        LoadedPostcodeTable,
        """
        select t.name, t.version, t.postcode_count, t.created_at, a.actor as loaded_by,
               t.version = max(t.version) over (partition by t.name) as is_newest
        from postcode_tables t
        join audit_log a on a.entity = 'postcode_table' and a.entity_id = t.name || '/' || t.version
                        and a.action = 'postcode_table.loaded'
        order by t.name, t.version desc
        """,
    )


@dataclass(frozen=True, slots=True)
class CountedPostcodeTable:
    """A version of a table, and how many living subscriptions have a filter with a distance by it."""

    name: str
    version: int
    postcode_count: int
    content_sha256: str
    created_at: datetime
    is_newest: bool
    subscription_count: int


def counted_postcode_tables(conn: Connection) -> Sequence[CountedPostcodeTable]:
    """Every version of every table, by name, the newest first. Reads the filters of all niches. Locks nothing."""
    counts = {(each.name, each.version): each.use_count for each in postcode_table_uses(conn, 1)}
    newest: dict[str, int] = {}
    return [
        CountedPostcodeTable(
            each.name,
            each.version,
            each.postcode_count,
            each.content_sha256,
            each.created_at,
            newest.setdefault(each.name, each.version) == each.version,
            counts.get((each.name, each.version), 0),
        )
        for each in postcode_table_rows(conn)
    ]


def postcode_table_uses(conn: Connection, most_of_each: int) -> Sequence[PostcodeTableUse]:
    """For each version that filters use, the first of the subscriptions by provider, at most so many.

    Reads the filters with a distance by a table, of all niches. Locks nothing.
    """
    return all_rows(
        conn,
        PostcodeTableUse,
        """
        with used as (
            select distinct circle ->> 'table' as name, circle ->> 'version' as version, s.id, s.provider_id,
                   s.competition_level_id, s.niche_id
            from subscriptions s,
                 jsonb_path_query(s.filter_rules, 'lax $.rules.**.value ? (exists (@.table))') as circle
            where s.deleted_at is null and s.filter_rules @? '$.rules.**.value.table'
        ), numbered as (
            select t.name, t.version, used.id::text as subscription_id, p.id::text as provider_id,
                   p.name as provider_name, n.name as niche_name, l.name as level_name,
                   count(*) over (partition by t.name, t.version) as use_count,
                   row_number() over (partition by t.name, t.version order by p.name, used.id) as place
            from used join postcode_tables t on t.name = used.name and t.version::text = used.version
                      join providers p on p.id = used.provider_id
                      join competition_levels l on l.id = used.competition_level_id
                      join niches n on n.id = used.niche_id
        )
        select name, version, subscription_id, provider_id, provider_name, niche_name, level_name, use_count
        from numbered where place <= %s order by name, version desc, place
        """,
        (most_of_each,),
    )
