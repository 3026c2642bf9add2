"""The jobs that ask for the decision of leads."""

from collections.abc import Sequence
from datetime import datetime

from fairlead.core.canonical import timestamp_text
from fairlead.store.audit.log import Actor
from fairlead.store.jobs.queue import Job


def lead_jobs(lead_ids: Sequence[str], actor: Actor, now: datetime, delay_seconds: float = 0) -> list[Job]:
    """One job per lead: who asked for it, when and by which request. What is to be done, the lead's row says."""
    asked = {
        "triggered_by": {"actor_id": actor.name, "actor_role": actor.role},
        "requested_at": timestamp_text(now),
        "correlation_id": actor.request_id,
    }
    return [Job("distribute_lead", {"lead_id": lead_id, **asked}, delay_seconds) for lead_id in lead_ids]
