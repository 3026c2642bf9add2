"""Deciding a batch of leads: pure, from what is known so far to a final decision, or to whose balances are needed.

Whom to lock depends on the decision, and the decision on balances that only a lock makes certain (ADR 0006). So a batch
is asked for with the balances that are certain, and with those that are expected, which only help to foresee whom it
will consult.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime

from fairlead.core.calendar.limits import CountedLead, Counters
from fairlead.core.calendar.time_rules import NO_OWNERS, Certain, CountedRules, Expected, RecordedRules
from fairlead.core.canonical import JsonObject
from fairlead.core.configuration_entries import subscription_payload
from fairlead.core.decide import decide
from fairlead.core.decision import Decision
from fairlead.core.decision_entries import DECISION_VERSION, decision_payload, served_by, shut_by
from fairlead.core.decision_state import TimeRules
from fairlead.core.fold import Head
from fairlead.core.journal import JournalEntryKind
from fairlead.core.model import Balance, Lead, Subscription
from fairlead.core.postconditions import assert_batch, assert_room
from fairlead.core.prices import lowest_price_cents
from fairlead.core.refusals import Refusal
from fairlead.core.roster import Roster
from fairlead.core.same_outcome import Moved, has_same_outcome, with_true_balances
from fairlead.core.subscription import is_affordable, out_of_funds
from fairlead.core.turns import take_turns
from fairlead.core.weighted import LevelPass

NOTHING_COUNTED: Certain = {}
NOTHING_KEPT: Expected = {}


@dataclass(frozen=True, slots=True)
class Step:
    """One lead of a batch: its decision, and the subscriptions that the charges switched off (R9).

    Of weighted levels that gave it to a recipient: where they stand afterwards, and their recipients' passes (R15).
    """

    decision: Decision
    deactivated: tuple[Subscription, ...]
    level_passes: Mapping[str, LevelPass] = field(default_factory=dict[str, LevelPass])
    passes: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class BatchDecision:
    """A final decision of every lead of a batch, with the balances of all providers that it consulted.

    `counted` are the last leads that it counted in limits, one for each owner. `assert_room` is left to who writes it.
    """

    steps: tuple[Step, ...]
    balances_after: Mapping[str, Balance]
    counted: tuple[CountedLead, ...] = ()
    decided_at_seconds: int = 0

    @property
    def counters_after(self) -> list[Counters]:
        """The counters of limits that it moved, as they are afterwards; reckoned each time."""
        return [own.with_lead(price_cents, self.decided_at_seconds) for own, price_cents in self.counted]

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The decisions, in the order of the leads."""
        return tuple(step.decision for step in self.steps)

    @property
    def deactivated(self) -> tuple[Subscription, ...]:
        """Every subscription that was switched off, in the order of the journal."""
        return tuple(subscription for step in self.steps for subscription in step.deactivated)

    @property
    def shut(self) -> Mapping[str, Refusal]:
        """By subscription, what the batch found to shut it; what the funds switched off afterwards is not shut."""
        found: dict[str, Refusal] = {}
        for step in self.steps:
            found |= shut_by(step.decision)
            for subscription in step.deactivated:
                found.pop(subscription.subscription_id, None)
        return found

    @property
    def level_passes(self) -> Mapping[str, LevelPass]:
        """Where the weighted levels stand after the batch that gave one of its leads."""
        return {level_id: own for step in self.steps for level_id, own in step.level_passes.items()}

    @property
    def passes(self) -> Mapping[str, int]:
        """The passes after the batch of those that received one of its leads from a weighted level."""
        return {subscription_id: own for step in self.steps for subscription_id, own in step.passes.items()}

    def contents(self, version: int = DECISION_VERSION) -> list[tuple[JournalEntryKind, JsonObject]]:
        """What the journal has to say of the batch: each decision, followed by what it switched off.

        `version` is that of the decisions; with those of version 1, filters that stayed as they were are written out.
        """
        found: list[tuple[JournalEntryKind, JsonObject]] = []
        for step in self.steps:
            found.append((JournalEntryKind.DECISION, decision_payload(step.decision, version)))
            for inactive in step.deactivated:
                known = inactive if version > 1 else None
                found.append(
                    (JournalEntryKind.SUBSCRIPTION, subscription_payload(inactive, is_deleted=False, before=known))
                )
        return found


