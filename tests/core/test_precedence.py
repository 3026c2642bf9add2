"""R4, pair by pair: of two gates that both refuse a subscription, the one that stands first in the registry is told.

The pairs come from the registry itself, so a gate that is new there fails here until its case is written.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations

import pytest

from fairlead.core.calendar.limits import limits_text
from fairlead.core.decision_state import DecisionState
from fairlead.core.explanation import standing_of
from fairlead.core.filters.mismatch import FilterMismatch
from fairlead.core.gates import REGISTRY, decision_refusal
from fairlead.core.model import Balance, Level, ProviderTerms, Subscription, filter_text
from fairlead.core.refusals import (
    AlreadyRecipient,
    CapReached,
    ConflictGroup,
    FilterInvalid,
    InsufficientBalance,
    LeadFull,
    LevelFull,
    OutsideSchedule,
    PriceAboveLimit,
    ProviderInactive,
    Refusal,
    SubscriptionInactive,
)
from tests.core.history import BEGINNING, EVERY_LEAD, History, id_of
from tests.core.limited import LimitedHistory
from tests.core.markets import Market, opened, wants

RIVAL, AHEAD, SUBJECT, BEHIND = (id_of("provider", number) for number in (1, 2, 5, 8))
"""By id in this order, which is R5's among those that were never served."""
GROUP = id_of("group", 1)
FIRST = Level(id_of("level", 1), "First", 100, 1, 1, is_active=True)
SECOND = Level(id_of("level", 2), "Second", 100, 1, 2, is_active=True)
EVERY = filter_text(EVERY_LEAD)
LEAD = {"age": 20, "job": "cook"}


def subscription(provider_id: str, level: Level) -> Subscription:
    name = f"subscription of {provider_id} to {level.name}"
    return Subscription(id_of(name, 1), provider_id, level.level_id, True, None, EVERY, True)


@dataclass
class Stage:
    """A niche of two levels. Why the subject does not receive a lead from the second is what a test asks."""

    subject: Subscription
    status: str = "active"
    cents: int = 100_000
    subject_is_at_first: bool = False
    rival_is_at_first: bool = False
    group: frozenset[str] = frozenset()
    most: int | None = None
    max_recipients: int = 1
    other_at_second: str | None = None

    def history(self) -> History:
        """The niche, with its journal."""
        at_first = [name for name, is_there in self._at_first() if is_there]
        own = [subscription(name, FIRST) for name in at_first]
        own.append(self.subject)
        if self.other_at_second is not None:
            own.append(subscription(self.other_at_second, SECOND))
        statuses = {each.provider_id: "active" for each in own} | {SUBJECT: self.status}
        balances = dict.fromkeys(statuses, Balance(100_000, 0, 1)) | {SUBJECT: Balance(self.cents, 0, 1)}
        groups = dict.fromkeys(self.group & statuses.keys(), GROUP)
        levels = (FIRST, replace(SECOND, max_recipients=self.max_recipients))
        return opened(Market(levels, statuses, balances, tuple(own), {}, 1, self.most, groups))

    def _at_first(self) -> tuple[tuple[str, bool], tuple[str, bool]]:
        return (RIVAL, self.rival_is_at_first), (SUBJECT, self.subject_is_at_first)


def _provider_inactive(stage: Stage) -> None:
    stage.status = "suspended"


def _subscription_inactive(stage: Stage) -> None:
    stage.subject = replace(stage.subject, is_active=False, deactivation_reason="paused")


def _filter_invalid(stage: Stage) -> None:
    stage.subject = replace(stage.subject, filter_is_valid=False)


def _filter_mismatch(stage: Stage) -> None:
    stage.subject = replace(stage.subject, filter_text=filter_text(wants(("age", "gte", 30))))


def _price_above_limit(stage: Stage) -> None:
    stage.subject = replace(stage.subject, max_price_cents=99)


def _outside_schedule(stage: Stage) -> None:
    assert BEGINNING.strftime("%a") == "Sun"
    closed = {"weekly": [{"days": ["mon"], "opens": "08:00", "closes": "09:00"}]}
    stage.subject = replace(stage.subject, schedule_text=limits_text(closed))


def _cap_reached(stage: Stage) -> None:
    stage.subject = replace(stage.subject, limits_text=limits_text({"spend_cents_per_day": 99}))


def _already_recipient(stage: Stage) -> None:
    stage.subject_is_at_first = True


def _conflict_group(stage: Stage) -> None:
    stage.rival_is_at_first = True
    stage.group = frozenset({RIVAL, SUBJECT})


def _insufficient_balance(stage: Stage) -> None:
    """Money for a lead of the first level, where it buys that, and none for the second."""
    stage.cents = 199 if stage.subject_is_at_first else 99


def _lead_full(stage: Stage) -> None:
    stage.most = 1
    stage.rival_is_at_first |= not stage.subject_is_at_first


def _level_full(stage: Stage) -> None:
    stage.other_at_second = AHEAD


