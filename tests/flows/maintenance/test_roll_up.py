"""Reports tell the same, byte for byte, whether days that are over were added up beforehand or not."""

import random
from collections.abc import Callable, Sequence
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fairlead.flows.assignment_actions import accept_assignment, reject_assignment, view_assignment
from fairlead.flows.distributor import Distributor
from fairlead.flows.maintenance.roll_up import roll_up, roll_up_reports
from fairlead.flows.money.bad_leads import accept_bad_lead, mark_lead_bad, report_bad_lead
from fairlead.flows.money.marketplace_statement import read_compared_statement, read_marketplace_statement
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.proving.verify import verify
from fairlead.flows.reject_lead import reject_lead
from fairlead.flows.reporting.analytics import read_analytics
from fairlead.flows.reporting.period_report import (
    compared_figures,
    first_moment,
    period_and_busiest_niche,
    period_report,
)
from fairlead.flows.reporting.reports import (
    AskedDays,
    activity_report,
    busiest_niche,
    fairness_report,
    fill_report,
    funnel_report,
    outcome_report,
    recipient_report,
    refund_report,
    refusal_report,
    revenue_report,
    source_report,
)
from fairlead.flows.reporting.shares import shares_report
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.reports.days import Days
from fairlead.store.reports.pieces import forget_spans, keep_zone, make_span, zones_asked
from fairlead.store.simulated_clock import SimulatedClock
from tests.flows.access.people import rows, value
from tests.flows.maintenance.workers import maintenance_of
from tests.flows.marketplaces import HOSTING, declare
from tests.flows.sales import MEMO, PORTAL

DAYS = 70
KEPT = ("report_spans", "report_pieces", "report_changes")
NORTH, SMALL = {"cores": 8, "region": "north"}, {"cores": 2, "region": "south"}


def live_through(database: Database, database_url: str) -> None:
    """Some leads on most of the days before today, with what became of them hours or days later."""
    dice = random.Random(3)
    start = datetime.now(UTC) - timedelta(days=DAYS)
    clock = SimulatedClock(start, 3)
    with Database(database_url, "fairlead", simulated_clock=clock) as then:
        declare(then, HOSTING.replace("5000 }", "500000 }").replace("600 }", "60000 }"))
        niche_id = value(database, "select id::text from niches")
        for day in range(DAYS):
            clock.advance_to(start + timedelta(days=day, hours=dice.random() * 5))
            leads = [dice.choice((NORTH, SMALL)) for _ in range(dice.randrange(4))]
            if leads:
                submit_leads(then, "hosting", leads, OPERATOR, approve=dice.random() < 0.9)
            clock.advance_to(clock.now() + timedelta(minutes=10))
            Distributor(then).distribute_waiting(niche_id)
            _look_back(then, dice)
    database.run(forget_spans)


def _look_back(then: Database, dice: random.Random) -> None:
    found = rows(then, "select id::text, provider_id::text from assignments where status = 'active' order by id")
    if found and dice.random() < 0.5:
        assignment_id, provider_id = dice.choice(found)
        if dice.random() < 0.5:
            view_assignment(then, provider_id, assignment_id)
        else:
            accept_assignment(then, provider_id, assignment_id, PORTAL)
    if found and dice.random() < 0.2:
        assignment_id, provider_id = dice.choice(found)
        refund_assignment(then, assignment_id, MEMO, OPERATOR)


