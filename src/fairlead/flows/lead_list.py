"""Leads in a list and as a search finds them, each with what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from fairlead.core.gates import REGISTRY
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.listing import LeadCount, LeadFilter, ListedLead, Place, lead_count, lead_page
from fairlead.store.leads.outcomes import LastDecision, LeadSale, last_decisions_of, sales_of
from fairlead.store.leads.search import find_leads

ShownOutcome: TypeAlias = Literal["sold", "partial", "unsold", "failed", "rejected", "bad"]

_PRECEDENCE = {refusal.reason: place for place, refusal in enumerate(REGISTRY.refusals)}


@dataclass(frozen=True, slots=True)
class LeadInList:
    """A lead, and what became of it: None while that is open.

    `slot_count` is what its newest decision offered, None before the first. `net_cents` is what providers paid, less
    refunds. `unsold_reason` is that of the provider that was closest to receiving an unsold lead, None where there was
    none at any level.
    """

    lead: ListedLead
    outcome: ShownOutcome | None
    assignment_count: int
    refunded_count: int
    slot_count: int | None
    net_cents: int
    unsold_reason: str | None


@dataclass(frozen=True, slots=True)
class LeadList:
    """A page of leads, the place after which the next one begins, and how many there are, where that was asked."""

    items: tuple[LeadInList, ...]
    next_after: Place | None
    count: LeadCount | None = None


@dataclass(frozen=True, slots=True)
class FoundInList:
    """What a search found. `is_partial`: so many names begin alike that not all of them were looked at."""

    items: tuple[LeadInList, ...]
    is_partial: bool


def leads_in_list(
    database: Database,
    wanted: LeadFilter,
    after: tuple[datetime, str] | None,
    limit: int,
    *,
    oldest_first: bool = False,
    is_counted: bool = False,
) -> LeadList:
    """The next leads of the filter, the newest or the oldest first; a page may hold fewer and still have a next one.

    With `is_counted` also how many there are, as far as that is cheap. Reads one moment, locks nothing.
    """

    def work(conn: Connection) -> LeadList:
        page = lead_page(conn, wanted, after, limit, oldest_first=oldest_first)
        count = lead_count(conn, wanted) if is_counted else None
        return LeadList(_with_outcomes(conn, page.items), page.next_after, count)

    return database.read(work)


def search_leads(database: Database, text: str, after: tuple[datetime, str] | None, limit: int) -> FoundInList:
    """The next leads that the text means, the newest first: a name, an email address, a number, or an id's beginning.

    Nothing of the text is kept or logged. Locks nothing.
    """

    def work(conn: Connection) -> FoundInList:
        found = find_leads(conn, text, after, limit)
        return FoundInList(_with_outcomes(conn, found.leads), found.is_partial)

    return database.read(work)


def _with_outcomes(conn: Connection, leads: Sequence[ListedLead]) -> tuple[LeadInList, ...]:
    ids = [each.lead_id for each in leads]
    sales, decisions = sales_of(conn, ids), last_decisions_of(conn, ids)
    return tuple(_in_list(each, sales.get(each.lead_id), decisions.get(each.lead_id)) for each in leads)


def _in_list(lead: ListedLead, sale: LeadSale | None, decision: LastDecision | None) -> LeadInList:
    outcome = _outcome_of(lead)
    return LeadInList(
        lead,
        outcome,
        0 if sale is None else sale.assignment_count,
        0 if sale is None else sale.refunded_count,
        None if decision is None else decision.slot_count,
        0 if sale is None else sale.net_cents,
        closest_reason(decision.reasons) if decision is not None and outcome == "unsold" else None,
    )


def closest_reason(reasons: Sequence[str]) -> str | None:
    """The reason of the provider that passed the most gates before one refused it; None where there was none.

    >>> closest_reason(["filter_mismatch", "insufficient_balance", "provider_inactive"])
    'insufficient_balance'
    """
    return max(reasons, key=lambda reason: _PRECEDENCE.get(reason, -1), default=None)


def _outcome_of(lead: ListedLead) -> ShownOutcome | None:
    if lead.status == "bad":
        return "bad"
    if lead.status == "rejected":
        return "rejected"
    if lead.status == "distributed":
        return "partial" if lead.last_outcome == "partial" else "sold"
    return {"no_eligible": "unsold", "failed": "failed"}.get(lead.last_outcome or "")  # pyright: ignore[reportReturnType]
