"""Limits and schedules in the marketplace: set by a file or a verb, kept by every decision, proven by the sweep."""

from collections.abc import Generator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import pytest

from fairlead.core.calendar.limits import Counter
from fairlead.core.errors import BadInput, Refused
from fairlead.flows.configuration.local_time import (
    set_provider_limits,
    set_provider_schedule,
    set_subscription_limits,
    set_subscription_schedule,
)
from fairlead.flows.configuration.provider_status import reactivate_provider, suspend_provider
from fairlead.flows.configuration.providers import ProviderChange, change_provider
from fairlead.flows.configuration.subscriptions import pause_subscription, resume_subscription, unsubscribe
from fairlead.flows.distributor import Distributor
from fairlead.flows.explaining.explain import explain_provider
from fairlead.flows.proving.verify import verify
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Connection, Database
from fairlead.store.distribution.limit_counters import Asked, ask_for_kept
from fairlead.store.row_counts import Cursor
from fairlead.store.simulated_clock import SimulatedClock
from tests.closing_sweep import sweep
from tests.flows.marketplaces import declare, provider_id
from tests.flows.sales import query

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
MARKET = """
[[niche]]
slug = "{slug}"
name = "Storage"
level = [{{ name = "only", price_cents = 100, max_recipients = 2, order_position = 1 }}]

[[provider]]
email = "anchor@example.com"
name = "Anchor"
timezone = "Asia/Kolkata"
deposit = [{{ external_id = "anchor", amount_cents = 90000 }}]
{provider}
[[provider.subscription]]
niche = "{slug}"
level = "only"
{subscription}
"""


class Market:
    """A marketplace at the moment that the test says."""

    def __init__(self, database: Database, clock: SimulatedClock) -> None:
        self.database = database
        self._clock = clock
        self.distributor = Distributor(database)

    def at(self, moment: datetime) -> None:
        self._clock.set(moment)

    def declare(self, provider: str = "", subscription: str = "", slug: str = "storage") -> None:
        declare(self.database, MARKET.format(slug=slug, provider=provider, subscription=subscription))

    def sold(self, count: int = 1, slug: str = "storage", *, anew: bool = False) -> int:
        """How many of the next leads the provider receives, by this process or by a new one."""
        submit_leads(self.database, slug, [{}] * count, OPERATOR, approve=True)
        [(niche_id,)] = query(self.database, "select id::text from niches where slug = %s", slug)
        distributor = Distributor(self.database) if anew else self.distributor
        return sum(len(each.recipients) for each in distributor.distribute_waiting(niche_id).decisions)

    @property
    def provider_id(self) -> str:
        return provider_id(self.database, "anchor@example.com")

    @property
    def subscription_id(self) -> str:
        return query(self.database, "select id::text from subscriptions order by id limit 1")[0][0]

    def windows(self) -> list[Any]:
        kept = query(
            self.database,
            """
            select split_part(part, ':', 1), split_part(part, ':', 4)::int, split_part(part, ':', 5)::int
            from (select limits_used from subscriptions union all select limits_used from providers) kept,
                 unnest((string_to_array(limits_used, ';'))[2:]) as part
            order by 1, 2
            """,
        )
        return [*kept]


@pytest.fixture
def market(database_url: str) -> Generator[Market]:
    clock = SimulatedClock(NOON)
    with Database(database_url, "fairlead", simulated_clock=clock) as database:
        yield Market(database, clock)
        sweep(database, frozenset())


@pytest.mark.parametrize("anew", [False, True])
def test_a_limit_holds_in_its_window_and_not_beyond(market: Market, anew: bool) -> None:
    market.declare(subscription="limits = { leads_per_day = 3, spend_cents_per_month = 500 }")
    assert [market.sold(anew=anew) for _ in range(4)] == [1, 1, 1, 0]
    assert market.windows() == [("day", 3, 300), ("month", 3, 300)]
    market.at(NOON.replace(hour=18, minute=30))  # midnight in Kolkata
    assert market.sold(4, anew=anew) == 2, "the month has room for two"
    assert market.windows() == [("day", 2, 200), ("month", 5, 500)], "of the day before nothing is kept"


