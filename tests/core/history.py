"""A niche in memory, with its journal: written and decided as the marketplace does it, without a database."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from fairlead.core.batch import BatchDecision, Step, decide_batch, follow_batch
from fairlead.core.canonical import JsonObject, commit_to_attributes
from fairlead.core.decision import Decision
from fairlead.core.decision_entries import DECISION_VERSION
from fairlead.core.journal import Entry, JournalEntryKind, seal
from fairlead.core.ledger import LedgerEntryKind as LedgerKind
from fairlead.core.ledger import post
from fairlead.core.model import Balance, Lead, Subscription
from fairlead.core.replay import Replay, redecide
from fairlead.core.roster import Roster

BEGINNING = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
EVERY_LEAD: JsonObject = {"version": 1, "rules": []}
FORM: JsonObject = {
    "version": 1,
    "fields": [
        {"key": "age", "label": "Age", "type": "number", "required": False},
        {"key": "job", "label": "Job", "type": "select", "required": False, "options": ["nurse", "pilot", "cook"]},
    ],
}


def id_of(kind: str, number: int) -> str:
    """An id whose order among its kind is the order of the numbers, told apart by its last digits only."""
    return f"{hashlib.sha256(kind.encode()).hexdigest()[:8]}-0000-7000-8000-{number:012x}"


class History:
    """One niche from its first entry on. `balances` are its providers' balances, `leads` what was distributed.

    `version` is that of its decisions, and with 1 every filter is repeated; it may change while they are written.
    """

    def __init__(self, version: int = DECISION_VERSION) -> None:
        self.version = version
        self.roster = Roster(id_of("niche", 1))
        self.entries: list[Entry] = []
        self.balances: dict[str, Balance] = {}
        self.leads: dict[str, tuple[Mapping[str, object], bytes]] = {}
        self.decisions: list[Decision] = []

    @property
    def now(self) -> datetime:
        return BEGINNING + timedelta(seconds=len(self.entries))

    def write(self, *contents: tuple[JournalEntryKind, JsonObject]) -> None:
        """The contents are the newest entries, and the roster has folded them in."""
        for sealed in self._seal(list(contents)):
            self.roster.fold(sealed)

    def lead(self, attributes: Mapping[str, object], age_minutes: int = 0) -> Lead:
        """The next lead with these attributes, which came in so long before the beginning, known to the replay."""
        lead_id = id_of("lead", len(self.leads) + 1)
        salt = hashlib.sha256(lead_id.encode()).digest()[:16]
        self.leads[lead_id] = (attributes, salt)
        came_in = BEGINNING - timedelta(minutes=age_minutes)
        return Lead(lead_id, attributes, commit_to_attributes(salt, attributes), 1, created_at=came_in)

    def distribute(self, lead: Lead) -> Decision:
        """The lead is decided, paid for and on record; subscriptions without funds are inactive (R9)."""
        batch = decide_batch(self.roster, [lead], self.balances, self.now)
        assert isinstance(batch, BatchDecision)
        (decision,) = batch.decisions
        for recipient in decision.recipients:
            balance = self.balances[recipient.provider_id]
            _, self.balances[recipient.provider_id] = post(balance, LedgerKind.LEAD_PURCHASE, recipient.price_cents)
        newest = self._seal(batch.contents(self.version))[-1]
        follow_batch(self.roster, batch, newest.hash)
        self.decisions.append(decision)
        return decision

    def replayed(self) -> tuple[Replay, list[str]]:
        """The journal decided once more from its first entry, and what was wrong with it."""
        replay = Replay(self.roster.niche_id)
        differences: list[str] = []
        for entry in self.entries:
            attributes, salt = self.leads.get(str(entry.payload.get("lead_id")), (None, None))
            differences += replay.step(entry, attributes, salt)
        return replay, differences + replay.end()

    def _seal(self, contents: list[tuple[JournalEntryKind, JsonObject]]) -> list[Entry]:
        return self.seal_at(contents, self.now)

    def seal_at(self, contents: list[tuple[JournalEntryKind, JsonObject]], moment: datetime) -> list[Entry]:
        """The contents are the newest entries, recorded at the moment."""
        hash_before = self.entries[-1].hash if self.entries else bytes(32)
        sealed = seal(self.roster.niche_id, len(self.entries), hash_before, contents, moment)
        entries = [each.entry for each in sealed]
        self.entries += entries
        return entries


def decided_again(roster: Roster, recorded: JsonObject, attributes: Mapping[str, object]) -> Decision:
    """The recorded decision, taken again; its record has every balance that it depends on."""
    again = redecide(roster, recorded, attributes)
    assert isinstance(again, BatchDecision)
    (decision,) = again.decisions
    return decision


def follow(roster: Roster, decision: Decision) -> None:
    """The roster stands behind the decision, which switched nothing off."""
    follow_batch(roster, BatchDecision((Step(decision, ()),), {}), roster.head.hash)


def state_of(roster: Roster) -> dict[str, object]:
    """Everything that a roster can be asked, as plain data: two rosters with equal states are the same roster."""
    probes: list[Mapping[str, object]] = [{}, {"age": 20, "job": "cook"}, {"age": 40, "job": "nurse"}]
    return {
        "head": roster.head,
        "niche": (roster.is_active, roster.schema),
        "levels": dict(roster.levels),
        "active levels": roster.active_levels,
        "subscriptions": dict(roster.subscriptions),
        "of provider": {s.provider_id: roster.subscriptions_of(s.provider_id) for s in _living(roster)},
        "statuses": {s.provider_id: roster.provider_status(s.provider_id) for s in _living(roster)},
        "served": {s.subscription_id: roster.served_seq(s.subscription_id) for s in _living(roster)},
        "passes": {s.subscription_id: roster.pass_value(s.subscription_id) for s in _living(roster)},
        "level passes": dict(roster.level_passes),
        "terms": dict(roster.terms),
        "shut": {s.subscription_id: roster.shut_by(s.subscription_id) for s in _living(roster)},
        "size": len(roster),
        "counts": {
            level_id: (
                roster.living_count(level_id),
                {reason: count for reason, count in roster.standing_counts(level_id).items() if count},
            )
            for level_id in roster.levels
        },
        "queues": [
            [(number, list(queue)) for level in roster.active_levels for number, queue in [candidates.at(level)]]
            for probe in probes
            for candidates in [roster.matching(probe)]
        ],
    }


def _living(roster: Roster) -> list[Subscription]:
    return list(roster.subscriptions.values())
