"""What people do in a marketplace, done to the model and to PostgreSQL alike, and compared after every step."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from psycopg import sql

from fairlead.core.errors import Refused
from fairlead.flows.approve_lead import trigger_distribution
from fairlead.flows.declaring.apply_marketplace import apply_marketplace, parse_declaration
from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.simulated_clock import SimulatedClock
from tests.closing_sweep import sweep
from tests.conftest import TEMPLATE
from tests.model.model import Level, Model, Niche, Provider, Rules
from tests.model.money_by_hand import NAMES, providers
from tests.model.tables import agree, as_model_says, as_tables_say
from tests.model.timed import BEGINNINGS, ZONES
from tests.model.weighing import Weighing
from tests.model.words import email_of, subscription_to, terms_of, told
from tests.scenarios.in_postgres import as_toml

NICHES = ("loans", "cards")
PRICES = st.sampled_from([200, 300, 100, 700])
FILTERS: list[Rules] = [
    *[(), (), (), ()],
    (("gte", 40),),
    (("lte", 40),),
    (("between", [30, 50]),),
    (("gte", 30), ("lte", 60)),
    (("any", (("lte", 20), ("gte", 45))),),
    (("not", ("between", [30, 40])), ("lte", 60)),
]
AGES = st.sampled_from([40, 45, 30, 60, 20, None])
PICK = st.integers(0, 11)
niches = st.sampled_from(NICHES)
FORM = [{"key": "age", "type": "number"}]


class Marketplace(Weighing):
    """The model and PostgreSQL, side by side. Two distributors take turns, so that each finds its memory outdated."""

    def __init__(self, server_url: str) -> None:
        super().__init__()
        self.model = Model()
        self.lead_ids: list[str] = []
        self.deposits = 0
        self.levels_made = 0
        self.resources = ExitStack()
        name = f"model_{uuid4().hex[:12]}"
        server = self.resources.enter_context(psycopg.connect(server_url, autocommit=True))
        server.execute(sql.SQL("create database {} template {}").format(*map(sql.Identifier, (name, TEMPLATE))))
        drop = sql.SQL("drop database {} with (force)").format(sql.Identifier(name))
        self.resources.callback(server.execute, drop)
        url = server_url.rsplit("/", 1)[0] + f"/{name}"
        self.clock = SimulatedClock(self.model.now)
        opened = Database(url, "fairlead", max_connections=2, simulated_clock=self.clock)
        self.database = self.resources.enter_context(opened)
        self.distributors = [Distributor(self.database), Distributor(self.database)]

    def teardown(self) -> None:
        self.seen.update(each.kind for each in self.model.doubts)
        self.resources.close()

    # Opening --------------------------------------------------------------------------------------------------

    @initialize(
        terms=st.lists(st.tuples(PRICES, st.sampled_from([1, 1, 2]), st.booleans()), min_size=3, max_size=3),
        funds=st.lists(st.sampled_from([1500, 5000, 900, 300]), min_size=4, max_size=4),
        filters=st.lists(st.sampled_from([*FILTERS, None]), min_size=12, max_size=12),
        beginning=st.sampled_from(BEGINNINGS),
    )
    def open(
        self, terms: list[tuple[int, int, bool]], funds: list[int], filters: list[Rules | None], beginning: str
    ) -> None:
        """Two niches, three levels, four providers; who subscribes where is drawn, and when it all begins."""
        self.set_time(datetime.fromisoformat(beginning).replace(tzinfo=UTC))
        for niche in NICHES:
            self.model.niches[niche] = Niche(niche)
        for number, (price, most, is_weighted) in enumerate(terms):
            level = self._add_level(NICHES[number % 2], price, most, 3 * (number // 2) + 1)
            level.is_weighted = is_weighted
        opening = [
            {
                "slug": niche,
                "name": niche,
                "field": FORM,
                "level": [terms_of(each) for each in self.model.levels_of(niche)],
            }
            for niche in NICHES
        ]
        zones = dict(zip(NAMES, ZONES, strict=False))
        self.apply(opening, [{"email": email_of(name), "name": name, "timezone": zones[name]} for name in NAMES])
        for number, name in enumerate(NAMES):
            self.model.providers[name] = Provider(number, zones[name])
            if funds[number]:
                self.deposit(name, funds[number])
        wishes = iter(filters)
        for name in NAMES:
            declared = []
            for level in self.model.levels.values():
                rules = next(wishes)
                if rules is not None:
                    self.model.subscribe(name, level.name, rules)
                    declared.append(subscription_to(level, **told(rules)))
            self.apply([], [{"email": email_of(name), "subscription": declared}])

    # Money and prices -----------------------------------------------------------------------------------------

    @rule(provider=providers, cents=st.sampled_from([700, 3000, 100, 1]))
    def deposit(self, provider: str, cents: int) -> None:
        self.deposits += 1
        paid = {"external_id": f"payment-{self.deposits}", "amount_cents": cents}
        for _ in range(2):  # the second time it was credited already
            self.apply([], [{"email": email_of(provider), "deposit": [paid]}])
        self.model.deposit(provider, cents)

    @rule(provider=providers, cents=st.sampled_from([0, 100, 500]))
    def set_credit(self, provider: str, cents: int) -> None:
        cents = max(cents, -self.model.providers[provider].balance)
        self.apply([], [{"email": email_of(provider), "credit_limit_cents": cents}])
        self.model.set_credit(provider, cents)

    @rule(pick=PICK, cents=PRICES)
    def change_price(self, pick: int, cents: int) -> None:
        if level := self._level(pick):
            self._apply_level(level, price_cents=cents)
            self.model.set_price(level.name, cents)

    # Levels and niches ----------------------------------------------------------------------------------------

    @rule(pick=PICK, is_active=st.sampled_from([True, True, True, False]), most=st.sampled_from([1, 1, 2]))
    def change_level(self, pick: int, is_active: bool, most: int) -> None:
        if level := self._level(pick):
            most = 1 if level.is_exclusive else most
            self._apply_level(level, active=is_active, max_recipients=most)
            level.is_active, level.most = is_active, most

    @rule(pick=PICK, position=st.integers(1, 9))
    def move_level(self, pick: int, position: int) -> None:
        if level := self._level(pick):
            before = level.position
            swapped = self.model.move(level.name, position)
            told_levels = [{"name": level.name, "order_position": position}]
            if swapped:
                told_levels.append({"name": swapped, "order_position": before})
            self.apply([{"slug": level.niche, "level": told_levels}], [])

    @rule(niche=niches, price=PRICES, position=st.integers(1, 9))
    def add_level(self, niche: str, price: int, position: int) -> None:
        own = self.model.levels_of(niche)
        if len(own) < 3 and position not in [level.position for level in own]:
            level = self._add_level(niche, price, 1, position)
            self.apply([{"slug": niche, "level": [terms_of(level)]}], [])

    @precondition(lambda self: len(self.model.levels) > 2)
    @rule(pick=PICK)
    def delete_level(self, pick: int) -> None:
        if level := self._level(pick):
            self._apply_level(level, deleted=True)
            self.model.delete(level.name)

    @rule(
        niche=niches,
        is_active=st.sampled_from([True, True, True, False]),
        asks_age=st.sampled_from([True, True, False]),
    )
    def change_niche(self, niche: str, is_active: bool, asks_age: bool) -> None:
        asks_age |= any(rule.least_age for level in self.model.levels_of(niche) for rule in level.price_rules)
        self.apply([{"slug": niche, "active": is_active, "field": FORM if asks_age else []}], [])
        self.model.niches[niche] = replace(self.model.niches[niche], is_active=is_active, asks_age=asks_age)

    # Providers and subscriptions ------------------------------------------------------------------------------

    @rule(provider=providers, status=st.sampled_from(["active", "active", "active", "active", "suspended", "pending"]))
    def set_status(self, provider: str, status: str) -> None:
        self.apply([], [{"email": email_of(provider), "status": status}])
        self.model.providers[provider].status = status

    @rule(provider=providers, pick=PICK, rules=st.sampled_from([None, *FILTERS]))
    def subscribe(self, provider: str, pick: int, rules: Rules | None) -> None:
        """For the first time, again, or with another filter."""
        if level := self._level(pick):
            if rules and not self.model.niches[level.niche].asks_age:
                rules = ()
            words = {} if rules is None else told(rules)
            self._apply_subscription(provider, level, deleted=False, **words)
            self.model.subscribe(provider, level.name, rules)

    @rule(pick=st.integers(0, 40), what=st.sampled_from(["resume", "pause", "resume", "leave"]))
    def change_subscription(self, pick: int, what: str) -> None:
        living = list(self.model.living())
        if living:
            own = living[pick % len(living)]
            words = {"pause": {"active": False}, "resume": {"active": True}, "leave": {"deleted": True}}[what]
            self._apply_subscription(own.provider, own.level, **words)
            if what == "leave":
                own.is_gone = True
            else:
                {"pause": self.model.pause, "resume": self.model.resume}[what](own)

    # Leads ----------------------------------------------------------------------------------------------------

    @rule(niche=niches, age=AGES, who=st.integers(0, 1))
    def sell_one(self, niche: str, age: int | None, who: int) -> None:
        """A new lead, alone."""
        self._sell(niche, [age], who)

    @rule(niche=niches, ages=st.lists(AGES, min_size=2, max_size=5), who=st.integers(0, 1))
    def sell_a_batch(self, niche: str, ages: list[int | None], who: int) -> None:
        """New leads, all in one transaction."""
        self._sell(niche, ages, who)

    @rule(ages=st.lists(AGES, min_size=1, max_size=3), who=st.integers(0, 1))
    def sell_everywhere(self, ages: list[int | None], who: int) -> None:
        """New leads in both niches, paid from the same balances."""
        for niche in NICHES:
            self._sell(niche, ages, who)

    def _sell(self, niche: str, ages: list[int | None], who: int) -> None:
        asks_age = self.model.niches[niche].asks_age
        ages = [age if asks_age else None for age in ages]
        leads = [{} if age is None else {"age": age} for age in ages]
        self.lead_ids += submit_leads(self.database, niche, leads, OPERATOR, approve=True)
        for age in ages:
            self.model.add_lead(niche, age)
        self._distribute(niche, who)

    @precondition(lambda self: self.model.leads)
    @rule(pick=st.integers(0, 40), who=st.integers(0, 1))
    def distribute_again(self, pick: int, who: int) -> None:
        """Sold leads stay as they are; unsold ones are decided once more."""
        number = pick % len(self.lead_ids)
        if self.model.leads[number].status in ("bad", "rejected"):
            with pytest.raises(Refused):
                trigger_distribution(self.database, self.lead_ids[number], OPERATOR)
            return
        trigger_distribution(self.database, self.lead_ids[number], OPERATOR)
        self.model.ask_again(number)
        self._distribute(self.model.leads[number].niche, who)

    def _distribute(self, niche: str, who: int) -> None:
        niche_id = self.niche_ids()[niche]
        if not self.model.niches[niche].is_active:
            with pytest.raises(Refused):
                self.distributors[who].distribute_waiting(niche_id)
            return
        result = self.distributors[who].distribute_waiting(niche_id)
        assert not result.failures
        assert len({decision.decided_at for decision in result.decisions}) <= 1, "not decided in one transaction"
        assert len(result.decisions) == self.model.distribute(niche)

    # What must be so after every step -------------------------------------------------------------------------

    @invariant()
    def the_tables_say_what_the_model_says(self) -> None:
        if self.model.providers:
            said = as_tables_say(self.database, self.lead_ids)
            expected = as_model_says(self.model)
            for niche, decisions in expected["decisions"].items():
                agree(decisions, said["decisions"][niche])
            for what, ours in expected.items():
                if what != "decisions":
                    assert said[what] == ours, what

    @invariant()
    def everything_can_be_proven(self) -> None:
        if self.model.providers:
            sweep(self.database)

    # Ways of saying it ----------------------------------------------------------------------------------------

    def niche_ids(self) -> dict[str, str]:
        with self.database.transaction() as conn:
            return dict(conn.execute("select slug, id::text from niches").fetchall())

    def apply(self, niche_tables: list[dict[str, Any]], provider_tables: list[dict[str, Any]]) -> None:
        text = f"niche = {as_toml(niche_tables)}\nprovider = {as_toml(provider_tables)}\n"
        apply_marketplace(self.database, parse_declaration(text), OPERATOR)

    def _level(self, pick: int) -> Level | None:
        living = list(self.model.levels.values())
        return living[pick % len(living)] if living else None

    def _add_level(self, niche: str, price: int, most: int, position: int) -> Level:
        self.levels_made += 1
        level = Level(niche, f"L{self.levels_made}", price, most, position)
        self.model.levels[level.name] = level
        return level

    def _apply_level(self, level: Level, **words: object) -> None:
        self.apply([{"slug": level.niche, "level": [{"name": level.name, **words}]}], [])

    def _apply_subscription(self, provider: str, level: Level, **words: object) -> None:
        self.apply([], [{"email": email_of(provider), "subscription": [subscription_to(level, **words)]}])
