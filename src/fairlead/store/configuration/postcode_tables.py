"""Postcode tables with their places: versions that are added and never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import errors

from fairlead.store.configuration.rows import ConcurrentChange
from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows, one_row


@dataclass(frozen=True, slots=True)
class PostcodeTableRow:
    """A version of a table, without its content."""

    name: str
    version: int
    postcode_count: int
    content_sha256: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class _Content:
    content: str


def postcode_table_rows(conn: Connection) -> Sequence[PostcodeTableRow]:
    """Every version of every table, by name, the newest first. Locks nothing."""
    return all_rows(
        conn,
        PostcodeTableRow,
        """
        select name, version, postcode_count, encode(content_sha256, 'hex') as content_sha256, created_at
        from postcode_tables order by name, version desc
        """,
    )


def newest_postcode_tables(conn: Connection) -> Sequence[PostcodeTableRow]:
    """The newest version of every table, by name. Locks nothing."""
    newest: dict[str, PostcodeTableRow] = {}
    for row in postcode_table_rows(conn):
        newest.setdefault(row.name, row)
    return list(newest.values())


def postcode_table_names(conn: Connection) -> Sequence[str]:
    """The names of the tables, in order. Locks nothing."""
    return [row.name for row in newest_postcode_tables(conn)]


def newest_postcode_table(conn: Connection, name: str, version: int | None = None) -> PostcodeTableRow | None:
    """That version of the table, without one the newest; None where there is none. Locks nothing."""
    return one_row(
        conn,
        PostcodeTableRow,
        """
        select name, version, postcode_count, encode(content_sha256, 'hex') as content_sha256, created_at
        from postcode_tables where name = %s and version = coalesce(%s, version) order by version desc limit 1
        """,
        (name, version),
    )


def postcode_table_content(conn: Connection, name: str, version: int) -> str:
    """The content of that version, empty where there is none."""
    statement = "select content from postcode_tables where name = %s and version = %s"
    row = one_row(conn, _Content, statement, (name, version))
    return "" if row is None else row.content


def add_postcode_table(conn: Connection, row: PostcodeTableRow, content: str) -> None:
    """The version, which is new, is there. Raises `ConcurrentChange` when another has just been loaded."""
    try:
        conn.execute(
            """
            insert into postcode_tables (name, version, content, content_sha256, postcode_count, created_at)
            values (%s, %s, %s, decode(%s, 'hex'), %s, %s)
            """,
            (row.name, row.version, content, row.content_sha256, row.postcode_count, row.created_at),
        )
    except errors.UniqueViolation:
        raise ConcurrentChange from None
