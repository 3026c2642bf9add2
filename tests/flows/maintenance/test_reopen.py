"""A lead that limits or schedules kept unsold is offered again when the first of them opens, and not before."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta

import pytest

from fairlead.core.decide import EXACT_ATTEMPTS
from fairlead.flows.approve_lead import trigger_distribution
from fairlead.flows.maintenance.orphans import requeue_orphans
from fairlead.flows.maintenance.reoffer import reopen
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.simulated_clock import SimulatedClock
from tests.closing_sweep import sweep
from tests.flows.maintenance.workers import maintenance_of
from tests.flows.marketplaces import declare
from tests.flows.sales import audited, query
from tests.flows.test_limits import MARKET, NOON, Market


@pytest.fixture
def market(database_url: str) -> Generator[Market]:
    clock = SimulatedClock(NOON)
    with Database(database_url, "fairlead", simulated_clock=clock) as database:
        yield Market(database, clock)
        sweep(database, frozenset())


def reopened(market: Market) -> int:
    return reopen(maintenance_of(market.database))["leads"]


def sold(market: Market) -> int:
    [(niche_id,)] = query(market.database, "select id::text from niches")
    return sum(len(each.recipients) for each in market.distributor.distribute_waiting(niche_id).decisions)


def test_it_waits_until_the_first_limit_opens(market: Market) -> None:
    market.declare(subscription="limits = { leads_per_day = 1 }")
    assert market.sold(3) == 1
    midnight = NOON.replace(hour=18, minute=30)
    assert query(market.database, "select reopens_at from leads where status = 'approved'") == [(midnight,)] * 2
    query(market.database, "delete from jobs returning 1")
    market.at(midnight - timedelta(seconds=1))
    assert reopened(market) == 0
    requeue_orphans(maintenance_of(market.database))
    waiting = "select count(*) from jobs where task = 'distribute_lead'"
    assert query(market.database, waiting) == [(0,)], "the hint of every five minutes asks for none"
    market.at(midnight)
    assert (reopened(market), reopened(market)) == (2, 0)
    assert query(market.database, waiting) == [(2,)]
    assert sold(market) == 1
    [(left,)] = query(market.database, "select reopens_at from leads where status = 'approved'")
    assert left == midnight + timedelta(days=1)
    assert len(audited(market.database, "distribution.reopened")) == 2


def test_it_waits_for_a_schedule_too_and_for_no_limit_that_never_opens(market: Market) -> None:
    market.declare(
        provider='schedule = { paused_until = "2026-03-03T13:00:00Z" }', subscription="limits = { leads_total = 1 }"
    )
    assert market.sold(2) == 0
    market.at(NOON + timedelta(hours=1))
    assert reopened(market) == 2
    assert sold(market) == 1
    assert query(market.database, "select reopens_at from leads where status = 'approved'") == [(None,)]
    market.at(NOON + timedelta(days=400))
    assert reopened(market) == 0


def test_many_that_wait_for_few_places_get_all_of_them_and_are_not_all_asked_each_time(market: Market) -> None:
    market.declare(subscription="limits = { leads_per_hour = 1 }")
    sales = market.sold(40)
    for hour in range(1, 60):
        market.at(NOON + timedelta(hours=hour))
        reopened(market)
        sales += sold(market)
    [(decisions, most)] = query(
        market.database, "select sum(distribution_attempts)::int, max(distribution_attempts) from leads"
    )
    assert sales >= 36, "an hour passes without a sale only when hardly any still wait"
    assert most <= EXACT_ATTEMPTS + 12
    assert decisions < 40 * 41 // 2 * 3 // 5, "each hour all that wait"


def test_who_asks_earlier_has_an_answer_earlier(market: Market) -> None:
    market.declare(subscription="limits = { leads_per_day = 1 }")
    assert market.sold(2) == 1
    [(lead_id,)] = query(market.database, "select id::text from leads where status = 'approved'")
    trigger_distribution(market.database, lead_id, OPERATOR)
    assert query(market.database, "select reopens_at from leads where status = 'approved'") == [(None,)]
    assert sold(market) == 0
    assert query(market.database, "select reopens_at is not null from leads where status = 'approved'") == [(True,)]


DAY, MONTH = "limits = { leads_per_day = 1 }", "limits = { leads_per_month = 1 }"
NINE_TO_FIVE = (
    'schedule = { weekly = [{ days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], '
    'opens = "09:00", closes = "17:00" }] }'
)
OPENINGS = (
    # Berlin changes by an hour, Lord Howe by half of one, each in the small hours, so that each day has one midnight.
    ("Europe/Berlin", DAY, "2026-03-29T12:00", "2026-03-29T22:00"),
    ("Europe/Berlin", DAY, "2026-10-25T12:00", "2026-10-25T23:00"),
    ("Australia/Lord_Howe", DAY, "2026-04-04T20:00", "2026-04-05T13:30"),
    ("Australia/Lord_Howe", DAY, "2026-10-03T20:00", "2026-10-04T13:00"),
    # Havana changes at midnight: in spring it never comes, and the day opens at one; in autumn it comes twice, at 04:00
    # and at 05:00 UTC, and the day opens with the first, once: the next one opens 25 hours later.
    ("America/Havana", DAY, "2026-03-07T12:00", "2026-03-08T05:00"),
    ("America/Havana", DAY, "2026-03-08T12:00", "2026-03-09T04:00"),
    ("America/Havana", DAY, "2026-10-31T12:00", "2026-11-01T04:00"),
    ("America/Havana", DAY, "2027-11-06T12:00", "2027-11-07T04:00"),
    ("America/Havana", DAY, "2027-11-07T04:30", "2027-11-08T05:00"),
    ("America/Havana", DAY, "2027-11-07T05:30", "2027-11-08T05:00"),
    ("America/Havana", MONTH, "2026-10-31T12:00", "2026-11-01T04:00"),
    # Cairo: in spring midnight never comes; in autumn it comes once, after an hour from eleven on that comes twice.
    ("Africa/Cairo", DAY, "2026-04-23T12:00", "2026-04-23T22:00"),
    ("Africa/Cairo", DAY, "2026-10-29T12:00", "2026-10-29T22:00"),
    # schedules on the morning after
    ("Europe/Berlin", NINE_TO_FIVE, "2026-03-28T20:00", "2026-03-29T07:00"),
    ("Australia/Lord_Howe", NINE_TO_FIVE, "2026-04-04T09:00", "2026-04-04T22:30"),
    # the leap day, and the end of a month of 31 days
    ("Europe/Berlin", DAY, "2028-02-28T12:00", "2028-02-28T23:00"),
    ("Europe/Berlin", MONTH, "2028-02-28T12:00", "2028-02-29T23:00"),
    ("Europe/Berlin", MONTH, "2027-01-31T12:00", "2027-01-31T23:00"),
    ("Australia/Lord_Howe", MONTH, "2026-12-31T05:00", "2026-12-31T13:00"),
)
"""Zone, what limits, when the lead came, and when it is offered again, in UTC; reckoned by hand."""


@pytest.mark.parametrize(("zone", "terms", "came", "opens"), OPENINGS)
def test_it_opens_by_the_clocks_of_its_zone(zone: str, terms: str, came: str, opens: str, market: Market) -> None:
    moment, opening = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (came, opens))
    market.at(moment)
    declare(
        market.database,
        MARKET.format(slug="storage", provider="", subscription=terms).replace("Asia/Kolkata", zone),
    )
    assert market.sold(2) == (0 if terms == NINE_TO_FIVE else 1)
    assert query(market.database, "select distinct reopens_at from leads where status = 'approved'") == [(opening,)]
    market.at(opening - timedelta(seconds=1))
    assert reopened(market) == 0
    market.at(opening)
    assert reopened(market) == (2 if terms == NINE_TO_FIVE else 1)
    assert sold(market) >= 1