def told(database: Database, timezone: str = "Europe/Lisbon") -> dict[str, Any]:
    """All that reports say, of several spans of days."""
    today = datetime.now(UTC).date()
    found: dict[str, Any] = {}
    for name, first, last in (("all", DAYS + 2, -2), ("month", 45, 3), ("week", 6, -1), ("day", 0, -1)):
        asked = AskedDays(today - timedelta(days=first), today - timedelta(days=last), timezone)
        each: dict[str, Callable[[], Any]] = {
            "activity": lambda a=asked: activity_report(database, None, None, a).rows,
            "busiest": lambda a=asked: busiest_niche(database, a),
            "fairness": lambda a=asked: fairness_report(database, "hosting", a).rows,
            "fill": lambda a=asked: fill_report(database, "hosting", a).rows,
            "funnel": lambda a=asked: funnel_report(database, None, a).rows,
            "refusals": lambda a=asked: refusal_report(database, None, a).rows,
            "outcomes": lambda a=asked: outcome_report(database, None, a).rows,
            "recipients": lambda a=asked: recipient_report(database, "hosting", a).rows,
            "refunds": lambda a=asked: refund_report(database, None, a).rows,
            "figures": lambda a=asked: compared_figures(database, a, "hosting"),
            "months": lambda a=asked: [
                each(database, None, a, by_month=True).rows for each in (revenue_report, funnel_report, refusal_report)
            ],
            "sources": lambda a=asked: source_report(database, None, a).rows,
            "revenue": lambda a=asked: revenue_report(database, "hosting", a).rows,
            "shares": lambda a=asked: shares_report(database, "hosting", a).levels,
            "money": lambda a=asked: _money(database, a),
            "analytics": lambda a=asked: _analytics(database, a),
            "period": lambda a=asked: _period(database, a),
        }
        found |= {f"{what} of {name}": ask() for what, ask in each.items()}
    return found


def _money(database: Database, asked: AskedDays) -> Any:
    """The statement of these days, which must be what the ledgers themselves say of that time."""
    assert asked.day_from is not None
    assert asked.day_before is not None
    found = read_compared_statement(database, asked)
    zone = ZoneInfo(asked.timezone)
    of_rows = read_marketplace_statement(
        database, first_moment(asked.day_from, zone), first_moment(asked.day_before, zone)
    )
    assert found.statement == of_rows
    return found


def _analytics(database: Database, asked: AskedDays) -> Any:
    """All that its page tells of the niche, which must be what the reports say one by one."""
    found = read_analytics(database, "hosting", asked)
    assert found.funnel == funnel_report(database, "hosting", asked).rows
    assert found.revenue == revenue_report(database, "hosting", asked).rows
    assert found.activity == activity_report(database, "hosting", None, asked).rows
    assert found.refunds == refund_report(database, "hosting", asked).rows
    assert found.recipients == recipient_report(database, "hosting", asked).rows
    assert found.sources == source_report(database, "hosting", asked).rows
    assert found.fill == fill_report(database, "hosting", asked).rows
    assert found.outcomes == outcome_report(database, "hosting", asked).rows
    assert found.refusals == refusal_report(database, "hosting", asked).rows
    assert found.figures == compared_figures(database, asked, "hosting")
    return found


def _period(database: Database, asked: AskedDays) -> Any:
    """The period, which must be the same beside the busiest niche, as must this one be."""
    found = _without_now(period_report(database, asked))
    beside, busiest = period_and_busiest_niche(database, asked)
    assert (_without_now(beside), busiest) == (found, busiest_niche(database, asked))
    return found


def _without_now(report: Any) -> Any:
    return report.figures, report.is_hourly, report.buckets, report.slots


def roll_all(database: Database) -> int:
    count = 0
    while made := roll_up_reports(database):
        count += made
        if count > 500:
            pytest.fail("the same spans are made again and again")
    return count


