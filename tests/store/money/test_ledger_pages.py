"""Ledgers page by page: whose, in which order, filtered by what, and what a span of time adds up to."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.money.refund import refund_assignment
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Connection, Database
from fairlead.store.keyset import KeysetPage
from fairlead.store.money.assignment_pages import AssignmentFilter, assignment_page
from fairlead.store.money.ledger_pages import (
    KindTotal,
    LedgerFilter,
    Statement,
    ledger_page,
    own_ledger_page,
    provider_ledger_page,
    statement,
)
from tests.flows.sales import MEMO, Sale, query, sell
from tests.race.marketplaces import pay_in

EVER = datetime(2000, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)


def moved(database: Database) -> Sale:
    """Both deposited and bought; Anchor was refunded and credited."""
    sale = sell(database)
    refund_assignment(database, sale.anchor, MEMO, OPERATOR)
    adjust_balance(database, sale.anchor_id, "credit", 77, "for the trouble it had", OPERATOR)
    return sale


def all_of(database: Database, view: Callable[[Connection, Any], KeysetPage[Any, Any]]) -> list[Any]:
    items: list[Any] = []
    after = None
    while True:
        page = database.read(lambda conn, after=after: view(conn, after))
        items += page.items
        if (after := page.next_after) is None:
            return items


@pytest.mark.parametrize("limit", [1, 3, 50])
def test_each_sees_its_own_ledger_the_newest_first(database: Database, limit: int) -> None:
    sale = moved(database)
    for provider in (sale.anchor_id, sale.bowline_id):
        expected = query(
            database,
            "select seq, kind, amount_cents, balance_after_cents from ledger_entries where provider_id = %s "
            "order by seq desc",
            provider,
        )
        for connection in (database, database.bound_to(provider)):
            found = all_of(
                connection,
                lambda conn, after, provider=provider: own_ledger_page(conn, provider, LedgerFilter(), after, limit),
            )
            assert [(e.seq, e.kind, e.amount_cents, e.balance_after_cents) for e in found] == expected
    credited, refunded, bought, deposited = all_of(
        database, lambda conn, after: own_ledger_page(conn, sale.anchor_id, LedgerFilter(), after, limit)
    )
    assert (refunded.assignment_id, refunded.lead_id, refunded.niche, refunded.level_name) == (
        sale.anchor,
        sale.lead_id,
        "hosting",
        "gold",
    )
    assert (bought.assignment_id, bought.payment_id, deposited.payment_id is not None) == (sale.anchor, None, True)
    assert (credited.lead_id, credited.niche) == (None, None)
    assert MEMO not in str(refunded)
    assert "operator" not in str(credited)


def test_operators_also_see_who_moved_money_and_why(database: Database) -> None:
    sale = moved(database)
    found = all_of(database, lambda conn, after: provider_ledger_page(conn, sale.anchor_id, LedgerFilter(), after, 2))
    assert [(each.entry.kind, each.actor, each.memo) for each in found[:2]] == [
        ("manual_credit", "operator", "for the trouble it had"),
        ("refund", "operator", MEMO),
    ]
    assert {(each.provider_id, each.provider_name) for each in found} == {(sale.anchor_id, "Anchor")}


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_all_providers_entries_come_by_time_each_once(database: Database, limit: int) -> None:
    sale = moved(database)
    expected = query(
        database,
        "select provider_id::text, seq from ledger_entries order by created_at desc, provider_id desc, seq desc",
    )

    def found(wanted: LedgerFilter) -> list[tuple[str, int]]:
        entries = all_of(database, lambda conn, after: ledger_page(conn, wanted, after, limit))
        return [(each.provider_id, each.entry.seq) for each in entries]

    assert found(LedgerFilter()) == expected
    assert len(expected) == 6
    assert found(LedgerFilter(kind="refund")) == [(sale.anchor_id, 3)]
    assert found(LedgerFilter(kind="lead_purchase")) == [row for row in expected if row[1] == 2]
    [(refunded_at,)] = query(database, "select created_at from ledger_entries where kind = 'refund'")
    assert found(LedgerFilter(created_from=refunded_at)) == expected[:2]
    assert found(LedgerFilter(created_before=refunded_at)) == expected[2:]


def test_a_provider_looks_for_one_kind_and_one_time(database: Database) -> None:
    sale = moved(database)
    [(refunded_at,)] = query(database, "select created_at from ledger_entries where kind = 'refund'")

    def found(wanted: LedgerFilter) -> list[int]:
        entries = all_of(database, lambda conn, after: own_ledger_page(conn, sale.anchor_id, wanted, after, 1))
        return [entry.seq for entry in entries]

    assert found(LedgerFilter(kind="deposit")) == [1]
    assert found(LedgerFilter(kind="lead_purchase")) == [2]
    assert found(LedgerFilter(created_from=refunded_at)) == [4, 3]
    assert found(LedgerFilter(created_before=refunded_at)) == [2, 1]
    assert found(LedgerFilter(kind="refund", created_before=refunded_at)) == []
    assert found(LedgerFilter(created_from=EVER[1])) == []


def test_a_statement_adds_up(database: Database) -> None:
    sale = moved(database)
    totals = (
        KindTotal("deposit", 1, 5000),
        KindTotal("lead_purchase", 1, -2000),
        KindTotal("manual_credit", 1, 77),
        KindTotal("refund", 1, 2000),
    )
    [(refunded_at,)] = query(database, "select created_at from ledger_entries where kind = 'refund'")

    def of(since: datetime, before: datetime) -> Statement:
        bound = database.bound_to(sale.anchor_id)
        return bound.read(lambda conn: statement(conn, sale.anchor_id, since, before))

    assert of(*EVER) == Statement(0, 5077, totals)
    assert of(refunded_at, EVER[1]) == Statement(3000, 5077, totals[2:])
    assert of(EVER[0], refunded_at) == Statement(0, 3000, totals[:2])
    assert of(EVER[1], EVER[1] + timedelta(days=1)) == Statement(5077, 5077, ())
    assert of(EVER[0] - timedelta(days=1), EVER[0]) == Statement(0, 0, ())


def test_what_was_late_to_its_ledger_is_in_the_statement_of_its_time(damaged_database: Database) -> None:
    """A transaction that began earlier may get the provider's lock later: its entry is older, its `seq` higher."""
    sale = sell(damaged_database)
    with damaged_database.transaction() as conn:
        pay_in(conn, sale.anchor_id, 100, "late")
        conn.execute("set local session_replication_role = replica")
        conn.execute(
            "update ledger_entries set created_at = (select created_at - interval '1 hour' from ledger_entries "
            "where provider_id = %(p)s and seq = 2) where provider_id = %(p)s and seq in (1, 3)",
            {"p": sale.anchor_id},
        )
    [(bought_at,)] = query(
        damaged_database, "select created_at from ledger_entries where provider_id = %s and seq = 2", sale.anchor_id
    )
    hour = timedelta(hours=1)
    before, during = (
        damaged_database.read(lambda conn, span=span: statement(conn, sale.anchor_id, *span))
        for span in ((bought_at - hour, bought_at), (bought_at, bought_at + hour))
    )
    assert before == Statement(0, 5100, (KindTotal("deposit", 2, 5100),))
    assert during == Statement(5100, 3100, (KindTotal("lead_purchase", 1, -2000),))
    wanted = LedgerFilter(created_before=bought_at)
    page = damaged_database.read(lambda conn: own_ledger_page(conn, sale.anchor_id, wanted, None, 50))
    assert [entry.seq for entry in page.items] == [3, 1]


