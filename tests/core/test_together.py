"""R16: how many recipients a lead has over all levels, levels that sell it alone, and providers of one owner."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from fairlead.core import gates
from fairlead.core.configuration_entries import provider_payload
from fairlead.core.decide import decide
from fairlead.core.decision import Decision
from fairlead.core.decision_queues import queues_of
from fairlead.core.explanation import standing_of
from fairlead.core.journal import JournalEntryKind
from fairlead.core.model import Balance, Level, ProviderTerms, Subscription
from fairlead.core.refusals import ConflictGroup, LeadFull
from fairlead.core.roster_state import RosterState
from fairlead.core.subscription import EVERY_LEAD
from tests.core.history import BEGINNING, History, id_of
from tests.core.limited import limited
from tests.core.markets import Market, opened

OWNER = id_of("group", 1)


def provider(number: int) -> str:
    return id_of("provider", number)


def niche(
    levels: Sequence[tuple[int, bool]],
    providers: int,
    *,
    most: int | None = None,
    group: Sequence[int] = (),
    broke: Sequence[tuple[int, int]] = (),
) -> History:
    """Levels of so many recipients, exclusive or not, each with a subscription of every provider.

    Providers of `group` are of one owner; each of `broke`, a provider and a level, cannot pay that level's price.
    """
    own = tuple(
        Level(
            id_of("level", n), f"L{n}", 1000 if any(at == n for _, at in broke) else 100, count, n, True, is_exclusive
        )
        for n, (count, is_exclusive) in enumerate(levels, start=1)
    )
    names = [provider(n) for n in range(providers)]
    subscriptions = tuple(
        Subscription(
            id_of("subscription", 100 * level.order_position + n), name, level.level_id, True, None, EVERY_LEAD, True
        )
        for level in own
        for n, name in enumerate(names)
    )
    poor = {provider(n) for n, _ in broke}
    balances = {name: Balance(500 if name in poor else 10_000, 0, 1) for name in names}
    groups = {provider(n): OWNER for n in group}
    return opened(Market(own, dict.fromkeys(names, "active"), balances, subscriptions, {}, 1, most, groups))


def received(decision: Decision) -> list[list[int]]:
    return [[int(each.provider_id[-12:], 16) for each in result.recipients] for result in decision.levels]


def told(history: History) -> list[dict[str, int]]:
    """The newest decision's counts, level by level; what the journal says gives the same again."""
    [decision] = history.decisions[-1:]
    assert history.replayed()[1] == []
    return [dict(result.counts) for result in decision.levels]


def test_a_lead_has_no_more_recipients_than_its_niche_allows_over_all_levels() -> None:
    own = niche([(2, False), (2, False)], 4, most=3)
    decision = own.distribute(own.lead({}))
    assert received(decision) == [[0, 1], [2]]
    assert told(own) == [{"level_full": 2}, {"lead_full": 1}], "the other two were asked, and had it"
    assert [result.lead_full for result in decision.levels] == [None, LeadFull("recipient_limit", 3, 3)]
    assert decision.outcome.value == "success"


def test_the_recipient_that_fills_level_and_lead_at_once_fills_the_lead() -> None:
    own = niche([(2, False), (1, False)], 4, most=2)
    decision = own.distribute(own.lead({}))
    assert received(decision) == [[0, 1], []]
    assert told(own) == [{"lead_full": 2}, {"already_recipient": 2, "lead_full": 2}]


def test_an_exclusive_level_sells_first_and_closes_the_lead_or_takes_no_part() -> None:
    own = niche([(1, True), (2, False)], 3)
    decision = own.distribute(own.lead({}))
    assert received(decision) == [[0], []]
    assert {result.lead_full for result in decision.levels} == {LeadFull("exclusive_level_sold", 1)}
    assert told(own) == [{"lead_full": 2}, {"already_recipient": 1, "lead_full": 2}]
    decision = own.distribute(own.lead({}))
    assert received(decision) == [[0, 1], []], "the other level was next: the exclusive one finds recipients"
    assert decision.levels[1].lead_full == LeadFull("exclusive_level_needs_none", 2)
    assert told(own)[1] == {"already_recipient": 2, "lead_full": 1}


