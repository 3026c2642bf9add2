"""The page of money: its sums are those of the ledgers, and what waits can be decided."""

from datetime import UTC, datetime, timedelta

from fairlead.flows.maintenance.reconcile import reconcile
from fairlead.flows.money.bad_leads import report_bad_lead
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import an_admin
from tests.console.visiting import console
from tests.flows.sales import PORTAL, query, sell


def test_money_shows_sums_reports_and_whether_the_books_agree(database: Database) -> None:
    operator = an_admin(console(database), database)
    assert "not compared yet" in operator.get("/money").text
    sale = sell(database)
    report_bad_lead(database, sale.anchor_id, sale.anchor, "unreachable", "rang for days", PORTAL)
    reconcile(database, OPERATOR)
    text = operator.get("/money").text
    for words in ("€56.00", "€25.00", "€31.00", "rang for days", "the books agree", sale.lead_id):
        assert words in text, words
    assert f"/api/v1/admin/bad-lead-reports/{sale.anchor}/accept" in text
    assert "rang for days" not in operator.get("/money", params={"provider_id": sale.bowline_id}).text
    now = datetime.now(UTC)
    span = {
        "created_from": (now - timedelta(days=2)).isoformat(),
        "created_before": (now + timedelta(days=2)).isoformat(),
    }
    stated = operator.get("/api/v1/admin/statement", params=span).json()
    assert stated["held_cents"] == sum(row[0] for row in query(database, "select balance_cents from providers"))
    assert sum(each["amount_cents"] for each in stated["totals"]) == stated["held_cents"]
    assert stated["last_reconciliation"]["difference_count"] == 0
