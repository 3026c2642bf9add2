"""The exports that were requested, and how far each has come.

A run of an export has a number, and whatever it writes says which: one that was overtaken, cancelled or deleted
meanwhile finds no row, and stops. So a file is always of one run, whole or not there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from fairlead.store.connection import Connection
from fairlead.store.keyset import Conditions, KeysetPage, KeysetQuery, items_of
from fairlead.store.typed_rows import all_rows, one_row


@dataclass(frozen=True, slots=True)
class RequestedExport:
    """What is requested, and by which actor. `parameters` hold nothing personal."""

    export_id: str
    kind: str
    format: str
    parameters: Mapping[str, Any]
    with_contact_data: bool
    requested_by: str
    requested_by_user_id: str | None
    is_email_wanted: bool


@dataclass(frozen=True, slots=True)
class ExportRow:
    """An export as its row says. `checksum` is SHA-256 of the file, in hexadecimal."""

    export_id: str
    kind: str
    format: str
    parameters: Mapping[str, Any]
    with_contact_data: bool
    state: str
    attempt: int
    failed_runs: int
    crash_count: int
    rows_written: int
    rows_expected: int | None
    rows_expected_is_estimate: bool
    byte_count: int
    checksum: str | None
    requested_by: str
    requested_by_user_id: str | None
    is_email_wanted: bool
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    error: str | None


Position = tuple[datetime, str]
"""In lists, the newest first: when the last one that was seen was requested, and its id."""

_COLUMNS: LiteralString = """
    a.id::text as export_id, a.kind, a.format, a.parameters, a.with_contact_data, a.state, a.attempt, a.failed_runs,
    a.crash_count, a.rows_written, a.rows_expected, a.rows_expected_is_estimate, a.byte_count,
    encode(a.checksum, 'hex') as checksum, a.requested_by, a.requested_by_user_id::text, a.is_email_wanted,
    a.requested_at, a.started_at, a.finished_at, a.expires_at, a.error"""


def lock_exports(conn: Connection) -> None:
    """Until this transaction ends no other requests an export, adds to a file or drops files. Before any row's lock."""
    conn.execute("select pg_advisory_xact_lock(hashtext(current_schema() || ' exports as a whole'), 0)")