def test_an_exclusive_level_that_none_can_pay_leaves_the_lead_to_the_others() -> None:
    own = niche([(1, True), (1, False)], 2, broke=[(0, 1), (1, 1)])
    decision = own.distribute(own.lead({}))
    assert received(decision) == [[], [0]]
    assert decision.outcome.value == "success", "its slot is none any more once another level has sold"
    alone = niche([(1, True)], 1, broke=[(0, 1)])
    assert alone.distribute(alone.lead({})).outcome.value == "no_eligible"


@pytest.mark.parametrize(("most", "outcome"), [(None, "partial"), (2, "partial"), (1, "success")])
def test_a_slot_stays_open_only_where_the_lead_could_have_one_more_recipient(most: int | None, outcome: str) -> None:
    own = niche([(1, False), (1, False)], 1, most=most, broke=[(0, 1)])
    decision = own.distribute(own.lead({}))
    assert received(decision) == [[], [0]]
    assert decision.levels[0].refused[0].refusal.reason == "insufficient_balance"
    assert decision.outcome.value == outcome


def test_of_a_conflict_group_one_provider_receives_the_lead_at_one_level_or_at_several() -> None:
    own = niche([(3, False), (2, False)], 4, group=[0, 2])
    decision = own.distribute(own.lead({}))
    assert received(decision) == [[0, 1, 3], []]
    reasons = [[each.refusal.reason for each in result.refused] for result in decision.levels]
    assert reasons[0] == ["conflict_group"]
    assert sorted(reasons[1]) == ["already_recipient"] * 3 + ["conflict_group"]
    assert told(own) == [{}, {}]
    state = RosterState(own.roster.niche_id)
    for entry in own.entries[: decision.seq - 1]:
        state.fold(entry)
    lead = replace(own.lead({}), lead_id=decision.lead_id)
    for result in decision.levels:
        standing = standing_of(state, lead, decision, result, provider(2))
        assert standing is not None
        assert standing.refusal == ConflictGroup(provider(0))
    queues = queues_of(state, {}, decision, 0)
    assert [each.refusal for each in queues[0].reached if each.provider_id == provider(2)] == [
        ConflictGroup(provider(0))
    ]


def test_who_leaves_a_group_is_free_and_who_joins_is_bound() -> None:
    own = niche([(2, False)], 2, group=[0, 1])
    assert received(own.distribute(own.lead({}))) == [[0]]
    own.write((JournalEntryKind.PROVIDER, provider_payload(provider(0), "active")))
    assert received(own.distribute(own.lead({}))) == [[1, 0]]
    own.write(
        (JournalEntryKind.PROVIDER, provider_payload(provider(0), "active", ProviderTerms(conflict_group_id=OWNER)))
    )
    assert received(own.distribute(own.lead({}))) == [[1]]
    assert own.replayed()[1] == []


