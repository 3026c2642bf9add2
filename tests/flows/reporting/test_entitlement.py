"""What subscriptions could have had, counted from the journal, beside `explain` asked of every lead and provider."""

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from fairlead.flows.distributor import Distributor
from fairlead.flows.explaining.explain import explain_provider
from fairlead.flows.maintenance.count_entitlement import count_decisions
from fairlead.flows.maintenance.roll_up import roll_up_reports
from fairlead.flows.maintenance.snapshot_rosters import snapshot_niche
from fairlead.flows.proving.verify import verify
from fairlead.flows.reporting.entitlement import EntitlementReport, SubscriptionEntitlement, entitlement_report
from fairlead.flows.reporting.reports import AskedDays
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.simulated_clock import SimulatedClock
from tests.flows.access.people import rows, value
from tests.flows.marketplaces import declare

DAYS = 40
ZONE = "Europe/Lisbon"
CHECK = "what hosting's subscriptions could have had"
NORTH = '[{ field_key = "region", operator = "eq", value = "north" }]'
BIG = '[{ field_key = "cores", operator = "gte", value = 4 }]'
PROVIDERS = {
    "anchor": (90_000, ("gold", "[]"), ("silver", "[]")),
    "bowline": (90_000, ("gold", BIG), ("silver", NORTH)),
    "cleat": (90_000, ("silver", "[]")),
    "davit": (4_000, ("silver", "[]")),
    "ensign": (90_000, ("gold", NORTH), ("silver", BIG)),
    "fender": (90_000, ("silver", NORTH)),
}


def market() -> str:
    """Two levels, six providers with filters of their own; one has money for eight leads."""
    text = """
[[niche]]
slug = "hosting"
name = "Hosting"
field = [
    { key = "cores", label = "Cores", type = "number" },
    { key = "region", label = "Region", type = "select", options = ["north", "south"] },
]
level = [
    { name = "gold", price_cents = 1000, max_recipients = 1, order_position = 1 },
    { name = "silver", price_cents = 500, max_recipients = 2, order_position = 2 },
]
"""
    for name, (cents, *subscribed) in PROVIDERS.items():
        own = ", ".join(f'{{ niche = "hosting", level = "{level}", filter = {rules} }}' for level, rules in subscribed)
        text += f"""
[[provider]]
email = "{name}@example.com"
name = "{name.title()}"
deposit = [{{ external_id = "opening-{name}", amount_cents = {cents} }}]
subscription = [{own}]
"""
    return text


def live_through(database: Database, database_url: str) -> datetime:
    """A few leads on each of the days before today; when the first one began."""
    dice = random.Random(11)
    start = datetime.now(UTC) - timedelta(days=DAYS)
    clock = SimulatedClock(start, 3)
    with Database(database_url, "fairlead", simulated_clock=clock) as then:
        declare(then, market())
        niche_id = value(database, "select id::text from niches")
        for day in range(DAYS):
            clock.advance_to(start + timedelta(days=day, hours=dice.random() * 20))
            leads = [
                {"cores": dice.choice((2, 8)), "region": dice.choice(("north", "south"))}
                for _ in range(dice.randrange(4))
            ]
            if leads:
                submit_leads(then, "hosting", leads, OPERATOR, approve=True)
                Distributor(then).distribute_waiting(niche_id)
    return start


@dataclass
class Told:
    """What `explain` says of a subscription, lead by lead."""

    received: int = 0
    eligible: int = 0
    entitled: Fraction = Fraction(0)
    wait: int = 0
    longest: int = 0
    kept_out: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def as_explained(database: Database, first: date, before: date) -> dict[str, Told]:
    """Of each subscription, over the decisions of these days, in the order of the journal."""
    found: dict[str, Told] = defaultdict(Told)
    decided = rows(
        database,
        "select payload ->> 'lead_id', seq, recorded_at from niche_journal where kind = 'decision' order by seq",
    )
    for lead_id, seq, at in decided:
        if not first <= at.astimezone(ZoneInfo(ZONE)).date() < before:
            continue
        standings = [
            (level.level_id, standing)
            for name in PROVIDERS
            for level, standing in explain_provider(database, lead_id, f"{name}@example.com", seq).standings
        ]
        for level_id in {each for each, _ in standings}:
            of_level = [standing for each, standing in standings if each == level_id]
            eligible = [each for each in of_level if each.refusal is None or each.refusal.reason == "level_full"]
            filled = sum(each.recipient is not None for each in of_level)
            for each in of_level:
                told = found[each.subscription_id]
                if each not in eligible:
                    assert each.refusal is not None
                    told.kept_out[each.refusal.reason] += 1
                    continue
                told.eligible += 1
                told.entitled += Fraction(filled, len(eligible))
                told.received += each.recipient is not None
                told.wait = 0 if each.recipient is not None else told.wait + 1
                told.longest = max(told.longest, told.wait)
    return found


