"""What becomes of an export whose run raised or killed its worker: tried again later, or given up."""

import random

from fairlead.core.retries import CRASHES_ENDURED, EXPORT_DELAYS_SECONDS, delay_seconds
from fairlead.flows.exporting.requests import export_job
from fairlead.flows.failures.descriptions import failure_text, failure_trace, is_permanent
from fairlead.flows.notifications.alerts import alert_operators
from fairlead.store.audit.log import SYSTEM, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.exports.requests import end_export, lock_export, put_back
from fairlead.store.failures.dead_letters import NewDeadLetter, open_dead_letter, opened
from fairlead.store.jobs.queue import enqueue
from fairlead.store.leads.rows import clock
from fairlead.telemetry.logs import get_logger

log = get_logger(__name__)


def record_failed_build(
    database: Database, export_id: str, attempt: int, error: Exception, retry_delay_factor: float = 1.0
) -> None:
    """The run is on record with its error; the export is built anew after a delay, or given up and a dead letter.

    Given up after the last retry, and at once when trying again cannot help, as for one that is too large. Nothing is
    written of a run that was overtaken. Locks the export. Raises `Unavailable`.
    """

    def work(conn: Connection) -> None:
        row = lock_export(conn, export_id)
        if row is None or row.state != "running" or row.attempt != attempt:
            return
        failed_runs = row.failed_runs + 1
        delay = delay_seconds(EXPORT_DELAYS_SECONDS, failed_runs, random.random())  # noqa: S311
        text = failure_text(error)
        if delay is None or is_permanent(error):
            _give_up(conn, export_id, text, failure_trace(error), failed_runs)
        else:
            put_back(conn, export_id, text, failed=1)
            enqueue(conn, [export_job(export_id, delay * retry_delay_factor)])

    database.run(work)
    log.warning("an export failed", export_id=export_id, error=failure_text(error))


def record_export_crash(conn: Connection, export_id: str) -> bool | None:
    """A worker died while it built this export; returns whether that is the end of it, None where it is over anyway.

    Given up the third time. Locks the export.
    """
    row = lock_export(conn, export_id)
    if row is None or row.state not in ("waiting", "running"):
        return None
    crash_count = row.crash_count + 1
    if crash_count < CRASHES_ENDURED:
        put_back(conn, export_id, row.error, crashed=1)
        return False
    _give_up(conn, export_id, f"its worker died while building it, {crash_count} times", None, crash_count)
    return True


def _give_up(conn: Connection, export_id: str, error: str, trace: str | None, attempts: int) -> None:
    now = clock(conn)
    end_export(conn, export_id, "failed", now, error)
    letter = NewDeadLetter("build_export", {"export_id": export_id}, error, trace, attempts, export_id=export_id)
    dead_letter_id = open_dead_letter(conn, letter, now)
    alert_operators(conn, "An export could not be built", [f"Export {export_id}", error], now)
    events = [
        AuditEvent(SYSTEM, "export.failed", "export", export_id, memo=error),
        opened(dead_letter_id, letter),
    ]
    append_audit(conn, events, now)
