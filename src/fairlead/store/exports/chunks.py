"""The files of exports: pieces of about a megabyte, compressed, in rows of their own.

In the database, so that whichever process is asked for a file has it, and a backup, a fail-over or a deletion takes it
along.
"""

import zlib
from dataclasses import dataclass

from fairlead.store.connection import Connection

LEVEL = 6


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a file: its number, where it begins, and what it holds."""

    number: int
    byte_offset: int
    content: bytes


def add_chunk(conn: Connection, export_id: str, attempt: int, chunk: Chunk) -> None:
    """The piece is kept. Needs the export's lock, by `record_progress` in this transaction."""
    conn.execute(
        """
        insert into export_chunks (export_id, attempt, number, byte_offset, byte_count, content)
        values (%s, %s, %s, %s, %s, %s)
        """,
        (
            export_id,
            attempt,
            chunk.number,
            chunk.byte_offset,
            len(chunk.content),
            zlib.compress(chunk.content, LEVEL),
        ),
    )


def delete_chunks(conn: Connection, export_id: str) -> None:
    """Nothing that earlier runs wrote is left. Needs the export's lock."""
    conn.execute("delete from export_chunks where export_id = %s", (export_id,))


def chunk_at(conn: Connection, export_id: str, attempt: int, byte_offset: int) -> Chunk | None:
    """The piece of the file that holds the byte at this place; None where the file is gone, or ends before it."""
    row = conn.execute(
        """
        select number, byte_offset, content from export_chunks
        where export_id = %s and attempt = %s and byte_offset <= %s and byte_offset + byte_count > %s
        """,
        (export_id, attempt, byte_offset, byte_offset),
    ).fetchone()
    return None if row is None else Chunk(row[0], row[1], zlib.decompress(row[2]))
