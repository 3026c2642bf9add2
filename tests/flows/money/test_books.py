"""The books: beancount's own checker accepts them, its balances are ours, and a closed month is the same bytes."""

import io
import re
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.configuration.marketplace import PapersChange, change_marketplace
from fairlead.flows.configuration.providers import ProviderChange, change_provider
from fairlead.flows.distributor import Distributor
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.money.books import export_books
from fairlead.flows.money.close_months import close_months
from fairlead.flows.money.deposit import deposit
from fairlead.flows.money.receipts import issue_credit_note
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.simulated_clock import SimulatedClock
from tests.flows.sales import MEMO, audited, query, sell

BEAN_CHECK = Path(sys.executable).with_name("bean-check")
POSTING = re.compile(r"^  ([A-Z][\w:-]+)  (-?[\d.]+) EUR$", re.M)


def checked(text: bytes, tmp_path: Path) -> Counter[str]:
    """What every account holds, in cents, of books that beancount accepts."""
    file = tmp_path / "books.beancount"
    file.write_bytes(text)
    ran = subprocess.run([BEAN_CHECK, file], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", ""), text.decode()
    held: Counter[str] = Counter()
    for account, amount in POSTING.findall(text.decode()):
        held[account] += int(Decimal(amount) * 100)
    return held


def books(database: Database, month: str | None = None) -> bytes:
    output = io.BytesIO()
    export_books(database, month, output, OPERATOR)
    return output.getvalue()


def a_busy_month(database: Database) -> None:
    """Deposits, leads, a refund, credits and debits, and a provider that is below zero."""
    sale = sell(database)
    change_provider(database, sale.anchor_id, ProviderChange(credit_limit_cents=9000), OPERATOR, memo=MEMO)
    adjust_balance(database, sale.anchor_id, "debit", 2500, MEMO, OPERATOR)
    adjust_balance(database, sale.bowline_id, "credit", 77, MEMO, OPERATOR)
    refund_assignment(database, sale.bowline, MEMO, OPERATOR)
    submit_leads(database, "hosting", [{"cores": 8, "region": "north"}] * 2, OPERATOR, approve=True)
    [(niche_id,)] = query(database, "select id::text from niches")
    Distributor(database).distribute_waiting(niche_id)


def test_beancount_accepts_the_books_and_its_balances_are_ours(database: Database, tmp_path: Path) -> None:
    a_busy_month(database)
    held = checked(books(database), tmp_path)
    balances = query(database, "select id::text, balance_cents from providers")
    assert any(cents < 0 for _, cents in balances), "credit is used"
    for provider_id, cents in balances:
        assert held[f"Liabilities:Wallets:P{provider_id}"] == -max(cents, 0)
        assert held[f"Assets:Receivables:P{provider_id}"] == max(-cents, 0)
    by_kind = dict(query(database, "select kind, sum(amount_cents)::bigint from ledger_entries group by 1"))
    assert held["Income:Leads:Hosting"] == by_kind["lead_purchase"] + by_kind["refund"]
    assert held["Assets:Clearing:Manual"] == by_kind["deposit"]
    assert held["Expenses:Manual-credits"] == by_kind["manual_credit"]
    assert held["Income:Manual-debits"] == by_kind["manual_debit"]
    assert sum(held.values()) == 0
    assert audited(database, "data.exported")[0][2] == {"month": "all"}


def test_months_join_and_a_closed_one_is_the_same_bytes(database: Database, tmp_path: Path) -> None:
    a_busy_month(database)
    [(now,)] = query(database, "select clock_timestamp()")
    this = f"{now:%Y-%m}"
    later = f"{now.year + (now.month == 12)}-{now.month % 12 + 1:02}"
    first = checked(books(database, this), tmp_path)
    assert b"not closed yet" in books(database, this)
    after = checked(books(database, later), tmp_path)
    for account, cents in first.items():
        expected = cents if account.startswith(("Liabilities:", "Assets:")) else 0
        assert after[account] == expected, account
    earlier = f"{now.year - (now.month == 1)}-{(now.month - 2) % 12 + 1:02}"
    assert not checked(books(database, earlier), tmp_path)
    with Database(database.url, "fairlead", simulated_clock=SimulatedClock(now + timedelta(days=40))) as then:
        assert close_months(then)
    closed = books(database, this)
    assert b"not closed" not in closed
    assert checked(closed, tmp_path) == first
    adjust_balance(database, query(database, "select id::text from providers")[0][0], "credit", 5, MEMO, OPERATOR)
    assert books(database, this) == closed


def test_books_have_the_tax_that_deposits_contain_until_a_credit_note(database: Database, tmp_path: Path) -> None:
    sale = sell(database)
    change_marketplace(database, "EUR", OPERATOR, papers=PapersChange(tax_rate_basis_points=1_900))
    for name in ("one", "two"):
        deposit(database, sale.anchor_id, 1_190, "manual", name, OPERATOR)
    [(first, second)] = query(database, "select max(number) - 1, max(number) from receipts")
    issue_credit_note(database, first, MEMO, OPERATOR)
    [(now,)] = query(database, "select clock_timestamp()")
    this, ends = f"{now:%Y-%m}", (now.replace(day=1) + timedelta(days=32)).replace(day=1)
    with Database(database.url, "fairlead", simulated_clock=SimulatedClock(ends + timedelta(hours=2))) as then:
        assert close_months(then)
    closed = books(database, this)
    held = checked(closed, tmp_path)
    assert (held["Liabilities:Tax"], held["Expenses:Tax"], sum(held.values())) == (-190, 190, 0)
    assert closed.count(f'receipt: "{second}"'.encode()) == 1
    issue_credit_note(database, second, MEMO, OPERATOR)
    assert books(database, this) == closed, "what is issued later is of a later month"
    later = f"{now.year + (now.month == 12)}-{now.month % 12 + 1:02}"
    after = checked(books(database, later), tmp_path)
    assert (after["Liabilities:Tax"], after["Expenses:Tax"]) == (0, -190)
    assert checked(books(database), tmp_path)["Liabilities:Tax"] == 0


def test_books_without_an_entry_are_books(database: Database, tmp_path: Path) -> None:
    change_marketplace(database, "EUR", OPERATOR, timezone="Asia/Kolkata")
    assert b"Asia/Kolkata" in books(database)
    assert b"\n; There is no entry yet.\n" in books(database)
    assert not checked(books(database), tmp_path)


def test_a_month_without_an_entry_says_so_and_has_what_stood_before_it(database: Database, tmp_path: Path) -> None:
    sale = sell(database)
    [(year,)] = query(database, "select extract(year from now())::int")
    before, later = books(database, f"{year - 1}-06"), books(database, f"{year + 1}-06")
    said = b"\n; There is no entry in this month.\n"
    assert (said in before, said in later, said in books(database)) == (True, True, False)
    assert not checked(before, tmp_path), "nothing stood before it"
    held = checked(later, tmp_path)
    [(cents,)] = query(database, "select balance_cents from providers where id = %s", sale.bowline_id)
    assert held[f"Liabilities:Wallets:P{sale.bowline_id}"] == -cents
    assert f"balance Liabilities:Wallets:P{sale.bowline_id}".encode() in later


@pytest.mark.parametrize("month", ["2026", "2026-13", "0026-01", "2026-1", "now"])
def test_what_is_no_month(month: str, database: Database) -> None:
    with pytest.raises(BadInput, match="month: must be a month such as 2026-01"):
        books(database, month)


def test_beancount_notices_a_wrong_balance(database: Database, tmp_path: Path) -> None:
    a_busy_month(database)
    text = re.sub(rb"(balance Assets:Receivables:\S+  )\d", rb"\g<1>9", books(database))
    with pytest.raises(AssertionError):
        checked(text, tmp_path)
