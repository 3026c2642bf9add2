"""A provider's ledger, profile, and what it wants to be told, over HTTP."""

from fairlead.delivery.template_variables import OPTIONAL_KINDS
from fairlead.flows.money.deposit import deposit
from fairlead.flows.money.refund import refund_assignment
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import an_admin
from tests.api.document import written_document
from tests.api.permitting import problem
from tests.api.portal import API, open_portal
from tests.flows.sales import MEMO, audited, query

LEDGER, PROFILE, PREFERENCES = f"{API}/ledger", f"{API}/profile", f"{API}/notification-preferences"
EVER = {"created_from": "2020-01-01T00:00:00Z", "created_before": "2099-01-01T00:00:00Z"}


def test_each_reads_its_own_ledger_page_by_page(database: Database) -> None:
    portal = open_portal(database)
    refund_assignment(database, portal.sale.anchor, MEMO, OPERATOR)
    whole = portal.sam.get(LEDGER)
    entries = whole.json()["items"]
    assert [(each["kind"], each["amount_cents"], each["balance_after_cents"]) for each in entries] == [
        ("refund", 2000, 5000),
        ("lead_purchase", -2000, 3000),
        ("deposit", 5000, 5000),
    ]
    assert (whole.json()["currency"], entries[1]["assignment_id"], entries[1]["level_name"]) == (
        "EUR",
        portal.sale.anchor,
        "gold",
    )
    assert MEMO not in whole.text
    first = portal.sam.get(LEDGER, params={"limit": 2}).json()
    rest = portal.sam.get(LEDGER, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert ([*first["items"], *rest["items"]], rest["next_cursor"]) == (entries, None)
    of_bea = portal.bea.get(LEDGER).json()["items"]
    assert [each["amount_cents"] for each in of_bea] == [-500, 600]
    kinds = portal.sam.get(LEDGER, params={"kind": "deposit"}).json()["items"]
    assert [each["kind"] for each in kinds] == ["deposit"]
    assert portal.sam.get(LEDGER, params={"created_before": EVER["created_from"]}).json()["items"] == []
    assert problem(portal.sam.get(LEDGER, params={"cursor": "0"})) == (422, "input_invalid")


def test_a_statement_adds_up(database: Database) -> None:
    portal = open_portal(database)
    found = portal.sam.get(f"{LEDGER}/statement", params=EVER).json()
    assert (found["opening_balance_cents"], found["closing_balance_cents"], found["currency"]) == (0, 3000, "EUR")
    assert {each["kind"]: each["amount_cents"] for each in found["totals"]} == {"deposit": 5000, "lead_purchase": -2000}
    past = {**EVER, "created_from": "2098-01-01T00:00:00Z"}
    later = portal.sam.get(f"{LEDGER}/statement", params=past).json()
    assert (later["opening_balance_cents"], later["closing_balance_cents"], later["totals"]) == (3000, 3000, [])
    assert portal.bea.get(f"{LEDGER}/statement", params=EVER).json()["closing_balance_cents"] == 100
    assert problem(portal.sam.get(f"{LEDGER}/statement")) == (422, "input_invalid")


def test_the_profile_is_ones_own(database: Database) -> None:
    portal = open_portal(database)
    own = portal.sam.get(PROFILE).json()
    assert (own["provider_id"], own["name"], own["status"]) == (portal.sale.anchor_id, "Anchor", "active")
    assert (own["balance_cents"], own["available_cents"], own["currency"]) == (3000, 3000, "EUR")
    assert (own["timezone"], own["low_balance_threshold_cents"]) == ("UTC", None)
    assert portal.bea.get(PROFILE).json()["balance_cents"] == 100
    assert problem(an_admin(portal.app, database).get(PROFILE)) == (403, "permission_missing")


def test_a_provider_says_when_it_is_told_of_a_low_balance(database: Database) -> None:
    portal = open_portal(database)
    seen = portal.sam.get(PROFILE).headers["etag"]
    asked = {"low_balance_threshold_cents": 1500}
    assert problem(portal.sam.patch(PROFILE, json=asked)) == (428, "precondition_required")
    done = portal.sam.patch(PROFILE, json=asked, headers={"If-Match": seen})
    assert (done.status_code, done.json()["low_balance_threshold_cents"]) == (200, 1500)
    thresholds = dict(query(database, "select name, low_balance_threshold_cents from providers"))
    assert thresholds == {"Anchor": 1500, "Bowline": None}
    deposit(database, portal.sale.anchor_id, 100, "test", "d-1", OPERATOR)
    same = portal.sam.patch(PROFILE, json={}, headers={"If-Match": done.headers["etag"]})
    assert (same.status_code, same.json()["low_balance_threshold_cents"]) == (200, 1500)
    stale = portal.sam.patch(PROFILE, json={"low_balance_threshold_cents": 1}, headers={"If-Match": seen})
    assert problem(stale) == (412, "version_conflict")
    never = portal.sam.patch(PROFILE, json={"low_balance_threshold_cents": None}, headers={"If-Match": "*"})
    assert never.json()["low_balance_threshold_cents"] is None
    for wrong in ({"low_balance_threshold_cents": -1}, {"credit_limit_cents": 1_000_000}, {"balance_cents": 1}):
        assert problem(portal.sam.patch(PROFILE, json=wrong, headers={"If-Match": "*"})) == (422, "input_invalid")
    assert len(audited(database, "provider.changed")) == 2


def test_a_provider_says_what_it_is_told(database: Database) -> None:
    portal = open_portal(database)
    seen = portal.sam.get(PREFERENCES)
    assert seen.json() == {"preferences": {}}
    quiet = {"preferences": {"lead_assigned": {"email": False, "webhook": True}}}
    assert problem(portal.sam.put(PREFERENCES, json=quiet)) == (428, "precondition_required")
    done = portal.sam.put(PREFERENCES, json=quiet, headers={"If-Match": seen.headers["etag"]})
    assert (done.status_code, done.json()) == (200, quiet)
    assert portal.sam.get(PREFERENCES).headers["etag"] == done.headers["etag"] != seen.headers["etag"]
    assert portal.bea.get(PREFERENCES).json() == {"preferences": {}}
    stale = portal.sam.put(PREFERENCES, json={"preferences": {}}, headers={"If-Match": seen.headers["etag"]})
    assert problem(stale) == (412, "version_conflict")
    for wrong in ({"fax": True}, {"email": "yes"}):
        asked = {"preferences": {"lead_assigned": wrong}}
        assert problem(portal.sam.put(PREFERENCES, json=asked, headers={"If-Match": "*"})) == (422, "input_invalid")
    unknown = {"preferences": {"user_invited": {"email": False}}}
    assert problem(portal.sam.put(PREFERENCES, json=unknown, headers={"If-Match": "*"})) == (422, "input_invalid")


def test_the_document_names_every_kind_that_a_provider_is_told() -> None:
    preferences = written_document()["components"]["schemas"]["PreferencesDocument"]
    assert preferences["properties"]["preferences"]["propertyNames"]["enum"] == [*OPTIONAL_KINDS]
