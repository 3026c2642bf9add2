"""Statements: a month of a provider's ledger, the same bytes whenever they are made, sealed and verified."""

import io
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from threading import Thread
from zoneinfo import ZoneInfo

import pytest

from fairlead.core.calendar.local_time import first_instant
from fairlead.core.errors import BadInput, Broken, Refused
from fairlead.flows.configuration.marketplace import change_marketplace
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.money.books import export_books
from fairlead.flows.money.close_months import close_months
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.money.statements import list_statements, read_statement
from fairlead.flows.proving.verify import verify, verify_snapshot
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Connection, Database
from fairlead.store.simulated_clock import SimulatedClock
from tests.flows.sales import MEMO, Sale, audited, query, sell

Year = tuple[Database, SimulatedClock]


def this_month(database: Database) -> str:
    [(name,)] = query(database, "select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM')")
    return name


@pytest.fixture
def year(database: Database) -> Iterator[Year]:
    """The marketplace, with a clock that a test sets."""
    clock = SimulatedClock(datetime(2026, 1, 20, 12, tzinfo=UTC), seed=1)
    with Database(database.url, "fairlead", simulated_clock=clock) as then:
        yield then, clock


def credit(year: Year, sale: Sale, cents: int, *moment: int) -> None:
    """Anchor is credited that much at that moment (UTC)."""
    database, clock = year
    clock.set(datetime(*moment, tzinfo=UTC))  # type: ignore[arg-type,misc]
    adjust_balance(database, sale.anchor_id, "credit", cents, MEMO, OPERATOR)


def books(database: Database, month: str) -> bytes:
    output = io.BytesIO()
    export_books(database, month, output, OPERATOR)
    return output.getvalue()


def test_a_month_adds_up(database: Database) -> None:
    sale = sell(database)
    refund_assignment(database, sale.anchor, MEMO, OPERATOR)
    adjust_balance(database, sale.anchor_id, "credit", 77, MEMO, OPERATOR)
    adjust_balance(database, sale.anchor_id, "debit", 7, MEMO, OPERATOR)
    found = read_statement(database, sale.anchor_id, this_month(database))
    assert (found.opening_cents, found.closing_cents, found.is_final) == (0, 5070, False)
    assert [(each.kind, each.entry_count, each.amount_cents) for each in found.sums] == [
        ("deposit", 1, 5000),
        ("lead_purchase", 1, -2000),
        ("refund", 1, 2000),
        ("manual_credit", 1, 77),
        ("manual_debit", 1, -7),
    ]
    lines = found.csv.decode().split("\r\n")
    assert lines[1].endswith("opening,,,,,0,EUR")
    assert lines[-2].endswith("closing,,,,,5070,EUR")
    assert len(lines) == 5 + 4
    assert close_months(database) == 0


def test_closed_months_follow_one_another_and_are_the_same_bytes(year: Year) -> None:
    database, clock = year
    sale = sell(database)
    # Half past six in the evening of the 31st in London is a midnight in Kolkata.
    change_marketplace(database, "EUR", OPERATOR, timezone="Asia/Kolkata")
    credit(year, sale, 11, 2026, 1, 31, 18, 29, 59)
    credit(year, sale, 22, 2026, 1, 31, 18, 30)
    assert close_months(database) == 0  # those of slow transactions may still come
    clock.set(datetime(2026, 3, 15, tzinfo=UTC))
    assert not read_statement(database, sale.anchor_id, "2026-01").is_final
    before = read_statement(database, sale.anchor_id, "2026-01").csv
    assert close_months(database) == 4
    assert close_months(database) == 0
    first, second = (read_statement(database, sale.anchor_id, month) for month in ("2026-01", "2026-02"))
    assert first.csv == before
    assert (first.opening_cents, first.closing_cents, first.is_final) == (0, 3011, True)
    assert (second.opening_cents, second.closing_cents, len(second.entries)) == (3011, 3033, 1)
    quiet = read_statement(database, sale.bowline_id, "2026-02")
    assert (quiet.opening_cents, quiet.closing_cents, quiet.entries, quiet.is_final) == (100, 100, (), True)
    assert [each[0] for each in audited(database, "month.closed")] == ["2026-01", "2026-02"]
    january = books(database, "2026-01")
    # What happens later, in another zone, is of other months.
    change_marketplace(database, "EUR", OPERATOR, timezone="America/Lima")
    refund_assignment(database, sale.anchor, MEMO, OPERATOR)
    again = read_statement(database, sale.anchor_id, "2026-01")
    assert (again.csv, again.timezone) == (first.csv, "Asia/Kolkata")
    assert books(database, "2026-01") == january
    assert b"not closed" not in january
    assert read_statement(database, sale.anchor_id, "2026-03").closing_cents == 5033
    listed = list_statements(database, sale.anchor_id)
    assert (listed.current.name, [f"{each.month:%Y-%m}" for each in listed.closed]) == (
        "2026-03",
        ["2026-02", "2026-01"],
    )
    assert verify(database).holds


