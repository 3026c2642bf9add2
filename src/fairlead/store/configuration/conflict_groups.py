"""Conflict groups (R16): providers of one owner, of which at most one receives a lead.

Who is in one is a column of `providers`, which the journals tell of.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import errors

from fairlead.store.configuration.rows import ConcurrentChange
from fairlead.store.connection import Connection
from fairlead.store.row_counts import change_rows
from fairlead.store.typed_rows import all_rows, one_row


@dataclass(frozen=True, slots=True)
class ConflictGroupRow:
    """A conflict group."""

    group_id: str
    name: str


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A provider of a conflict group."""

    group_id: str
    provider_id: str
    name: str


def conflict_groups(conn: Connection) -> list[ConflictGroupRow]:
    """Every group, by name. Locks nothing."""
    return all_rows(conn, ConflictGroupRow, "select id::text as group_id, name from conflict_groups order by name, id")


def conflict_group(conn: Connection, group_id: str) -> ConflictGroupRow | None:
    """The group of that id; None where there is none. Locks nothing."""
    return one_row(
        conn, ConflictGroupRow, "select id::text as group_id, name from conflict_groups where id = %s", (group_id,)
    )


def lock_conflict_group(conn: Connection, group_id: str) -> ConflictGroupRow | None:
    """The group, its row locked: before all else that a verb locks. None where there is none."""
    return one_row(
        conn,
        ConflictGroupRow,
        "select id::text as group_id, name from conflict_groups where id = %s for no key update",
        (group_id,),
    )


def group_members(conn: Connection, group_id: str | None = None) -> list[GroupMember]:
    """The providers of the group, or of all groups, by name. Locks nothing."""
    return all_rows(
        conn,
        GroupMember,
        """
        select conflict_group_id::text as group_id, id::text as provider_id, name from providers
        where conflict_group_id is not null and (%s::uuid is null or conflict_group_id = %s) order by name, id
        """,
        (group_id, group_id),
    )


def add_conflict_groups(conn: Connection, rows: Sequence[ConflictGroupRow], now: datetime) -> None:
    """The groups, which are new, are there. Raises `ConcurrentChange` when another has just taken a name."""
    if not rows:
        return
    try:
        conn.execute(
            """
            insert into conflict_groups (id, name, created_at)
            select conflict_group.*, %s from unnest(%s::uuid[], %s::text[]) as conflict_group
            """,
            (now, [row.group_id for row in rows], [row.name for row in rows]),
        )
    except errors.UniqueViolation:
        raise ConcurrentChange from None


def write_name(conn: Connection, row: ConflictGroupRow) -> None:
    """The group, which is locked, has this name. Raises `ConcurrentChange` when another has just taken it."""
    statement = "update conflict_groups set name = %s where id = %s"
    try:
        change_rows(conn, "conflict_groups_renamed_were_there", 1, statement, (row.name, row.group_id))
    except errors.UniqueViolation:
        raise ConcurrentChange from None


def delete_conflict_group(conn: Connection, group_id: str) -> None:
    """The group, which is locked and has no provider, is gone. Raises `ConcurrentChange` where one has just come."""
    statement = "delete from conflict_groups where id = %s"
    try:
        change_rows(conn, "conflict_groups_deleted_were_there", 1, statement, (group_id,))
    except errors.ForeignKeyViolation:
        raise ConcurrentChange from None
