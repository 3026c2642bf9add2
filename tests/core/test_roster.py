"""A roster is a fold of the journal, and trying a decision out leaves no trace."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core import roster as roster_module
from fairlead.core.configuration_entries import (
    level_payload,
    niche_payload,
    provider_payload,
    subscription_payload,
)
from fairlead.core.decide import decide
from fairlead.core.fold import JournalGap
from fairlead.core.journal import JournalEntryKind
from fairlead.core.model import Balance, Level, Subscription, filter_text
from fairlead.core.returns import Return, TurnGivenBack, return_payload
from fairlead.core.roster import Roster
from fairlead.core.subscription import funded
from tests.core.history import BEGINNING, FORM, History, follow, id_of, state_of
from tests.core.markets import ATTRIBUTES, FILTERS, Market, attributes, markets, opened, staged

Draw = Callable[[st.SearchStrategy[Any]], Any]

RICH = Balance(10**9, 0, 0)
SHORTER_FORM = {"version": 1, "fields": [{"key": "age", "type": "number"}]}


class Tables:
    """What the tables would say: the present state only, each edit overwriting what was there."""

    def __init__(self) -> None:
        self.niche: tuple[bool, object] = (True, FORM)
        self.levels: dict[str, tuple[Level, bool]] = {}
        self.statuses: dict[str, str] = {}
        self.subscriptions: dict[str, tuple[Subscription, bool]] = {}
        self.served: dict[str, int] = {}

    def roster(self, history: History) -> Roster:
        """The roster read from the tables, in one order, knowing nothing of how it came to be."""
        loaded = Roster(history.roster.niche_id)
        loaded.set_niche(*self.niche)
        for level in self.levels.values():
            loaded.set_level(*level)
        for status in self.statuses.items():
            loaded.set_provider(*status)
        for subscription_id, (subscription, is_deleted) in sorted(self.subscriptions.items()):
            if subscription_id in self.served:
                loaded.set_served(subscription_id, self.served[subscription_id])
            loaded.set_subscription(subscription, is_deleted)
        loaded.head = history.roster.head
        return loaded


def edit_niche(draw: Draw, history: History, tables: Tables) -> None:
    tables.niche = (draw(st.booleans()), draw(st.sampled_from([FORM, SHORTER_FORM])))
    history.write((JournalEntryKind.NICHE, niche_payload("loans", "Loans", *tables.niche)))  # type: ignore[arg-type]


def edit_level(draw: Draw, history: History, tables: Tables) -> None:
    number = draw(st.integers(0, 2))
    price_cents = draw(st.sampled_from([100, 200]))
    level = Level(id_of("level", number), f"L{number}", price_cents, 2, number + 1, draw(st.booleans()))
    is_deleted = draw(st.integers(0, 5)) == 5
    tables.levels[level.level_id] = (level, is_deleted)
    history.write((JournalEntryKind.LEVEL, level_payload(level, is_deleted=is_deleted)))


def edit_provider(draw: Draw, history: History, tables: Tables) -> None:
    provider_id = id_of("provider", draw(st.integers(0, 2)))
    tables.statuses[provider_id] = draw(st.sampled_from(["active", "suspended"]))
    history.write((JournalEntryKind.PROVIDER, provider_payload(provider_id, tables.statuses[provider_id])))


def edit_subscription(draw: Draw, history: History, tables: Tables) -> None:
    if not tables.levels:
        return
    level_id = draw(st.sampled_from(sorted(tables.levels)))
    provider = draw(st.integers(0, 2))
    subscription = Subscription(
        id_of(f"subscription of {provider}", int(level_id[-1])),
        id_of("provider", provider),
        level_id,
        is_active := draw(st.booleans()),
        None if is_active else "paused",
        draw(st.sampled_from(FILTERS)),
        draw(st.integers(0, 5)) < 5,
    )
    is_deleted = draw(st.integers(0, 3)) == 3
    tables.subscriptions[subscription.subscription_id] = (subscription, is_deleted)
    before = history.roster.subscription(subscription.subscription_id) if draw(st.booleans()) else None
    payload = subscription_payload(subscription, is_deleted=is_deleted, before=before)
    history.write((JournalEntryKind.SUBSCRIPTION, payload))


def edit_by_distributing(draw: Draw, history: History, tables: Tables) -> None:
    decision = history.distribute(history.lead(draw(attributes)))
    tables.served |= {r.subscription_id: r.served_seq for r in decision.recipients}


def edit_by_giving_a_turn_back(draw: Draw, history: History, tables: Tables) -> None:
    if not tables.served:
        return
    subscription_id = draw(st.sampled_from(sorted(tables.served)))
    served_seq = draw(st.sampled_from([None, *range(1, tables.served[subscription_id] + 1)]))
    if served_seq is None or served_seq in tables.served.values():  # two never stand at one place
        del tables.served[subscription_id]
        served_seq = None
    else:
        tables.served[subscription_id] = served_seq
    given_back = Return(
        id_of("assignment", 1), id_of("provider", 1), TurnGivenBack(subscription_id, served_seq), False, ()
    )
    history.write((JournalEntryKind.RETURN, return_payload(given_back)))


EDITS: list[Callable[[Draw, History, Tables], None]] = [
    edit_subscription,
    edit_subscription,
    edit_level,
    edit_provider,
    edit_niche,
    edit_by_distributing,
    edit_by_distributing,
    edit_by_giving_a_turn_back,
]


@pytest.mark.parametrize("dead_slots_tolerated", [0, 4096])
@given(data=st.data())
def test_a_folded_roster_is_the_roster_that_the_tables_say(data: st.DataObject, dead_slots_tolerated: int) -> None:
    """However many edits lie behind it, and whether or not its slots were rebuilt on the way."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(roster_module, "DEAD_SLOTS_TOLERATED", dead_slots_tolerated)
        history, tables = History(), Tables()
        history.balances = {id_of("provider", number): RICH for number in range(3)}
        history.write((JournalEntryKind.NICHE, niche_payload("loans", "Loans", True, FORM)))
        for _ in range(data.draw(st.sampled_from([12, 25, 5]))):
            data.draw(st.sampled_from(EDITS))(data.draw, history, tables)
        assert state_of(history.roster) == state_of(tables.roster(history))
        folded = Roster(history.roster.niche_id)
        for entry in history.entries:
            folded.fold(entry)
        assert state_of(folded) == state_of(history.roster)


