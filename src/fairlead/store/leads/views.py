"""A lead as operators look at it: in full, how it came in, and who received it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fairlead.core.errors import Refused
from fairlead.store.connection import Connection
from fairlead.store.leads.intake import Consent, Intake, consent_of_lead, intake_of_lead
from fairlead.store.lookups import marketplace_currency
from fairlead.store.typed_rows import all_rows, one_row


@dataclass(frozen=True, slots=True)
class LeadInFull:
    """A lead with all that is known of it."""

    lead_id: str
    niche_id: str
    niche: str
    niche_name: str
    status: str
    awaits_decision: bool
    contact_name: str | None = field(repr=False)
    contact_email: str | None = field(repr=False)
    contact_phone: str | None = field(repr=False)
    attributes: Mapping[str, Any] = field(repr=False)
    utm_source: str | None
    utm_medium: str | None
    utm_campaign: str | None
    referrer: str | None
    created_at: datetime
    approved_at: datetime | None
    approved_by: str | None
    rejected_at: datetime | None
    rejected_by: str | None
    rejection_reason: str | None = field(repr=False)
    distributed_at: datetime | None
    distribution_attempts: int
    last_attempt_at: datetime | None
    last_outcome: str | None
    assignment_count: int
    answers_erased_at: datetime | None
    contact_erased_at: datetime | None
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class LeadOrigin:
    """How a lead came in from outside, None where it did not, and the consent of its consumer, if any is on record."""

    lead_id: str
    intake: Intake | None
    consent: Consent | None


@dataclass(frozen=True, slots=True)
class LeadAssignment:
    """Who received a lead, and what it paid (cents)."""

    assignment_id: str
    provider_id: str
    provider_name: str
    subscription_id: str
    competition_level_id: str
    level_name: str
    price_cents: int
    price_rule: str | None
    currency: str
    assigned_at: datetime
    status: str


def lead_origin(conn: Connection, lead_id: str) -> LeadOrigin:
    """How the lead came in, and what its consumer agreed to. Raises `Refused`: `lead_unknown`."""
    if conn.execute("select from leads where id = %s", (lead_id,)).fetchone() is None:
        raise Refused("lead_unknown", f"there is no lead {lead_id}")
    return LeadOrigin(lead_id, intake_of_lead(conn, lead_id), consent_of_lead(conn, lead_id))


def lead_in_full(conn: Connection, lead_id: str) -> LeadInFull:
    """The lead. Raises `Refused`: `lead_unknown`."""
    found = one_row(
        conn,
        LeadInFull,
        """
        select l.id::text as lead_id, n.id::text as niche_id, n.slug as niche, n.name as niche_name, l.status,
               l.awaits_decision, l.contact_name, l.contact_email, l.contact_phone, l.attributes, l.utm_source,
               l.utm_medium, l.utm_campaign, l.referrer, l.created_at,
               l.approved_at, l.approved_by, l.rejected_at, l.rejected_by, l.rejection_reason, l.distributed_at,
               l.distribution_attempts, l.last_attempt_at, l.last_outcome,
               (select count(*) from assignments a where a.lead_id = l.id) as assignment_count,
               l.answers_erased_at, l.contact_erased_at, l.erased_at
        from leads l join niches n on n.id = l.niche_id where l.id = %s
        """,
        (lead_id,),
    )
    if found is None:
        raise Refused("lead_unknown", f"there is no lead {lead_id}")
    return found


def assignments_of_lead(conn: Connection, lead_id: str, page: int, limit: int) -> tuple[int, Sequence[LeadAssignment]]:
    """How many assignments the lead has, and those of this page (from 1), in the order in which they were made.

    Raises `Refused`: `lead_unknown`.
    """
    count = conn.execute(
        "select (select count(*) from assignments a where a.lead_id = l.id) from leads l where l.id = %s", (lead_id,)
    ).fetchone()
    if count is None:
        raise Refused("lead_unknown", f"there is no lead {lead_id}")
    assignments = all_rows(
        conn,
        LeadAssignment,
        """
        select a.id::text as assignment_id, a.provider_id::text, p.name as provider_name, a.subscription_id::text,
               a.competition_level_id::text, c.name as level_name, a.price_cents, a.price_rule, %s as currency,
               a.assigned_at,
               a.status
        from assignments a join providers p on p.id = a.provider_id
        join competition_levels c on c.id = a.competition_level_id
        where a.lead_id = %s order by a.served_seq limit %s offset %s
        """,
        (marketplace_currency(conn), lead_id, limit, (page - 1) * limit),
    )
    return count[0], assignments
