"""Saved views of the list of leads, as rows: each user's own, and those that all operators share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows, one_row


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view. `filters` are by the names of the list's parameters; `is_shared`: every operator has it."""

    view_id: str
    name: str
    is_shared: bool
    filters: Mapping[str, str]
    columns: Sequence[str]
    is_oldest_first: bool
    saved_at: datetime
    saved_by: str


_COLUMNS = """
    select id::text as view_id, name, user_id is null as is_shared, filters, columns, is_oldest_first, saved_at,
           saved_by
    from lead_views"""


def views_of(conn: Connection, user_id: str | None) -> list[SavedView]:
    """The user's own views, and the shared ones, each by name."""
    return all_rows(
        conn,
        SavedView,
        _COLUMNS + " where user_id = %s or user_id is null order by user_id is null, lower(name), id",
        (user_id,),
    )


def lock_view(conn: Connection, view_id: str) -> tuple[SavedView, str | None] | None:
    """The view and whose it is (None: shared), its row locked; None when there is none."""
    found = one_row(conn, SavedView, _COLUMNS + " where id = %s for update", (view_id,))
    if found is None:
        return None
    owner = conn.execute("select user_id::text from lead_views where id = %s", (view_id,)).fetchall()[0][0]
    return found, owner


def lock_view_named(conn: Connection, user_id: str | None, name: str) -> SavedView | None:
    """The user's view of that name (None: the shared one), its row locked; None when there is none."""
    return one_row(
        conn, SavedView, _COLUMNS + " where user_id is not distinct from %s and name = %s for update", (user_id, name)
    )


def count_views(conn: Connection, user_id: str | None) -> int:
    """How many views the user has (None: are shared)."""
    query = "select count(*) from lead_views where user_id is not distinct from %s"
    return conn.execute(query, (user_id,)).fetchall()[0][0]


def insert_view(conn: Connection, user_id: str | None, view: SavedView) -> None:
    """The view is there, unless one of that name came in between: then that one says what this one does."""
    columns = "(id, user_id, name, filters, columns, is_oldest_first, saved_at, saved_by)"
    conflict = "(name) where user_id is null" if user_id is None else "(user_id, name) where user_id is not null"
    conn.execute(
        f"""
        insert into lead_views {columns} values (%s, %s, %s, %s, %s, %s, %s, %s)
        on conflict {conflict} do update set filters = excluded.filters, columns = excluded.columns,
            is_oldest_first = excluded.is_oldest_first, saved_at = excluded.saved_at, saved_by = excluded.saved_by
        """,  # noqa: S608 - constants of our own
        (
            view.view_id,
            user_id,
            view.name,
            Jsonb(dict(view.filters)),
            list(view.columns),
            view.is_oldest_first,
            view.saved_at,
            view.saved_by,
        ),
    )


def delete_views(conn: Connection, view_ids: Sequence[str]) -> None:
    """The views are gone."""
    conn.execute("delete from lead_views where id = any(%s::uuid[])", (list(view_ids),))


def forget_sources(conn: Connection, sources: Sequence[str], words: str) -> None:
    """Views of one of these sources are of these words instead, which no lead has for a source."""
    if sources:
        conn.execute(
            """
            update lead_views set filters = jsonb_set(filters, '{source}', to_jsonb(%s::text))
            where filters ->> 'source' = any(%s::text[])
            """,
            (words, list(sources)),
        )
