"""What a decision and a batch are held to, in production too: each promise is broken here once, and noticed."""

import ast
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fairlead.core import batch, decide, postconditions
from fairlead.core.batch import BatchDecision, decide_batch
from fairlead.core.decide import decide as decide_lead
from fairlead.core.decision import Decision, RefusedCandidate
from fairlead.core.model import Balance, Level, Subscription
from fairlead.core.postconditions import assert_batch, assert_decision, assert_room
from fairlead.core.prices import HeldRule
from fairlead.core.refusals import AlreadyRecipient
from fairlead.core.subscription import EVERY_LEAD
from fairlead.flows.proving.verify import REPLAYED
from fairlead.store.invariants.engine import INVARIANTS
from tests.core.history import BEGINNING, History, id_of
from tests.core.markets import Market, opened

STORE = Path(__file__).parents[2] / "src" / "fairlead" / "store"
BASELINE = STORE / "migrations" / "baseline"
WRITES_OF_DISTRIBUTION = ("distribution/writes.py", "money/ledger.py", "leads/state.py")
DEAR = '{"rules":[{"lead_age_minutes":{"from":60},"name":"dear","price_cents":900}],"version":1}'
LEVELS = tuple(
    Level(id_of("level", n), f"level {n}", 500, n, n, is_active=True, price_rules_text=DEAR if n == 1 else None)
    for n in (1, 2)
)


def niche(limits: str | None = None) -> History:
    """Two levels and four providers at each: there are as many subscriptions left as are chosen, and one is paused."""
    names = [id_of("provider", number) for number in range(4)]
    subscriptions = tuple(
        Subscription(
            id_of("subscription", 10 * level.order_position + n),
            name,
            level.level_id,
            True,
            None,
            EVERY_LEAD,
            True,
            limits_text=limits,
            max_price_cents=500,
        )
        for level in LEVELS
        for n, name in enumerate(names)
    )
    active = dict.fromkeys(names, "active") | {names[3]: "suspended"}
    active[id_of("provider", 9)] = "active"
    groups = dict.fromkeys([names[2], id_of("provider", 9)], "one owner")
    balances = dict.fromkeys(names, Balance(2000, 0, 1))
    return opened(Market(LEVELS, active, balances, subscriptions, {}, 1, most_recipients=3, groups=groups))


def decided(history: History) -> Decision:
    """A sound decision of the niche: one recipient at the first level, two at the second."""
    return decide_lead(history.roster, history.lead({}), history.balances, BEGINNING)


def at(number: int, decision: Decision, **changed: Any) -> Decision:
    """The decision with one of its levels changed."""
    levels = list(decision.levels)
    levels[number] = replace(levels[number], **changed)
    return replace(decision, levels=tuple(levels))


def first(decision: Decision, **changed: Any) -> Decision:
    """The decision with its first recipient changed."""
    recipient, *others = decision.levels[0].recipients
    return at(0, decision, recipients=(replace(recipient, **changed), *others))


def in_reverse(decision: Decision) -> Decision:
    """The second level's recipients the other way round; their places stay where they are."""
    one, other = decision.levels[1].recipients
    swapped = (replace(other, served_seq=one.served_seq), replace(one, served_seq=other.served_seq))
    return at(1, decision, recipients=swapped)


def asked_in_reverse(decision: Decision) -> Decision:
    """Two candidates that were asked the other way round."""
    asked = list(reversed(decision.levels[1].recipients))
    refused = tuple(RefusedCandidate(each.subscription_id, each.provider_id, AlreadyRecipient("l")) for each in asked)
    return at(1, decision, refused=refused, counts={})


def one_more(decision: Decision) -> Decision:
    """A third level, which sells it to the provider that is left."""
    [recipient] = decision.levels[0].recipients
    more = replace(recipient, provider_id=id_of("provider", 3), served_seq=recipient.served_seq + 3)
    return replace(decision, levels=(*decision.levels, replace(decision.levels[0], recipients=(more,))))


BROKEN: dict[str, Callable[[Decision], Decision]] = {
    "a decision is the niche's next entry": lambda d: replace(d, seq=d.seq + 1),
    "one provider, one lead (R7)": lambda d: first(d, provider_id=d.levels[1].recipients[0].provider_id),
    "each recipient takes the next place (R5)": lambda d: first(d, served_seq=7),
    "no more than max_recipients (R6)": lambda d: at(1, d, level=replace(LEVELS[1], max_recipients=1)),
    "a level with an open slot is not full (R4)": lambda d: at(
        1, d, recipients=d.levels[1].recipients[:1], counts={**d.levels[1].counts, "level_full": 1}
    ),
    "no more recipients than the niche allows (R16)": one_more,
    "an exclusive level sells alone (R16)": lambda d: at(0, d, level=replace(LEVELS[0], is_exclusive=True)),
    "no two of a conflict group (R16)": lambda d: first(d, provider_id=id_of("provider", 9)),
    "what is asked is the level's price, or its rule's (R14)": lambda d: at(
        1, d, level=replace(LEVELS[1], price_cents=499)
    ),
    "no recipient pays more than its limit (R14)": lambda d: at(
        0,
        first(d, price_cents=900, balance_before_cents=2000),
        level=replace(LEVELS[0], price_cents=900),
        price_rule=HeldRule(1, "dear"),
    ),
    "no subscription is counted twice": lambda d: at(1, d, counts={"filter_mismatch": -1}),
    "every living subscription has its one reason": lambda d: at(1, d, counts={}),
    "recipients are chosen in the order of their level (R5, R15)": in_reverse,
    "candidates are asked in the order of their level (R5, R15)": asked_in_reverse,
    "a recipient of a weighted level is charged at its weight (R15)": lambda d: first(d, weight=1),
    "a recipient has a living subscription": lambda d: first(d, subscription_id=id_of("subscription", 99)),
    "a recipient passes every standing gate (R4)": lambda d: first(
        d, provider_id=id_of("provider", 3), subscription_id=id_of("subscription", 13)
    ),
    "the level's price is charged (R8)": lambda d: first(d, price_cents=499),
    "no balance below its floor (R8)": lambda d: first(d, balance_before_cents=499),
}


