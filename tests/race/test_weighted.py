"""A weighted level under decisions, other weights, pauses and refunds at once: who is next is what the journal says.

That is read here a second time (tests/model/shares.py); and where nothing changes any more, shares keep their bound.
"""

import random
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from fairlead.core.returns import RefundPolicy
from fairlead.flows.configuration.levels import LevelChange, change_level
from fairlead.flows.configuration.refund_policy import change_refund_policy
from fairlead.flows.configuration.subscriptions import pause_subscription, resume_subscription
from fairlead.flows.configuration.weights import set_subscription_weight
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.marketplaces import declare
from tests.flows.sales import MEMO, query
from tests.model.shares import Standing
from tests.race.processes import deadlocks, opened
from tests.race.test_together import changing, decide_at_once, entries

WEIGHTS = (1, 1, 2, 3, 4, 5)
SLOTS = 2
LEADS = 90
NICHE = f"""
[[niche]]
slug = "one"
name = "one"
level = [{{ name = "only", price_cents = 100, max_recipients = {SLOTS}, order_position = 1, order = "weighted" }}]
"""
PROVIDER = """
[[provider]]
email = "p{number}@example.com"
name = "p{number}"
deposit = [{{ external_id = "p{number}", amount_cents = 900000 }}]
subscription = [{{ niche = "one", level = "only", weight = {weight} }}]
"""


@dataclass
class Subscribed:
    """A subscription as the journal has it so far; `places` are those of its leads whose turn it still has had."""

    weight: int
    is_active: bool
    passed: Fraction = Fraction(0)
    places: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])

    @property
    def place(self) -> int | None:
        return max((place for place, _ in self.places.values()), default=None)


@dataclass
class Reader:
    """Reads entries of the only level in their order, and asserts that each says what the ones before lead to."""

    own: dict[str, Subscribed] = field(default_factory=dict[str, Subscribed])
    standing: Standing = field(default_factory=Standing)
    is_weighted: bool = True
    served: int = 0
    sold: list[list[str]] = field(default_factory=list[list[str]])
    """Of each decision the subscriptions that received its lead."""
    given_back: int = 0

    def read(self, kind: str, payload: dict[str, Any]) -> None:
        if kind == "level":
            was_weighted, self.is_weighted = self.is_weighted, payload.get("order") == "weighted"
            if self.is_weighted and not was_weighted:
                self.standing.open_again()
        if kind == "subscription":
            weight, is_active = payload.get("weight", 1), payload["is_active"]
            own = self.own.setdefault(payload["subscription_id"], Subscribed(weight, is_active))
            own.weight, own.is_active = weight, is_active
        if kind == "decision":
            self.read_decision(payload["levels"][0]["recipients"])
        if kind == "return":
            self.read_return(payload)

    def read_decision(self, recipients: list[dict[str, Any]]) -> None:
        def queue_place(each: str) -> tuple[Fraction, int, str]:
            own = self.own[each]
            return self.standing.at(own.passed, own.place), own.place or 0, each

        told = [each["subscription_id"] for each in recipients]
        # Ids of subscriptions rise as those of their providers do, by which ties go.
        expected = sorted((each for each, own in self.own.items() if own.is_active), key=queue_place)[:SLOTS]
        assert told == expected, len(self.sold)
        assert [each["weight"] for each in recipients] == [self.own[each].weight for each in told]
        picks = list[tuple[int, Fraction, int]]()
        for each, recipient in zip(told, recipients, strict=True):
            at = queue_place(each)[0]
            self.served += 1
            self.own[each].places[recipient["assignment_id"]] = self.served, self.own[each].weight
            picks.append((self.served, at, self.own[each].weight))
        for each, passed in zip(told, self.standing.give(picks), strict=True):
            self.own[each].passed = passed
        self.sold.append(told)

    def read_return(self, payload: dict[str, Any]) -> None:
        turn = payload["turn"]
        own = self.own[turn["subscription_id"]]
        _, weight = own.places.pop(payload["assignment_id"])
        own.passed -= Fraction(1, weight)
        assert (turn["served_seq"], turn["weight"]) == (own.place, weight)
        self.given_back += 1


