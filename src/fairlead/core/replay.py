"""Deciding the past again: a niche's journal, entry by entry, each hash and each decision checked (R11)."""

from collections import deque
from collections.abc import Mapping

from fairlead.core.batch import BatchDecision, NeedsBalances, decide_batch
from fairlead.core.calendar.time_rules import RecordedRules
from fairlead.core.canonical import JsonObject, canonical_json, commit_to_attributes, timestamp_text
from fairlead.core.configuration_entries import subscription_payload
from fairlead.core.decision_entries import (
    balances_consulted,
    decision_version,
    lead_created_at,
    recorded_decision,
)
from fairlead.core.erased_decision import count_differences, decided_but_for_answers, matched_by_record
from fairlead.core.journal import Entry, JournalEntryKind, UnreadableEntry, entry_hash
from fairlead.core.model import Lead, Subscription
from fairlead.core.roster import Roster

_Answers = tuple[Mapping[str, object] | None, bytes | None]
"""A lead's attributes and the salt of their commitment."""

UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, AssertionError)
"""What reading a payload raises that is not what it should be, or folding an entry that is not the next one."""


class Replay:
    """A walk along one niche's journal. `roster` stands behind the last entry that was stepped over.

    An entry that cannot be followed ends the walk: what comes after it is neither checked nor counted.
    """

    def __init__(self, niche_id: str, begin: Roster | None = None) -> None:
        """From the journal's first entry; with `begin`, a roster, from the entry after the one that it stands at."""
        self.roster = Roster(niche_id) if begin is None else begin
        self.entry_count = 0
        self.decision_count = 0
        self.erased_count = 0
        self.pick_count = 0
        self._due: deque[Subscription] = deque()
        self._is_lost = False

    def step(
        self, entry: Entry, attributes: Mapping[str, object] | None, salt: bytes | None, *, is_erased: bool = False
    ) -> list[str]:
        """What is wrong with the next entry, in words; nothing when it is as it must be.

        `attributes` and `salt` are the lead's, for a decision. A decision is taken again with the balances that it
        recorded, and must come out byte for byte; the deactivations that follow from it (R9) must follow it. With
        `is_erased` the lead's answers were erased: all but what they decided is taken again (`core.erased_decision`),
        and the decision counts in `erased_count`, not in `decision_count`. Never raises, whatever the entry holds.
        """
        differences: list[str] = []
        if not self._is_lost:
            try:
                self._follow(entry, None if is_erased else (attributes, salt), differences)
            except UNREADABLE as error:
                self._is_lost = True
                why = str(error) if isinstance(error, UnreadableEntry) else type(error).__name__
                differences.append(f"neither it nor what comes after it can be followed: {why}")
        return [f"entry {entry.seq}: {difference}" for difference in differences]

    @property
    def needs_more(self) -> bool:
        """Whether deactivations that follow from the last decision have yet to come."""
        return bool(self._due) and not self._is_lost

    def end(self) -> list[str]:
        """What is missing at the end of the journal, in words."""
        return ["the journal ends before deactivations that its last decision made due"] if self.needs_more else []

    def _follow(self, entry: Entry, answers: _Answers | None, differences: list[str]) -> None:
        canonical = canonical_json(entry.payload)
        differences += self._chain_differences(entry, canonical)
        if self._due and canonical not in _deactivations(self._due.popleft()):
            differences.append("a deactivation for lack of funds was due here, and is missing or different")
        if entry.kind is JournalEntryKind.DECISION:
            differences += self._decision_differences(entry, canonical, answers)
            self.decision_count += answers is not None
            self.erased_count += answers is None
        self.roster.fold(entry)
        self.entry_count += 1

    def _chain_differences(self, entry: Entry, canonical: bytes) -> list[str]:
        own_hash = entry_hash(
            entry.prev_hash, entry.niche_id, entry.seq, entry.kind.value, canonical, entry.recorded_at
        )
        differences: list[str] = []
        if entry.prev_hash != self.roster.head.hash:
            differences.append("it does not name the entry before it")
        if entry.hash != own_hash:
            differences.append("its hash is not that of its content")
        return differences

    def _decision_differences(self, entry: Entry, canonical: bytes, answers: _Answers | None) -> list[str]:
        attributes: Mapping[str, object] | None = None
        if answers is not None:
            attributes, salt = answers
            if attributes is None or salt is None:
                return ["the lead that it decided is gone"]
            if commit_to_attributes(salt, attributes) != entry.payload["lead_commitment"]:
                return ["the lead's attributes are not those that it committed to"]
        if entry.payload["decided_at"] != timestamp_text(entry.recorded_at):
            return ["it was recorded at another time than it was decided at"]
        if implausible := RecordedRules(entry.payload, entry.recorded_at).implausible():
            return implausible
        again = redecide(self.roster, entry.payload, attributes)
        if isinstance(again, NeedsBalances):
            unknown = ", ".join(sorted(again.provider_ids))
            return [f"deciding it again gives another decision: it did not record the balances of {unknown}"]
        (_, decided), *_ = again.contents(decision_version(entry.payload))
        self.pick_count += sum(len(decision.recipients) for decision in again.decisions)
        self._due.extend(again.deactivated)
        impossible: list[str] = []
        if answers is None:
            [decision] = again.decisions
            decided = decided_but_for_answers(decision, entry.payload)
            impossible = count_differences(self.roster, decision, entry.payload)
        if canonical_json(decided) != canonical:
            return [f"deciding it again gives another decision: {_first_difference(entry.payload, decided)}"]
        return impossible


def _deactivations(inactive: Subscription) -> tuple[bytes, bytes]:
    """The entry of a deactivation, as it is written now, and as it was before filters were named by their digests."""
    now = subscription_payload(inactive, is_deleted=False, before=inactive)
    return canonical_json(now), canonical_json(subscription_payload(inactive, is_deleted=False))


def redecide(
    roster: Roster, recorded: JsonObject, attributes: Mapping[str, object] | None
) -> BatchDecision | NeedsBalances:
    """The recorded decision, taken again with the balances and counters that it recorded.

    The roster stands right before it. Without attributes, which were erased, those are the candidates that it names.
    """
    effect = recorded_decision(recorded)
    matched_ids = matched_by_record(recorded) if attributes is None else None
    commitment = str(recorded["lead_commitment"])
    created_at = lead_created_at(recorded)
    lead = Lead(effect.lead_id, attributes or {}, commitment, effect.attempt, matched_ids, created_at)
    rules = RecordedRules(recorded, effect.decided_at)
    return decide_batch(roster, [lead], balances_consulted(recorded), effect.decided_at, recorded=rules)


def _first_difference(recorded: JsonObject, again: JsonObject) -> str:
    for key, value in again.items():
        if canonical_json({"value": value}) != canonical_json({"value": recorded.get(key)}):
            return f"`{key}` is recorded otherwise"
    return "the record holds something that a decision does not have"