def by_subscription(report: EntitlementReport) -> dict[str, SubscriptionEntitlement]:
    return {each.subscription.subscription_id: each for level in report.levels for each in level.subscriptions}


def count_all(database: Database) -> int:
    """All that is there is counted, a few entries at a time, in the zones that reports were asked for in."""
    count = 0
    while True:
        count += count_decisions(database, most_entries=7)
        if value(database, "select min(up_to_seq) = max(n.journal_seq) from entitlement_progress, niches n"):
            return count


def asked_days(first: int, last: int = -1) -> AskedDays:
    today = datetime.now(ZoneInfo(ZONE)).date()
    return AskedDays(today - timedelta(days=first), today - timedelta(days=last), ZONE)


def test_entitlement_is_what_explain_says_of_every_lead(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fairlead.flows.maintenance.count_entitlement.ENTRIES_AT_ONCE", 5)
    live_through(database, database_url)
    entitlement_report(database, "hosting", asked_days(DAYS + 2))
    count_all(database)
    for asked in (asked_days(DAYS + 2), asked_days(33), asked_days(12, 5)):
        assert asked.day_from is not None
        assert asked.day_before is not None
        told = as_explained(database, asked.day_from, asked.day_before)
        report = entitlement_report(database, "hosting", asked)
        found = {key: each for key, each in by_subscription(report).items() if each.decisions}
        assert found.keys() == told.keys()
        for subscription_id, each in found.items():
            own = told[subscription_id]
            assert (each.received, each.eligible, dict(each.kept_out)) == (own.received, own.eligible, own.kept_out)
            assert (each.longest_wait, each.current_wait) == (own.longest, own.wait)
            assert each.entitled == pytest.approx(float(own.entitled), abs=own.eligible * 1e-6)
        for level in report.levels:
            assert level.wait_bound is not None
            assert level.longest_wait <= level.wait_bound
            assert sum(each.entitled for each in level.subscriptions) == pytest.approx(level.slots.filled, abs=1e-3)
    assert {each.cause for each in by_subscription(report).values()} >= {"filter_mismatch"}


def test_received_is_what_assignments_and_ledger_say(database: Database, database_url: str) -> None:
    live_through(database, database_url)
    entitlement_report(database, "hosting", asked_days(DAYS + 2))
    decided = value(database, "select count(*) from niche_journal where kind = 'decision'")
    assert count_all(database) == decided, "the zones that are equally far are counted together"
    report = entitlement_report(database, "hosting", asked_days(DAYS + 2))
    sold = dict(rows(database, "select subscription_id::text, count(*) from assignments group by 1"))
    assert {key: each.received for key, each in by_subscription(report).items() if each.received} == sold
    paid = dict(
        rows(
            database,
            "select a.competition_level_id::text, count(*) from ledger_entries e join assignments a "
            "on a.id = e.assignment_id where e.kind = 'lead_purchase' group by 1",
        )
    )
    assert {each.level_id: each.slots.filled for each in report.levels} == paid
    assert report.waiting == 0
    broke = next(each for each in by_subscription(report).values() if each.subscription.provider_name == "Davit")
    assert broke.cause == "subscription_inactive"


def test_counting_goes_on_where_it_was_and_verify_counts_again(database: Database, database_url: str) -> None:
    live_through(database, database_url)
    niche_id = value(database, "select id::text from niches")
    asked = asked_days(DAYS + 2)
    entitlement_report(database, "hosting", asked)
    assert count_decisions(database) > 0
    snapshot_niche(database, niche_id)
    submit_leads(database, "hosting", [{"cores": 8, "region": "north"}] * 3, OPERATOR, approve=True)
    Distributor(database).distribute_waiting(niche_id)
    assert entitlement_report(database, "hosting", asked).waiting == 3
    assert count_decisions(database) == 3
    counted = entitlement_report(database, "hosting", asked)
    [check] = [each for each in verify(database).checks if each.name.startswith(CHECK)]
    assert check.holds
    assert check.checked > DAYS / 2

    value(database, "with gone as (delete from entitlement_pieces returning 1) select count(*) from gone")
    assert entitlement_report(database, "hosting", asked).levels == ()
    [check] = [each for each in verify(database).checks if each.name.startswith(CHECK)]
    assert not check.holds
    value(database, "with gone as (delete from entitlement_progress returning 1) select count(*) from gone")
    count_all(database)
    assert entitlement_report(database, "hosting", asked).levels == counted.levels

    elsewhere = entitlement_report(database, "hosting", AskedDays(asked.day_from, asked.day_before, "Asia/Tokyo"))
    assert elsewhere.days.timezone in rows(database, "select timezone from entitlement_progress")
    assert elsewhere.decisions > 0

    value(database, "update report_zones set asked_on = current_date - 40 returning 1")
    roll_up_reports(database)
    assert rows(database, "select timezone from entitlement_progress") == []
