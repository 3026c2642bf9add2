"""Approving leads, and asking again for the distribution of one that no provider bought.

An approved lead that awaits a decision is all that a distributor needs to know (R1); the job that is enqueued in the
same transaction only says that there is something to look at. In a niche that does not distribute by itself, approval
leaves it at that, and the manual trigger does the rest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fairlead.core.errors import Refused
from fairlead.core.lead_actions import LeadAction, allows
from fairlead.flows.chunks import ChunkDone, RunTime, in_chunks, last_of
from fairlead.flows.idempotency import IdempotencyKey, run_idempotent
from fairlead.flows.lead_jobs import lead_jobs
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.failures.dead_letters import open_dead_letter_id, resolve
from fairlead.store.jobs.queue import enqueue, enqueue_one, lead_job
from fairlead.store.leads.rows import (
    LeadProgress,
    clock,
    lock_lead,
    lock_pending,
    lock_pending_of_niche,
    states_of,
    untried_leads,
)
from fairlead.store.leads.state import set_approved, set_awaiting
from fairlead.store.lookups import checked_id

CHUNK_LEADS = 1_000

# A worker may have sold the lead a moment after it was approved: a repeated request gets the same answer as just
# before.
_APPROVED = ("approved", "distributed")

_REFUSALS = {
    "rejected": "it was rejected",
    "bad": "it was marked as bad",
    "pending_confirmation": "its sender has not confirmed it yet",
    "pending_approval": "it is not approved yet",
}


@dataclass(frozen=True, slots=True)
class Approved:
    """A lead that is approved; `was_already` says that it had been before, and nothing was changed."""

    lead_id: str
    was_already: bool


@dataclass(frozen=True, slots=True)
class RefusedLead:
    """A lead that could not be approved or rejected: a stable code for programs, words for people."""

    lead_id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ApprovedLeads:
    """What became of each lead of a bulk approval."""

    approved: tuple[str, ...] = ()
    already: tuple[str, ...] = ()
    refused: tuple[RefusedLead, ...] = ()

    def __add__(self, other: "ApprovedLeads") -> "ApprovedLeads":
        return ApprovedLeads(self.approved + other.approved, self.already + other.already, self.refused + other.refused)


@dataclass(frozen=True, slots=True)
class Triggered:
    """A lead's status after its distribution was asked for.

    `took_effect` is False when nothing changed; `job_id` is that of the job which will decide it, if there is one.
    """

    lead_id: str
    status: str
    awaits_decision: bool
    took_effect: bool
    job_id: int | None = None


def approve_lead(
    database: Database, lead_id: str, actor: Actor, idempotency_key: IdempotencyKey | None = None
) -> Approved:
    """The lead is approved and awaits a decision (R1), and its job is enqueued. Locks the lead. Idempotent.

    One that was distributed since was approved already. With a key, a repetition returns what the first call
    returned. Raises `BadInput` (no id) and `Refused`: `lead_unknown`, `lead_rejected`, `lead_bad`,
    `lead_pending_confirmation`, `idempotency_key_reused`.
    """
    checked = checked_id(lead_id, "lead")

    def work(conn: Connection) -> Approved:
        result = _approve(conn, [checked], actor)
        for refused in result.refused:
            raise Refused(refused.code, refused.message)
        return Approved(checked, was_already=not result.approved)

    return database.run(lambda conn: run_idempotent(conn, idempotency_key, Approved, lambda: work(conn)))


def approve_leads(
    database: Database,
    lead_ids: Sequence[str],
    actor: Actor,
    on_progress: Callable[[ApprovedLeads], None] = lambda _: None,
    idempotency_key: IdempotencyKey | None = None,
) -> ApprovedLeads:
    """Those of the leads that can be are approved and await a decision; the result says why others are not.

    One transaction per 1,000 leads, each of which locks its leads in ascending order of id. Idempotent. With a key,
    which is for at most 1,000 leads, a repetition returns what the first call returned.
    Raises `BadInput`, before anything is written, for what is no id, and `Refused`: `idempotency_key_reused`.
    """
    ids = sorted({checked_id(lead_id, "lead") for lead_id in lead_ids})
    assert idempotency_key is None or len(ids) <= CHUNK_LEADS, "a key is kept in one transaction"
    done = ApprovedLeads()
    for start in range(0, len(ids), CHUNK_LEADS):
        chunk = ids[start : start + CHUNK_LEADS]
        done += database.run(
            lambda conn, chunk=chunk: run_idempotent(
                conn, idempotency_key, ApprovedLeads, lambda: _approve(conn, chunk, actor)
            )
        )
        on_progress(done)
    return done


def approve_niche(
    database: Database, niche_id: str, actor: Actor, on_progress: Callable[[int], None] = lambda _: None
) -> int:
    """All leads of the niche that were pending approval are approved, oldest first; returns how many.

    One transaction per 1,000 leads, locked in ascending order of id. Idempotent.
    """

    def work(conn: Connection, after: str | None) -> ChunkDone[str]:
        pending = lock_pending_of_niche(conn, niche_id, after, CHUNK_LEADS)
        _approve_locked(conn, pending, actor)
        return ChunkDone(len(pending), last_of(pending, CHUNK_LEADS))

    return in_chunks(lambda after: database.run(lambda conn: work(conn, after)), RunTime(on_progress=on_progress))


def trigger_distribution(
    database: Database, lead_id: str, actor: Actor, idempotency_key: IdempotencyKey | None = None
) -> Triggered:
    """The lead awaits a decision, again if it had one without an assignment (R1), and a job asks for it. Idempotent.

    Locks the lead. Its earlier failures count no more, and a dead letter of it is resolved. One that awaits a decision
    already keeps its job; where that was lost it gets another.
    A distributed lead stays as it is: its recorded outcome is the answer. With a key, a repetition returns what the
    first call returned, and asks for nothing. Raises `BadInput` (no id) and `Refused`: `lead_unknown`,
    `lead_rejected`, `lead_bad`, `lead_pending_approval`, `lead_pending_confirmation`, `idempotency_key_reused`.
    """
    checked = checked_id(lead_id, "lead")

    def work(conn: Connection) -> Triggered:
        lead = lock_lead(conn, checked)
        if lead is None:
            raise Refused("lead_unknown", f"there is no lead {checked}")
        if lead.status != "distributed" and not allows(LeadAction.DISTRIBUTE, lead.status):
            refusal = _refusal(lead, "cannot be distributed")
            raise Refused(refusal.code, refusal.message)
        if lead.status == "distributed" or lead.awaits_decision:
            job_id = _job_of(conn, checked, actor) if lead.awaits_decision else None
            return Triggered(checked, lead.status, lead.awaits_decision, took_effect=False, job_id=job_id)
        job_id = ask_again(conn, lead, actor)
        return Triggered(checked, lead.status, awaits_decision=True, took_effect=True, job_id=job_id)

    return database.run(lambda conn: run_idempotent(conn, idempotency_key, Triggered, lambda: work(conn)))


def _job_of(conn: Connection, lead_id: str, actor: Actor) -> int:
    job = lead_job(conn, lead_id)
    return enqueue_one(conn, *lead_jobs([lead_id], actor, clock(conn))) if job is None else job.job_id


def ask_again(conn: Connection, lead: LeadProgress, actor: Actor) -> int:
    """The lead, locked and approved, awaits a decision; returns the id of the job that was enqueued for it.

    Its earlier failures count no more, and a dead letter of it is `retried`. Audited.
    """
    now = clock(conn)
    set_awaiting(conn, [lead.lead_id], actor.request_id)
    job_id = enqueue_one(conn, *lead_jobs([lead.lead_id], actor, now))
    events = [AuditEvent(actor, "distribution.triggered", "lead", lead.lead_id)]
    if (dead_letter_id := open_dead_letter_id(conn, lead.lead_id, None)) is not None:
        resolve(conn, dead_letter_id, "retried", actor.name, None, now)
        events.append(AuditEvent(actor, "dead_letter.retried", "dead_letter", dead_letter_id))
    append_audit(conn, events, now)
    return job_id


def trigger_untried(database: Database, niche_id: str, actor: Actor) -> int:
    """All approved leads of the niche whose distribution was never requested await a decision; returns how many.

    Those are the leads of a niche that does not distribute by itself. One transaction per 1,000 leads. Idempotent.
    """

    def work(conn: Connection, after: str | None) -> ChunkDone[str]:
        lead_ids = untried_leads(conn, niche_id, after, CHUNK_LEADS)
        if lead_ids:
            now = clock(conn)
            set_awaiting(conn, lead_ids, actor.request_id)
            enqueue(conn, lead_jobs(lead_ids, actor, now))
            events = [AuditEvent(actor, "distribution.triggered", "lead", lead_id) for lead_id in lead_ids]
            append_audit(conn, events, now)
        return ChunkDone(len(lead_ids), last_of(lead_ids, CHUNK_LEADS))

    return in_chunks(lambda after: database.run(lambda conn: work(conn, after)))


def _approve(conn: Connection, lead_ids: Sequence[str], actor: Actor) -> ApprovedLeads:
    pending = lock_pending(conn, lead_ids)
    _approve_locked(conn, pending, actor)
    return _sorted_out(lead_ids, pending, states_of(conn, lead_ids))


def _approve_locked(conn: Connection, lead_ids: Sequence[str], actor: Actor) -> None:
    if not lead_ids:
        return
    now = clock(conn)
    awaiting = set_approved(conn, lead_ids, actor.name, now, actor.request_id)
    enqueue(conn, lead_jobs(awaiting, actor, now))
    old, new = {"status": "pending_approval"}, {"status": "approved"}
    append_audit(conn, [AuditEvent(actor, "lead.approved", "lead", lead_id, old, new) for lead_id in lead_ids], now)


def _sorted_out(lead_ids: Sequence[str], approved: Sequence[str], states: dict[str, LeadProgress]) -> ApprovedLeads:
    new = frozenset(approved)
    already: list[str] = []
    refused: list[RefusedLead] = []
    for lead_id in lead_ids:
        state = states.get(lead_id)
        if state is None:
            refused.append(RefusedLead(lead_id, "lead_unknown", f"there is no lead {lead_id}"))
        elif state.status not in _APPROVED:
            refused.append(_refusal(state, "cannot be approved"))
        elif lead_id not in new:
            already.append(lead_id)
    return ApprovedLeads(tuple(approved), tuple(already), tuple(refused))


def _refusal(lead: LeadProgress, what: str) -> RefusedLead:
    return RefusedLead(lead.lead_id, f"lead_{lead.status}", f"lead {lead.lead_id} {what}: {_REFUSALS[lead.status]}")