def test_reports_say_the_same_with_pieces_and_without(database: Database, database_url: str) -> None:
    live_through(database, database_url)
    before = told(database)
    assert before["period of all"][0].refunded_count > 0
    made = roll_all(database)
    spans = rows(database, "select day_before - day_from from report_spans")
    assert (len(spans), spans.count(1) >= DAYS - 1, max(spans) >= 28) == (made, True, True)
    assert told(database) == before
    assert verify(database).holds
    assert roll_up(maintenance_of(database)) == {"spans": 0}

    value(database, "update report_pieces set counts[1] = counts[1] + 1 where fact = 'levels' returning 1")
    assert told(database) != before, "the pieces are what the reports were read from"
    [check] = [each for each in verify(database).checks if each.name.startswith("what reports keep")]
    assert "levels from" in check.differences[0]
    value(database, "update report_pieces set counts[1] = counts[1] - 1 where fact = 'levels' returning 1")
    assert told(database) == before

    for change in ("+ 1", "- 1"):
        value(database, f"update report_pieces set counts[43] = counts[43] {change} where fact = 'times' returning 1")
        [check] = [each for each in verify(database).checks if each.name.startswith("what reports keep")]
        assert [each[:10] for each in check.differences[:1]] == (["times from"] if change == "+ 1" else [])

    value(database, "update report_pieces set counts[2] = counts[2] + 1 where fact = 'ledger' returning 1")
    [check] = [each for each in verify(database).checks if each.name.startswith("what reports keep")]
    assert "ledger from" in check.differences[0]
    with pytest.raises(AssertionError):
        told(database)
    database.run(forget_spans)
    assert told(database) == before


def summed(found: Sequence[Any]) -> dict[tuple[Any, ...], list[int]]:
    """The counts of these rows by month and each column of text."""
    sums: dict[tuple[Any, ...], list[int]] = {}
    for row in found:
        values = astuple(row)
        key = (row.day.replace(day=1), *(each for each in values if isinstance(each, str)))
        counts = [each for each in values if isinstance(each, int)]
        sums[key] = [one + other for one, other in zip(sums.get(key, [0] * len(counts)), counts, strict=True)]
    return sums


def test_months_are_the_sums_of_their_days(database: Database, database_url: str) -> None:
    live_through(database, database_url)
    today = datetime.now(UTC).date()
    asked = AskedDays(today - timedelta(days=DAYS - 5), today, "Europe/Lisbon")
    told(database)
    roll_all(database)
    for report in (revenue_report, funnel_report, refusal_report):
        days, months = (report(database, None, asked, by_month=each).rows for each in (False, True))
        assert len(months) < len(days)
        assert summed(months) == summed(days)


def test_refunds_and_outcomes_are_those_of_rows_and_ledger(database: Database, database_url: str) -> None:
    live_through(database, database_url)
    today = datetime.now(UTC).date()
    asked = AskedDays(today - timedelta(days=DAYS + 2), today + timedelta(days=2))
    rates = refund_report(database, None, asked).rows
    refunded = value(database, "select count(*) from ledger_entries where kind = 'refund'")
    cents = value(database, "select sum(amount_cents) from ledger_entries where kind = 'refund'")
    for group in ("level", "provider", "source"):
        own = [each for each in rates if each.group == group]
        assert (sum(each.refunded_count for each in own), sum(each.refunded_cents for each in own)) == (refunded, cents)
    by_level = rows(
        database,
        "select competition_level_id::text, count(*), count(*) filter (where exists (select from ledger_entries e "
        "where e.assignment_id = a.id and e.kind = 'refund')) from assignments a group by 1",
    )
    assert {(each.key, each.assignments, each.refunded_count) for each in rates if each.group == "level"} == {*by_level}
    outcomes = dict(
        rows(database, "select payload ->> 'outcome', count(*) from niche_journal where kind = 'decision' group by 1")
    )
    [told_of_niche] = outcome_report(database, None, asked).rows
    assert told_of_niche.decisions == sum(outcomes.values())
    assert told_of_niche.no_eligible_count == outcomes.get("no_eligible", 0)
    sizes = dict(
        rows(
            database,
            "select found, count(*) from (select count(a.id) as found from niche_journal j left join assignments a "
            "on a.niche_id = j.niche_id and a.journal_seq = j.seq where j.kind = 'decision' "
            "group by j.niche_id, j.seq) decided group by 1",
        )
    )
    assert {
        each.recipients: each.decisions for each in recipient_report(database, None, asked).rows if each.decisions
    } == sizes


