"""Leads as operators look at them: lists that cost the same on every page, one in full, and who received it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from fairlead.core.entry.mailbox import mailbox_search_keys
from fairlead.core.entry.phone import phone_search_keys
from fairlead.core.errors import Refused
from fairlead.store.connection import Connection
from fairlead.store.keyset import Conditions
from fairlead.store.leads.intake import Consent, Intake, consent_of_lead, intake_of_lead, phone_regions
from fairlead.store.lookups import marketplace_currency
from fairlead.store.typed_rows import all_rows, one_row


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Which leads are wanted; None: all. `created_from` is included, `created_before` is not."""

    niche_slug: str | None = None
    status: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    # The beginning of an id, in hexadecimal.
    id_prefix: str | None = None


@dataclass(frozen=True, slots=True)
class ListedLead:
    """A lead as a list shows it: nothing personal."""

    lead_id: str
    niche: str
    status: str
    awaits_decision: bool
    distribution_attempts: int
    last_outcome: str | None
    created_at: datetime
    approved_at: datetime | None


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
    currency: str
    assigned_at: datetime
    status: str


def lead_page(
    conn: Connection, wanted: LeadFilter, after: tuple[datetime, str] | None, limit: int
) -> Sequence[ListedLead]:
    """The next leads, the newest first, after the time and id of the last that was seen. Each page costs the same."""
    conditions = Conditions()
    conditions.add_given("l.niche_id = (select id from niches where slug = %s)", wanted.niche_slug)
    conditions.add_given("l.status = %s", wanted.status)
    conditions.add_given("l.created_at >= %s", wanted.created_from)
    conditions.add_given("l.created_at < %s", wanted.created_before)
    if wanted.id_prefix is not None:
        conditions.add("l.id between %s and %s", *_ids_that_begin_with(wanted.id_prefix))
    return _page(conn, conditions, after, limit)


def _ids_that_begin_with(prefix: str) -> tuple[UUID, UUID]:
    digits = prefix.replace("-", "")
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))


def leads_of_contact(
    conn: Connection, contact: str, after: tuple[datetime, str] | None, limit: int
) -> Sequence[ListedLead]:
    """The next leads of a consumer, the newest first: by the whole email address or telephone number.

    However it was written, then and now (`core/entry`); a telephone number also without its country, if that is the
    region of any niche. Answered by an index.
    """
    conditions = Conditions()
    if "@" in contact:
        conditions.add("l.email_key = any(%s)", list(mailbox_search_keys(contact)))
    else:
        conditions.add("l.phone_key = any(%s)", list(phone_search_keys(contact, phone_regions(conn))))
    return _page(conn, conditions, after, limit)


def _page(
    conn: Connection, conditions: Conditions, after: tuple[datetime, str] | None, limit: int
) -> Sequence[ListedLead]:
    if after is not None:
        conditions.add("(l.created_at, l.id) < (%s, %s::uuid)", *after)
    return all_rows(
        conn,
        ListedLead,
        f"""
        select l.id::text as lead_id, n.slug as niche, l.status, l.awaits_decision, l.distribution_attempts,
               l.last_outcome,
               l.created_at, l.approved_at
        from leads l join niches n on n.id = l.niche_id
        where {conditions.text}
        order by l.created_at desc, l.id desc limit %s
        """,  # noqa: S608 - constants of our own
        (*conditions.values, limit),
    )


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
               (select count(*) from assignments a where a.lead_id = l.id) as assignment_count
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
               a.competition_level_id::text, c.name as level_name, a.price_cents, %s as currency, a.assigned_at,
               a.status
        from assignments a join providers p on p.id = a.provider_id
        join competition_levels c on c.id = a.competition_level_id
        where a.lead_id = %s order by a.served_seq limit %s offset %s
        """,
        (marketplace_currency(conn), lead_id, limit, (page - 1) * limit),
    )
    return count[0], assignments
