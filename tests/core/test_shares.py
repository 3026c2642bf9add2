"""Weighted levels as they are decided (R15): what the scheduler alone gives, also where members come and go."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.configuration_entries import level_payload, niche_payload, provider_payload, subscription_payload
from fairlead.core.journal import JournalEntryKind
from fairlead.core.model import LEAST_RECENTLY_SERVED, WEIGHTED, Balance, Level, Subscription, filter_text
from fairlead.core.roster_state import RosterState
from fairlead.core.weighted import opened_anew, shares
from tests.core.history import EVERY_LEAD, FORM, History, id_of
from tests.core.markets import FILTERS
from tests.core.weighted_level import Level as Scheduler

RICH = Balance(10**9, 0, 1)
GOLD = Level(id_of("level", 1), "Gold", 100, 1, 1, True, order=WEIGHTED)
weights = st.sampled_from([1, 1, 2, 3, 5, 10, 60, 100])


class Market:
    """A niche with one weighted level, and its scheduler beside it; its providers are "0", "1" ... by their ids."""

    def __init__(self, own_weights: list[int], slots: int = 1) -> None:
        self.history = History()
        self.level = replace(GOLD, max_recipients=slots)
        self.own: dict[str, Subscription] = {}
        self.gone: set[str] = set()
        contents = [(JournalEntryKind.NICHE, niche_payload("loans", "Loans", True, FORM))]
        contents.append((JournalEntryKind.LEVEL, level_payload(self.level, is_deleted=False)))
        for number, weight in enumerate(own_weights):
            provider_id = id_of("provider", number)
            own = Subscription(
                id_of("subscription", number), provider_id, GOLD.level_id, True, None, FILTERS[0], True, weight=weight
            )
            self.own[str(number)] = own
            self.history.balances[provider_id] = RICH
            contents.append((JournalEntryKind.PROVIDER, provider_payload(provider_id, "active")))
            contents.append((JournalEntryKind.SUBSCRIPTION, subscription_payload(own, is_deleted=False)))
        self.history.write(*contents)
        self.scheduler = Scheduler({name: own.weight for name, own in self.own.items()}, slots)

    @property
    def eligible(self) -> frozenset[str]:
        return frozenset(name for name, own in self.own.items() if own.is_active and name not in self.gone)

    def set(self, name: str, is_deleted: bool = False, **values: object) -> None:
        self.own[name] = replace(self.own[name], **values)  # pyright: ignore[reportArgumentType]
        self.gone = self.gone | {name} if is_deleted else self.gone - {name}
        payload = subscription_payload(self.own[name], is_deleted=is_deleted)
        self.history.write((JournalEntryKind.SUBSCRIPTION, payload))
        self.scheduler.weights[name] = self.own[name].weight

    def order(self, order: str) -> None:
        if order == WEIGHTED and self.level.order != WEIGHTED:
            self.scheduler.level_pass = opened_anew(self.scheduler.level_pass)
        self.level = replace(self.level, order=order)
        self.history.write((JournalEntryKind.LEVEL, level_payload(self.level, is_deleted=False)))

    def lead(self) -> list[str]:
        decision = self.history.distribute(self.history.lead({}))
        names = {own.subscription_id: name for name, own in self.own.items()}
        if self.level.order != WEIGHTED:
            for each in decision.recipients:
                self.scheduler.served[names[each.subscription_id]] = each.served_seq
                self.scheduler.count = each.served_seq
        return [names[each.subscription_id] for each in decision.recipients]


@given(st.lists(weights, min_size=1, max_size=6), st.integers(1, 3), st.data())
def test_decisions_give_what_the_scheduler_alone_gives(own_weights: list[int], slots: int, data: st.DataObject) -> None:
    """Whatever happens between leads: pauses, other filters, leaving and coming back, other weights (R12)."""
    market = Market(own_weights, slots)
    state = RosterState(market.history.roster.niche_id)
    for _ in range(data.draw(st.integers(1, 25))):
        name = data.draw(st.sampled_from(sorted(market.own)))
        match data.draw(st.sampled_from(["lead", "lead", "lead", "pause", "resume", "filter", "leave", "weigh"])):
            case "pause":
                market.set(name, is_active=False, deactivation_reason="paused")
            case "resume":
                market.set(name, is_active=True, deactivation_reason=None)
            case "filter":
                rules = {"version": 1, "rules": [{"field_key": "age", "operator": "exists", "value": False}]}
                market.set(name, filter_text=data.draw(st.sampled_from([filter_text(EVERY_LEAD), filter_text(rules)])))
            case "leave":
                market.set(name, is_deleted=True)
            case "weigh":
                market.set(name, weight=data.draw(weights))
            case _:
                assert market.lead() == market.scheduler.lead(market.eligible)
    _, differences = market.history.replayed()
    assert not differences
    for entry in market.history.entries:
        state.fold(entry)
    read = RosterState.from_document(state.document())
    assert read.document() == state.document()
    queue = [each.subscription_id for each in read.subscriptions_at(GOLD.level_id)]
    at = {own.subscription_id: name for name, own in market.own.items()}
    assert [market.scheduler.at(at[each]) for each in queue] == sorted(market.scheduler.at(at[each]) for each in queue)
    assert market.scheduler.lead(market.eligible) == market.lead()
    assert [*read.roster().level_passes.items()] == [*RosterState.roster(state).level_passes.items()]


@given(st.lists(weights, min_size=1, max_size=8), st.integers(1, 3), st.integers(1, 80))
def test_none_that_could_have_had_every_lead_falls_behind_by_more_than_the_published_bound(
    own_weights: list[int], slots: int, leads: int
) -> None:
    """docs/fairness.md: fewer leads behind than its own part of as many as there are others."""
    market = Market(own_weights, slots)
    own = {name: each.weight for name, each in market.own.items()}
    expected = shares(own, slots)
    others = sum(weight for name, weight in own.items() if expected[name] < 1)
    received = dict.fromkeys(own, 0)
    for number in range(1, leads + 1):
        for name in market.lead():
            received[name] += 1
        for name, weight in own.items():
            competing = others + (weight if expected[name] == 1 else 0)
            bound = (len(own) - 1) * weight / competing
            assert received[name] >= expected[name] * number - bound - 0.001, name


def test_a_level_that_is_weighted_again_finds_its_subscriptions_even() -> None:
    market = Market([1, 3])
    market.set("1", is_active=False, deactivation_reason="paused")
    assert [market.lead() for _ in range(3)] == [["0"], ["0"], ["0"]]
    market.order(LEAST_RECENTLY_SERVED)
    market.set("1", is_active=True, deactivation_reason=None)
    market.order(WEIGHTED)
    assert [market.lead() for _ in range(5)] == [["1"], ["0"], ["1"], ["1"], ["0"]]


@pytest.mark.parametrize("order", [WEIGHTED, LEAST_RECENTLY_SERVED])
def test_what_is_usual_is_not_written(order: str) -> None:
    """Entries that were written before levels had an order, and subscriptions a weight, are as they would be now."""
    level = level_payload(replace(GOLD, order=order), is_deleted=False)
    assert ("order" in level) == (order == WEIGHTED)
    own = Subscription(id_of("subscription", 1), id_of("provider", 1), GOLD.level_id, True, None, FILTERS[0], True)
    assert "weight" not in subscription_payload(own, is_deleted=False)
    assert subscription_payload(replace(own, weight=2), is_deleted=False)["weight"] == 2