@pytest.mark.parametrize("limit", [1, 50])
def test_operators_look_through_all_assignments(database: Database, limit: int) -> None:
    sale = moved(database)
    ids = [row[0] for row in query(database, "select id::text from assignments order by id desc")]
    [(assigned_at, level_id)] = query(
        database, "select assigned_at, competition_level_id::text from assignments where id = %s", sale.anchor
    )

    def found(**wanted: Any) -> list[str]:
        items = all_of(database, lambda conn, after: assignment_page(conn, AssignmentFilter(**wanted), after, limit))
        return [item.assignment_id for item in items]

    assert found() == ids
    assert sorted(found(niche_slug="hosting")) == sorted(ids)
    assert found(niche_slug="other") == []
    assert found(provider_id=sale.anchor_id) == [sale.anchor]
    assert found(provider_id=sale.bowline_id, niche_slug="hosting") == [sale.bowline]
    assert found(provider_id=sale.bowline_id, assigned_from=assigned_at) == [sale.bowline]
    assert found(provider_id=sale.bowline_id, assigned_before=assigned_at) == []
    assert found(level_id=level_id) == [sale.anchor]
    assert found(status="refunded") == [sale.anchor]
    assert found(status="active", niche_slug="hosting") == [sale.bowline]
    assert found(status="refunded", provider_id=sale.bowline_id) == []
    assert found(assigned_from=assigned_at) == ids
    assert found(assigned_before=assigned_at) == []
    (item,) = database.read(lambda conn: assignment_page(conn, AssignmentFilter(status="refunded"), None, 9)).items
    assert (item.provider_name, item.level_name, item.price_cents, item.currency) == ("Anchor", "gold", 2000, "EUR")