@pytest.mark.parametrize("promise", BROKEN)
def test_a_decision_that_breaks_a_promise_is_noticed(promise: str) -> None:
    history = niche('{"leads_per_day":1}')
    decision = decided(history)
    assert_decision(history.roster, decision)
    with pytest.raises(AssertionError, match=re.escape(promise)):
        assert_decision(history.roster, BROKEN[promise](decision))


NO_ROOM = "no cap is overshot (R13)"
OVERSHOT: dict[str, Callable[[Decision], Decision]] = {
    "one lead too many": lambda d: first(
        d, counters=tuple(each.with_lead(500, 0) for each in d.levels[0].recipients[0].counters)
    ),
    "a limit that was not asked": lambda d: first(d, counters=()),
    "the counters of another": lambda d: first(d, counters=d.levels[1].recipients[0].counters),
}


@pytest.mark.parametrize("overshot", OVERSHOT)
def test_a_batch_that_overshoots_a_limit_is_noticed(overshot: str) -> None:
    history = niche('{"leads_per_day":1}')
    decision = decided(history)
    assert_room(history.roster, [decision])
    with pytest.raises(AssertionError, match=re.escape(NO_ROOM)):
        assert_room(history.roster, [decision, OVERSHOT[overshot](decision)])


Steps = list[tuple[Decision, tuple[Subscription, ...]]]
BROKEN_BATCHES: dict[str, Callable[[Steps, dict[str, Balance]], None]] = {
    "entries follow one another without a gap": lambda steps, _: steps.reverse(),
    "each charge follows the last (R8)": lambda steps, _: steps.__setitem__(
        1, (first(steps[1][0], ledger_seq=2), steps[1][1])
    ),
    "only who was consulted is switched off (R9)": lambda steps, _: steps.__setitem__(
        1, (steps[1][0], (Subscription("s", "another", "l", False, None, EVERY_LEAD, True),))
    ),
    "what is gone is what was charged (R8)": lambda _, after: after.update({id_of("provider", 0): Balance(1, 0, 1)}),
}


@pytest.mark.parametrize("promise", BROKEN_BATCHES)
def test_a_batch_that_breaks_a_promise_is_noticed(promise: str) -> None:
    history = niche()
    leads = [history.lead({}) for _ in range(2)]
    whole = decide_batch(history.roster, leads, history.balances, BEGINNING)
    assert isinstance(whole, BatchDecision)
    steps: Steps = [(step.decision, step.deactivated) for step in whole.steps]
    before, after = {each: history.balances[each] for each in whole.balances_after}, dict(whole.balances_after)
    seq = history.roster.head.seq + 1
    assert_batch(seq, steps, before, after)
    BROKEN_BATCHES[promise](steps, after)
    with pytest.raises(AssertionError, match=re.escape(promise)):
        assert_batch(seq, steps, before, after)


def test_every_promise_is_broken_here() -> None:
    tree = ast.parse(Path(postconditions.__file__).read_text(encoding="utf-8"))
    promises = [ast.literal_eval(each.msg) for each in ast.walk(tree) if isinstance(each, ast.Assert) and each.msg]
    assert sorted(promises) == sorted([*BROKEN, *BROKEN_BATCHES, NO_ROOM])


def test_each_decision_and_each_batch_is_held_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[str] = []
    monkeypatch.setattr(decide, "assert_decision", lambda *_: held.append("decision"))
    monkeypatch.setattr(batch, "assert_batch", lambda *_: held.append("batch"))
    history = niche()
    decide_batch(history.roster, [history.lead({}), history.lead({})], history.balances, BEGINNING)
    assert held == ["decision", "decision", "batch"]


PAIR = re.compile(r"^- (.+?): (constraint|row count|invariant|replay)\s+`([^`]+)`", re.MULTILINE | re.DOTALL)


def pairs() -> list[tuple[str, str, str]]:
    """Each promise, and what asserts it of the rows: of which kind, by which name."""
    found = PAIR.findall(postconditions.__doc__ or "")
    return [(promise, kind, " ".join(name.split())) for promise, kind, name in found]


def test_every_promise_has_its_pair_where_it_is_written() -> None:
    assert sorted(promise for promise, _, _ in pairs()) == sorted([*BROKEN, *BROKEN_BATCHES, NO_ROOM])


@pytest.mark.parametrize(("kind", "name"), sorted({(kind, name) for _, kind, name in pairs()}))
def test_what_asserts_a_promise_of_the_rows_is_there(kind: str, name: str) -> None:
    match kind:
        case "constraint":
            tables = "".join(each.read_text(encoding="utf-8") for each in BASELINE.glob("*.sql"))
            assert re.search(rf"\bconstraint {name}\b", tables)
        case "row count":
            distribution = "".join((STORE / each).read_text(encoding="utf-8") for each in WRITES_OF_DISTRIBUTION)
            assert f'change_rows(\n        conn,\n        "{name}",' in distribution
        case "invariant":
            assert name in {invariant.name for invariant in INVARIANTS}
        case _:
            assert name == REPLAYED
