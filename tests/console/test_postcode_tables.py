"""The page of postcode tables: what was loaded, by whom, and which filters use it."""

from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.flows.configuration.postcode_tables import load_postcode_table
from fairlead.flows.configuration.subscriptions import set_filter
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin
from tests.console.portal_pages import shown
from tests.console.visiting import console
from tests.flows.access.people import add_provider
from tests.flows.configuration.test_postcode_tables import FIRST, MARKET, near
from tests.flows.marketplaces import declare
from tests.flows.sales import query

PAGE, API = "/postcode-tables", "/api/v1/admin/postcode-tables"
SECOND = FIRST + "99999;51.0;11.0\n"


def test_an_empty_page_says_what_a_table_is_for(ann: TestClient) -> None:
    words = shown(ann, PAGE)
    assert "No postcode tables With a table, a filter can ask for leads within so many kilometres" in words
    assert f'data-api="POST {API}"' in ann.get(PAGE).text


def test_each_version_has_its_size_its_loader_and_the_subscriptions_that_use_it(
    database: Database, ann: TestClient
) -> None:
    declare(database, MARKET)
    load_postcode_table(database, "de", FIRST, OPERATOR)
    [(subscription_id, provider_id)] = query(database, "select id::text, provider_id::text from subscriptions")
    set_filter(database, subscription_id, _nested(), OPERATOR, of_provider_id=None)
    loaded = ann.post(API, json={"name": "de", "content": SECOND}, headers={"Idempotency-Key": "second"})
    assert loaded.status_code == 201, loaded.text
    text, words = ann.get(PAGE).text, shown(ann, PAGE)
    [name] = query(database, "select name from users")[0]
    newest, first = words.split(" de ")[1:]
    assert newest.startswith("newest 2 4 ")
    assert f" {name} no subscription" in newest
    assert first.startswith("1 3 ")
    assert " operator (command line) 1 subscription Anchor Solar, gold" in first
    assert f'href="/providers/{provider_id}/subscriptions/{subscription_id}"' in text
    set_filter(database, subscription_id, {"version": 2, "rules": []}, OPERATOR, of_provider_id=None)
    assert shown(ann, PAGE).count("no subscription") == 2


def test_the_first_subscriptions_are_named_and_all_are_counted(database: Database, ann: TestClient) -> None:
    others = "".join(
        f'[[provider]]\nemail = "p{each}@example.com"\nname = "Provider {each:02}"\n'
        'subscription = [{ niche = "solar", level = "gold" }]\n'
        for each in range(22)
    )
    declare(database, MARKET + others)
    load_postcode_table(database, "de", FIRST, OPERATOR)
    ids = query(
        database, "select s.id::text from subscriptions s join providers p on p.id = s.provider_id order by name"
    )
    for (subscription_id,) in ids:
        set_filter(database, subscription_id, near(30), OPERATOR, of_provider_id=None)
    words = shown(ann, PAGE)
    assert "23 subscriptions Anchor" in words
    assert "Provider 18" in words
    assert "Provider 19" not in words
    assert "and 3 more" in words


def test_a_newer_version_is_told_where_filters_are_and_renewed_from_the_page(database: Database) -> None:
    declare(database, MARKET)
    load_postcode_table(database, "de", FIRST, OPERATOR)
    [(subscription_id, provider_id)] = query(database, "select id::text, provider_id::text from subscriptions")
    set_filter(database, subscription_id, near(30), OPERATOR, of_provider_id=None)
    app = console(database)
    ann, sam = an_admin(app, database), a_provider(app, database, provider_id)
    pages = (
        (ann, f"/providers/{provider_id}/subscriptions/{subscription_id}"),
        (sam, f"/portal/subscriptions/{subscription_id}"),
    )
    newer = "This filter goes by version 1 of the postcode table de, and version 2 is there."
    for client, page in pages:
        assert newer not in shown(client, page)
    renewal = f"{API}/de/renew-filters"
    assert renewal not in ann.get(PAGE).text
    load_postcode_table(database, "de", SECOND, OPERATOR)
    for client, page in pages:
        assert newer in shown(client, page)
    assert "1 subscription goes by an older version" in shown(ann, PAGE)
    assert f'data-api="POST {renewal}"' in ann.get(PAGE).text
    assert "The filter of 1 subscription goes by version 2 of de from the next decision on." in ann.get(PAGE).text
    assert ann.post(renewal, json={}).json()["renewed_count"] == 1
    for client, page in pages:
        assert newer not in shown(client, page)
    assert renewal not in ann.get(PAGE).text


def test_it_is_for_operators(app: FastAPI, database: Database) -> None:
    sam = a_provider(app, database, add_provider(database))
    assert sam.get(PAGE, headers={"Accept": "text/html"}).status_code == 403


def _nested() -> dict[str, object]:
    """The distance twice, within groups: one subscription all the same."""
    return {"version": 2, "rules": [{"any": [near(30)["rules"][0], {"all": near(25)["rules"]}]}]}
