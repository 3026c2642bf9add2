"""Telling a decision's story, and why one provider did or did not receive a lead."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from fairlead.core.decision_entries import read_decision
from fairlead.core.errors import Broken, Refused
from fairlead.core.explanation import Standing, standing_of
from fairlead.core.messages import Names
from fairlead.core.model import Lead, Level
from fairlead.flows.explaining.decision_queues import decision_at, entry_at
from fairlead.store.connection import Connection, Database
from fairlead.store.distribution.snapshots import state_before
from fairlead.store.history import PastDecision, decisions_of
from fairlead.store.lookups import (
    LeadRecord,
    lead_state,
    level_names,
    marketplace_currency,
    provider_id_of,
    provider_names,
)


@dataclass(frozen=True, slots=True)
class DecisionStory:
    """One recorded decision with the names that its ids stand for. `payload` is the journal's own."""

    seq: int
    recorded_at: datetime
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LeadStory:
    """A lead and every decision on it, oldest first."""

    lead: LeadRecord
    currency: str
    decisions: tuple[DecisionStory, ...]
    provider_names: Mapping[str, str]
    level_names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ProviderStory:
    """One provider's standing at each level that the lead's chosen decision visited, in its order.

    `unvisited` names the levels that the provider subscribed to and that were inactive.
    """

    lead: LeadRecord
    currency: str
    provider_name: str
    decided_at: datetime
    standings: tuple[tuple[Level, Standing], ...]
    unvisited: tuple[Level, ...]
    names: Names


def explain_lead(database: Database, lead_id: str) -> LeadStory:
    """The lead's story from the journal. Raises `Refused` for a lead that is unknown."""
    with database.snapshot() as conn:
        lead = lead_state(conn, lead_id)
        stories = tuple(_story(conn, past) for past in decisions_of(conn, lead.lead_id))
        provider_ids = {
            each["provider_id"]
            for story in stories
            for level in story.payload["levels"]
            for each in [*level["recipients"], *level["refused"]]
        }
        return LeadStory(
            lead,
            marketplace_currency(conn),
            stories,
            provider_names(conn, sorted(provider_ids)),
            level_names(conn, lead.niche_id),
        )


def explain_provider(database: Database, lead_id: str, provider: str, journal_seq: int | None = None) -> ProviderStory:
    """Why the provider (id or email) did or did not receive the lead, by its journal up to the decision: the newest, or
    the one that is this entry of the journal.

    What counts is how things stood then: the provider's subscription may look different today, or be gone. How the
    niche stood comes from the chosen roster snapshot before the decision and the entries since; what was decided, from
    the decision's own entry. `verify` proves both: snapshots by folding the journal, decisions by taking them again.

    Raises `Refused` for an unknown lead or provider, for a lead that was never decided, and for an entry that is no
    decision of it.
    """
    with database.snapshot() as conn:
        lead = lead_state(conn, lead_id)
        provider_id = provider_id_of(conn, provider)
        chosen = decision_at(lead, decisions_of(conn, lead.lead_id), journal_seq)
        found = entry_at(conn, chosen)
        if found.attributes is None:
            raise Refused(
                "lead_erased",
                f"the attributes of lead {lead.lead_id} are gone: its decision cannot be redone",
            )
        state = state_before(conn, chosen.niche_id, chosen.seq)
        if state.head.seq != chosen.seq - 1:
            raise Broken(f"entries before {chosen.seq} of niche {chosen.niche_id} are gone: run `fairlead verify`")
        decision = read_decision(chosen.niche_id, chosen.seq, found.entry.payload, state.levels)
        subject = Lead(decision.lead_id, found.attributes, decision.lead_commitment, decision.attempt)
        standings = tuple(
            (result.level, standing)
            for result in decision.levels
            if (standing := standing_of(state, subject, decision, result, provider_id)) is not None
        )
        subscribed = {subscription.level_id for subscription in state.subscriptions_of(provider_id)}
        unvisited = tuple(
            level for level in state.levels.values() if level.level_id in subscribed and not level.is_active
        )
        known = provider_names(conn, sorted({provider_id, *(each.provider_id for each in decision.recipients)}))
        currency = marketplace_currency(conn)
        level_names = {level.level_id: level.name for level in state.levels.values()}
        names = Names(level_names, currency, known)
        return ProviderStory(lead, currency, known[provider_id], decision.decided_at, standings, unvisited, names)


def _story(conn: Connection, past: PastDecision) -> DecisionStory:
    entry = entry_at(conn, past).entry
    return DecisionStory(past.seq, entry.recorded_at, cast("Mapping[str, Any]", entry.payload))
