"""Dead letters: what was given up, looked at by a person, and tried again or closed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fairlead.core.errors import Refused
from fairlead.flows.approve_lead import ask_again
from fairlead.flows.exporting.requests import export_job
from fairlead.flows.idempotency import IdempotencyKey, run_idempotent
from fairlead.flows.memos import checked_line
from fairlead.flows.notifications.replay import requeue_notification
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.exports.requests import forgive, lock_export
from fairlead.store.failures.dead_letters import DeadLetter, dead_letter, dead_letters, open_dead_letter_ids, resolve
from fairlead.store.jobs.queue import enqueue
from fairlead.store.leads.rows import LeadProgress, clock, lock_lead
from fairlead.store.leads.runs import JobAttempt, attempts_of
from fairlead.store.lookups import checked_id
from fairlead.store.notifications.rows import lock_notification

LONGEST_MEMO = 500

_SOLD_OR_CLOSED = {
    "distributed": "has been distributed meanwhile",
    "rejected": "has been rejected meanwhile",
    "bad": "has been marked as bad meanwhile",
}


@dataclass(frozen=True, slots=True)
class InspectedDeadLetter:
    """A dead letter, and the runs on record of what it is about, oldest first."""

    letter: DeadLetter
    attempts: tuple[JobAttempt, ...]


@dataclass(frozen=True, slots=True)
class ClosedDeadLetter:
    """A dead letter that is resolved, and how. `took_effect` is False when it had been before, and nothing was changed.

    `job_id` is that of the job which will decide its lead, where this call asked for that.
    """

    dead_letter_id: str
    resolution: str
    lead_id: str | None
    notification_id: str | None
    export_id: str | None
    took_effect: bool
    job_id: int | None = None


@dataclass(frozen=True, slots=True)
class RefusedDeadLetter:
    """A dead letter that cannot be retried: a stable code for programs, words for people."""

    dead_letter_id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class RetriedDeadLetters:
    """What became of each of several dead letters."""

    closed: tuple[ClosedDeadLetter, ...] = ()
    refused: tuple[RefusedDeadLetter, ...] = ()

    def __len__(self) -> int:
        return len(self.closed) + len(self.refused)


def list_dead_letters(
    database: Database, *, queue: str | None = None, only_open: bool = True, limit: int = 100
) -> list[DeadLetter]:
    """The newest dead letters (of the queue), newest first."""
    with database.snapshot() as conn:
        return dead_letters(conn, queue=queue, only_open=only_open, limit=limit)


def inspect_dead_letter(database: Database, dead_letter_id: str) -> InspectedDeadLetter:
    """The dead letter with the runs that led to it. Raises `BadInput` (no id) and `Refused`: `dead_letter_unknown`."""
    checked = checked_id(dead_letter_id, "dead letter")
    with database.snapshot() as conn:
        letter = _known(conn, checked)
        return InspectedDeadLetter(letter, tuple(attempts_of(conn, letter.lead_id, letter.notification_id)))


def retry_dead_letter(
    database: Database, dead_letter_id: str, actor: Actor, idempotency_key: IdempotencyKey | None = None
) -> ClosedDeadLetter:
    """What was given up is tried again from the beginning, its earlier failures forgiven; the letter is `retried`.

    One transaction, with the job in it; audited. Locks what it is about. Idempotent: one that is resolved
    already is left alone, however it was; with `once`, the same request has the same answer again.

    Raises `BadInput` (no id) and `Refused`: `dead_letter_unknown`; `lead_distributed`, `lead_rejected`, `lead_bad` when
    that happened meanwhile; `notification_not_failed` when it waits already or its webhook endpoint was removed;
    `export_not_failed`. Such a letter is to be resolved instead.
    """
    checked = checked_id(dead_letter_id, "dead letter")

    def retry(conn: Connection) -> ClosedDeadLetter:
        letter, lead = _held(conn, checked)
        if letter.resolution is not None:
            return _closed(letter, letter.resolution, took_effect=False)
        if lead is not None:
            if lead.status != "approved":
                words = _SOLD_OR_CLOSED.get(lead.status, "is not approved any more")
                raise Refused(f"lead_{lead.status}", f"lead {lead.lead_id} {words}: resolve the dead letter instead")
            return _closed(letter, "retried", took_effect=True, job_id=ask_again(conn, lead, actor))
        now = clock(conn)
        if letter.export_id is not None:
            _build_again(conn, letter.export_id)
        elif letter.notification_id is not None and not requeue_notification(conn, letter.notification_id, now):
            words = "waits to be sent already, or its webhook endpoint was removed: resolve the dead letter instead"
            raise Refused("notification_not_failed", f"notification {letter.notification_id} {words}")
        resolve(conn, checked, "retried", actor.name, None, now)
        append_audit(conn, [AuditEvent(actor, "dead_letter.retried", "dead_letter", checked)], now)
        return _closed(letter, "retried", took_effect=True)

    return database.run(lambda conn: run_idempotent(conn, idempotency_key, ClosedDeadLetter, lambda: retry(conn)))


def retry_dead_letters(
    database: Database,
    dead_letter_ids: list[str],
    actor: Actor,
    on_progress: Callable[[int], None] = lambda _: None,
) -> RetriedDeadLetters:
    """Each of them is retried as `retry_dead_letter` does, in a transaction of its own; says which could not be.

    In one that is open already, all that they are about is locked before, the leads first, in ascending order of id.

    Raises `BadInput`, before anything is written, for what is no id.
    """
    checked = [checked_id(each, "dead letter") for each in dead_letter_ids]
    if database.is_joined:
        database.run(lambda conn: _hold_all(conn, checked))
    closed: list[ClosedDeadLetter] = []
    refused: list[RefusedDeadLetter] = []
    for number, each in enumerate(dict.fromkeys(checked), start=1):
        try:
            closed.append(retry_dead_letter(database, each, actor))
        except Refused as why:
            refused.append(RefusedDeadLetter(each, why.code, str(why)))
        on_progress(number)
    return RetriedDeadLetters(tuple(closed), tuple(refused))


def retry_all_dead_letters(
    database: Database, queue: str | None, actor: Actor, on_progress: Callable[[int], None] = lambda _: None
) -> RetriedDeadLetters:
    """Every dead letter (of the queue) that is open now is retried, the oldest first, each on its own."""
    return retry_dead_letters(
        database, database.run(lambda conn: open_dead_letter_ids(conn, queue)), actor, on_progress
    )


def resolve_dead_letter(database: Database, dead_letter_id: str, memo: str, actor: Actor) -> ClosedDeadLetter:
    """The dead letter is closed without trying again; the memo (1 to 500 characters) says why. Audited.

    Locks the lead or the notification, which stays as it is. Idempotent: one that is resolved already keeps how, by
    whom and why. Raises `BadInput` (no id, no memo) and `Refused`: `dead_letter_unknown`.
    """
    checked, reason = checked_id(dead_letter_id, "dead letter"), checked_line(memo, "memo", LONGEST_MEMO)

    def work(conn: Connection) -> ClosedDeadLetter:
        letter, _ = _held(conn, checked)
        if letter.resolution is not None:
            return _closed(letter, letter.resolution, took_effect=False)
        now = clock(conn)
        resolve(conn, checked, "resolved", actor.name, reason, now)
        append_audit(conn, [AuditEvent(actor, "dead_letter.resolved", "dead_letter", checked, memo=reason)], now)
        return _closed(letter, "resolved", took_effect=True)

    return database.run(work)


def _held(conn: Connection, dead_letter_id: str) -> tuple[DeadLetter, LeadProgress | None]:
    """The dead letter as it is under the lock of its lead or notification, which all that changes it takes first."""
    letter = _known(conn, dead_letter_id)
    lead = lock_lead(conn, letter.lead_id) if letter.lead_id is not None else None
    if letter.export_id is not None:
        lock_export(conn, letter.export_id)
    if letter.notification_id is not None:
        lock_notification(conn, letter.notification_id)
    # Once more: the transaction that held that lock may have resolved it.
    return _known(conn, dead_letter_id), lead


def _hold_all(conn: Connection, dead_letter_ids: Sequence[str]) -> None:
    letters = [letter for each in dead_letter_ids if (letter := dead_letter(conn, each)) is not None]
    for lead_id in sorted({each.lead_id for each in letters if each.lead_id is not None}):
        lock_lead(conn, lead_id)
    for export_id in sorted({each.export_id for each in letters if each.export_id is not None}):
        lock_export(conn, export_id)
    for notification_id in sorted({each.notification_id for each in letters if each.notification_id is not None}):
        lock_notification(conn, notification_id)


def _known(conn: Connection, dead_letter_id: str) -> DeadLetter:
    letter = dead_letter(conn, dead_letter_id)
    if letter is None:
        raise Refused("dead_letter_unknown", f"there is no dead letter {dead_letter_id}")
    return letter


def _closed(letter: DeadLetter, resolution: str, *, took_effect: bool, job_id: int | None = None) -> ClosedDeadLetter:
    return ClosedDeadLetter(
        letter.dead_letter_id, resolution, letter.lead_id, letter.notification_id, letter.export_id, took_effect, job_id
    )


def _build_again(conn: Connection, export_id: str) -> None:
    """The export waits to be built, its earlier failures forgiven. Needs its lock."""
    row = lock_export(conn, export_id)
    if row is None or row.state != "failed":
        raise Refused(
            "export_not_failed", f"export {export_id} did not fail, or is gone: resolve the dead letter instead"
        )
    forgive(conn, export_id)
    enqueue(conn, [export_job(export_id)])
