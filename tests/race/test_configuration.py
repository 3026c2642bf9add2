"""A marketplace that several operators change at once while leads are decided: none deadlocks, none overwrites what
they have not seen, and the journal folds to the tables (the sweep behind every test says so).
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import pytest

from fairlead.core.errors import Refused
from fairlead.flows.configuration.form_schemas import change_form_schema
from fairlead.flows.configuration.level_order import reorder_levels
from fairlead.flows.configuration.levels import LevelChange, change_level, create_level, delete_level
from fairlead.flows.configuration.marketplace import change_marketplace, read_marketplace
from fairlead.flows.configuration.provider_status import reactivate_provider, suspend_provider
from fairlead.flows.configuration.reading import read_level, read_niche, read_subscription
from fairlead.flows.configuration.subscriptions import set_filter, subscribe, unsubscribe
from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR, Actor
from fairlead.store.connection import Database
from tests.flows.configuration.market import Market, open_market
from tests.flows.sales import query
from tests.race.processes import deadlocks, opened
from tests.race.test_money_by_hand import AT_ONCE, at_once

EVERY_NICHE = b"select from niches for update"
OPERATORS, CHANGES_EACH = 6, 20


def test_of_twenty_who_saw_the_same_level_one_changes_it(database: Database, database_url: str) -> None:
    market = open_market(database)
    version = read_level(database, market.gold).version

    def reprice(opened: Database, price: str) -> None:
        change_level(opened, market.gold, LevelChange(price_cents=int(price)), OPERATOR, expected_version=version)

    outcomes = at_once(database_url, EVERY_NICHE, *((reprice, str(3000 + number)) for number in range(AT_ONCE)))
    assert outcomes == {"done": 1, "version_conflict": AT_ONCE - 1}
    assert query(database, "select count(*) from audit_log where action = 'level.changed'") == [(1,)]


def test_of_twenty_who_saw_the_same_order_one_changes_it(database: Database, database_url: str) -> None:
    market = open_market(database)
    for name in ("bronze", "tin"):
        create_level(database, market.niche, name, 100, 1, OPERATOR)
    seen = read_niche(database, market.niche)
    orders = list(permutations(row.level.level_id for row in seen.levels))[1 : AT_ONCE + 1]

    def reorder(opened: Database, number: str) -> None:
        reorder_levels(opened, market.niche, orders[int(number)], OPERATOR, expected_version=seen.order_version)

    outcomes = at_once(database_url, EVERY_NICHE, *((reorder, str(number)) for number in range(AT_ONCE)))
    assert outcomes == {"done": 1, "version_conflict": AT_ONCE - 1}
    assert query(database, "select count(*) from audit_log where action = 'levels.reordered'") == [(1,)]
    after = tuple(row.level.level_id for row in read_niche(database, market.niche).levels)
    assert after in orders


def test_of_twenty_who_create_the_same_level_one_does(database: Database, database_url: str) -> None:
    market = open_market(database)

    def create(opened: Database, name: str) -> None:
        create_level(opened, market.niche, name, 100, 1, OPERATOR)

    assert at_once(database_url, EVERY_NICHE, (create, "tin")) == {"done": AT_ONCE}
    assert query(database, "select order_position from competition_levels where name = 'tin'") == [(3,)]
    assert query(database, "select count(*) from audit_log where action = 'level.created'") == [(1,)]


def test_of_twenty_currencies_one_is_chosen(database: Database, database_url: str) -> None:
    change_marketplace(database, "USD", OPERATOR)
    seen = read_marketplace(database)

    def choose(opened: Database, currency: str) -> None:
        change_marketplace(opened, currency, OPERATOR, expected_version=seen.version)

    chosen = [f"X{chr(65 + number)}A" for number in range(AT_ONCE)]
    held = b"select from marketplace for update"
    outcomes = at_once(database_url, held, *((choose, currency) for currency in chosen))
    assert outcomes == {"done": 1, "version_conflict": AT_ONCE - 1}
    assert read_marketplace(database).currency in chosen


class Operator:
    """An operator who changes one niche at random; `seen` is what they saw before each reorder that went well."""

    def __init__(self, database: Database, market: Market, number: int) -> None:
        self._database, self._market = database, market
        self._dice, self._number = random.Random(number), number
        self._verbs: Sequence[Callable[[Actor], None]] = (
            *(self._reorder, self._reorder, self._create, self._delete, self._reprice),
            *(self._subscribe, self._filter, self._end, self._reform, self._suspend),
        )
        self.outcomes: Counter[str] = Counter()
        self.seen: dict[str, dict[str, int]] = {}

    def work(self) -> None:
        """As many changes as they are to make, each made or refused."""
        for turn in range(CHANGES_EACH):
            actor = Actor(f"user:{self._number}", "admin", f"{self._number}-{turn}")
            verb = self._dice.choice(self._verbs)
            try:
                verb(actor)
            except Refused as refused:
                self.outcomes[refused.code] += 1
            else:
                self.outcomes[verb.__name__] += 1

    def _reorder(self, actor: Actor) -> None:
        seen = read_niche(self._database, self._market.niche)
        ids = [row.level.level_id for row in seen.levels]
        self._dice.shuffle(ids)
        done = reorder_levels(self._database, self._market.niche, ids, actor, expected_version=seen.order_version)
        assert [row.level.level_id for row in done.levels] == ids
        if done.took_effect:
            assert actor.request_id is not None
            self.seen[actor.request_id] = {row.level.level_id: row.level.order_position for row in seen.levels}

    def _create(self, actor: Actor) -> None:
        name = self._dice.choice(("bronze", "tin", "clay"))
        create_level(self._database, self._market.niche, name, self._dice.choice((100, 200)), 2, actor)

    def _delete(self, actor: Actor) -> None:
        seen = read_niche(self._database, self._market.niche)
        row = self._dice.choice(seen.levels)
        version = read_level(self._database, row.level.level_id).version
        delete_level(self._database, row.level.level_id, actor, expected_version=version)

    def _reprice(self, actor: Actor) -> None:
        level_id = self._dice.choice((self._market.gold, self._market.silver))
        seen, price = read_level(self._database, level_id), self._dice.choice((400, 600, 2000))
        change_level(self._database, level_id, LevelChange(price_cents=price), actor, expected_version=seen.version)

    def _subscribe(self, actor: Actor) -> None:
        levels = read_niche(self._database, self._market.niche).levels
        provider = self._dice.choice((self._market.anchor, self._market.bowline))
        subscribe(self._database, provider, self._dice.choice(levels).level.level_id, actor)

    def _filter(self, actor: Actor) -> None:
        subscription_id = self._dice.choice(sorted(self._market.subscriptions.values()))
        rules = [{"field_key": "cores", "operator": "gte", "value": self._dice.choice((2, 4, 8))}]
        seen = read_subscription(self._database, subscription_id, of_provider_id=None)
        document = {"version": 1, "rules": rules}
        set_filter(
            self._database,
            subscription_id,
            document,
            actor,
            of_provider_id=None,
            expected_version=seen.version,
        )

    def _end(self, actor: Actor) -> None:
        subscription_id = self._dice.choice(sorted(self._market.subscriptions.values()))
        unsubscribe(self._database, subscription_id, actor, of_provider_id=None)

    def _reform(self, actor: Actor) -> None:
        seen = read_niche(self._database, self._market.niche)
        fields = [
            {"key": "cores", "type": "number"},
            {"key": "region", "type": "select", "options": ["north", "south", *self._dice.choice(([], ["east"]))]},
        ]
        document = {"version": 1, "fields": fields}
        change_form_schema(self._database, self._market.niche, document, actor, expected_version=seen.form_version)

    def _suspend(self, actor: Actor) -> None:
        verb: Callable[..., object] = self._dice.choice((suspend_provider, reactivate_provider))
        verb(self._database, self._market.bowline, actor)


@pytest.mark.parametrize("seed", [0, 1])
def test_operators_change_one_niche_while_its_leads_are_decided(
    database: Database, database_url: str, seed: int
) -> None:
    market = open_market(database)
    with opened(database_url, OPERATORS + 2) as shared, ThreadPoolExecutor(OPERATORS + 1) as pool:
        operators = [Operator(shared, market, seed * OPERATORS + number) for number in range(OPERATORS)]
        running = [pool.submit(operator.work) for operator in operators]
        running.append(pool.submit(sell_leads, shared, market))
        for each in running:
            each.result()
    assert deadlocks(database_url) == 0
    outcomes = sum((operator.outcomes for operator in operators), Counter[str]())
    assert outcomes.total() == OPERATORS * CHANGES_EACH
    assert outcomes["_reorder"] > 0
    assert outcomes["_subscribe"] > 0
    every_order_replaced_what_was_seen(database, operators)


def sell_leads(database: Database, market: Market) -> None:
    """Leads come in and are decided meanwhile."""
    for number in range(15):
        submit_leads(database, "hosting", [{"cores": number, "region": "north"}], OPERATOR, approve=True)
        Distributor(database).distribute_waiting(market.niche)


def every_order_replaced_what_was_seen(database: Database, operators: list[Operator]) -> None:
    """What each order replaced, as the audit log has it, is what its operator saw."""
    replaced = dict(
        query(database, "select request_id, old -> 'positions' from audit_log where action = 'levels.reordered'")
    )
    seen = {request_id: places for operator in operators for request_id, places in operator.seen.items()}
    assert replaced.keys() == seen.keys() != set()
    for request_id, positions in replaced.items():
        assert positions.items() <= seen[request_id].items()
