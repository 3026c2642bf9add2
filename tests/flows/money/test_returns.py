"""What a refund gives back besides the money: a turn of the order, and a place in limits; and that replay says so."""

from typing import Any

import psycopg
import pytest

from fairlead.core.errors import Refused
from fairlead.core.returns import RefundPolicy
from fairlead.core.weighted import stride
from fairlead.flows.configuration.levels import LevelChange, change_level
from fairlead.flows.configuration.refund_policy import change_refund_policy, read_refund_policy
from fairlead.flows.configuration.subscriptions import unsubscribe
from fairlead.flows.configuration.weights import set_subscription_weight
from fairlead.flows.distributor import Distributor
from fairlead.flows.money.bad_leads import accept_bad_lead, mark_lead_bad, report_bad_lead
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.proving.verify import verify
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.marketplaces import declare
from tests.flows.sales import MEMO, PORTAL, audited, query

NO_PROVIDER = "no provider"
TURN, LIMITS = RefundPolicy(returns_turn=True), RefundPolicy(leaves_limits=True)

NICHES = """
[[niche]]
slug = "{slug}"
name = "{slug}"
level = [{{ name = "only", price_cents = 100, max_recipients = 1, order_position = 1 }}]
"""

PROVIDERS = """
[[provider]]
email = "{name}@example.com"
name = "{name}"
{limits}
deposit = [{{ external_id = "opening-{name}", amount_cents = 9000 }}]
subscription = [{subscriptions}]
"""


class Market:
    """Niches of one level that sells to one of three providers in turn."""

    def __init__(self, database: Database, slugs: tuple[str, ...] = ("wood",), **limits: str) -> None:
        self.database = database
        subscriptions = ", ".join(f'{{ niche = "{slug}", level = "only" }}' for slug in slugs)
        declare(
            database,
            "".join(NICHES.format(slug=slug) for slug in slugs)
            + "".join(
                PROVIDERS.format(name=name, subscriptions=subscriptions, limits=limits.get(name, ""))
                for name in ("ann", "bob", "cyd")
            ),
        )
        self.niches: dict[str, str] = dict(query(database, "select slug, id::text from niches"))
        self.distributor = Distributor(database)

    def sell(self, slug: str = "wood") -> tuple[str, str]:
        """One lead is decided: who received it, and its assignment."""
        [lead_id] = submit_leads(self.database, slug, [{}], OPERATOR, approve=True)
        self.distributor.distribute_waiting(self.niches[slug])
        rows = query(
            self.database,
            "select p.name, a.id::text from assignments a join providers p on p.id = a.provider_id where lead_id = %s",
            lead_id,
        )
        return rows[0] if rows else (NO_PROVIDER, "")

    def policy(self, policy: RefundPolicy, slug: str = "wood") -> None:
        change_refund_policy(self.database, self.niches[slug], policy, OPERATOR)

    def refund(self, assignment_id: str) -> None:
        refund_assignment(self.database, assignment_id, MEMO, OPERATOR)

    def places(self) -> dict[str, int | None]:
        return dict(
            query(
                self.database,
                "select p.name, s.served_seq from subscriptions s join providers p on p.id = s.provider_id",
            )
        )

    def order(self, order: str) -> None:
        """Every level goes by that."""
        for (level_id,) in query(self.database, "select id::text from competition_levels"):
            change_level(self.database, level_id, LevelChange(order=order), OPERATOR)

    def weigh(self, name: str, weight: int) -> None:
        """Each subscription of that provider has the weight."""
        own = "select s.id::text from subscriptions s join providers p on p.id = s.provider_id where p.name = %s"
        for (subscription_id,) in query(self.database, own, name):
            set_subscription_weight(self.database, subscription_id, weight, OPERATOR)

    def passes(self) -> dict[str, int]:
        return dict(
            query(
                self.database,
                "select p.name, s.pass from subscriptions s join providers p on p.id = s.provider_id",
            )
        )

    def returns(self) -> list[Any]:
        """What the journals say was given back, without ids."""
        return query(
            self.database,
            "select n.slug, j.payload #> '{turn,served_seq}', jsonb_array_length(j.payload -> 'opened') "
            "from niche_journal j join niches n on n.id = j.niche_id where j.kind = 'return' order by j.recorded_at, 1",
        )

    def agrees(self) -> None:
        """Every check of `verify` holds, and a process that followed the journal agrees with one that reads it."""
        assert verify(self.database).holds
        self.distributor = Distributor(self.database)


