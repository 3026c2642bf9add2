"""The demo's history: the same for the same seed, proved by `verify`, and in its months what the ledger says."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from fairlead.cli.demo.busy_days import YEAR, busy_moments
from fairlead.cli.demo.history import make_history
from fairlead.cli.demo.past_changes import changes_since, demo_marketplace, former_providers
from fairlead.flows.declaring.apply_marketplace import apply_marketplace
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.maintenance.roll_up import roll_up
from fairlead.flows.reporting.period_report import period_report
from fairlead.flows.reporting.reports import AskedDays, revenue_report
from fairlead.flows.reporting.shares import shares_report
from fairlead.settings import Settings
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.cli.program import Program
from tests.closing_sweep import sweep
from tests.conftest import TEMPLATE
from tests.flows.access.people import rows, value
from tests.quick_passwords import use_quick_passwords

UNTIL = datetime(2026, 3, 3, 17, 0, tzinfo=UTC)
DAYS = 9


@pytest.fixture(scope="module")
def lived(server_url: str) -> Iterator[Database]:
    """A marketplace with nine days of history behind it, which ended long before today; to be read only."""
    with pytest.MonkeyPatch.context() as patches, _another(server_url) as made:
        use_quick_passwords(patches)
        make_history(made, 7, DAYS, until=UNTIL)
        yield made
        sweep(made)


@pytest.fixture
def living(database: Database) -> Database:
    """Another one with the same history, for tests that go on with it."""
    make_history(database, 7, DAYS, until=UNTIL)
    return database


@contextmanager
def _another(server_url: str) -> Iterator[Database]:
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"create database {name} template {TEMPLATE} strategy file_copy".encode())
        with Database(server_url.rsplit("/", 1)[0] + f"/{name}", "fairlead") as opened:
            yield opened
        conn.execute(f"drop database {name} with (force)".encode())


def _story(database: Database) -> list[object]:
    return rows(
        database,
        """
        select a.id::text, l.id::text, p.email, l.created_at, a.assigned_at, a.price_cents, a.status, a.viewed_at,
               a.answered_at, a.bad_lead_reason, a.bad_lead_decided_at, a.refunded_at, l.attributes::text
        from assignments a join leads l on l.id = a.lead_id join providers p on p.id = a.provider_id order by a.id
        """,
    )


def test_the_same_seed_makes_the_same_history(lived: Database, living: Database) -> None:
    story = _story(lived)
    assert len(story) > 300
    assert _story(living) == story


def test_it_is_made_by_the_flows_and_lies_within_its_days(lived: Database) -> None:
    first, last = UNTIL - timedelta(days=DAYS), UNTIL + timedelta(hours=1)
    for statement in (
        "select created_at from leads",
        "select recorded_at from niche_journal",
        "select created_at from audit_log",
        "select created_at from ledger_entries",
        "select sent_at from notifications where sent_at is not null",
        "select joined_at from (select created_at as joined_at from providers) p",
    ):
        times = rows(lived, statement)
        assert first <= min(times), statement
        assert max(times) <= last, statement
    assert {*rows(lived, "select distinct status from leads")} >= {"distributed", "rejected"}
    assert {*rows(lived, "select distinct status from assignments")} >= {"active", "accepted", "rejected", "refunded"}
    kinds = {*rows(lived, "select distinct kind from ledger_entries")}
    assert kinds == {"deposit", "lead_purchase", "refund", "manual_credit", "manual_debit"}
    assert value(lived, "select count(*) from jobs") == 0
    assert value(lived, "select count(*) from notifications where state = 'queued'") == 0
    assert len(rows(lived, "select from providers where status = 'suspended'")) == len(former_providers().providers)


def test_it_ends_as_the_marketplace_s_file_says(lived: Database) -> None:
    assert apply_marketplace(lived, demo_marketplace(), OPERATOR).changes == ()


def test_the_figures_of_its_days_are_the_ledger_s(lived: Database) -> None:
    zone, first = "Europe/Berlin", date(2026, 2, 23)
    asked = AskedDays(first, first + timedelta(days=4), zone)
    report = period_report(lived, asked)
    for figures, since, before in (
        (report.figures, report.since, report.before),
        (report.earlier, report.earlier_since, report.earlier_before),
    ):
        by_kind = dict(
            rows(
                lived,
                """
                select kind, (count(*), coalesce(sum(amount_cents), 0)::bigint)::text from ledger_entries
                where created_at >= %s and created_at < %s group by kind
                """,
                since,
                before,
            )
        )
        assert by_kind["lead_purchase"] == f"({figures.assignments},{-figures.gross_cents})"
        assert by_kind.get("refund", "(0,0)") == f"({figures.refunded_count},{figures.refunded_cents})"
    assert report.figures.assignments > 50
    assert report.earlier.assignments > 0
    sold = revenue_report(lived, None, asked).rows
    assert sum(each.gross_cents for each in sold) == report.figures.gross_cents
    assert sum(each.refunded_cents for each in sold) == report.figures.refunded_cents
    assert sum(each.received_count for each in report.buckets) == report.figures.received_count
    assert len(report.buckets) == 4
    shares = [shares_report(lived, slug, asked) for slug in ("vps-hosting", "dedicated-servers")]
    assert sum(level.assignments for each in shares for level in each.levels) == report.figures.assignments


def test_what_a_worker_added_up_meanwhile_is_added_up_anew(living: Database) -> None:
    asked = AskedDays(date(2026, 3, 4), date(2026, 3, 6), "Europe/Berlin")
    assert sum(each.sold_count for each in revenue_report(living, None, asked).rows) == 0
    assert roll_up(Maintenance(living, Settings()))["spans"] > 0
    make_history(living, 7, DAYS, until=UNTIL + timedelta(days=3))
    sold = value(
        living,
        "select count(*) from assignments where assigned_at >= %s and assigned_at < %s",
        datetime(2026, 3, 3, 23, tzinfo=UTC),
        datetime(2026, 3, 5, 23, tzinfo=UTC),
    )
    assert sum(each.sold_count for each in revenue_report(living, None, asked).rows) == sold > 0


def test_a_second_start_fills_the_days_between(living: Database) -> None:
    before, newest = value(living, "select count(*) from leads"), value(living, "select max(created_at) from leads")
    changes = value(living, "select count(*) from audit_log where action = 'marketplace.applied'")
    later = UNTIL + timedelta(days=3)
    made = make_history(living, 7, DAYS, until=later)
    assert made.first == newest
    added = rows(living, "select created_at from leads where created_at > %s", newest)
    assert len(added) == made.leads == value(living, "select count(*) from leads") - before
    assert {each.astimezone(UTC).day for each in added} >= {4, 5}
    assert value(living, "select count(distinct attributes::text) from leads") > before
    assert value(living, "select count(*) from audit_log where action = 'marketplace.applied'") == changes
    assert make_history(living, 7, DAYS, until=later).leads == 0, "there is nothing between any more"


def test_a_year_grows_has_seasons_and_days_without_a_lead() -> None:
    moments = list(busy_moments(UNTIL - YEAR, UNTIL, 7))
    months = [sum(each.leads for each in moments if each.at.month == month) for month in range(1, 13)]
    assert 2_000 < sum(months) < 4_500
    assert months[0] > 2 * months[3]
    days: dict[date, int] = {}
    for each in moments:
        days[each.at.date()] = days.get(each.at.date(), 0) + each.leads
    assert len(days) >= 365
    assert 0 < sum(1 for number in days.values() if number == 0) < 20
    weekend = [number for day, number in days.items() if day.weekday() >= 5]
    assert sum(weekend) / len(weekend) < 0.6 * sum(days.values()) / len(days)
    assert sorted(moments, key=lambda each: each.at) == moments


def test_each_change_of_the_year_has_its_time() -> None:
    changes = changes_since(demo_marketplace(), UNTIL - YEAR, UNTIL)
    assert len(changes) > 15
    assert all(UNTIL - YEAR < each.at < UNTIL for each in changes)


def test_the_demo_makes_it_where_it_is_asked_for(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fairlead = Program(monkeypatch, capsys, database_url)
    shown = fairlead("demo", "--leads", "5", "--fast", "--history-days", "3")
    assert shown.status == 0, shown
    assert "The days since " in shown.out
    oldest = value(database, "select clock_timestamp() - min(created_at) from leads")
    assert timedelta(days=1) < oldest < timedelta(days=3, hours=1)
    leads = value(database, "select count(*) from leads")
    assert fairlead("demo", "--leads", "5", "--fast").status == 0, "without it nothing is filled"
    assert value(database, "select count(*) from leads") == leads + 5