def test_zones_that_are_used_are_not_pushed_out_by_others(database: Database) -> None:
    declare(database, HOSTING)
    value(database, "update marketplace set timezone = 'Europe/Lisbon' returning 1")
    asked = ["Europe/Paris", "Asia/Tokyo", "Africa/Cairo", "America/Lima", "UTC", "Europe/Lisbon"]
    day = datetime.now(UTC).date() - timedelta(days=5)
    for timezone in asked:
        database.run(lambda conn, zone=timezone: keep_zone(conn, zone))
        database.run(lambda conn, zone=timezone: make_span(conn, Days(day, day + timedelta(days=1), zone)))
    roll_up_reports(database)
    kept = "select timezone from report_spans order by 1"
    assert rows(database, kept) == sorted(asked)
    value(database, "update report_zones set asked_on = current_date - 1 where timezone <> 'America/Lima' returning 1")
    order = ["Europe/Lisbon", "UTC", "Europe/Paris", "Asia/Tokyo", "Africa/Cairo", "America/Lima"]
    assert database.read(lambda conn: zones_asked(conn, order[:2])) == order

    value(database, "update report_zones set asked_on = current_date - 31 where timezone = 'Europe/Paris' returning 1")
    roll_up_reports(database)
    assert rows(database, kept) == sorted(set(asked) - {"Europe/Paris"})
    database.run(lambda conn: keep_zone(conn, "Europe/Paris"))
    assert database.read(lambda conn: zones_asked(conn, order[:2]))[-1] == "Europe/Paris", "it is new again"


@pytest.mark.slow
def test_what_changes_late_is_told_at_once(database: Database, database_url: str) -> None:
    live_through(database, database_url)
    told(database)
    roll_all(database)
    bought = rows(
        database,
        "select id::text, provider_id::text, lead_id::text from assignments where status = 'active' order by id",
    )
    (first, second, third, fourth, *_) = bought
    pending = rows(database, "select id::text from leads where status = 'pending_approval' order by id limit 1")
    changes: list[Callable[[], object]] = [
        lambda: accept_assignment(database, first[1], first[0], PORTAL),
        lambda: reject_assignment(database, second[1], second[0], "not reached", PORTAL),
        lambda: refund_assignment(database, third[0], MEMO, OPERATOR),
        lambda: mark_lead_bad(database, fourth[2], MEMO, OPERATOR),
        lambda: reject_lead(database, pending[0], "not a lead", OPERATOR),
    ]
    for change in changes:
        change()
        seen = told(database)
        kept = {table: rows(database, f"select {table}::text from {table}") for table in KEPT}
        database.run(forget_spans)
        assert seen == told(database)
        with database.transaction() as conn:
            for table, lines in kept.items():
                restored = f"insert into {table} select (each::{table}).* from unnest(%s::text[]) as each"
                conn.execute(restored.encode(), (lines,))
    assert verify(database).holds


def test_a_report_of_a_bad_lead_changes_its_day(database: Database, database_url: str) -> None:
    live_through(database, database_url)
    told(database)
    roll_all(database)
    value(database, "update niches set bad_lead_window_days = 300 returning 1")
    assignment_id, provider_id = rows(
        database, "select id::text, provider_id::text from assignments where status = 'active' order by id limit 1"
    )[0]
    try:
        report_bad_lead(database, provider_id, assignment_id, "spam", None, PORTAL)
        assert told(database)["activity of all"] != ()
        assert sum(each.reported_count for each in told(database)["activity of all"]) == 1
        accept_bad_lead(database, assignment_id, MEMO, OPERATOR)
        assert sum(each.bad_count for each in told(database)["activity of all"]) == 1
    finally:
        value(database, "update niches set bad_lead_window_days = 14 returning 1")
