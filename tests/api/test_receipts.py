"""Receipts and billing details over the API: of two providers each has its own, and papers keep what they said."""

from collections.abc import Mapping

from starlette.testclient import TestClient

from fairlead.core.permissions import Permission
from fairlead.flows.configuration.billing_details import WantedDetails, change_billing_details
from fairlead.flows.money.deposit import deposit
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin, application, machine
from tests.api.keys import operators_key
from tests.flows.sales import MEMO, sell

OWN, ADMIN = "/api/v1/provider/receipts", "/api/v1/admin/receipts"
OWN_DETAILS = "/api/v1/provider/billing-details"
DETAILS = {"legal_name": "Anchor Hosting GmbH", "address": "Kai 4\n20457 Hamburg", "country": "DE", "tax_id": "DE123"}


def put(client: TestClient, address: str, body: Mapping[str, object]) -> Mapping[str, object]:
    """What the answer says of the change, of the state that the client saw last."""
    answer = client.put(address, json=body, headers={"If-Match": client.get(address).headers["ETag"]})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_each_provider_has_its_own_receipts_and_details(database: Database) -> None:
    sale, app = sell(database), application(database)
    sam = a_provider(app, database, sale.anchor_id)
    bea = a_provider(app, database, sale.bowline_id, "b@bowline.example")
    [mine], [hers] = (each.get(OWN).json()["items"] for each in (sam, bea))
    assert {mine["number"], hers["number"]} == {1, 2}
    assert (mine["provider_id"], mine["gross_cents"], mine["tax_rate_basis_points"]) == (sale.anchor_id, 5000, None)
    whole = sam.get(f"{OWN}/{mine['number']}").json()
    assert (whole["recipient"]["name"], whole["recipient"]["legal_name"]) == ("Anchor", None)
    assert sam.get(f"{OWN}/{hers['number']}").json()["code"] == "receipt_unknown"
    assert sam.get(ADMIN).status_code == 403
    assert sam.get(OWN_DETAILS).json()["legal_name"] is None
    assert put(sam, OWN_DETAILS, DETAILS)["address"] == DETAILS["address"]
    assert bea.get(OWN_DETAILS).json()["legal_name"] is None
    stale = sam.put(OWN_DETAILS, json=DETAILS | {"country": "FR"}, headers={"If-Match": '"stale"'})
    assert stale.json()["code"] == "version_conflict"
    assert sam.get(f"{OWN}/{mine['number']}").json() == whole
    path = f"/api/v1/admin/providers/{sale.bowline_id}/billing-details"
    assert sam.get(path).status_code == 403
    assert put(an_admin(app, database), path, DETAILS | {"legal_name": "Bowline Ltd", "country": "IE"})
    assert bea.get(OWN_DETAILS).json()["legal_name"] == "Bowline Ltd"


def test_operators_name_the_marketplace_and_take_a_receipt_back(database: Database) -> None:
    sale, app = sell(database), application(database)
    ann, sam = an_admin(app, database), a_provider(app, database, sale.anchor_id)
    papers = {"legal_name": "Harbour GmbH", "address": "Kai 1", "country": "DE", "tax_rate_basis_points": 1900}
    assert put(ann, "/api/v1/admin/marketplace", papers)["tax_rate_basis_points"] == 1900
    for rate in (-1, 10_001, "19", 1.5):
        wrong = ann.put("/api/v1/admin/marketplace", json={"tax_rate_basis_points": rate}, headers={"If-Match": "*"})
        assert wrong.status_code == 422, rate
    put(sam, OWN_DETAILS, DETAILS)
    deposit(database, sale.anchor_id, 11_900, "manual", "taxed", OPERATOR)
    number = ann.get(ADMIN, params={"provider_id": sale.anchor_id, "limit": 1}).json()["items"][0]["number"]
    page = ann.get(ADMIN, params={"limit": 2}).json()
    rest = ann.get(ADMIN, params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert [each["number"] for each in page["items"] + rest["items"]] == [3, 2, 1]
    assert rest["next_cursor"] is None
    since = {"issued_from": page["items"][0]["issued_at"]}
    before = {"issued_before": since["issued_from"]}
    for client, address, others in ((ann, ADMIN, [2, 1]), (sam, OWN, [1])):
        assert [each["number"] for each in client.get(address, params=since).json()["items"]] == [3]
        assert [each["number"] for each in client.get(address, params=before).json()["items"]] == others
        assert client.get(address, params={"issued_from": "yesterday"}).status_code == 422
    whole = ann.get(f"{ADMIN}/{number}").json()
    assert (whole["gateway"], whole["paid_by"]) == ("manual", "recorded_by_operator")
    assert (whole["gross_cents"], whole["net_cents"], whole["tax_cents"]) == (11_900, 10_000, 1_900)
    assert (whole["issuer"]["legal_name"], whole["recipient"]["tax_id"]) == ("Harbour GmbH", "DE123")
    back = f"{ADMIN}/{number}/credit-note"
    assert sam.post(back, json={"memo": MEMO}, headers={"Idempotency-Key": "k-0"}).status_code == 403
    for _ in range(2):
        note = ann.post(back, json={"memo": MEMO}, headers={"Idempotency-Key": "k-1"})
        assert (note.status_code, note.json()["number"], note.json()["corrects_number"]) == (201, 4, number)
    again = ann.post(back, json={"memo": MEMO}, headers={"Idempotency-Key": "k-2"})
    assert (again.status_code, again.json()["code"]) == (409, "receipt_corrected")
    other = ann.post(f"{ADMIN}/4/credit-note", json={"memo": MEMO}, headers={"Idempotency-Key": "k-3"})
    assert other.json()["code"] == "receipt_not_correctable"
    assert sam.get(f"{OWN}/{number}").json()["corrected_by"] == 4
    for number in ("999", "9223372036854775807"):
        assert ann.get(f"{ADMIN}/{number}").status_code == 404
    for number in ("0", "-1", "x", "9223372036854775808"):
        assert ann.get(f"{ADMIN}/{number}").status_code == 422


def test_a_key_that_may_not_see_addresses_sees_none_on_papers(database: Database) -> None:
    sale, app = sell(database), application(database)
    change_billing_details(database, sale.anchor_id, WantedDetails(**DETAILS), OPERATOR)
    deposit(database, sale.anchor_id, 500, "manual", "named", OPERATOR)
    money = machine(app, operators_key(database, Permission.MONEY_READ))
    scopes = (Permission.MONEY_READ, Permission.PROVIDERS_READ)
    both = machine(app, operators_key(database, *scopes, email="eve@example.com"))
    without, full = (each.get(f"{ADMIN}/3").json() for each in (money, both))
    withheld = dict.fromkeys(("legal_name", "address", "tax_id"), "withheld")
    assert without["recipient"] == full["recipient"] | withheld, "it gave no email"
    assert full["recipient"]["address"] == DETAILS["address"]
    assert without | {"recipient": full["recipient"]} == full
    assert "Kai 4" not in money.get(ADMIN).text