@dataclass(frozen=True, slots=True)
class NeedsBalances:
    """No decision yet: it depends on what these providers have, too. `resume` takes their balances.

    `windows` are, by owner, the counters of limits that it needs, as expected, each with its provider's id. Of a
    provider's own they are certain only while its row is locked, so `provider_ids` has it, too.
    """

    provider_ids: frozenset[str]
    windows: Mapping[str, tuple[str, Counters]]
    _foreseen: "_Foreseen" = field(repr=False)

    def resume(
        self, roster: Roster, certain: Mapping[str, Balance], counted: Certain = NOTHING_COUNTED
    ) -> "BatchDecision | NeedsBalances":
        """The batch with all balances and counters that are certain now: those before, and these.

        `roster` is the one that the batch was asked of, unchanged. What was foreseen is final if every balance is as it
        was expected, or differs in nothing that a decision turned on; else the batch is decided once more. So it must
        be where a provider was refused or switched off for money, or runs short; and where a window of a limit is not
        as expected, as after a refund that left it: what was used is recorded with each lead that counts in it.
        """
        foreseen = self._foreseen
        if (
            foreseen.consulted.keys() <= certain.keys()
            and foreseen.counters.keys() <= counted.keys()
            and all(
                _is_as_expected(counted[owner_id], own, foreseen.decided_at)
                for owner_id, own in foreseen.counters.items()
            )
        ):
            known = {provider_id: certain[provider_id] for provider_id in foreseen.consulted}
            same = foreseen.batch if known == foreseen.consulted else _with_true_balances(roster, foreseen, known)
            if same is not None:
                return same
        return decide_batch(
            roster,
            foreseen.leads,
            certain,
            foreseen.decided_at,
            expected=foreseen.expected,
            counted=counted,
            expected_counters=foreseen.expected_counters,
            unmoved=foreseen.unmoved,
        )


def _with_true_balances(roster: Roster, foreseen: "_Foreseen", true: Mapping[str, Balance]) -> BatchDecision | None:
    """What was foreseen, its charges recorded from the true balances; None where it might come out otherwise."""
    before = {provider_id: known or _ABLE_TO_PAY for provider_id, known in foreseen.consulted.items()}
    moved = {each: Moved(before[each], balance) for each, balance in true.items() if balance != before[each]}
    batch = foreseen.batch
    taken = [(step.decision, step.deactivated) for step in batch.steps]
    if not has_same_outcome(taken, moved, batch.balances_after, _dearest_cents(roster)):
        return None
    steps = tuple(replace(step, decision=with_true_balances(step.decision, moved)) for step in batch.steps)
    after = dict(batch.balances_after)
    after |= {provider_id: own.after(after[provider_id]) for provider_id, own in moved.items()}
    assert_batch(roster.head.seq + 1, [(step.decision, step.deactivated) for step in steps], true, after)
    return replace(batch, steps=steps, balances_after=after)


def _dearest_cents(roster: Roster) -> int:
    """What the dearest level asks at the least: who can pay that can pay for every other (R9)."""
    return max((lowest_price_cents(level) for level in roster.levels.values()), default=0)


def _is_as_expected(counted: Counters, expected: Counters, decided_at: datetime) -> bool:
    if counted is expected:
        return True  # as nearly always: what this process saw last is what is kept
    # What is kept after the batch says when the owner received a lead last: that is at this moment, or later still
    # where a clock was set back, so an earlier lead may be one that was not expected.
    now = int(decided_at.timestamp())
    return counted.tally == expected.tally and max(counted.last_at, now) == max(expected.last_at, now)


@dataclass(frozen=True, slots=True)
class _Foreseen:
    """A batch as it would be if every balance were as it is expected. Never handed out."""

    leads: Sequence[Lead]
    decided_at: datetime
    expected: Mapping[str, Balance]
    batch: BatchDecision
    consulted: Mapping[str, Balance | None]
    expected_counters: Expected
    counters: Certain
    unmoved: AbstractSet[str]


NOTHING_EXPECTED: Mapping[str, Balance] = {}


def decide_batch(
    roster: Roster,
    leads: Sequence[Lead],
    certain: Mapping[str, Balance],
    decided_at: datetime,
    expected: Mapping[str, Balance] = NOTHING_EXPECTED,
    *,
    counted: Certain = NOTHING_COUNTED,
    expected_counters: Expected = NOTHING_KEPT,
    unmoved: AbstractSet[str] = NO_OWNERS,
    recorded: RecordedRules | None = None,
) -> BatchDecision | NeedsBalances:
    """The leads decided one after the other, each with what the ones before have left; or whose balances are needed.

    `certain` are balances that cannot change before the batch is written; a final decision depends on no others.
    `counted` and `expected_counters` are to the windows of limits what `certain` and `expected` are to balances; of the
    owners in `unmoved` what is expected is certain. With `recorded`, the counters are on record, and the batch is one
    lead.
    `expected` are those that were seen last. The roster is unchanged afterwards; `follow_batch` moves it. Charges
    switch off the subscriptions that their providers can no longer pay for, before the next lead is decided (R9).

    >>> from fairlead.core.canonical import timestamp_from_text
    >>> from fairlead.core.model import Level
    >>> roster, provider = Roster("niche"), "01900000-0000-7000-8000-000000000000"
    >>> roster.set_level(Level("gold", "Gold", 500, 1, 1, is_active=True), is_deleted=False)
    >>> roster.set_provider(provider, "active")
    >>> subscription = Subscription("s", provider, "gold", True, None, '{"rules":[],"version":1}', True)
    >>> roster.set_subscription(subscription, is_deleted=False)
    >>> leads = [Lead(lead_id, {}, "commitment", attempt=1) for lead_id in ("first", "second")]
    >>> now = timestamp_from_text("2026-01-01T00:00:00.000000Z")
    >>> asked = decide_batch(roster, leads, {}, now)
    >>> asked.provider_ids == {provider}
    True
    >>> batch = asked.resume(roster, {provider: Balance(700, 0, 1)})
    >>> [decision.outcome.value for decision in batch.decisions], [each.subscription_id for each in batch.deactivated]
    (['success', 'no_eligible'], ['s'])
    """
    balances = _Balances(certain, expected)
    counters = CountedRules(decided_at, counted, expected_counters, unmoved)
    steps: list[Step] = []
    with roster.trial():
        for lead in leads:
            steps.append(_step(roster, lead, balances, counters if recorded is None else recorded, decided_at))
            if recorded is None:
                for recipient in steps[-1].decision.recipients:
                    counters.count(recipient.counters, recipient.price_cents)
    taken = [(step.decision, step.deactivated) for step in steps]
    assert_batch(roster.head.seq + 1, taken, balances.before, balances.after)
    batch = BatchDecision(tuple(steps), balances.after, tuple(counters.counted.values()), int(decided_at.timestamp()))
    if recorded is not None:
        assert_room(roster, batch.decisions)
    windows = counters.asked
    of_providers = (provider_id for provider_id, own in windows.values() if own.owner == "provider")
    missing = balances.consulted.keys() | frozenset(of_providers)
    missing = frozenset(missing - certain.keys())
    if missing or windows:
        asked = {owner_id: own for owner_id, (_, own) in windows.items()}
        foreseen = _Foreseen(leads, decided_at, expected, batch, balances.consulted, expected_counters, asked, unmoved)
        return NeedsBalances(missing, windows, foreseen)
    return batch


