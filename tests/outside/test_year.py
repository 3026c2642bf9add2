"""The example of a year: checks that share nothing with the engine find nothing, and would if there were something."""

import re
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from types import ModuleType
from typing import Any, LiteralString

import pytest
from psycopg import Rollback

from fairlead.core.errors import Refused
from fairlead.store.connection import Database

FOLDER = Path(__file__).parents[2] / "examples" / "year"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Generator[Callable[[str], ModuleType]]:
    """A module of the example, imported as its own programs do."""
    monkeypatch.syspath_prepend(str(FOLDER))
    before = set(sys.modules)

    def imported(name: str) -> ModuleType:
        __import__(name)
        return sys.modules[name]

    yield imported
    for name in set(sys.modules) - before:
        if name == "live_a_year" or name.startswith("year_"):
            del sys.modules[name]


def broken(database: Database, checks: ModuleType, change: LiteralString | None = None) -> set[str]:
    """The names of the checks that find something, with this change made to the tables, which is undone."""
    with database.transaction() as conn, conn.transaction() as change_made:
        if change is not None:
            conn.execute("set local session_replication_role = replica")  # no guard of the tables stands in the way
            conn.execute(change)
        found = {check.name for check in checks.independent_checks(conn) if check.violations}
        raise Rollback(change_made)
    return found


TAKES_ALL: LiteralString = "select id from providers where name like '%takes all'"

BREAKS: dict[str, LiteralString] = {
    "leads_per_day": "update providers set limits = '{\"leads_per_day\": 0}'",
    "leads_per_hour of its subscription": "update subscriptions set limits = '{\"leads_per_hour\": 0}'",
    "leads_total": "update subscriptions set limits = '{\"leads_total\": 0}'",
    "spend_cents_per_week": "update providers set limits = '{\"spend_cents_per_week\": 299}'",
    "hours of its schedule": "update assignments set assigned_at = assigned_at + interval '11 hours'",
    "conflict group": "update providers set conflict_group_id = (select id from conflict_groups limit 1)",
    "exclusive level": "update competition_levels set is_exclusive = true, max_recipients = 1",
    "more recipients": "update niches set max_recipients_per_lead = 1",
    "the sum of its ledger": "update providers set balance_cents = balance_cents + 1",
    "paid for once": "update assignments set price_cents = price_cents + 1",
    "fits the filter": """update subscriptions set filter_rules =
        '{"version": 1, "rules": [{"field_key": "region", "operator": "in", "value": ["nowhere"]}]}'""",
    "follows from the price rules": """update competition_levels
        set price_rules = jsonb_set(price_rules, '{rules,0,price_cents}', '1') where price_rules is not null""",
    "asks its own price": """update competition_levels
        set price_cents = 1, lowest_price_cents = null, price_rules = null""",
    "pays at most": "update subscriptions set max_price_cents = 1",
    "waits longer": """delete from assignments a using providers p
        where p.id = a.provider_id and p.name like '%takes all'""",
    "behind its share": "update subscriptions set weight = 100 where provider_id in (" + TAKES_ALL + ")",
    "lead more than one": """update subscriptions set weight = 1
        where competition_level_id in (select id from competition_levels where name in ('alone', 'first'))""",
    "have no gap": "update receipts set number = number + 1 where number = (select max(number) from receipts)",
    "has one receipt": "delete from receipts where number = 1",
    "add up to its deposits": """update receipts set gross_cents = gross_cents + 1,
        tax_rate_basis_points = null, tax_cents = 0 where kind = 'receipt'""",
    "the rate of its day": "update receipts set tax_rate_basis_points = null, tax_cents = 0",
    "both parties": "update receipts set parties = jsonb_set(parties, '{recipient,address}', '\"9 Other Street\"')",
    "takes one receipt back": """update receipts set gross_cents = gross_cents + 1,
        tax_rate_basis_points = null, tax_cents = 0 where kind = 'credit_note'""",
    "is the ledger of its month": "update statements set opening_cents = opening_cents + 1",
    "of each of the twelve months": "delete from statements where month = '2024-06-01'",
    "contact data is gone": """update leads
        set contact_name = 'A. Person', created_at = created_at - interval '1 year' where contact_erased_at is null""",
    "no row of any table": "update leads set approved_by = 'person@to-be-erased.example'",
    "gives its price back": "update assignments set status = 'refunded', refunded_at = now() where refunded_at is null",
}

BROKEN_BOOKS: dict[str, tuple[str, str]] = {
    "2024 is balanced": (r"(Income:Leads:\S+  -\d+\.)\d\d ", r"\g<1>01 "),
    "are the balances": (r'\S+ \* "lead_purchase"\n(  .*\n)+', ""),
    "tax of the books": (r"  Liabilities:Tax .*\n  Expenses:Tax .*\n", ""),
    "bean-check accepts": (r'\S+ \* "lead_purchase"\n(  .*\n)+', ""),
}
"""What finds it, where the first of these in the books is another."""


def missed_in_books(database: Database, books: ModuleType, folder: Path) -> list[str]:
    """Those that do not find what is wrong with the books."""
    file = folder / "2024.beancount"
    with file.open("wb") as output:
        books.export_books(database, None, output, books.ACTOR)
    text = file.read_text()
    missed: list[str] = []
    for name, (what, other) in BROKEN_BOOKS.items():
        file.write_text(re.sub(what, other, text, count=1))
        found = [each.name for each in books.check_file(database, file, is_of_all_time=True) if each.violations]
        if not any(name in each for each in found):
            missed.append(name)
    return missed


@pytest.mark.slow
def test_a_year_with_every_control_breaks_no_rule_that_is_counted_independently(
    database: Database, example: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    year, market, checks = example("live_a_year"), example("year_marketplace"), example("year_checks")
    books = example("year_books")
    monkeypatch.setattr(books, "PART_BYTES", 200_000)
    tally = year.live_through(database, market.Size(leads=600, providers=40), seed=7)
    assert 560 < tally.leads <= 600, "a niche is closed for two weeks"
    assert tally.decisions >= tally.leads + tally.reopened
    kinds = ("refunds", "reports", "deposits", "top-ups", "statements", "credit notes", "debits", "weights set")
    assert min(tally.assignments, tally.reopened, *(tally.counts[kind] for kind in kinds)) > 0
    checked = [*books.check_books(database)]
    assert [each.name for each in checked if each.violations or each.skipped] == []
    assert "bean-check accepts the books of 2024, in 3 parts" in {each.name for each in checked}
    assert missed_in_books(database, books, tmp_path) == []
    assert broken(database, checks) == set()
    missed = [
        name for name, change in BREAKS.items() if not any(name in each for each in broken(database, checks, change))
    ]
    assert missed == []
    with pytest.raises(Refused, match="empty database"):
        year.live_through(database, market.Size(leads=1), seed=7)
