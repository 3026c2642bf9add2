"""The audit log's head is the last lock of every transaction: each statement of a flow that tests run is held to that.

Every transaction that writes to the log takes its head. Where one goes on to wait for a row, and the transaction that
has the row is to write to the log next, each waits for the other. No test notices that where one runs at a time: so the
order is looked at instead, in the calls of `Database.run`. See "One order of locks" in ARCHITECTURE.md.
"""

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import psycopg

from fairlead.store.committed_calls import Call
from fairlead.store.session_settings import SettledConnection

_HEAD = "audit_head for no key update"
_LOCKS = re.compile(r"\bfor\s+(?:no\s+key\s+)?update\b|\bfor\s+(?:key\s+)?share\b|\bpg_advisory\w*lock\w*\(|^\s*lock\s")
_WRITES = re.compile(r"(?<!key )(?<!for )\b(update|insert\s+into|delete\s+from)\s+(\w+)")
_COMMENTS = re.compile(r"--[^\n]*")

MAY_FOLLOW = {
    "update audit_head": "the head itself",
    "insert audit_log": "what the head is for",
    "insert committed_calls": "a row of this call alone",
    "update idempotency_keys": "the row of the request's own key, which it has had from its beginning",
}
"""What may be written once the head is taken, each with why it waits for nothing."""

out_of_order: list[str] = []
"""What was locked or written after the head, since this was emptied."""


def objection(statement: str) -> str | None:
    """What the statement locks or writes although the head is taken; None for what may follow."""
    text = _COMMENTS.sub("", statement.lower())
    if _HEAD in text:
        return None
    written = [f"{verb.split()[0]} {table}" for verb, table in _WRITES.findall(text)]
    if wrong := [each for each in written if each not in MAY_FOLLOW]:
        return ", ".join(wrong)
    return "locks" if _LOCKS.search(text) else None


class WatchedCursor(psycopg.Cursor[Any]):
    """Looks at the statements of a flow."""

    def execute(self, query: Any, *arguments: Any, **options: Any) -> Any:
        """As its base has it."""
        _look_at(self.connection, query)
        return super().execute(query, *arguments, **options)

    def executemany(self, query: Any, *arguments: Any, **options: Any) -> None:
        """As its base has it."""
        _look_at(self.connection, query)
        super().executemany(query, *arguments, **options)


def _look_at(conn: Any, query: Any) -> None:
    if not conn.is_of_flow:
        return
    text = query if isinstance(query, str) else query.decode() if isinstance(query, bytes) else str(query)
    if not conn.has_head:
        conn.has_head = _HEAD in text
    elif (wrong := objection(text)) is not None:
        out_of_order.append(f"{wrong}: {' '.join(text.split())}")


def watch() -> None:
    """From now on the flows of this process are looked at."""
    made, transaction = SettledConnection.__init__, SettledConnection.transaction
    attempt: Callable[..., Any] = Call.attempt

    def make(conn: Any, *arguments: Any, **options: Any) -> None:
        made(conn, *arguments, **options)
        conn.cursor_factory, conn.is_of_flow, conn.has_head = WatchedCursor, False, False

    @contextmanager
    def part(conn: Any, *arguments: Any, **options: Any) -> Generator[Any]:
        """The locks of a part that is undone go with it."""
        had_head = conn.has_head
        try:
            with transaction(conn, *arguments, **options) as opened:
                yield opened
        except BaseException:
            conn.has_head = had_head
            raise

    def call(self: Any, conn: Any) -> Any:
        conn.is_of_flow, conn.has_head = True, False
        try:
            return attempt(self, conn)
        finally:
            conn.is_of_flow = False

    for owner, name, watched in (
        (SettledConnection, "__init__", make),
        (SettledConnection, "transaction", part),
        (Call, "attempt", call),
    ):
        setattr(owner, name, watched)