def test_a_batch_that_overshoots_a_limit_is_not_written(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    market.declare(subscription="limits = { leads_per_day = 1 }")
    assert market.sold() == 1
    monkeypatch.setattr("fairlead.core.gates.reached_cap", lambda *_: None)
    submit_leads(market.database, "storage", [{}], OPERATOR, approve=True)
    [(niche_id,)] = query(market.database, "select id::text from niches where slug = 'storage'")
    done = market.distributor.distribute_waiting(niche_id)
    [failure] = done.failures
    assert (done.decisions, failure.error) == ((), "AssertionError: no cap is overshot (R13)")
    assert query(market.database, "select count(*) from assignments") == [(1,)]
    assert market.windows() == [("day", 1, 100)]


def test_a_limit_that_is_set_late_counts_what_was_received_before(market: Market) -> None:
    market.declare()
    assert market.sold(3) == 3
    set_subscription_limits(
        market.database, market.subscription_id, {"leads_per_day": 4}, OPERATOR, of_provider_id=None
    )
    assert market.sold(3) == 1
    set_subscription_limits(market.database, market.subscription_id, None, OPERATOR, of_provider_id=None)
    assert market.sold(2) == 2
    changed = set_subscription_limits(
        market.database, market.subscription_id, {"leads_per_day": 7}, OPERATOR, of_provider_id=None
    )
    assert changed.took_effect
    assert market.sold(3) == 1, "what was received without a limit is received"


def test_a_providers_limit_holds_over_its_niches(market: Market) -> None:
    market.declare(provider="limits = { leads_per_day = 5 }")
    market.declare(slug="other")
    assert [market.sold(2), market.sold(2, "other"), market.sold(2), market.sold(2, "other")] == [2, 2, 1, 0]
    set_provider_limits(market.database, market.provider_id, {"leads_per_day": 6}, OPERATOR)
    assert [market.sold(2, "other"), market.sold(2)] == [1, 0]


def test_another_time_zone_is_another_day(market: Market) -> None:
    market.declare(subscription="limits = { leads_per_day = 2 }")
    assert market.sold(3) == 2
    market.at(NOON + timedelta(hours=4))
    assert market.sold() == 0
    change_provider(market.database, market.provider_id, ProviderChange(timezone="Asia/Tokyo"), OPERATOR)
    assert market.sold(3) == 2, "there it was midnight an hour ago, and nothing was received since"
    change_provider(market.database, market.provider_id, ProviderChange(timezone="Asia/Kolkata"), OPERATOR)
    assert market.sold(3) == 0


def test_a_schedule_opens_to_the_instant(market: Market) -> None:
    weekly = '{ days = ["tue"], opens = 17:31:00, closes = "18:00" }'
    market.declare(provider=f"schedule = {{ weekly = [{weekly}] }}")
    opens = NOON + timedelta(minutes=1)
    assert market.sold(2) == 0
    lead_id = query(market.database, "select id::text from leads limit 1")[0][0]
    [(_, standing)] = explain_provider(market.database, lead_id, "anchor@example.com").standings
    assert standing.refusal is not None
    assert standing.refusal.message().values == {"opens_at": opens}
    market.at(opens)
    assert market.sold() == 1
    market.at(NOON + timedelta(minutes=30))
    assert market.sold() == 0
    always = set_provider_schedule(market.database, market.provider_id, None, OPERATOR)
    assert always.took_effect
    assert market.sold() == 1
    closed = {"paused_until": "2026-03-04T00:00:00Z"}
    set_subscription_schedule(market.database, market.subscription_id, closed, OPERATOR, of_provider_id=None)
    assert market.sold() == 0


def test_every_other_change_keeps_limits_and_schedules(market: Market) -> None:
    market.declare(provider="limits = { leads_per_day = 9 }", subscription="limits = { leads_per_day = 2 }")
    assert market.sold(3) == 2
    for change in (
        lambda: suspend_provider(market.database, market.provider_id, OPERATOR),
        lambda: reactivate_provider(market.database, market.provider_id, OPERATOR),
        lambda: pause_subscription(market.database, market.subscription_id, OPERATOR, of_provider_id=None),
        lambda: resume_subscription(market.database, market.subscription_id, OPERATOR, of_provider_id=None),
        lambda: unsubscribe(market.database, market.subscription_id, OPERATOR, of_provider_id=None),
        lambda: market.declare(),
    ):
        change()
        assert market.sold() == 0
    market.at(NOON + timedelta(days=1))
    assert market.sold(3) == 2


def test_a_file_that_says_an_empty_table_takes_limits_away(market: Market) -> None:
    market.declare(provider="limits = { leads_total = 1 }", subscription="limits = { leads_total = 1 }")
    assert market.sold(2) == 1
    market.declare(provider="limits = {}", subscription="limits = {}")
    assert market.sold(2) == 2
    assert market.windows() == []


@pytest.mark.parametrize(
    ("provider", "problem"),
    [
        ("limits = { leads_per_year = 1 }", "provider[0].limits: there is no cap `leads_per_year`"),
        ("schedule = { dates_off = [1] }", "provider[0].schedule: `dates_off`, number 1: it must be a date"),
    ],
)
def test_a_file_with_a_limit_that_there_is_not_is_refused(market: Market, provider: str, problem: str) -> None:
    with pytest.raises(BadInput) as refused:
        market.declare(provider=provider)
    assert [each.startswith(problem) for each in refused.value.problems] == [True]


def test_another_process_expects_counters_that_are_not_so(market: Market) -> None:
    market.declare(provider="limits = { leads_per_day = 5 }", subscription="limits = { leads_per_day = 4 }")
    first, second = Distributor(market.database), Distributor(market.database)
    [(niche_id,)] = query(market.database, "select id::text from niches")
    received = 0
    for distributor in (first, second, first, second, first, second):
        submit_leads(market.database, "storage", [{}], OPERATOR, approve=True)
        received += sum(len(each.recipients) for each in distributor.distribute_waiting(niche_id).decisions)
    assert received == 4


def test_a_clock_that_was_set_back_and_goes_on_counts_what_was_sold_before(market: Market) -> None:
    market.declare(subscription="limits = { leads_per_hour = 3 }", provider="limits = { leads_per_hour = 9 }")
    assert market.sold(2) == 2
    market.at(NOON - timedelta(hours=1))
    assert market.sold() == 1
    market.at(NOON + timedelta(minutes=1))
    assert market.sold(2) == 1, "two were received in this hour"
    market.at(NOON + timedelta(hours=1))
    assert market.sold(4) == 3


def test_what_is_kept_and_cannot_be_read_is_counted_anew(market: Market) -> None:
    market.declare(subscription="limits = { leads_per_day = 3 }")
    assert market.sold(2) == 2
    with market.database.transaction() as conn:
        conn.execute("update subscriptions set limits_used = 'x' || limits_used")
    assert not verify(market.database).holds
    assert market.sold(2) == 1


def test_limits_that_are_kept_with_what_was_used_are_the_owners(market: Market) -> None:
    market.declare(subscription="limits = { leads_per_day = 3 }", provider="limits = { spend_cents_per_week = 5000 }")
    assert market.sold() == 1
    changes: Sequence[tuple[LiteralString, str, str]] = (
        ("subscriptions", ":3:", ":4:"),
        ("providers", "::5000", "::6000"),
    )
    for table, own, other in changes:
        with market.database.transaction() as conn:
            conn.execute(f"update {table} set limits_used = replace(limits_used, %s, %s)", (own, other))
        [(difference,)] = [check.differences for check in verify(market.database).checks if not check.holds]
        with market.database.transaction() as conn:
            conn.execute(f"update {table} set limits_used = replace(limits_used, %s, %s)", (other, own))
        assert "says its limits are" in difference


def test_what_is_kept_of_a_subscription_is_read_again_only_where_another_may_have_moved_it(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def reading(conn: Connection, asked: Asked) -> Cursor | None:
        read.append(len(asked))
        return ask_for_kept(conn, asked)

    monkeypatch.setattr("fairlead.store.distribution.writes.ask_for_kept", reading)
    market.declare(subscription="limits = { leads_per_day = 6 }")
    assert [market.sold(), market.sold()] == [1, 1]
    assert len(read) == 1, "nothing moved it since"
    assert [market.sold(anew=True), market.sold(anew=True)] == [1, 1]
    assert len(read) == 1, "a new process reads it with the niche's head"
    assert market.sold() == 1
    assert len(read) == 2, "the others moved it"
    pause_subscription(market.database, market.subscription_id, OPERATOR, of_provider_id=None)
    resume_subscription(market.database, market.subscription_id, OPERATOR, of_provider_id=None)
    assert market.sold(4) == 1
    assert len(read) == 3, "an entry about a subscription makes it be counted anew"


def test_an_editor_that_saw_another_version_is_refused(market: Market) -> None:
    market.declare()
    seen = set_provider_limits(market.database, market.provider_id, {"leads_total": 9}, OPERATOR)
    set_provider_limits(market.database, market.provider_id, {"leads_total": 8}, OPERATOR)
    with pytest.raises(Refused, match="changed meanwhile"):
        set_provider_limits(market.database, market.provider_id, None, OPERATOR, expected_version=seen.version)
    with pytest.raises(BadInput, match="leads_total"):
        set_provider_limits(market.database, market.provider_id, {"leads_total": 0}, OPERATOR)


def test_without_limits_no_statement_is_added(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> Counter:
        raise AssertionError("asked for counters")

    monkeypatch.setattr("fairlead.store.distribution.writes.ask_for_kept", never)
    monkeypatch.setattr("fairlead.store.distribution.writes.count", never)
    monkeypatch.setattr("fairlead.store.distribution.writes.shut", never)
    market.declare()
    assert market.sold(3) == 3
    assert verify(market.database).holds
