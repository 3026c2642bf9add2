"""The pages of statements: each provider its own, with the figures that the API gives."""

from datetime import UTC, datetime, timedelta

from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.money.close_months import close_months
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.simulated_clock import SimulatedClock
from tests.api.asking import an_admin
from tests.console.portal_pages import shown, visit_portal
from tests.flows.sales import MEMO

HTML = {"Accept": "text/html"}


def close_this_month(database: Database) -> str:
    """The month is closed, as if it were over; returns its name."""
    now = datetime.now(UTC)
    over = (now.replace(day=1) + timedelta(days=32)).replace(day=2)
    with Database(database.url, "fairlead", simulated_clock=SimulatedClock(over)) as then:
        assert close_months(then)
    return f"{now:%Y-%m}"


def test_a_provider_sees_its_own_statements_and_no_other(database: Database) -> None:
    portal = visit_portal(database)
    assert "/portal/statements" in portal.sam.get("/portal/balance", headers=HTML).text
    assert "not closed yet" in shown(portal.sam, "/portal/statements")
    month = close_this_month(database)
    words = shown(portal.sam, "/portal/statements")
    assert "final €0.00 €30.00" in words
    assert "final €0.00 €1.00" in shown(portal.bea, "/portal/statements")
    page = portal.sam.get(f"/portal/statements/{month}", headers=HTML).text
    assert f'href="/api/v1/provider/statements/{month}/csv"' in page
    words = shown(portal.sam, f"/portal/statements/{month}")
    assert "Opening balance €0.00 Deposit 1 +€50.00 Lead 1 \N{MINUS SIGN}€20.00 Closing balance €30.00" in words
    assert "SHA-256" in words
    other = shown(portal.bea, f"/portal/statements/{month}")
    assert "Bowline" in other
    assert "€30.00" not in other
    assert portal.sam.get("/portal/statements/1999-01", headers=HTML).status_code == 404
    assert portal.sam.get("/portal/statements/now", headers=HTML).status_code == 404


def test_operators_see_the_statements_of_every_provider(database: Database) -> None:
    portal = visit_portal(database)
    ann = an_admin(portal.app, database)
    adjust_balance(database, portal.sale.anchor_id, "credit", 77, MEMO, OPERATOR)
    month = close_this_month(database)
    path = f"/providers/{portal.sale.anchor_id}/statements"
    assert path in ann.get(f"/providers/{portal.sale.anchor_id}", headers=HTML).text
    assert "final €0.00 €30.77" in shown(ann, path)
    words = shown(ann, f"{path}/{month}")
    assert "Credit 1 +€0.77" in words
    assert "Closing balance €30.77" in words
    assert portal.sam.get(f"{path}/{month}", headers=HTML).status_code in {403, 404}
    assert ann.get(f"{path}/2999-01", headers=HTML).status_code == 404