def read_all(database: Database, niche_id: str) -> Reader:
    """What the journal says; the passes in the tables are those that it leads to."""
    reader = Reader()
    for kind, payload in entries(database, niche_id):
        reader.read(kind, payload)
    in_tables = query(database, "select id::text, pass, served_seq from subscriptions order by id")
    assert [(each, own.passed * 61_261_200, own.place) for each, own in sorted(reader.own.items())] == in_tables
    return reader


def open_market(database: Database) -> tuple[str, str, list[str]]:
    """The ids of the niche, of its only level, which goes by weights, and of its subscriptions."""
    declare(database, NICHE + "".join(PROVIDER.format(number=n, weight=weight) for n, weight in enumerate(WEIGHTS)))
    [(niche_id, level_id)] = query(database, "select niche_id::text, id::text from competition_levels")
    change_refund_policy(database, niche_id, RefundPolicy(returns_turn=True), OPERATOR)
    return niche_id, level_id, [row[0] for row in query(database, "select id::text from subscriptions order by id")]


def test_weights_pauses_and_refunds_at_once_follow_the_journal_and_shares_keep_their_bound_afterwards(
    database: Database, database_url: str
) -> None:
    niche_id, level_id, ids = open_market(database)
    submit_leads(database, "one", [{}] * LEADS, OPERATOR, approve=True)
    with opened(database_url, 4) as other, ExitStack() as all_at_once:
        for each in (weigh, pause, refund_one):
            all_at_once.enter_context(changing(each(other, ids)))
        decide_at_once(database_url, niche_id)
    reader = read_all(database, niche_id)
    assert len(reader.sold) == LEADS
    assert reader.given_back > 1
    kinds = [kind for kind, _ in entries(database, niche_id)]
    meanwhile = kinds[kinds.index("decision") : len(kinds) - kinds[::-1].index("decision")]
    assert {*meanwhile} == {"decision", "subscription", "return"}, "all of it was done before, or afterwards"
    assert deadlocks(database_url) == 0

    for each, weight in zip(ids, WEIGHTS, strict=True):
        resume_subscription(database, each, OPERATOR, of_provider_id=None)
        set_subscription_weight(database, each, weight, OPERATOR)
    for order in ("least_recently_served", "weighted"):  # so that all are even
        change_level(database, level_id, LevelChange(order=order), OPERATOR)
    submit_leads(database, "one", [{}] * LEADS, OPERATOR, approve=True)
    decide_at_once(database_url, niche_id)
    steady = read_all(database, niche_id).sold[LEADS:]
    assert len(steady) == LEADS
    within_the_published_bound(steady, dict(zip(ids, WEIGHTS, strict=True)))
    assert deadlocks(database_url) == 0


def within_the_published_bound(sold: list[list[str]], weights: dict[str, int]) -> None:
    """docs/fairness.md, at every lead: behind by less than it receives of as many leads as there are others."""
    total, received = sum(weights.values()), dict.fromkeys(weights, 0)
    for number, recipients in enumerate(sold, start=1):
        for each in recipients:
            received[each] += 1
        for each, weight in weights.items():
            share, behind = Fraction(SLOTS * weight, total), Fraction((len(weights) - 1) * weight, total)
            assert received[each] >= share * number - behind, (number, weight)


def weigh(database: Database, ids: list[str]) -> Callable[[int], object]:
    dice = random.Random(7)
    return lambda _: set_subscription_weight(database, dice.choice(ids), dice.choice((1, 2, 3, 6, 100)), OPERATOR)


def pause(database: Database, ids: list[str]) -> Callable[[int], object]:
    """One is away at a time, so that every lead has its recipients."""

    def change(turn: int) -> None:
        verb = resume_subscription if turn % 2 else pause_subscription
        verb(database, ids[turn // 2 % len(ids)], OPERATOR, of_provider_id=None)

    return change


def refund_one(database: Database, _: list[str]) -> Callable[[int], object]:
    """One that was sold, the newest or the oldest; it may be that none is."""

    def change(turn: int) -> None:
        order = ("desc", "asc")[turn % 2]
        unpaid = query(
            database, f"select id::text from assignments where status = 'active' order by id {order} limit 1"
        )
        for (assignment_id,) in unpaid:
            refund_assignment(database, assignment_id, MEMO, OPERATOR)

    return change
