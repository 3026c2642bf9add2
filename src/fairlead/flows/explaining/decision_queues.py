"""A lead's decision as it went: each level's queue from its head, rebuilt from the journal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fairlead.core.canonical import commit_to_attributes
from fairlead.core.decision import Decision
from fairlead.core.decision_entries import read_decision
from fairlead.core.decision_queues import LevelQueue, QueueDiffers, queue_recorded, queues_of
from fairlead.core.errors import Broken, Refused
from fairlead.core.messages import Names
from fairlead.core.model import Level
from fairlead.store.connection import Connection, Database
from fairlead.store.distribution.snapshots import state_before
from fairlead.store.history import PastDecision, PastEntry, decisions_of, past_entries
from fairlead.store.lookups import (
    LeadRecord,
    lead_state,
    level_names,
    marketplace_currency,
    provider_names,
)

MOST_LISTED = 50
"""Of the subscriptions that were in no queue for one reason, so many are listed; all are counted."""


@dataclass(frozen=True, slots=True)
class RecordedQueues:
    """One decision, and the queues that it went through, level by level in the order of its traversal.

    `is_whole` is False where the lead's answers are gone, so that only what the journal names can be told.
    `provider_names` has every provider that had a subscription in the niche then.
    """

    lead: LeadRecord
    currency: str
    recorded_at: datetime
    hash: bytes
    decision: Decision
    levels: tuple[LevelQueue, ...]
    is_whole: bool
    decision_seqs: tuple[int, ...]
    provider_names: Mapping[str, str]
    names: Names


def recorded_queues(database: Database, lead_id: str, journal_seq: int | None = None) -> RecordedQueues:
    """The queues of the lead's newest decision, or of the one that is this entry of its niche's journal.

    Reads one moment, locks nothing. Raises `BadInput` for what is no id, and `Refused`: `lead_unknown`, and
    `lead_undecided` also where that entry is no decision of the lead.
    """
    with database.snapshot() as conn:
        lead = lead_state(conn, lead_id)
        past = decisions_of(conn, lead.lead_id)
        chosen = decision_at(lead, past, journal_seq)
        found = entry_at(conn, chosen)
        state = state_before(conn, chosen.niche_id, chosen.seq)
        if state.head.seq != chosen.seq - 1:
            raise Broken(f"entries before {chosen.seq} of niche {chosen.niche_id} are gone: run `fairlead verify`")
        names_of_levels = level_names(conn, lead.niche_id)
        decision = read_decision(chosen.niche_id, chosen.seq, found.entry.payload, _named(names_of_levels))
        is_whole = _is_as_decided(found, decision)
        if is_whole and found.attributes is not None:
            try:
                levels = queues_of(state, found.attributes, decision, state.head.last_served_seq)
            except QueueDiffers as differs:
                raise Broken(f"entry {chosen.seq} of niche {chosen.niche_id}: {differs}") from differs
        else:
            levels = tuple(map(queue_recorded, decision.levels))
        currency = marketplace_currency(conn)
        names = provider_names(conn, sorted({*state.provider_ids, *_named_provider_ids(levels)}))
        return RecordedQueues(
            lead,
            currency,
            found.entry.recorded_at,
            found.entry.hash,
            decision,
            levels,
            is_whole,
            tuple(each.seq for each in past),
            names,
            Names(names_of_levels, currency, names),
        )


def decision_at(lead: LeadRecord, past: Sequence[PastDecision], journal_seq: int | None) -> PastDecision:
    """The newest of the decisions, or the one at this entry. Raises `Refused`: `lead_undecided`."""
    if not past:
        raise Refused("lead_undecided", f"lead {lead.lead_id} was never decided: it is {lead.status}")
    chosen = past[-1] if journal_seq is None else next((each for each in past if each.seq == journal_seq), None)
    if chosen is None:
        raise Refused("lead_undecided", f"entry {journal_seq} of the journal is no decision of lead {lead.lead_id}")
    return chosen


def entry_at(conn: Connection, past: PastDecision) -> PastEntry:
    """The decision's entry, with its lead's answers. Raises `Broken` where it is gone."""
    for found in past_entries(conn, past.niche_id, from_seq=past.seq, up_to_seq=past.seq):
        return found
    raise Broken(f"journal entry {past.seq} of niche {past.niche_id} is gone")


def _is_as_decided(found: PastEntry, decision: Decision) -> bool:
    if found.attributes is None or found.salt is None:
        return False
    return commit_to_attributes(found.salt, found.attributes) == decision.lead_commitment


def _named(names: Mapping[str, str]) -> dict[str, Level]:
    """Levels of which only the name is used: the rest is what the decision recorded."""
    return {level_id: Level(level_id, name, 0, 0, 0, is_active=True) for level_id, name in names.items()}


def _named_provider_ids(levels: Sequence[LevelQueue]) -> set[str]:
    return {each.provider_id for level in levels for each in level.reached}