def test_a_month_begins_where_the_one_before_it_ended_also_in_another_zone(year: Year) -> None:
    database, clock = year
    sale = sell(database)
    change_marketplace(database, "EUR", OPERATOR, timezone="America/Lima")
    clock.set(datetime(2026, 2, 1, 7, tzinfo=UTC))
    assert close_months(database) == 2
    # In Kolkata it was February ten hours ago, and in Lima it has just begun.
    change_marketplace(database, "EUR", OPERATOR, timezone="Asia/Kolkata")
    credit(year, sale, 5, 2026, 2, 1, 6)
    credit(year, sale, 6, 2026, 2, 28, 18, 31)
    clock.set(datetime(2026, 4, 2, tzinfo=UTC))
    assert close_months(database) == 4
    assert [read_statement(database, sale.anchor_id, f"2026-0{each}").closing_cents for each in (1, 2, 3)] == [
        3000,
        3005,
        3011,
    ]
    spans = query(database, "select began_at, ends_at from closed_months order by month")
    assert [each[0] for each in spans[1:]] == [each[1] for each in spans[:-1]]


@pytest.mark.parametrize(
    ("zone", "month", "hours"),
    [
        ("Europe/Berlin", 3, 31 * 24 - 1),
        ("Europe/Berlin", 10, 31 * 24 + 1),
        ("Australia/Lord_Howe", 4, 30 * 24 + 0.5),
        ("Australia/Lord_Howe", 10, 31 * 24 - 0.5),
        ("Asia/Kathmandu", 2, 28 * 24),
    ],
)
def test_a_month_is_as_long_as_its_clocks_say(zone: str, month: int, hours: float, year: Year) -> None:
    database, clock = year
    began = first_instant(datetime(2026, month, 1), ZoneInfo(zone))  # noqa: DTZ001  # a time of that zone
    clock.set(began - timedelta(days=2))
    sale = sell(database)
    change_marketplace(database, "EUR", OPERATOR, timezone=zone)
    ends = began + timedelta(hours=hours)
    for number, moment in enumerate((began, ends - timedelta(milliseconds=1), ends), start=1):
        clock.set(moment)
        adjust_balance(database, sale.anchor_id, "credit", number, MEMO, OPERATOR)
    clock.set(ends + timedelta(hours=2))
    close_months(database)
    found = read_statement(database, sale.anchor_id, f"2026-{month:02}")
    assert [each.amount_cents for each in found.entries] == [1, 2]
    assert found.is_final


def test_what_a_clock_that_was_set_back_dates_into_a_closed_month_is_of_the_next(year: Year) -> None:
    database, clock = year
    sale = sell(database)
    clock.set(datetime(2026, 2, 1, 1, 1, tzinfo=UTC))
    assert close_months(database) == 2
    january, booked = read_statement(database, sale.anchor_id, "2026-01"), books(database, "2026-01")
    credit(year, sale, 40, 2026, 1, 31, 12)
    assert list_statements(database, sale.anchor_id).current.name == "2026-02"
    credit(year, sale, 2, 2026, 2, 3)
    clock.set(datetime(2026, 3, 3, tzinfo=UTC))
    assert close_months(database) == 2
    assert read_statement(database, sale.anchor_id, "2026-01") == january
    assert books(database, "2026-01") == booked
    february = read_statement(database, sale.anchor_id, "2026-02")
    assert [each.amount_cents for each in february.entries] == [40, 2]
    assert books(database, "2026-02").count(b'"manual_credit"') == 2
    assert verify(database).holds


def test_a_clock_that_ran_ahead_for_a_while_keeps_later_entries_in_their_month(year: Year) -> None:
    database, clock = year
    sale = sell(database)
    credit(year, sale, 1, 2026, 9, 9)
    credit(year, sale, 2, 2026, 1, 25)
    clock.set(datetime(2026, 2, 2, tzinfo=UTC))
    assert close_months(database) == 2
    assert [each.amount_cents for each in read_statement(database, sale.anchor_id, "2026-01").entries[-2:]] == [1, 2]


