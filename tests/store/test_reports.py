"""Reports say what the rows say, by calendar days where the reader is, and for the span that was asked for."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.assignment_actions import accept_assignment, reject_assignment
from fairlead.flows.distributor import Distributor
from fairlead.flows.money.bad_leads import accept_bad_lead, mark_lead_bad, report_bad_lead
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.reject_lead import reject_lead
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Connection, Database
from fairlead.store.portal.levels_on_offer import OwnSubscriptionState, niches_on_offer
from fairlead.store.reports.activity import ProviderActivity, provider_activity
from fairlead.store.reports.days import Days, checked_days
from fairlead.store.reports.fairness import LevelFairness, level_fairness
from fairlead.store.reports.fill import level_fill
from fairlead.store.reports.funnel import FunnelDay, lead_funnel
from fairlead.store.reports.one_provider import passed_over
from fairlead.store.reports.pieces import Cover, cover, cover_one_provider
from fairlead.store.reports.revenue import RevenueDay, revenue
from tests.flows.marketplaces import HOSTING, declare
from tests.flows.sales import MEMO, PORTAL, Sale, query, sell
from tests.race.marketplaces import Provider, Terms, add_leads, add_providers, open_niche, subscribe


def today() -> date:
    return datetime.now(UTC).date()


def around_today() -> Days:
    """A span that holds now, however close midnight is."""
    return checked_days(today() - timedelta(days=1), today() + timedelta(days=2), "UTC")


def long_ago() -> Days:
    return checked_days(today() - timedelta(days=400), today() - timedelta(days=39), "UTC")


def covered(conn: Connection, days: Days, slug: str | None = None) -> Cover:
    """The days of that niche, or of all; of one that is not there, nothing."""
    if slug is None:
        return cover(conn, days)
    row = conn.execute("select id::text from niches where slug = %s", (slug,)).fetchone()
    return cover(conn, days, str(UUID(int=0)) if row is None else row[0])


def move(database: Database, table: str, column: str, key: str, moment: datetime) -> None:
    """The row is of another time, in a database that is not swept."""
    with database.transaction() as conn:
        conn.execute("set local session_replication_role = replica")
        conn.execute(f"update {table} set {column} = %s where id = %s".encode(), (moment, key))


@pytest.mark.parametrize(
    ("day_from", "day_before", "timezone", "problem"),
    [
        (date(2026, 1, 2), date(2026, 1, 2), "UTC", "day_before: must be a day after day_from"),
        (date(2025, 1, 1), date(2026, 1, 3), "UTC", "day_before: a report covers at most 366 days"),
        (date(2026, 1, 1), date(2026, 1, 2), "Europe/Atlantis", "timezone: must be a time zone"),
        (date(1, 1, 1), date(1, 1, 2), "UTC", "in this millennium"),
    ],
)
def test_spans_that_cannot_be_are_refused(day_from: date, day_before: date, timezone: str, problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        checked_days(day_from, day_before, timezone)


def test_revenue_is_gross_on_the_day_of_sale_and_less_on_the_day_of_refund(damaged_database: Database) -> None:
    sale = sell(damaged_database)
    refund_assignment(damaged_database, sale.anchor, MEMO, OPERATOR)
    auckland = ZoneInfo("Pacific/Auckland")
    sold_at = datetime(2026, 3, 2, 0, 30, tzinfo=auckland)
    for assignment in (sale.anchor, sale.bowline):
        # An id says its time too.
        moved = f"{int(sold_at.timestamp() * 1000):012x}"
        with damaged_database.transaction() as conn:
            conn.execute("set local session_replication_role = replica")
            conn.execute(
                "update assignments set assigned_at = %s, "
                "id = (left(%s, 8) || '-' || right(%s, 4) || substr(id::text, 14))::uuid where id = %s",
                (sold_at, moved, moved, assignment),
            )
            conn.execute(
                "update assignments set refunded_at = %s where refunded_at is not null", (sold_at + timedelta(days=2),)
            )

    def found(first: date, last: date, timezone: str, niche: str | None = None) -> list[tuple[Any, ...]]:
        rows = damaged_database.read(
            lambda conn: revenue(conn, covered(conn, checked_days(first, last + timedelta(days=1), timezone), niche))
        )
        return [
            (row.day.isoformat(), row.level_name, row.sold_count, row.gross_cents, row.refunded_cents, row.net_cents)
            for row in rows
        ]

    assert found(date(2026, 3, 2), date(2026, 3, 2), "Pacific/Auckland") == [
        ("2026-03-02", "gold", 1, 2000, 0, 2000),
        ("2026-03-02", "silver", 1, 500, 0, 500),
    ]
    assert found(date(2026, 3, 1), date(2026, 3, 3), "UTC") == [
        ("2026-03-01", "gold", 1, 2000, 0, 2000),
        ("2026-03-01", "silver", 1, 500, 0, 500),
        ("2026-03-03", "gold", 0, 0, 2000, -2000),
    ]
    assert found(date(2026, 3, 3), date(2026, 3, 4), "Pacific/Auckland") == [("2026-03-04", "gold", 0, 0, 2000, -2000)]
    assert found(date(2026, 3, 2), date(2026, 3, 2), "UTC") == []
    assert found(date(2026, 3, 1), date(2026, 3, 3), "UTC", "other") == []


def test_revenue_names_niche_and_level(database: Database) -> None:
    sell(database)
    rows = database.read(lambda conn: revenue(conn, covered(conn, around_today(), "hosting")))
    assert all(isinstance(row, RevenueDay) and row.niche == "hosting" for row in rows)
    assert [row.level_name for row in rows] == ["gold", "silver"]
    assert database.read(lambda conn: revenue(conn, covered(conn, long_ago()))) == []


def test_the_funnel_follows_the_leads_of_a_day(damaged_database: Database) -> None:
    database = damaged_database
    sale = sell(database)
    submit_leads(database, "hosting", [{"cores": 8, "region": "north"}] * 12, OPERATOR, approve=True)
    [(niche_id,)] = query(database, "select id::text from niches")
    Distributor(database).distribute_waiting(niche_id)
    (rejected, _) = submit_leads(database, "hosting", [{"cores": 1}, {"cores": 2}], OPERATOR, approve=False)
    reject_lead(database, rejected, "no answer to the call", OPERATOR)
    with database.transaction() as conn:
        conn.execute("update leads set last_outcome = 'partial' where id = %s", (sale.lead_id,))
    unsold = query(database, "select id from leads where last_outcome = 'no_eligible'")
    sold = query(database, "select distinct lead_id from assignments")
    assert min(len(unsold), len(sold)) > 0
    (day,) = database.read(lambda conn: lead_funnel(conn, covered(conn, around_today())))
    assert day == FunnelDay(day.day, "hosting", 15, 13, len(sold), 1, len(unsold), 1, 0)
    mark_lead_bad(database, sale.lead_id, MEMO, OPERATOR)
    (day,) = database.read(lambda conn: lead_funnel(conn, covered(conn, around_today())))
    assert day == FunnelDay(day.day, "hosting", 15, 13, len(sold), 1, len(unsold), 1, 1)
    assert database.read(lambda conn: lead_funnel(conn, covered(conn, around_today(), "other"))) == []
    assert database.read(lambda conn: lead_funnel(conn, covered(conn, long_ago()))) == []


def test_days_are_those_of_the_reader(damaged_database: Database) -> None:
    sale = sell(damaged_database)
    move(damaged_database, "leads", "created_at", sale.lead_id, datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    for timezone, day in (("UTC", 1), ("Europe/Madrid", 2), ("America/New_York", 1), ("Pacific/Auckland", 2)):
        for asked in (1, 2):
            span = checked_days(date(2026, 3, asked), date(2026, 3, asked + 1), timezone)
            found = damaged_database.read(lambda conn, span=span: lead_funnel(conn, covered(conn, span)))
            assert [row.day for row in found] == ([date(2026, 3, day)] if asked == day else [])


def test_providers_are_shown_with_what_they_said(database: Database) -> None:
    sale = sell(database)
    submit_leads(database, "hosting", [{"cores": 2, "region": "south"}] * 2, OPERATOR, approve=True)
    [(niche_id,)] = query(database, "select id::text from niches")
    Distributor(database).distribute_waiting(niche_id)
    newer = query(
        database, "select id::text from assignments where provider_id = %s and id <> %s", sale.anchor_id, sale.anchor
    )
    accept_assignment(database, sale.anchor_id, sale.anchor, PORTAL)
    reject_assignment(database, sale.anchor_id, newer[0][0], "out of our area", PORTAL)
    report_bad_lead(database, sale.anchor_id, newer[0][0], "spam", None, PORTAL)
    accept_bad_lead(database, newer[0][0], MEMO, OPERATOR)
    anchor, bowline = database.read(lambda conn: provider_activity(conn, covered(conn, around_today())))
    assert anchor == ProviderActivity(sale.anchor_id, "Anchor", 3, 3000, 2, 1, 1, 1, 1, 1, 500)
    assert (anchor.acceptance_rate, anchor.bad_lead_rate) == (0.5, pytest.approx(1 / 3))
    assert (bowline.provider_name, bowline.received_count, bowline.acceptance_rate) == ("Bowline", 1, None)
    own = database.bound_to(sale.bowline_id).read(
        lambda conn: provider_activity(conn, cover_one_provider(around_today(), sale.bowline_id))
    )
    assert own == [bowline]
    assert database.read(lambda conn: provider_activity(conn, covered(conn, around_today(), "other"))) == []
    assert database.read(lambda conn: provider_activity(conn, covered(conn, long_ago()))) == []


def rotate(database: Database, count: int) -> str:
    """Three providers share two levels of two slots and one; the third cannot pay. Returns the niche."""
    people = [Provider("ana", 90_000, (1, 2)), Provider("ben", 90_000, (1,)), Provider("cleo", 0, (2,))]
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", [Terms(1000, 1, 1), Terms(500, 2, 2)])
        subscribe(conn, niche, people, add_providers(conn, people, "moving"))
        add_leads(conn, niche, [40] * count)
    Distributor(database).distribute_waiting(niche.niche_id)
    return "moving"


def test_fairness_counts_starts_and_turns(database: Database) -> None:
    slug = rotate(database, 9)
    first, second = database.read(lambda conn: level_fairness(conn, covered(conn, around_today(), slug)))
    assert (first.level_name, first.decisions, first.starts, first.expected_starts) == ("L1", 9, 5, 4.5)
    assert (second.level_name, second.decisions, second.starts, second.expected_starts) == ("L2", 9, 4, 4.5)
    times: dict[str, list[int]] = {}
    for level, subscription, count in query(
        database, "select competition_level_id::text, subscription_id, count(*) from assignments group by 1, 2"
    ):
        times.setdefault(level, []).append(count)
        assert subscription
    for level in (first, second):
        assert (level.fewest_times, level.most_times) == (min(times[level.level_id]), max(times[level.level_id]))
        assert (level.assignments, level.served_subscriptions) == (
            sum(times[level.level_id]),
            len(times[level.level_id]),
        )
    # Two take turns at the first level: each waits while the other is served.
    assert (first.served_subscriptions, first.longest_wait >= 1) == (2, True)
    [(unserved,)] = query(
        database,
        "select count(*) from subscriptions s where is_active and not exists "
        "(select from assignments a where a.subscription_id = s.id) and competition_level_id = %s",
        second.level_id,
    )
    assert second.unserved_subscriptions == unserved
    empty = database.read(lambda conn: level_fairness(conn, covered(conn, long_ago(), slug)))
    assert [(level.decisions, level.starts, level.assignments, level.served_subscriptions) for level in empty] == [
        (0, 0, 0, 0)
    ] * 2
    assert empty[0] == LevelFairness(first.level_id, "L1", 0, 0, 0.0, 0, 0, 2, 0, 0, 0)
    assert database.read(lambda conn: level_fairness(conn, covered(conn, around_today(), "other"))) == []


def test_fill_says_who_stood_in_the_way(database: Database) -> None:
    slug = rotate(database, 8)
    first, second = database.read(lambda conn: level_fill(conn, covered(conn, around_today(), slug)))
    sold = dict(query(database, "select competition_level_id::text, count(*) from assignments group by 1"))
    assert (first.decisions, first.offered_slots, first.filled_slots) == (8, 8, sold[first.level_id])
    assert (second.decisions, second.offered_slots, second.filled_slots) == (8, 16, sold.get(second.level_id, 0))
    assert second.fill_rate == sold.get(second.level_id, 0) / 16
    payloads = query(database, "select payload from niche_journal where kind = 'decision'")
    expected: dict[str, int] = {}
    for (payload,) in payloads:
        for level in payload["levels"]:
            if level["level_id"] == second.level_id and len(level["recipients"]) < level["max_recipients"]:
                for refusal in level["refused"]:
                    expected[refusal["reason"]] = expected.get(refusal["reason"], 0) + 1
                for reason, count in level["counts"].items():
                    expected[reason] = expected.get(reason, 0) + count
    assert second.reasons == expected
    assert "insufficient_balance" in expected
    assert first.reasons == {} or first.filled_slots < first.offered_slots
    assert database.read(lambda conn: level_fill(conn, covered(conn, long_ago(), slug))) == []


def offered(database: Database, provider_id: str) -> list[tuple[str, list[tuple[str, OwnSubscriptionState | None]]]]:
    niches = database.bound_to(provider_id).read(lambda conn: niches_on_offer(conn, provider_id))
    return [(niche.slug, [(level.name, level.own) for level in niche.levels]) for niche in niches]


def test_levels_on_offer_show_ones_own_subscription_and_no_others(database: Database) -> None:
    sale: Sale = sell(database)
    own = {
        (provider, level): OwnSubscriptionState(key, is_active, reason, True)
        for provider, level, key, is_active, reason in query(
            database,
            "select s.provider_id::text, l.name, s.id::text, s.is_active, s.deactivation_reason from subscriptions s "
            "join competition_levels l on l.id = s.competition_level_id",
        )
    }
    for provider in (sale.anchor_id, sale.bowline_id):
        assert offered(database, provider) == [
            ("hosting", [("gold", own[provider, "gold"]), ("silver", own[provider, "silver"])])
        ]
        # The first guard alone.
        (niche,) = database.read(lambda conn, provider=provider: niches_on_offer(conn, provider))
        assert [level.own for level in niche.levels] == [own[provider, "gold"], own[provider, "silver"]]
    assert not own[sale.bowline_id, "silver"].is_active
    (niche,) = database.read(lambda conn: niches_on_offer(conn, sale.anchor_id))
    assert [(level.price_cents, level.currency, level.max_recipients) for level in niche.levels] == [
        (2000, "EUR", 1),
        (500, "EUR", 3),
    ]
    assert [field["key"] for field in cast("Any", niche.form_schema)["fields"]] == ["cores", "region"]


def test_what_is_switched_off_is_not_on_offer(database: Database) -> None:
    sale = sell(database)
    declare(database, '[[niche]]\nslug = "hosting"\nlevel = [{ name = "gold", active = false }]')
    assert [level for level, _ in offered(database, sale.anchor_id)[0][1]] == ["silver"]
    declare(database, HOSTING.replace('"hosting"', '"storage"').replace('"Hosting"', '"Archives"'))
    assert [slug for slug, _ in offered(database, sale.anchor_id)] == ["storage", "hosting"]
    declare(database, '[[niche]]\nslug = "hosting"\nactive = false')
    assert [slug for slug, _ in offered(database, sale.anchor_id)] == ["storage"]


def test_a_provider_is_passed_over_as_often_as_decisions_name_it(database: Database) -> None:
    rotate(database, 8)
    named: Counter[tuple[str, str]] = Counter()
    for (payload,) in query(database, "select payload from niche_journal where kind = 'decision'"):
        for level in payload["levels"]:
            named.update((each["subscription_id"], each["reason"]) for each in level["refused"])
    niche_ids = [row[0] for row in query(database, "select id::text from niches")]
    found: dict[tuple[str, str], int] = {}
    for (provider_id,) in query(database, "select id::text from providers"):
        own = database.read(lambda conn, own_id=provider_id: passed_over(conn, own_id, niche_ids))
        found |= {(each.subscription_id, each.reason): each.count for each in own}
    assert found == named
    assert {reason for _, reason in found} == {"insufficient_balance"}
