"""A provider is told when its money lasts for few days only: by one pace, once per crossing, from the locked row."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta

import pytest

from fairlead.flows.configuration.own_provider import OwnProfileChange, change_own_profile
from fairlead.flows.distributor import Distributor
from fairlead.flows.maintenance import days_left as flow
from fairlead.flows.maintenance.days_left import tell_days_left
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.money.deposit import deposit
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.submit_leads import submit_leads
from fairlead.settings import Settings
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.money.spending_pace import spending_paces
from fairlead.store.simulated_clock import SimulatedClock
from tests.flows.marketplaces import declare, provider_id
from tests.flows.sales import ANCHOR, MEMO, PORTAL, balances, query, told

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NOTHING = {"days_left_told": 0, "days_left_over": 0}
MARKET = """
[[niche]]
slug = "hosting"
name = "Hosting"
field = [{ key = "cores", label = "Cores", type = "number" }]
level = [{ name = "gold", price_cents = 2000, max_recipients = 2, order_position = 1 }]

[[provider]]
email = "anchor@example.com"
name = "Anchor"
low_balance_days = 7
deposit = [{ external_id = "opening-anchor", amount_cents = 5000 }]
subscription = [{ niche = "hosting", level = "gold" }]
"""
BOWLINE_TOO = """
[[provider]]
email = "bowline@example.com"
name = "Bowline"
low_balance_days = 365
deposit = [{ external_id = "opening-bowline", amount_cents = 5000 }]
subscription = [{ niche = "hosting", level = "gold" }]
"""


@pytest.fixture
def days() -> SimulatedClock:
    return SimulatedClock(NOON)


@pytest.fixture
def market(database: Database, days: SimulatedClock) -> Generator[Database]:
    """Anchor has 5000 cents, buys leads at 2000, and wants to be told a week before it has nothing left."""
    with Database(database.url, database.schema_name, simulated_clock=days) as then:
        declare(then, MARKET)
        yield then


def buy(market: Database, leads: int = 1) -> None:
    """So many leads are sold, each to Anchor for 2000 cents too."""
    [(niche_id,)] = query(market, "select id::text from niches")
    for _ in range(leads):
        submit_leads(market, "hosting", [{"cores": 8}], OPERATOR, approve=True)
        assert len(Distributor(market).distribute_waiting(niche_id)) == 1


def pay_in(market: Database, cents: int) -> None:
    reference = f"{cents} at {balances(market)}"
    deposit(market, provider_id(market, ANCHOR), cents, "bank", reference, OPERATOR)


def tell(market: Database) -> dict[str, int]:
    """What the five-minute task finds now."""
    return {**NOTHING, **tell_days_left(Maintenance(market, Settings()))}


def is_remembered(market: Database) -> bool:
    return query(market, "select 1 from providers where low_balance_days_alerted_at is not null") != []


def pace(market: Database) -> tuple[int, int]:
    anchor = provider_id(market, ANCHOR)
    found = market.read(lambda conn: spending_paces(conn, [anchor], clock(conn)))[anchor]
    return found.net_cents, found.days


def test_it_is_told_once_when_the_money_lasts_for_too_few_days(market: Database, days: SimulatedClock) -> None:
    pay_in(market, 31_000)
    assert tell(market) == NOTHING, "nothing was bought yet"
    for day in range(1, 12):
        days.set(NOON + day * DAY)
        buy(market)
        assert tell(market) == NOTHING, day
    assert (balances(market)["Anchor"], pace(market)) == (14_000, (22_000, 11)), "7 days at 2000 are not under 7"
    days.set(NOON + 12 * DAY)
    buy(market)
    assert tell(market) == {**NOTHING, "days_left_told": 1}
    detail = {"balance_cents": 12_000, "days_left": 6, "threshold_days": 7, "daily_cents": 2000}
    assert told(market, "low_balance") == [("Anchor", detail)]
    for day in (13, 14):
        days.set(NOON + day * DAY)
        buy(market)
        assert tell(market) == NOTHING, "it knows"
    assert len(told(market, "low_balance")) == 1


def test_money_that_comes_in_ends_it_and_the_next_crossing_is_told_again(
    market: Database, days: SimulatedClock
) -> None:
    pay_in(market, 31_000)
    for day in range(1, 13):
        days.set(NOON + day * DAY)
        buy(market)
    assert tell(market)["days_left_told"] == 1
    pay_in(market, 2000)
    assert tell(market) == NOTHING, "7 days are what it asked for: a pace goes up and down"
    pay_in(market, 2000)
    assert (tell(market), is_remembered(market)) == ({**NOTHING, "days_left_over": 1}, False)
    buy(market, 2)
    assert tell(market) == {**NOTHING, "days_left_told": 1}
    assert len(told(market, "low_balance")) == 2


def test_the_pace_is_that_of_two_weeks_net_of_refunds_and_by_nothing_else(
    market: Database, days: SimulatedClock
) -> None:
    pay_in(market, 95_000)
    buy(market)
    assert pace(market) == (2000, 1), "who began today has the pace of a day"
    days.set(NOON + 3 * DAY + DAY / 2)
    buy(market)
    assert pace(market) == (2000, 3), "what was bought before the last three days is of none of them"
    days.set(NOON + 20 * DAY)
    buy(market, 3)
    [(newest,)] = query(market, "select id::text from assignments where price_cents = 2000 order by id desc limit 1")
    refund_assignment(market, newest, MEMO, OPERATOR)
    adjust_balance(market, provider_id(market, ANCHOR), "debit", 10_000, MEMO, OPERATOR)
    assert pace(market) == (4000, 14)


def test_days_that_are_taken_away_and_providers_who_buy_nothing_are_not_told(
    market: Database, days: SimulatedClock
) -> None:
    anchor = provider_id(market, ANCHOR)
    buy(market)
    assert tell(market)["days_left_told"] == 1, "3000 at 2000 a day"
    change_own_profile(market, anchor, OwnProfileChange(low_balance_days=None), PORTAL)
    assert (tell(market), is_remembered(market)) == ({**NOTHING, "days_left_over": 1}, False)
    assert tell(market) == NOTHING
    change_own_profile(market, anchor, OwnProfileChange(low_balance_days=7), PORTAL)
    days.set(NOON + 15 * DAY)
    assert pace(market) == (0, 14)
    assert tell(market) == NOTHING


def test_a_deposit_between_the_reading_and_the_lock_counts(market: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    buy(market)
    lock_providers = flow.lock_providers

    def late(conn: Connection, provider_ids: list[str]) -> object:
        pay_in(market, 50_000)
        return lock_providers(conn, provider_ids)

    monkeypatch.setattr(flow, "lock_providers", late)
    assert tell(market) == NOTHING
    assert (told(market, "low_balance"), is_remembered(market)) == ([], False)


def test_no_chunk_is_the_last_as_long_as_there_are_providers(market: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(market, BOWLINE_TOO)
    monkeypatch.setattr(flow, "CHUNK_PROVIDERS", 1)
    buy(market)
    assert tell(market) == {**NOTHING, "days_left_told": 2}
    assert sorted(name for name, _ in told(market, "low_balance")) == ["Anchor", "Bowline"]
