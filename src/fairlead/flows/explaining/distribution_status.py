"""How far a lead's distribution has come, in the words that the API answers with."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.core.canonical import timestamp_text
from fairlead.core.retries import DISTRIBUTION_DELAYS_SECONDS
from fairlead.store.connection import Database
from fairlead.store.failures.dead_letters import open_dead_letter_id
from fairlead.store.history import newest_start
from fairlead.store.jobs.queue import LeadJob, lead_job
from fairlead.store.lookups import LeadRecord, lead_state

RUNS = len(DISTRIBUTION_DELAYS_SECONDS) + 1


@dataclass(frozen=True, slots=True)
class DistributionStatus:
    """A lead and its last attempt.

    `last_attempt_status` is `none`, `queued`, `processing`, `success`, `partial`, `no_eligible` or `failed`; `notes`
    say what a person would want to know beside it: why it failed, and what happens next.
    """

    lead_id: str
    lead_status: str
    last_attempt_at: datetime | None
    last_attempt_status: str
    assignments_created: int
    start_level_order_position: int | None
    distribution_attempts: int
    notes: tuple[str, ...]


def distribution_status(database: Database, lead_id: str) -> DistributionStatus:
    """The lead's status at one moment. Raises `BadInput` (no id) and `Refused` (`lead_unknown`)."""
    with database.snapshot() as conn:
        lead = lead_state(conn, lead_id)
        job = lead_job(conn, lead.lead_id) if lead.awaits_decision else None
        dead_letter_id = open_dead_letter_id(conn, lead.lead_id, None)
        return DistributionStatus(
            lead.lead_id,
            lead.status,
            lead.last_attempt_at,
            _last_attempt_status(lead, job),
            lead.assignment_count,
            newest_start(conn, lead.lead_id),
            lead.distribution_attempts,
            tuple(_notes(lead, job, dead_letter_id)),
        )


def _last_attempt_status(lead: LeadRecord, job: LeadJob | None) -> str:
    if job is not None and job.is_running:
        return "processing"
    if lead.awaits_decision and not lead.failed_runs:
        return "queued"
    return lead.last_outcome or "none"


def _notes(lead: LeadRecord, job: LeadJob | None, dead_letter_id: str | None) -> list[str]:
    notes: list[str] = []
    if lead.last_outcome == "failed" and lead.last_error is not None:
        notes.append(f"the last run failed: {lead.last_error}")
    if dead_letter_id is not None:
        notes.append(f"given up: dead letter {dead_letter_id} waits for a person")
    elif lead.awaits_decision and lead.failed_runs:
        when = "within five minutes" if job is None else f"at {timestamp_text(job.due_at)}" if job.due_at else "now"
        notes.append(f"run {lead.failed_runs + 1} of {RUNS} {when}")
    elif lead.awaits_decision and job is None:
        notes.append("no job asks for it: it gets one within five minutes, if a worker runs and its niche is active")
    elif lead.status == "approved" and not lead.awaits_decision and lead.last_outcome is None:
        notes.append("its niche does not distribute by itself: it waits for a manual trigger")
    return notes