def test_a_provider_whose_ledger_begins_late_has_no_statement_before(year: Year) -> None:
    database, clock = year
    sale = sell(database)
    [(third,)] = query(
        database, "select id::text from providers where ledger_seq = 0 union all select null order by 1 limit 1"
    )
    clock.set(datetime(2026, 2, 2, tzinfo=UTC))
    assert close_months(database) == 2
    if third is not None:
        adjust_balance(database, third, "credit", 9, MEMO, OPERATOR)
        clock.set(datetime(2026, 3, 2, tzinfo=UTC))
        assert close_months(database) == 3
    with pytest.raises(Refused):
        read_statement(database, sale.anchor_id, "2025-12")


def test_processes_that_close_at_once_close_a_month_once(year: Year) -> None:
    database, clock = year
    sell(database)
    clock.set(datetime(2026, 4, 15, tzinfo=UTC))
    made: list[int] = []
    threads = [Thread(target=lambda: made.append(close_months(database))) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sum(made) == 6
    assert len(made) == 6
    assert len(audited(database, "month.closed")) == 3


@contextmanager
def rolled_back(database: Database) -> Generator[Connection]:
    """A superuser's transaction, of which nothing stays."""
    with suppress(_TakenBackError), database.transaction() as conn:
        conn.execute("set local session_replication_role = replica")
        yield conn
        raise _TakenBackError


class _TakenBackError(Exception):
    pass


TAMPERED = {
    "a sum": "update statements set totals = jsonb_set(totals, '{deposit}', '[1, 1]') where totals ? 'deposit'",
    "what it closed with": "update statements set closing_cents = closing_cents + 1",
    "where it ends": "update statements set last_seq = last_seq - 1 where last_seq > first_seq",
    "the first of them gone": "delete from statements where month = '2026-01-01'",
    "the last of them gone": "delete from statements where month = '2026-02-01'",
    "its hash": "update statements set sha256 = decode(repeat('00', 32), 'hex')",
    "the zone": "update closed_months set timezone = 'UTC'",
    "the end": "update closed_months set ends_at = ends_at - interval '20 days'",
    "a month with all that is of it": "with gone as (delete from statements where month = '2026-02-01')"
    " delete from closed_months where month = '2026-02-01'",
    "the date of an entry": "update ledger_entries set created_at = created_at - interval '1 second'"
    " where kind = 'deposit'",
    "an entry moved out of it": "update ledger_entries set created_at = created_at + interval '60 days'"
    " where kind = 'lead_purchase'",
    "an entry that is gone": "delete from ledger_entries where kind = 'lead_purchase'",
}


@pytest.mark.parametrize("statement", TAMPERED.values(), ids=TAMPERED)
def test_verify_finds_statements_that_do_not_add_up(statement: str, year: Year) -> None:
    database, clock = year
    sell(database)
    change_marketplace(database, "EUR", OPERATOR, timezone="Asia/Kolkata")
    clock.set(datetime(2026, 3, 15, tzinfo=UTC))
    close_months(database)
    with rolled_back(database) as conn:
        assert conn.execute(statement.encode()).rowcount
        found = [each.name for each in verify_snapshot(conn).checks if not each.holds]
        assert any("statement" in name or "month" in name for name in found), found


def test_a_statement_that_is_not_what_is_on_record_is_not_given(year: Year) -> None:
    database, clock = year
    sale = sell(database)
    clock.set(datetime(2026, 2, 15, tzinfo=UTC))
    close_months(database)
    with database.transaction() as conn:
        conn.execute("set local session_replication_role = replica")
        conn.execute("update ledger_entries set created_at = created_at + interval '1 s' where kind = 'deposit'")
    with pytest.raises(Broken, match="2026-01"):
        read_statement(database, sale.anchor_id, "2026-01")
    with database.transaction() as conn:
        conn.execute("set local session_replication_role = replica")
        conn.execute("update ledger_entries set created_at = created_at - interval '1 s' where kind = 'deposit'")


def test_what_there_is_no_statement_of(database: Database) -> None:
    sale = sell(database)
    for month in ("1999-01", "2999-01"):
        with pytest.raises(Refused) as unknown:
            read_statement(database, sale.anchor_id, month)
        assert unknown.value.code == "statement_unknown"
    with pytest.raises(BadInput, match="month: must be a month such as 2026-01"):
        read_statement(database, sale.anchor_id, "2026-13")
