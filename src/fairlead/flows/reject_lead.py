"""Rejecting unsold leads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fairlead.core.errors import Refused
from fairlead.flows.approve_lead import CHUNK_LEADS, RefusedLead
from fairlead.flows.idempotency import IdempotencyKey, run_idempotent
from fairlead.flows.memos import checked_words
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.jobs.queue import withdraw_lead_jobs
from fairlead.store.leads.review import lock_rejectable, resolve_dead_letters_of
from fairlead.store.leads.rows import LeadProgress, clock, states_of
from fairlead.store.leads.state import set_rejected
from fairlead.store.lookups import checked_id

LONGEST_REASON = 1000

_REFUSALS = {"distributed": "it is distributed already", "bad": "it was marked as bad"}


@dataclass(frozen=True, slots=True)
class Rejected:
    """A lead that is rejected; `was_already` says that it had been before, and nothing was changed."""

    lead_id: str
    was_already: bool


@dataclass(frozen=True, slots=True)
class RejectedLeads:
    """What became of each lead of a bulk rejection."""

    rejected: tuple[str, ...] = ()
    already: tuple[str, ...] = ()
    refused: tuple[RefusedLead, ...] = ()

    def __add__(self, other: "RejectedLeads") -> "RejectedLeads":
        return RejectedLeads(self.rejected + other.rejected, self.already + other.already, self.refused + other.refused)


def reject_lead(
    database: Database, lead_id: str, reason: str, actor: Actor, idempotency_key: IdempotencyKey | None = None
) -> Rejected:
    """The lead is rejected for this reason and not distributed, also if it was approved before. Idempotent.

    The reason has 1 to 1000 characters. It may be personal: it is kept with the lead and nowhere else. An open dead
    letter of the lead is resolved. Audited; locks the lead.

    Raises `BadInput` and `Refused`: `lead_unknown`, `lead_distributed`, `lead_bad`, `idempotency_key_reused`.
    """
    checked, words = checked_id(lead_id, "lead"), checked_words(reason, "reason", LONGEST_REASON)

    def work(conn: Connection) -> Rejected:
        result = _reject(conn, [checked], words, actor)
        for refused in result.refused:
            raise Refused(refused.code, refused.message)
        return Rejected(checked, was_already=not result.rejected)

    return database.run(lambda conn: run_idempotent(conn, idempotency_key, Rejected, lambda: work(conn)))


def reject_leads(
    database: Database,
    lead_ids: Sequence[str],
    reason: str,
    actor: Actor,
    idempotency_key: IdempotencyKey | None = None,
) -> RejectedLeads:
    """Those of the leads that can be are rejected for this reason; the result says why others are not. Idempotent.

    One transaction per 1,000 leads, each of which locks its leads in ascending order of id. With a key, which is for
    at most 1,000 leads, a repetition returns what the first call returned. Raises `BadInput`, before anything is
    written, for what is no id or no reason, and `Refused`: `idempotency_key_reused`.
    """
    words = checked_words(reason, "reason", LONGEST_REASON)
    ids = sorted({checked_id(lead_id, "lead") for lead_id in lead_ids})
    assert idempotency_key is None or len(ids) <= CHUNK_LEADS, "a key is kept in one transaction"
    done = RejectedLeads()
    for start in range(0, len(ids), CHUNK_LEADS):
        chunk = ids[start : start + CHUNK_LEADS]
        done += database.run(
            lambda conn, chunk=chunk: run_idempotent(
                conn, idempotency_key, RejectedLeads, lambda: _reject(conn, chunk, words, actor)
            )
        )
    return done


def _reject(conn: Connection, lead_ids: Sequence[str], reason: str, actor: Actor) -> RejectedLeads:
    before = lock_rejectable(conn, lead_ids)
    if before:
        now = clock(conn)
        append_audit(conn, reject_locked(conn, before, reason, actor, now), now)
    return _sorted_out(lead_ids, before, states_of(conn, lead_ids))


def reject_locked(
    conn: Connection, before: Mapping[str, str], reason: str, actor: Actor, now: datetime
) -> list[AuditEvent]:
    """The leads, which are locked and unsold, by their status before, are rejected; returns what is to be audited."""
    rejected = list(before)
    set_rejected(conn, rejected, reason, actor.name, now, actor.request_id)
    # What still asks for them would find nothing to do.
    withdraw_lead_jobs(conn, rejected)
    resolved = resolve_dead_letters_of(conn, rejected, actor.name, now)
    events = [
        AuditEvent(actor, "lead.rejected", "lead", lead_id, {"status": status}, {"status": "rejected"})
        for lead_id, status in before.items()
    ]
    return [*events, *(AuditEvent(actor, "dead_letter.resolved", "dead_letter", each) for each in resolved)]


def _sorted_out(lead_ids: Sequence[str], rejected: dict[str, str], states: dict[str, LeadProgress]) -> RejectedLeads:
    already: list[str] = []
    refused: list[RefusedLead] = []
    for lead_id in lead_ids:
        state = states.get(lead_id)
        if state is None:
            refused.append(RefusedLead(lead_id, "lead_unknown", f"there is no lead {lead_id}"))
        elif state.status != "rejected":
            words = f"lead {lead_id} cannot be rejected: {_REFUSALS[state.status]}"
            refused.append(RefusedLead(lead_id, f"lead_{state.status}", words))
        elif lead_id not in rejected:
            already.append(lead_id)
    return RejectedLeads(tuple(rejected), tuple(already), tuple(refused))
