"""The example of a year: checks that share nothing with the engine find nothing, and would if there were something."""

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
        if name in ("live_a_year", "year_books", "year_checks", "year_events", "year_marketplace", "year_more_checks"):
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
    "is the ledger of its month": "update statements set opening_cents = opening_cents + 1",
    "of each of the twelve months": "delete from statements where month = '2024-06-01'",
    "contact data is gone": """update leads
        set contact_name = 'A. Person', created_at = created_at - interval '1 year' where contact_erased_at is null""",
    "no row of any table": "update leads set approved_by = 'person@to-be-erased.example'",
    "gives its price back": "update assignments set status = 'refunded', refunded_at = now() where refunded_at is null",
}


@pytest.mark.slow
def test_a_year_with_every_control_breaks_no_rule_that_is_counted_independently(
    database: Database, example: Callable[[str], Any]
) -> None:
    year, market, checks = example("live_a_year"), example("year_marketplace"), example("year_checks")
    tally = year.live_through(database, market.Size(leads=600, providers=40), seed=7)
    assert 560 < tally.leads <= 600, "a niche is closed for two weeks"
    assert tally.decisions >= tally.leads + tally.reopened
    kinds = ("refunds", "reports", "deposits", "top-ups", "statements")
    assert min(tally.assignments, tally.reopened, *(tally.counts[kind] for kind in kinds)) > 0
    assert [each.name for each in example("year_books").check_books(database) if each.violations] == []
    assert broken(database, checks) == set()
    missed = [
        name for name, change in BREAKS.items() if not any(name in each for each in broken(database, checks, change))
    ]
    assert missed == []
    with pytest.raises(Refused, match="empty database"):
        year.live_through(database, market.Size(leads=1), seed=7)