def test_by_default_a_refund_gives_nothing_back_but_money(database: Database) -> None:
    market = Market(database)
    first, assignment_id = market.sell()
    market.refund(assignment_id)
    assert market.places()[first] == 1
    assert market.returns() == []
    assert query(database, "select return_seq, turn_returned, left_limits from assignments") == [(None, False, False)]


def test_a_turn_comes_back_to_where_it_was(database: Database) -> None:
    market = Market(database)
    market.policy(TURN)
    order = [market.sell() for _ in range(4)]
    (first, _), (second, of_second), (third, _), (again, of_first) = order
    assert first == again
    market.refund(of_first)  # it stands where its lead before put it: ahead of all
    assert market.places() == {first: 1, second: 2, third: 3}
    market.agrees()
    assert market.sell()[0] == first
    market.refund(of_second)  # which had no lead before
    assert market.places() == {first: 5, second: None, third: 3}
    assert market.returns() == [("wood", 1, None), ("wood", None, None)]
    market.agrees()
    assert [market.sell()[0] for _ in range(3)] == [second, third, first]
    market.agrees()


def test_one_that_was_served_again_keeps_the_place_of_that_lead(database: Database) -> None:
    market = Market(database)
    market.policy(TURN)
    first, of_first = market.sell()
    rest = [market.sell() for _ in range(5)]
    assert rest[2][0] == first
    market.refund(of_first)
    assert market.places()[first] == 4
    market.refund(rest[2][1])  # both are given back now, in whichever order
    assert market.places()[first] is None
    assert market.returns() == [("wood", 4, None), ("wood", None, None)]
    market.agrees()
    assert market.sell()[0] == first


def test_at_a_weighted_level_a_turn_takes_the_stride_with_it_at_which_it_was_charged(database: Database) -> None:
    """Whatever its weight is by then, and also where the level goes by turns again."""
    market = Market(database)
    market.policy(TURN)
    market.order("weighted")
    market.weigh("ann", 2)
    sold = [market.sell() for _ in range(4)]
    assert [name for name, _ in sold] == ["ann", "bob", "cyd", "ann"]
    assert market.passes() == {"ann": 2 * stride(2), "bob": stride(1), "cyd": stride(1)}
    market.weigh("ann", 5)
    market.refund(sold[3][1])
    assert market.passes()["ann"] == stride(2)
    assert market.places()["ann"] == 1
    market.agrees()
    assert market.sell()[0] == "ann"  # again, at the weight that it has now
    assert market.passes()["ann"] == stride(2) + stride(5)
    market.order("least_recently_served")
    market.refund(sold[1][1])
    assert market.passes()["bob"] == 0
    assert market.places()["bob"] is None
    charged = "select payload #> '{turn,weight}' from niche_journal where kind = 'return' order by seq"
    assert query(database, charged) == [(2,), (1,)]
    market.agrees()
    by_turns, of_bob = market.sell()
    market.refund(of_bob)  # which no weight charged
    assert (by_turns, market.passes()["bob"]) == ("bob", 0)
    assert query(database, charged) == [(2,), (1,), (None,)]
    market.agrees()


@pytest.mark.parametrize("way", ["report", "bad lead"])
def test_every_way_to_a_refund_gives_back(way: str, database: Database) -> None:
    market = Market(database)
    market.policy(TURN)
    first, assignment_id = market.sell()
    [(lead_id, provider_id)] = query(database, "select lead_id::text, provider_id::text from assignments")
    if way == "report":
        report_bad_lead(database, provider_id, assignment_id, "spam", None, PORTAL)
        accept_bad_lead(database, assignment_id, MEMO, OPERATOR)
    else:
        mark_lead_bad(database, lead_id, MEMO, OPERATOR)
    assert market.places()[first] is None
    market.agrees()