def test_a_full_lead_asks_no_candidate_of_the_levels_after(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    refusal = gates.decision_refusal

    def watched(state: Any, subscription: Subscription, level: Level) -> Any:
        asked.append(subscription.provider_id)
        return refusal(state, subscription, level)

    monkeypatch.setattr(gates, "decision_refusal", watched)
    own = niche([(1, False), (100, False)], 300, most=1)
    decide(own.roster, own.lead({}), own.balances, BEGINNING)
    assert len(asked) == 1


def test_who_was_reached_before_and_refused_for_another_reason_is_counted_once() -> None:
    """A recipient of the first level whose subscription to the second is capped is capped there, and nothing else."""
    own = limited((None, None), (None, None), (None, None), levels=2)
    first, second = own.history.roster.subscriptions_of(provider(1))
    own.subscribe(replace(second, limits_text='{"leads_total":1}'))
    own.sales.append((own.now, second.provider_id, second.subscription_id, 100))
    [decision] = own.distribute()
    assert [each.provider_id for each in decision.levels[0].recipients] == [first.provider_id]
    assert [each.refusal.reason for each in decision.levels[1].refused] == ["cap_reached"]
    assert decision.levels[1].counts == {"level_full": 1}


# Precedence: of two gates that refuse, the first of R4 is the reason --------------------------------------------------

AHEAD = ["provider_inactive", "subscription_inactive", "filter_invalid", "filter_mismatch", "price_above_limit"]
ASKED = ["outside_schedule", "cap_reached", "already_recipient", "conflict_group", "insufficient_balance"]
FULL = ["lead_full", "level_full"]
IN_ORDER = [*AHEAD, *ASKED, *FULL]
CLOSED = '{"weekly":[{"closes":"17:00","days":["mon"],"opens":"09:00"}]}'


def test_every_gate_is_tried() -> None:
    assert [refusal.reason for refusal in gates.REGISTRY.refusals] == IN_ORDER


@pytest.mark.parametrize("first", IN_ORDER)
@pytest.mark.parametrize("second", ["price_above_limit", "conflict_group", "lead_full"])
def test_of_two_gates_the_first_is_the_reason(first: str, second: str) -> None:
    """Provider 3 is held back by both at the last level; provider 1 is of its group, and first everywhere."""
    both = {first, second}
    own = limited((None, None), (None, None), (None, None), levels=2, max_recipients=3)
    history = own.history
    levels = sorted(history.roster.levels.values(), key=lambda level: level.order_position)
    subscription = history.roster.subscriptions_of(provider(3))[-1]
    before = history.roster.subscriptions_of(provider(3))[0]
    if both & {*FULL} and both & {"outside_schedule", "cap_reached", "insufficient_balance"}:
        # Who stands behind the last pick is not asked: it is put at the head of the queue.
        own.subscribe(replace(subscription, is_active=False, deactivation_reason="paused"))
        own.distribute(2)
        own.subscribe(subscription)
        own.subscribe(
            replace(history.roster.subscriptions_of(provider(1))[0], is_active=False, deactivation_reason="paused")
        )
    if "already_recipient" not in both:
        own.subscribe(replace(before, is_active=False, deactivation_reason="paused"))
    if "conflict_group" in both:
        bound = ProviderTerms(conflict_group_id=OWNER)
        other = 2 if "already_recipient" in both else 1
        own.agree(provider(other), bound)
        if "already_recipient" in both:
            # At the first level it is asked before the other of its group, which receives the lead at the second.
            own.subscribe(
                replace(
                    history.roster.subscriptions_of(provider(other))[0], is_active=False, deactivation_reason="paused"
                )
            )
    _hold_back(own, subscription, both, levels)
    if "conflict_group" in both:
        status = "suspended" if "provider_inactive" in both else "active"
        own.history.write(
            (JournalEntryKind.PROVIDER, provider_payload(provider(3), status, ProviderTerms(conflict_group_id=OWNER)))
        )
    roster_before = RosterState(history.roster.niche_id)
    for entry in history.entries:
        roster_before.fold(entry)
    [decision] = own.distribute()
    result = decision.levels[-1]
    standing = standing_of(
        roster_before, replace(history.lead({}), lead_id=decision.lead_id), decision, result, provider(3)
    )
    assert standing is not None
    assert standing.refusal is not None
    assert standing.refusal.reason == min(both, key=IN_ORDER.index)
    assert history.replayed()[1] == []


def _hold_back(own: Any, subscription: Subscription, both: set[str], levels: Sequence[Level]) -> None:
    changes: dict[str, Any] = {}
    if "subscription_inactive" in both:
        changes |= {"is_active": False, "deactivation_reason": "paused"}
    if "filter_invalid" in both:
        changes |= {"filter_is_valid": False}
    if "filter_mismatch" in both:
        changes |= {"filter_text": '{"rules":[{"field_key":"age","operator":"gte","value":9}],"version":1}'}
    if "price_above_limit" in both:
        changes |= {"max_price_cents": 99}
    if "outside_schedule" in both:
        changes |= {"schedule_text": CLOSED}
    if "cap_reached" in both:
        changes |= {"limits_text": '{"leads_total":1}'}
        own.sales.append((own.now, subscription.provider_id, subscription.subscription_id, 100))
    if changes:
        own.subscribe(replace(subscription, **changes))
    if "provider_inactive" in both:
        own.history.write((JournalEntryKind.PROVIDER, provider_payload(subscription.provider_id, "suspended")))
    if "insufficient_balance" in both:
        own.history.balances[subscription.provider_id] = Balance(99, 0, 1)
    if both & {*FULL}:
        most = 2 + ("already_recipient" in both) if "lead_full" in both else None
        form = own.history.roster.schema.to_json()
        payload: dict[str, Any] = {"slug": "loans", "name": "Loans", "is_active": True, "form_schema": form}
        if most is not None:
            payload["max_recipients_per_lead"] = most
        own.history.write((JournalEntryKind.NICHE, payload))
