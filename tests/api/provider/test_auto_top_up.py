"""Auto top-up over the API: set by its provider alone, charged by workers, switched off by operators."""

from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.payments.saving_methods import ask_about_savings
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin, application
from tests.api.permitting import problem
from tests.flows.marketplaces import HOSTING, declare, provider_id
from tests.flows.payments.paying import MEMO, SETTINGS, balance
from tests.flows.payments.topping_up import charge_now, save_card
from tests.flows.sales import ANCHOR, BOWLINE

OWN = "/api/v1/provider/auto-top-up"
TERMS = {"threshold_cents": 700, "amount_cents": 1400, "monthly_limit_cents": 4200, "is_on": True}
ANY = {"If-Match": "*"}


def test_a_provider_saves_a_method_and_is_topped_up(database: Database) -> None:
    declare(database, HOSTING)
    bowline, anchor = provider_id(database, BOWLINE), provider_id(database, ANCHOR)
    app = application(database, payment_gateway="test")
    bea, sam = a_provider(app, database, bowline, "sales@bowline.example"), a_provider(app, database, anchor)
    nothing = bea.get(OWN).json()
    assert (nothing["is_on"], nothing["threshold_cents"], nothing["method"]) == (False, None, None)
    assert problem(bea.put(OWN, json=TERMS)) == (428, "precondition_required")
    assert problem(bea.put(OWN, json=TERMS, headers=ANY)) == (409, "payment_method_missing")
    url = bea.post(f"{OWN}/method").json()["url"]
    setup_id = url.rsplit("/", 1)[1]
    chosen = {"setup_id": setup_id, "card": "pays"}
    assert problem(sam.post(f"{OWN}/method/test-card", json=chosen)) == (404, "payment_unknown")
    assert bea.post(f"{OWN}/method/test-card", json=chosen).status_code == 200
    assert ask_about_savings(Maintenance(database, SETTINGS))["methods"] == 1
    done = bea.put(OWN, json=TERMS, headers=ANY)
    assert (done.status_code, done.json()["method"], done.json()["is_on"]) == (200, "Test card 4242", True), done.text
    assert charge_now(database) == 1
    now = bea.get(OWN)
    assert (now.json()["charged_cents"], balance(database, bowline)) == (1400, 2000)
    assert bea.put(OWN, json=TERMS | {"is_on": False}, headers={"If-Match": now.headers["ETag"]}).status_code == 200
    assert problem(bea.put(OWN, json=TERMS, headers={"If-Match": now.headers["ETag"]})) == (412, "version_conflict")
    assert bea.delete(f"{OWN}/method").status_code == 204
    assert bea.get(OWN).json()["method"] is None
    assert sam.get(OWN).json()["charged_cents"] == 0


def test_an_operator_sees_it_and_switches_it_off(database: Database) -> None:
    declare(database, HOSTING)
    bowline = provider_id(database, BOWLINE)
    app = application(database, payment_gateway="test")
    bea, ann = a_provider(app, database, bowline, "sales@bowline.example"), an_admin(app, database)
    save_card(database, bowline, "pays")
    assert bea.put(OWN, json=TERMS, headers=ANY).status_code == 200
    at = f"/api/v1/admin/providers/{bowline}/auto-top-up"
    assert ann.get(at).json()["is_on"] is True
    done = ann.post(f"{at}/switch-off", json={"memo": MEMO})
    assert (done.status_code, done.json()["is_on"]) == (200, False), done.text
    assert charge_now(database) == 0
    assert problem(ann.get(f"/api/v1/admin/providers/{'0' * 8}-0000-7000-8000-{'0' * 12}/auto-top-up")) == (
        404,
        "provider_unknown",
    )


def test_terms_that_cannot_be_are_refused_by_their_field(database: Database) -> None:
    declare(database, HOSTING)
    app = application(database, payment_gateway="test")
    bea = a_provider(app, database, provider_id(database, BOWLINE), "sales@bowline.example")
    refused = bea.put(OWN, json=TERMS | {"monthly_limit_cents": 1399}, headers=ANY)
    assert refused.status_code == 422
    assert "monthly_limit_cents" in refused.text