REFUSE: dict[type[Refusal], Callable[[Stage], None]] = {
    ProviderInactive: _provider_inactive,
    SubscriptionInactive: _subscription_inactive,
    FilterInvalid: _filter_invalid,
    FilterMismatch: _filter_mismatch,
    PriceAboveLimit: _price_above_limit,
    OutsideSchedule: _outside_schedule,
    CapReached: _cap_reached,
    AlreadyRecipient: _already_recipient,
    ConflictGroup: _conflict_group,
    InsufficientBalance: _insufficient_balance,
    LeadFull: _lead_full,
    LevelFull: _level_full,
}
"""What makes each gate refuse the subject."""

NEVER_BOTH = {(AlreadyRecipient, ConflictGroup)}
"""A provider that has the lead keeps its whole group from it, itself being none of the others."""

PAIRS = [pair for pair in combinations(REGISTRY.refusals, 2) if pair not in NEVER_BOTH]
FULL = (LeadFull, LevelFull)
ASKED = [gate.refusal for gate in REGISTRY.decision if gate.known_provider_ids is None]
"""Those that only a visit can tell: of a candidate that was never asked, it is told that the lead or level was full."""


def ids(each: object) -> str | None:
    return each.reason if isinstance(each, type) and issubclass(each, Refusal) else None


def told(stage: Stage, leads_before: int = 0) -> str | None:
    """Why the subject did not receive a lead from the second level; the decision and its replay agree with that."""
    own = LimitedHistory(stage.history())
    for _ in range(leads_before):
        own.distribute()
    lead = own.history.lead(LEAD)
    batch = own.decided([lead])
    [decision] = batch.decisions
    [result] = [each for each in decision.levels if each.level.level_id == SECOND.level_id]
    standing = standing_of(own.history.roster, lead, decision, result, SUBJECT)
    assert standing is not None
    named = {each.provider_id: each.refusal for each in result.refused}
    own.take(batch)
    assert own.history.replayed()[1] == []
    if standing.refusal is None:
        return None
    assert named.get(SUBJECT) == standing.refusal or result.counts[standing.refusal.reason] > 0
    return standing.refusal.reason


def staged(*refusals: type[Refusal]) -> Stage:
    stage = Stage(subscription(SUBJECT, SECOND))
    for refusal in refusals:
        REFUSE[refusal](stage)
    return stage


def test_every_gate_has_its_case() -> None:
    assert [*REFUSE] == [*REGISTRY.refusals], "write what makes the new gate refuse, at its place"


def test_the_subject_receives_the_lead_where_no_gate_refuses() -> None:
    assert told(staged()) is None


@pytest.mark.parametrize("refusal", REGISTRY.refusals, ids=ids)
def test_a_gate_that_refuses_alone_is_told(refusal: type[Refusal]) -> None:
    assert told(staged(refusal)) == refusal.reason


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=ids)
def test_of_two_that_refuse_the_first_is_told(first: type[Refusal], second: type[Refusal]) -> None:
    is_never_asked = first in ASKED and second in FULL
    assert told(staged(first, second)) == (second if is_never_asked else first).reason


@pytest.mark.parametrize("first", ASKED, ids=ids)
@pytest.mark.parametrize("second", FULL, ids=ids)
def test_of_a_candidate_that_was_asked_before_all_was_full_the_first_is_told(
    first: type[Refusal], second: type[Refusal]
) -> None:
    """It is refused, and the one behind it takes the last place of the lead, or of the level."""
    stage = staged(first)
    stage.other_at_second = BEHIND
    if second is LeadFull:
        stage.most, stage.max_recipients = 1, 2
    assert told(stage) == first.reason


@pytest.mark.parametrize("first", [OutsideSchedule, CapReached], ids=ids)
@pytest.mark.parametrize("second", [AlreadyRecipient, ConflictGroup, InsufficientBalance, *FULL], ids=ids)
def test_what_shut_a_subscription_is_told_without_a_visit(first: type[Refusal], second: type[Refusal]) -> None:
    """An earlier lead found it shut; the third, which starts at the first level again, counts it, whatever else is."""
    stage = staged(first, *([] if second is LevelFull else [second]))
    if second is LevelFull:
        stage.other_at_second = BEHIND
    assert told(stage, leads_before=2) == first.reason


def test_a_provider_is_no_rival_of_itself() -> None:
    """The one pair that no decision meets: both would refuse, if another of the group had the lead as well."""
    own = opened(
        Market(
            (FIRST, SECOND), {SUBJECT: "active"}, {SUBJECT: Balance(1_000, 0, 1)}, (subscription(SUBJECT, SECOND),),
            {}, 1,
        )
    )  # fmt: skip
    terms = {SUBJECT: ProviderTerms(conflict_group_id=GROUP)}
    state = DecisionState(9, BEGINNING, own.lead(LEAD), own.balances, 0, terms=terms)
    state.receive(SUBJECT, FIRST)
    state.recipient_of_group[GROUP] = RIVAL
    assert decision_refusal(state, subscription(SUBJECT, SECOND), SECOND) == AlreadyRecipient(FIRST.level_id)
