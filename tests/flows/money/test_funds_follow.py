"""Whichever flow moves what a provider can pay with, its subscriptions follow in every niche before it ends (R9).

A flow that moves money is listed here; one that is not, or that forgets to let subscriptions follow, fails.
"""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from fairlead.flows.configuration.providers import ProviderChange, change_provider
from fairlead.flows.maintenance.funds import follow_funds
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.money.bad_leads import accept_bad_lead, mark_lead_bad, report_bad_lead
from fairlead.flows.money.deposit import deposit
from fairlead.flows.money.refund import refund_assignment
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.distribution.funds import misfunded_niche_ids
from tests.flows.maintenance.workers import maintenance_of
from tests.flows.marketplaces import HOSTING, declare
from tests.flows.sales import BOWLINE, MEMO, PORTAL, Sale, query, sell
from tests.race.marketplaces import leave_only

FLOWS = Path(__file__).parents[3] / "src" / "fairlead" / "flows"
MORE = f"""
[[provider]]
email = "{BOWLINE}"
deposit = [{{ external_id = "more", amount_cents = 400 }}]
"""


def reported_and_accepted(database: Database, sale: Sale) -> None:
    report_bad_lead(database, sale.bowline_id, sale.bowline, "unreachable", None, PORTAL)
    accept_bad_lead(database, sale.bowline, MEMO, OPERATOR)


def charged_elsewhere(database: Database, sale: Sale) -> None:
    """A charge stops subscriptions in its own niche only: those of the others have their turn."""
    with database.transaction() as conn:
        leave_only(conn, sale.anchor_id, 100)
    follow_funds(maintenance_of(database))


# Bowline has 100 cents and can pay for silver (500) with 400 more; Anchor has 3000, and for gold (2000) not with 1999.
MONEY_FLOWS: dict[str, tuple[str, Callable[[Database, Sale], object]]] = {
    "a deposit": ("money/deposit.py", lambda db, sale: deposit(db, sale.bowline_id, 400, "test", "more", OPERATOR)),
    "a credit": (
        "money/adjust_balance.py",
        lambda db, s: adjust_balance(db, s.bowline_id, "credit", 400, MEMO, OPERATOR),
    ),
    "a debit": (
        "money/adjust_balance.py",
        lambda db, s: adjust_balance(db, s.anchor_id, "debit", 1001, MEMO, OPERATOR),
    ),
    "a refund": ("money/refund.py", lambda db, sale: refund_assignment(db, sale.bowline, MEMO, OPERATOR)),
    "an accepted report": ("money/bad_leads.py", reported_and_accepted),
    "a bad lead": ("money/bad_leads.py", lambda db, sale: mark_lead_bad(db, sale.lead_id, MEMO, OPERATOR)),
    "a credit limit": (
        "configuration/providers.py",
        lambda db, sale: change_provider(db, sale.bowline_id, ProviderChange(credit_limit_cents=400), OPERATOR),
    ),
    "a marketplace file": ("declaring/apply_marketplace.py", lambda db, _: declare(db, MORE)),
    "a charge in another niche": (
        follow_funds.__module__.removeprefix("fairlead.flows.").replace(".", "/") + ".py",
        charged_elsewhere,
    ),
}
WHAT_MOVES_FUNDS = {
    "fairlead.store.money.ledger.post_entries",
    "fairlead.store.money.payments.insert_payments",
    "fairlead.flows.funding.follow_funds",
    "fairlead.flows.funding.move_money",
    "fairlead.flows.funding",
    "fairlead.flows.money.refund.give_back",
}


def states(database: Database) -> list[tuple[object, ...]]:
    """Of every subscription: its niche, whose it is at which level, and whether it is active."""
    return query(
        database,
        """
        select n.slug, p.name, l.name, s.is_active, s.deactivation_reason from subscriptions s
        join niches n on n.id = s.niche_id join providers p on p.id = s.provider_id
        join competition_levels l on l.id = s.competition_level_id order by 1, 2, 3
        """,
    )


@pytest.mark.parametrize("flow", MONEY_FLOWS)
def test_subscriptions_follow_the_funds_in_every_niche(flow: str, database: Database) -> None:
    sale = sell(database)
    declare(database, HOSTING.replace('"hosting"', '"storage"'))
    before = states(database)
    MONEY_FLOWS[flow][1](database, sale)
    assert {niche for niche, *_ in {*states(database)} - {*before}} == {"hosting", "storage"}
    with database.snapshot() as conn:
        assert misfunded_niche_ids(conn) == []


def test_no_other_flow_moves_funds() -> None:
    found: set[str] = set()
    for path in FLOWS.rglob("*.py"):
        imported = {
            f"{node.module}.{alias.name}"
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        if imported & WHAT_MOVES_FUNDS:
            found.add(path.relative_to(FLOWS).as_posix())
    assert found == {"funding.py"} | {module for module, _ in MONEY_FLOWS.values()}


def test_money_moves_and_subscriptions_follow_in_one_place() -> None:
    """Only a file, which plans what funds do together with all else that it changes, posts entries by itself."""
    posting = {
        path.relative_to(FLOWS).as_posix()
        for path in FLOWS.rglob("*.py")
        if "post_entries(" in path.read_text(encoding="utf-8")
    }
    assert posting == {"funding.py", "declaring/apply_marketplace.py"}
