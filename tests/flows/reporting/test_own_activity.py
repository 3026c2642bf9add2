"""Why a provider did not get more: what shut its subscription is the reason for every lead that it was shut for."""

from collections.abc import Generator
from datetime import timedelta

import pytest

from fairlead.flows.reporting.own_activity import own_activity
from fairlead.store.connection import Database
from fairlead.store.simulated_clock import SimulatedClock
from tests.closing_sweep import sweep
from tests.flows.test_limits import NOON, Market


@pytest.fixture
def market(database_url: str) -> Generator[Market]:
    clock = SimulatedClock(NOON)
    with Database(database_url, "fairlead", simulated_clock=clock) as database:
        yield Market(database, clock)
        sweep(database, frozenset())


def refused(market: Market, most_leads: int) -> dict[str, int]:
    """What is told of the newest leads: so many decisions are looked at."""
    [niche] = own_activity(market.database, market.provider_id, most_leads=most_leads).niches
    return dict(niche.subscriptions[0].refused)


def test_a_limit_that_was_reached_before_the_leads_that_are_told_of(market: Market) -> None:
    market.declare(subscription="limits = { leads_per_month = 1 }")
    assert [market.sold() for _ in range(4)] == [1, 0, 0, 0]
    for most_leads in (1, 2, 4):
        told = refused(market, most_leads)
        assert told == {"cap_reached": min(most_leads, 3)}, most_leads


def test_a_limit_whose_window_is_over_by_now(market: Market) -> None:
    market.declare(subscription="limits = { leads_per_hour = 1 }")
    assert [market.sold() for _ in range(3)] == [1, 0, 0]
    market.at(NOON + timedelta(hours=2))
    assert [market.sold(), market.sold()] == [1, 0]
    # The decision that found the first hour's limit reached is not among the three: the second lead after it is.
    assert refused(market, 3) == {"cap_reached": 2}
    assert refused(market, 5) == {"cap_reached": 3}
