"""What no worker will try again by itself: kept with what it was and why, until a person has seen to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from fairlead.store.audit.log import SYSTEM, AuditEvent
from fairlead.store.connection import Connection
from fairlead.store.ids import new_id
from fairlead.store.jobs.queue import QUEUE_OF, Task
from fairlead.store.keyset import Conditions, KeysetPage, KeysetQuery, items_of
from fairlead.store.typed_rows import all_rows, one_row


@dataclass(frozen=True, slots=True)
class NewDeadLetter:
    """Work that is given up. Error and trace hold nothing personal."""

    task: Task
    payload: Mapping[str, object]
    error: str
    trace: str | None
    attempts: int
    lead_id: str | None = None
    notification_id: str | None = None
    export_id: str | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Work that was given up, and what became of it. `resolution` is None while it is open."""

    dead_letter_id: str
    queue: str
    task: str
    lead_id: str | None
    notification_id: str | None
    export_id: str | None
    payload: Mapping[str, Any]
    error: str
    trace: str | None
    attempts: int
    failed_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None
    memo: str | None


Position = tuple[datetime, str]
"""In lists, the newest first: when the last one that was seen failed, and its id."""

_COLUMNS: LiteralString = """
    a.id::text as dead_letter_id, a.queue, a.task, a.lead_id::text, a.notification_id::text,
    a.export_id::text, a.payload, a.error, a.attempts, a.failed_at, a.resolved_at, a.resolved_by, a.resolution,
    a.memo"""
_WHOLE: LiteralString = "select a.trace, " + _COLUMNS + " from dead_letters a"  # noqa: S608 - constants of our own


def open_dead_letter(conn: Connection, letter: NewDeadLetter, now: datetime) -> str:
    """There is an open dead letter for this lead, notification or export, the only one; returns its id.

    Needs the lock of the lead, notification or export.
    """
    dead_letter_id = new_id(conn)
    rows = conn.execute(
        """
        insert into dead_letters (id, queue, task, lead_id, notification_id, export_id, payload, error, trace, attempts,
                                  failed_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict do nothing returning id
        """,
        (
            dead_letter_id,
            QUEUE_OF[letter.task],
            letter.task,
            letter.lead_id,
            letter.notification_id,
            letter.export_id,
            Jsonb(letter.payload),
            letter.error,
            letter.trace,
            letter.attempts,
            now,
        ),
    ).fetchall()
    if rows:
        return dead_letter_id
    found = conn.execute(
        """
        update dead_letters set error = %s, trace = %s, attempts = %s, failed_at = %s
        where resolved_at is null and (lead_id = %s or notification_id = %s or export_id = %s) returning id::text
        """,
        (letter.error, letter.trace, letter.attempts, now, letter.lead_id, letter.notification_id, letter.export_id),
    ).fetchall()
    return found[0][0]


def opened(dead_letter_id: str, letter: NewDeadLetter) -> AuditEvent:
    """What the audit log has to say of a letter. The error is with the dead letter."""
    new = {
        "queue": QUEUE_OF[letter.task],
        "attempts": letter.attempts,
        "lead_id": letter.lead_id,
        "notification_id": letter.notification_id,
    } | ({} if letter.export_id is None else {"export_id": letter.export_id})
    return AuditEvent(SYSTEM, "dead_letter.opened", "dead_letter", dead_letter_id, new=new)


def dead_letters(
    conn: Connection, *, queue: str | None = None, only_open: bool = True, limit: int = 100
) -> list[DeadLetter]:
    """The newest dead letters (of the queue), newest first."""
    return all_rows(
        conn,
        DeadLetter,
        _WHOLE
        + """
        where (%s::text is null or a.queue = %s) and (not %s or a.resolved_at is null)
        order by a.failed_at desc, a.id desc limit %s
        """,
        (queue, queue, only_open, limit),
    )


@dataclass(frozen=True, slots=True)
class DeadLetterFilter:
    """Which dead letters are wanted; None: all. `failed_from` is included, `failed_before` is not."""

    queue: str | None = None
    is_open: bool | None = None
    lead_id: str | None = None
    failed_from: datetime | None = None
    failed_before: datetime | None = None


def dead_letter_page(
    conn: Connection, wanted: DeadLetterFilter, after: Position | None, limit: int
) -> KeysetPage[DeadLetter, Position]:
    """The next dead letters, the newest first, after the one that was seen last. `trace` is left out of a list."""
    start, kept = Conditions(), Conditions()
    if wanted.is_open is not None:
        start.add("a.resolved_at is null" if wanted.is_open else "a.resolved_at is not null")
    start.add_given("a.failed_at >= %s", wanted.failed_from)
    start.add_given("a.failed_at < %s", wanted.failed_before)
    if after is not None:
        start.add("(a.failed_at, a.id) < (%s, %s::uuid)", *after)
    kept.add_given("a.queue = %s", wanted.queue)
    kept.add_given("a.lead_id = %s", wanted.lead_id)
    walk = KeysetQuery("dead_letters", "a.failed_at desc, a.id desc", "a.failed_at, a.id::text", start, kept)
    return walk.page(
        conn,
        items_of(DeadLetter),
        "null as trace, " + _COLUMNS,
        "",
        limit,
    )


def open_dead_letter_ids(conn: Connection, queue: str | None) -> list[str]:
    """All open dead letters (of the queue), the oldest first."""
    rows = conn.execute(
        """
        select id::text from dead_letters where resolved_at is null and (%s::text is null or queue = %s)
        order by failed_at, id
        """,
        (queue, queue),
    ).fetchall()
    return [row[0] for row in rows]


def dead_letter(conn: Connection, dead_letter_id: str) -> DeadLetter | None:
    """The dead letter with this id; nothing is locked."""
    return one_row(conn, DeadLetter, _WHOLE + " where a.id = %s", (dead_letter_id,))


def open_dead_letter_id(
    conn: Connection, lead_id: str | None, notification_id: str | None, export_id: str | None = None
) -> str | None:
    """The open dead letter of a lead, a notification or an export. Needs the lock of that."""
    row = conn.execute(
        """
        select id::text from dead_letters
        where resolved_at is null and (lead_id = %s or notification_id = %s or export_id = %s)
        """,
        (lead_id, notification_id, export_id),
    ).fetchone()
    return None if row is None else str(row[0])


def resolve(
    conn: Connection, dead_letter_id: str, resolution: str, resolved_by: str, memo: str | None, now: datetime
) -> bool:
    """The dead letter is resolved, if it was open; returns whether it was."""
    done = conn.execute(
        """
        update dead_letters set resolved_at = %s, resolved_by = %s, resolution = %s, memo = %s
        where id = %s and resolved_at is null
        """,
        (now, resolved_by, resolution, memo, dead_letter_id),
    )
    return done.rowcount == 1


def delete_resolved(conn: Connection, resolved_before: datetime) -> int:
    """Dead letters that were resolved before that are gone; returns how many they were."""
    return conn.execute("delete from dead_letters where resolved_at < %s", (resolved_before,)).rowcount