def test_a_bad_lead_costs_the_same_statements_however_many_bought_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The niche is locked meanwhile, and no lead of it is sold."""
    for count in (1, 9):
        niche = NICHES.format(slug=f"of-{count}").replace("max_recipients = 1", f"max_recipients = {count}")
        names = [f"n{count}{number}" for number in range(count)]
        own = f'{{ niche = "of-{count}", level = "only" }}'
        declare(database, niche + "".join(PROVIDERS.format(name=name, limits="", subscriptions=own) for name in names))
    niches, statements = dict(query(database, "select slug, id::text from niches")), list[int]()
    real = psycopg.Cursor.execute
    for count in (1, 9):
        change_refund_policy(database, niches[f"of-{count}"], RefundPolicy(True, True), OPERATOR)
        [lead_id] = submit_leads(database, f"of-{count}", [{}], OPERATOR, approve=True)
        Distributor(database).distribute_waiting(niches[f"of-{count}"])
        done = list[str]()

        def execute(cursor: Any, text: Any, *more: Any, done: list[str] = done, **named: Any) -> Any:
            done.append(str(text))
            return real(cursor, text, *more, **named)

        with monkeypatch.context() as patched:
            patched.setattr(psycopg.Cursor, "execute", execute)
            assert len(mark_lead_bad(database, lead_id, MEMO, OPERATOR).refunds) == count
        statements.append(len(done))
    assert statements[0] == statements[1]
    assert verify(database).holds


def test_a_turn_goes_back_to_a_subscription_that_is_gone_meanwhile(database: Database) -> None:
    market = Market(database)
    market.policy(TURN)
    first, assignment_id = market.sell()
    [(subscription_id,)] = query(database, "select subscription_id::text from assignments")
    unsubscribe(database, subscription_id, OPERATOR, of_provider_id=None)
    market.refund(assignment_id)
    assert market.places()[first] is None
    market.agrees()


def test_a_refunded_lead_leaves_the_limits_of_a_subscription_and_a_provider(database: Database) -> None:
    limited = "limits = { leads_per_month = 2 }"
    market = Market(database, ("wood", "iron"), ann=limited, bob=limited, cyd=limited)
    market.policy(LIMITS)
    sold = [market.sell() for _ in range(6)]
    assert market.sell()[0] == NO_PROVIDER
    assert market.sell("iron")[0] == NO_PROVIDER  # all three are shut in both
    (name, assignment_id) = sold[0]
    market.refund(assignment_id)
    assert market.returns() == [("iron", None, 1), ("wood", None, 1)]
    market.agrees()
    assert market.sell("iron")[0] == name  # what it left in one niche it uses in the other
    assert market.sell()[0] == NO_PROVIDER
    assert market.sell("iron")[0] == NO_PROVIDER
    market.agrees()


def test_without_the_policy_a_refunded_lead_keeps_its_place_in_limits(database: Database) -> None:
    limited = "limits = { leads_per_month = 1 }"
    market = Market(database, ann=limited, bob=limited, cyd=limited)
    market.policy(TURN)
    sold = [market.sell() for _ in range(3)]
    market.refund(sold[0][1])
    assert market.sell()[0] == NO_PROVIDER
    market.policy(LIMITS)  # says nothing of what was refunded before
    assert market.sell()[0] == NO_PROVIDER
    market.refund(sold[1][1])
    assert market.sell()[0] == sold[1][0]
    market.agrees()


def test_the_policy_is_changed_with_its_version_and_audited(database: Database) -> None:
    market = Market(database)
    niche_id = market.niches["wood"]
    seen = read_refund_policy(database, niche_id)
    assert seen.policy == RefundPolicy()
    both = RefundPolicy(returns_turn=True, leaves_limits=True)
    done = change_refund_policy(database, niche_id, both, OPERATOR, memo="fair", expected_version=seen.version)
    assert (done.policy, done.took_effect) == (both, True)
    assert read_refund_policy(database, niche_id).policy == both
    assert audited(database, "niche.refund_policy_changed") == [
        (
            niche_id,
            {"returns_turn": False, "leaves_limits": False},
            {"returns_turn": True, "leaves_limits": True},
            "fair",
            "operator",
        )
    ]
    assert not change_refund_policy(database, niche_id, both, OPERATOR, expected_version=seen.version).took_effect
    with pytest.raises(Refused) as stale:
        change_refund_policy(database, niche_id, TURN, OPERATOR, expected_version=seen.version)
    assert stale.value.code == "version_conflict"
    unknown = "00000000-0000-7000-8000-000000000000"
    with pytest.raises(Refused, match="there is no niche"):
        change_refund_policy(database, unknown, TURN, OPERATOR)
    with pytest.raises(Refused, match="there is no niche"):
        read_refund_policy(database, unknown)
