"""Postcode tables over the API: which filters go by which version, and renewing those that go by an older one."""

from fastapi import FastAPI

from fairlead.core.permissions import Permission
from fairlead.flows.configuration.postcode_tables import load_postcode_table
from fairlead.flows.configuration.subscriptions import set_filter
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin, machine
from tests.api.keys import operators_key
from tests.api.permitting import problem
from tests.flows.configuration.test_filter_renewals import OTHERS, SECOND
from tests.flows.configuration.test_postcode_tables import FIRST, MARKET, near
from tests.flows.marketplaces import declare, provider_id
from tests.flows.sales import query

TABLES, OWN = "/api/v1/admin/postcode-tables", "/api/v1/provider/postcode-tables"


def _uses(items: list[dict[str, object]]) -> list[tuple[object, ...]]:
    return [(each["name"], each["version"], each["is_newest"], each["subscription_count"]) for each in items]


def test_filters_are_counted_by_version_and_renewed(app: FastAPI, database: Database) -> None:
    declare(database, MARKET + OTHERS)
    ann = an_admin(app, database)
    load_postcode_table(database, "de", FIRST, OPERATOR)
    for (subscription_id,) in query(database, "select id::text from subscriptions"):
        set_filter(database, subscription_id, near(30), OPERATOR, of_provider_id=None)
    load_postcode_table(database, "de", SECOND, OPERATOR)
    listed = ann.get(TABLES).json()["items"]
    assert _uses(listed) == [("de", 2, True, 0), ("de", 1, False, 3)]
    body, key = {"memo": "new places"}, {"Idempotency-Key": "renewal"}
    done = ann.post(f"{TABLES}/de/renew-filters", json=body, headers=key)
    assert done.json() == {"name": "de", "version": 2, "renewed_count": 3, "not_renewed": []}
    assert ann.post(f"{TABLES}/de/renew-filters", json=body, headers=key).json()["renewed_count"] == 3, "told again"
    assert ann.post(f"{TABLES}/de/renew-filters", json={}).json()["renewed_count"] == 0
    assert _uses(ann.get(TABLES).json()["items"]) == [("de", 2, True, 3), ("de", 1, False, 0)]
    memos = query(database, "select distinct memo from audit_log where action = 'subscription.filter_changed'")
    assert {memo for (memo,) in memos} == {None, "new places"}


def test_a_filter_that_stays_is_named_with_its_place(app: FastAPI, database: Database) -> None:
    declare(database, MARKET)
    load_postcode_table(database, "de", FIRST, OPERATOR)
    [(subscription_id,)] = query(database, "select id::text from subscriptions")
    set_filter(database, subscription_id, near(30), OPERATOR, of_provider_id=None)
    load_postcode_table(database, "de", "80331;48.1372;11.5755", OPERATOR)
    [kept] = an_admin(app, database).post(f"{TABLES}/de/renew-filters", json={}).json()["not_renewed"]
    assert (kept["subscription_id"], kept["provider_name"]) == (subscription_id, "Anchor")
    assert kept["detail"] == "rules[0].value.postcode: the table 'de' has no postcode 10115"


def test_who_may_renew_and_what_is_refused(app: FastAPI, database: Database) -> None:
    declare(database, MARKET + OTHERS)
    ann = an_admin(app, database)
    assert problem(ann.post(f"{TABLES}/de/renew-filters", json={})) == (404, "postcode_table_unknown")
    load_postcode_table(database, "de", FIRST, OPERATOR)
    assert problem(ann.post(f"{TABLES}/de/renew-filters", json={"memo": 1})) == (422, "input_invalid")
    for permission, status in ((Permission.NICHES_WRITE, 403), (Permission.PROVIDERS_WRITE, 200)):
        key = machine(app, operators_key(database, permission, email=f"{permission}@example.com".replace(":", ".")))
        assert key.post(f"{TABLES}/de/renew-filters", json={}).status_code == status
    load_postcode_table(database, "de", SECOND, OPERATOR)
    for name, email in (("Anchor", "anchor@example.com"), ("Bowline", "bowline@example.com")):
        sam = a_provider(app, database, provider_id(database, email), f"desk@{name.lower()}.example")
        assert problem(sam.post(f"{TABLES}/de/renew-filters", json={})) == (403, "permission_missing")
        assert [(each["name"], each["version"], each["postcode_count"]) for each in sam.get(OWN).json()["items"]] == [
            ("de", 2, 4)
        ]