@given(markets(), st.lists(attributes, max_size=6))
def test_following_decisions_equals_folding_their_entries(market: Market, leads: list[dict[str, object]]) -> None:
    history = opened(market)
    for lead in leads:
        history.distribute(history.lead(lead))
    replay, differences = history.replayed()
    assert differences == []
    assert state_of(replay.roster) == state_of(history.roster)


@given(markets(), st.lists(attributes, min_size=1, max_size=4), st.data())
def test_a_trial_leaves_the_roster_as_it_was(
    market: Market, leads: list[dict[str, object]], data: st.DataObject
) -> None:
    history = staged(market)
    roster = history.roster
    before = state_of(roster)
    for tried in range(2):
        with roster.trial():
            for lead in leads:
                decision = decide(roster, history.lead(lead), market.balances, BEGINNING)
                follow(roster, decision)
                for subscription in list(roster.subscriptions.values()):
                    if subscription.is_active and data.draw(st.booleans()):
                        roster.set_subscription(funded(subscription, 1, 0), is_deleted=False)
        assert state_of(roster) == before, f"after trial {tried + 1}"


def small_market(provider_count: int = 2) -> Market:
    level = Level(id_of("level", 1), "Only", 100, 1, 1, True)
    providers = [id_of("provider", number) for number in range(provider_count)]
    subscriptions = tuple(
        Subscription(id_of("subscription", number), provider_id, level.level_id, True, None, FILTERS[0], True)
        for number, provider_id in enumerate(providers)
    )
    rich = dict.fromkeys(providers, RICH)
    return Market((level,), dict.fromkeys(providers, "active"), rich, subscriptions, {}, 1)


def test_a_trial_that_fails_leaves_the_roster_as_it_was() -> None:
    history = staged(small_market())
    roster = history.roster
    before = state_of(roster)

    def fail() -> None:
        with roster.trial():
            follow(roster, decide(roster, history.lead({}), history.balances, BEGINNING))
            assert state_of(roster) != before
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert state_of(roster) == before


def test_only_activity_may_change_in_a_trial() -> None:
    roster = staged(small_market()).roster
    own = next(iter(roster.subscriptions.values()))
    for after, is_deleted in [(own, True), (replace(own, filter_text=FILTERS[-1]), False)]:
        with pytest.raises(JournalGap), roster.trial():
            roster.set_subscription(after, is_deleted)


def test_an_entry_that_is_not_the_next_is_refused() -> None:
    history = staged(small_market())
    entry = history.entries[-1]
    for wrong in [entry, replace(entry, seq=entry.seq + 2), replace(entry, seq=entry.seq + 1, niche_id="another")]:
        with pytest.raises(JournalGap):
            history.roster.fold(wrong)
    history.roster.fold(replace(entry, seq=entry.seq + 1))


def test_a_subscription_that_returns_has_kept_its_place() -> None:
    """R12: served, gone, back: it still stands behind the provider that was not served."""
    history = staged(small_market(provider_count=3))
    roster = history.roster
    first = history.distribute(history.lead({})).recipients[0]
    own = roster.subscription(first.subscription_id)
    assert own is not None
    for is_deleted in (True, False):
        history.write((JournalEntryKind.SUBSCRIPTION, subscription_payload(own, is_deleted=is_deleted)))
        assert roster.served_seq(first.subscription_id) == 1
    picks = [history.distribute(history.lead({})).recipients[0].provider_id for _ in range(3)]
    assert picks == [id_of("provider", 1), id_of("provider", 2), first.provider_id]


def test_a_niche_grown_far_beyond_its_first_slots_still_decides_in_order() -> None:
    history = staged(small_market(provider_count=300))
    picks = [history.distribute(history.lead(ATTRIBUTES[1])).recipients[0].provider_id for _ in range(302)]
    order = [id_of("provider", number) for number in range(300)]
    assert picks == [*order, *order[:2]]


def test_a_filter_that_only_looks_equal_to_python_is_another_filter() -> None:
    """True == 1 in Python: an answer that was a yes or no and became a number must not keep its old filter."""

    def form(kind: str) -> dict[str, object]:
        return {"version": 1, "fields": [{"key": "wants", "label": "Wants", "type": kind, "required": True}]}

    def wanting(value: object) -> Subscription:
        rules = [{"field_key": "wants", "operator": "eq", "value": value}]
        return Subscription(
            "s", id_of("provider", 1), "l", True, None, filter_text({"version": 1, "rules": rules}), True
        )

    roster = Roster("n")
    roster.set_niche(True, form("boolean"))
    roster.set_level(Level("l", "L", 100, 1, 1, True), is_deleted=False)
    roster.set_provider(id_of("provider", 1), "active")
    roster.set_subscription(wanting(True), is_deleted=False)
    roster.set_niche(True, form("number"))
    roster.set_subscription(wanting(1), is_deleted=False)
    assert len(roster.matching({"wants": 1}).slots) == 1