def follow_batch(roster: Roster, batch: BatchDecision, head_hash: bytes) -> None:
    """The roster stands behind the batch: pointer moved (R2), recipients served (R5), subscriptions switched off."""
    for step in batch.steps:
        _follow(roster, step)
    roster.head = replace(roster.head, hash=head_hash)


def head_after(head: Head, step: Step) -> Head:
    """Where the niche stands after the step; the hash is the caller's to set, once the entries are sealed."""
    decision = step.decision
    served = [recipient.served_seq for recipient in decision.recipients]
    return Head(
        decision.seq + len(step.deactivated),
        head.hash,
        decision.next_start_order_position,
        served[-1] if served else head.last_served_seq,
    )


def _step(roster: Roster, lead: Lead, balances: "_Balances", time_rules: TimeRules, decided_at: datetime) -> Step:
    decision = decide(roster, lead, balances, decided_at, time_rules)
    for recipient in decision.recipients:
        balances.charge(recipient.provider_id, recipient.price_cents)
    dearest_cents = _dearest_cents(roster)  # who can pay it: of most providers no subscription has to be looked at
    own = (
        subscription
        for provider_id in decision.consulted_provider_ids
        if not is_affordable(dearest_cents, balances.after[provider_id].available_cents)
        for subscription in roster.subscriptions_of(provider_id)
    )
    deactivated = tuple(out_of_funds(own, roster.levels, balances.after))
    step = Step(decision, deactivated)
    _follow(roster, step)
    weighted = [result for result in decision.levels if result.level.is_weighted and result.recipients]
    if not weighted:
        return step
    return replace(
        step,
        level_passes={own.level.level_id: roster.level_pass(own.level.level_id) for own in weighted},
        passes={
            each.subscription_id: roster.pass_value(each.subscription_id) for own in weighted for each in own.recipients
        },
    )


def _follow(roster: Roster, step: Step) -> None:
    for served_at in served_by(step.decision):
        take_turns(roster, served_at)
    for subscription_id, refusal in shut_by(step.decision):
        roster.set_shut(subscription_id, refusal)
    for subscription in step.deactivated:
        roster.set_subscription(subscription, is_deleted=False)
    roster.head = head_after(roster.head, step)


class _Balances:
    """Balances as a batch goes on: those after its own charges, else the certain ones, else the expected ones.

    A provider of whom nothing is known counts as able to pay: that way the batch goes on and finds out whom else it
    would consult. `consulted` says what each provider was taken to have before the batch: nothing (None) of these.
    """

    def __init__(self, certain: Mapping[str, Balance], expected: Mapping[str, Balance]) -> None:
        self._certain = certain
        self._expected = expected
        self.consulted: dict[str, Balance | None] = {}
        self.after: dict[str, Balance] = {}

    @property
    def before(self) -> Mapping[str, Balance]:
        """What each provider that was consulted was taken to have before the batch."""
        return {provider_id: known or _ABLE_TO_PAY for provider_id, known in self.consulted.items()}

    def __getitem__(self, provider_id: str, /) -> Balance:
        balance = self.after.get(provider_id)
        if balance is None:
            known = self._certain.get(provider_id) or self._expected.get(provider_id)
            self.consulted[provider_id] = known
            balance = self.after[provider_id] = known or _ABLE_TO_PAY
        return balance

    def charge(self, provider_id: str, price_cents: int) -> None:
        self.after[provider_id] = self.after[provider_id].charged(price_cents)


_ABLE_TO_PAY = Balance(balance_cents=1 << 52, credit_limit_cents=0, ledger_seq=0)