def insert_export(conn: Connection, new: RequestedExport, now: datetime) -> None:
    """The export is requested, and waits. Needs the lock of `lock_exports`."""
    conn.execute(
        """
        insert into exports (id, kind, format, parameters, with_contact_data, requested_by, requested_by_user_id,
                             is_email_wanted, requested_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            new.export_id,
            new.kind,
            new.format,
            Jsonb(dict(new.parameters)),
            new.with_contact_data,
            new.requested_by,
            new.requested_by_user_id,
            new.is_email_wanted,
            now,
        ),
    )


def export_row(conn: Connection, export_id: str) -> ExportRow | None:
    """The export with this id; nothing is locked."""
    return one_row(conn, ExportRow, f"select {_COLUMNS} from exports a where a.id = %s", (export_id,))  # noqa: S608


def lock_export(conn: Connection, export_id: str) -> ExportRow | None:
    """The export with this id, locked."""
    return one_row(
        conn,
        ExportRow,
        f"select {_COLUMNS} from exports a where a.id = %s for no key update",  # noqa: S608 - constants of our own
        (export_id,),
    )


def export_page(
    conn: Connection, kind: str | None, state: str | None, after: Position | None, limit: int
) -> KeysetPage[ExportRow, Position]:
    """The next exports, the newest first, after the one that was seen last."""
    start, kept = Conditions(), Conditions()
    if after is not None:
        start.add("(a.requested_at, a.id) < (%s, %s::uuid)", *after)
    kept.add_given("a.kind = %s", kind)
    kept.add_given("a.state = %s", state)
    query = KeysetQuery("exports", "a.requested_at desc, a.id desc", "a.requested_at, a.id::text", start, kept)
    return query.page(conn, items_of(ExportRow), _COLUMNS, "", limit)


def count_under_way(conn: Connection, requested_by: str) -> tuple[int, int]:
    """How many exports of this actor wait or run, and how many of all actors."""
    return conn.execute(
        "select count(*) filter (where requested_by = %s), count(*) from exports where state in ('waiting', 'running')",
        (requested_by,),
    ).fetchall()[0]


def another_actor_is_next(conn: Connection, export_id: str) -> bool:
    """Whether an export that was never begun waits of an actor of whom none was begun since the last of this one's.

    False for an export that was begun before.
    """
    return conn.execute(
        """
        with began as (select requested_by, max(started_at) as last_at from exports group by 1)
        select exists (
            select from exports own
            join began mine on mine.requested_by = own.requested_by
            join exports other on other.state = 'waiting' and other.attempt = 0
                 and other.requested_by <> own.requested_by
            join began theirs on theirs.requested_by = other.requested_by
            where own.id = %s and own.attempt = 0 and mine.last_at is not null
              and (theirs.last_at is null or theirs.last_at < mine.last_at))
        """,
        (export_id,),
    ).fetchall()[0][0]


def begin_run(conn: Connection, export_id: str, now: datetime) -> ExportRow | None:
    """A new run of the export has begun, and every earlier one is overtaken; None where there is nothing to do."""
    return one_row(
        conn,
        ExportRow,
        f"""
        update exports a set state = 'running', attempt = attempt + 1, rows_written = 0, byte_count = 0,
               rows_expected = null, rows_expected_is_estimate = true, started_at = %s, error = null
        where a.id = %s and a.state in ('waiting', 'running') returning {_COLUMNS}
        """,  # noqa: S608 - constants of our own
        (now, export_id),
    )


def record_progress(
    conn: Connection,
    export_id: str,
    attempt: int,
    rows_written: int,
    byte_count: int,
    expected: tuple[int, bool] | None,
) -> bool:
    """How far the run has come is on record; False when it was overtaken, cancelled or deleted. Locks the export.

    `expected` is how many rows the run expects, and whether that is an estimate.
    """
    rows_expected, is_estimate = expected or (None, True)
    done = conn.execute(
        """
        update exports set rows_written = %s, byte_count = %s, rows_expected = %s, rows_expected_is_estimate = %s
        where id = %s and attempt = %s and state = 'running'
        """,
        (rows_written, byte_count, rows_expected, is_estimate, export_id, attempt),
    )
    return done.rowcount == 1


def finish_run(
    conn: Connection, export_id: str, attempt: int, checksum: bytes, now: datetime, expires_at: datetime
) -> None:
    """The run's file is whole and ready. Needs the export's lock, by `record_progress` in this transaction."""
    conn.execute(
        """
        update exports set state = 'ready', checksum = %s, finished_at = %s, expires_at = %s, failed_runs = 0
        where id = %s and attempt = %s and state = 'running'
        """,
        (checksum, now, expires_at, export_id, attempt),
    )


def put_back(conn: Connection, export_id: str, error: str | None, *, failed: int = 0, crashed: int = 0) -> None:
    """The export waits for another run; counted are runs that failed and that killed their worker. Needs its lock."""
    conn.execute(
        """
        update exports set state = 'waiting', failed_runs = failed_runs + %s, crash_count = crash_count + %s, error = %s
        where id = %s
        """,
        (failed, crashed, error, export_id),
    )


def forgive(conn: Connection, export_id: str) -> None:
    """The export waits to be tried from the beginning, its failures forgotten. Needs its lock."""
    conn.execute(
        """
        update exports set state = 'waiting', failed_runs = 0, crash_count = 0, error = null, finished_at = null
        where id = %s
        """,
        (export_id,),
    )


def forget_sources(conn: Connection, sources: Sequence[str], words: str) -> None:
    """Exports that were asked for by one of these sources are by these words instead, which no lead has for a source.

    Needs the lock of `lock_exports`.
    """
    if sources:
        conn.execute(
            """
            update exports set parameters = jsonb_set(parameters, '{filters,source}', to_jsonb(%s::text))
            where parameters #>> '{filters,source}' = any(%s::text[])
            """,
            (words, list(sources)),
        )


def end_export(conn: Connection, export_id: str, state: str, now: datetime, error: str | None = None) -> None:
    """The export is `failed`, `cancelled` or `expired`, and its file is gone. Needs its lock."""
    conn.execute("delete from export_chunks where export_id = %s", (export_id,))
    conn.execute(
        """
        update exports set state = %s, error = %s, finished_at = coalesce(finished_at, %s), checksum = null
        where id = %s
        """,
        (state, error, now, export_id),
    )


def delete_export(conn: Connection, export_id: str) -> None:
    """The export and its file are gone. Needs its lock."""
    conn.execute("delete from export_chunks where export_id = %s", (export_id,))
    conn.execute("delete from exports where id = %s", (export_id,))


def exports_without_job(conn: Connection, limit: int) -> list[str]:
    """Exports that wait or run although no job, waiting or running, is about them; the oldest first."""
    rows = conn.execute(
        """
        select e.id::text from exports e
        where e.state in ('waiting', 'running') and not exists (
            select from jobs j where j.task = 'build_export' and j.payload ->> 'export_id' = e.id::text)
        order by e.requested_at, e.id limit %s
        """,
        (limit,),
    ).fetchall()
    return [row[0] for row in rows]


def expired_exports(
    conn: Connection, now: datetime, after: tuple[datetime, str] | None, limit: int
) -> list[tuple[datetime, str]]:
    """When they expired and ids of the next ready exports whose time is over, the first to expire first, locked.

    Beyond the one that was seen last; those that another transaction holds are left out.
    """
    at, export_id = after or (None, "00000000-0000-0000-0000-000000000000")
    return conn.execute(
        """
        select expires_at, id::text from exports
        where state = 'ready' and expires_at <= %s
          and (expires_at, id) > (coalesce(%s::timestamptz, '-infinity'), %s::uuid)
        order by expires_at, exports.id limit %s for no key update skip locked
        """,
        (now, at, export_id, limit),
    ).fetchall()


def delete_old_exports(conn: Connection, requested_before: datetime) -> int:
    """Exports without a file that were requested before that are forgotten; returns how many.

    Those with an open dead letter are kept: an operator has yet to look at them.
    """
    return conn.execute(
        """
        delete from exports e where e.requested_at < %s and e.state in ('failed', 'expired', 'cancelled')
        and not exists (select from dead_letters d where d.export_id = e.id and d.resolved_at is null)
        """,
        (requested_before,),
    ).rowcount


def lock_exports_that_may_name(conn: Connection, kinds: Sequence[str], since: datetime) -> list[ExportRow]:
    """Exports of these kinds that hold, or may yet, what is read from this time on, locked by id.

    For the erasure of a person, also without contact data, for where a consumer came from may say who it is: what was
    read before it existed cannot name it. A run reads some time after it has begun, so that one under way counts
    whenever it began, and a ready one by its end; those that wait or failed may begin a run at any moment. Needs the
    lock of `lock_exports`: else one could be requested and begin unseen.
    """
    return all_rows(
        conn,
        ExportRow,
        f"""
        select {_COLUMNS} from exports a
        where a.kind = any(%s)
          and (a.state in ('waiting', 'running', 'failed') or a.state = 'ready' and a.finished_at >= %s)
        order by a.id for no key update
        """,  # noqa: S608 - constants of our own
        (list(kinds), since),
    )
