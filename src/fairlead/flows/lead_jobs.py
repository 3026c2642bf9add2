"""The jobs that ask for the decision of leads."""

from collections.abc import Sequence
from datetime import datetime

from fairlead.core.canonical import timestamp_text
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Connection, Database
from fairlead.store.jobs.queue import Job, withdraw_lead_jobs
from fairlead.store.leads.rows import lock_decided


def lead_jobs(lead_ids: Sequence[str], actor: Actor, now: datetime, delay_seconds: float = 0) -> list[Job]:
    """One job per lead: who asked for it, when and by which request. What is to be done, the lead's row says."""
    asked = {
        "triggered_by": {"actor_id": actor.name, "actor_role": actor.role},
        "requested_at": timestamp_text(now),
        "correlation_id": actor.request_id,
    }
    return [Job("distribute_lead", {"lead_id": lead_id, **asked}, delay_seconds) for lead_id in lead_ids]


def withdraw_needless_jobs(database: Database, lead_ids: Sequence[str]) -> None:
    """Jobs that wait for those of the leads whose decision is made are gone; a lead that awaits one keeps its jobs.

    For after the decisions' transaction, which it would only make longer: a job too many does no harm. Since then a
    lead may have been asked for again, so its row is asked under its lock; one that is locked elsewhere keeps its jobs.
    Idempotent. Raises `Unavailable`.
    """
    if not lead_ids:
        return

    def work(conn: Connection) -> None:
        if decided := lock_decided(conn, lead_ids):
            withdraw_lead_jobs(conn, decided)

    database.run(work)
