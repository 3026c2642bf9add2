"""Pages of niches: levels, queues and what a niche lets in are what the flows say."""

from html import unescape

from starlette.testclient import TestClient

from fairlead.flows.explaining.niche_queues import read_niche_queues
from fairlead.store.connection import Database
from tests.api.asking import SITE
from tests.flows.configuration.market import UNKNOWN
from tests.flows.intake.senders import open_niche
from tests.flows.sales import query, sell


def seen(client: TestClient, path: str) -> str:
    """The page's text, with its spaces made one."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split())


def test_a_marketplace_without_niches_says_how_there_come_to_be_some(ann: TestClient) -> None:
    assert "No niches yet" in seen(ann, "/niches")


def test_a_niche_shows_whose_turn_is_next_and_what_it_costs(ann: TestClient, database: Database) -> None:
    sell(database)
    niche_id = query(database, "select id::text from niches")[0][0]
    assert f"/niches/{niche_id}" in seen(ann, "/niches")
    text = seen(ann, f"/niches/{niche_id}")
    queues = read_niche_queues(database, niche_id)
    assert text.count("The next lead starts here") == 1
    assert text.index("gold") < text.index("The next lead starts here"), "gold had its start"
    for queue in queues.levels:
        for each in queue.head:
            assert f"/providers/{each.provider_id}" in text
    for words in ("€20.00", "€5.00", "served by the last lead", "subscription not active: 1"):
        assert words in text, words
    state = ann.get(f"/api/v1/admin/niches/{niche_id}").json()
    assert state["order_version"] in text


def test_a_niche_is_archived_with_what_that_stops_told_before_and_restored(ann: TestClient, database: Database) -> None:
    sell(database)
    niche_id = query(database, "select id::text from niches")[0][0]
    own, text = f"/api/v1/admin/niches/{niche_id}", seen(ann, f"/niches/{niche_id}")
    told = ann.get(f"{own}/archive-preview").json()
    assert (
        f"{told['subscription_count']} subscriptions receive nothing; providers with one: {told['provider_count']}."
        in text
    )
    done = ann.post(f"{own}/archive", json={"memo": "it is over"}, headers={"If-Match": "*"})
    assert (done.status_code, done.json()["niche"]["is_archived"]) == (200, True)
    assert f"/niches/{niche_id}" not in seen(ann, "/niches")
    assert f"/niches/{niche_id}" in seen(ann, "/niches?archived=true")
    assert [each["niche_id"] for each in ann.get("/api/v1/admin/niches?archived=true").json()["items"]] == [niche_id]
    text = seen(ann, f"/niches/{niche_id}")
    assert "This niche is archived" in text
    assert "Make it active" not in text
    refused = ann.patch(own, json={"is_active": True}, headers={"If-Match": "*"})
    assert (refused.status_code, refused.json()["code"]) == (409, "niche_archived")
    restored = ann.post(f"{own}/restore", json={}, headers={"If-Match": done.headers["etag"]})
    assert (restored.status_code, restored.json()["niche"]["is_active"]) == (200, False)
    assert "Make it active" in seen(ann, f"/niches/{niche_id}")


def test_a_niche_that_is_not_there_is_a_page(ann: TestClient) -> None:
    for path in (f"/niches/{UNKNOWN}", "/niches/odd"):
        assert ann.get(path, headers={"Accept": "text/html"}).status_code == 404


def test_the_form_shows_its_fields_and_versions(ann: TestClient, database: Database) -> None:
    sell(database)
    niche_id = query(database, "select id::text from niches")[0][0]
    assert f"/niches/{niche_id}/form" in seen(ann, f"/niches/{niche_id}")
    text = seen(ann, f"/niches/{niche_id}/form")
    shown = '<option value="select" selected>One of a list'
    for words in ('value="Cores"', 'value="region"', ">north south</textarea>", shown, "version 1"):
        assert words in text, words
    assert ann.get(f"/niches/{UNKNOWN}/form").status_code == 404


def test_a_form_that_consumers_may_fill_in_has_an_address_and_a_code_for_other_sites(
    ann: TestClient, database: Database
) -> None:
    open_niche(database, is_public=False)
    niche_id = query(database, "select id::text from niches")[0][0]
    text = unescape(seen(ann, f"/niches/{niche_id}"))
    assert "Closed to consumers." in text
    assert "embed.js" not in text
    ann.put(
        f"/api/v1/admin/niches/{niche_id}/intake-policy",
        json={"is_public": True, "approves": False, "duplicate_rule": None},
        headers={"If-Match": "*"},
    ).raise_for_status()
    text = unescape(seen(ann, f"/niches/{niche_id}"))
    [slug] = query(database, "select slug from niches")[0]
    assert f'<script src="{SITE}/forms/embed.js" data-niche="{slug}" async></script>' in text
    assert f">{SITE}/forms/{slug}<" in text
    assert "Closed to consumers." not in text
    for path in (f"/forms/{slug}", "/forms/embed.js"):
        assert ann.get(path).status_code == 200


def test_a_niche_says_in_words_what_it_does_on_its_own(ann: TestClient, database: Database) -> None:
    sell(database)
    niche_id = query(database, "select id::text from niches")[0][0]
    own = f"/api/v1/admin/niches/{niche_id}"
    text = seen(ann, f"/niches/{niche_id}")
    for words in ("Unsold leads stay unsold.", "Duplicates are not looked for.", 'value="attributes.region"'):
        assert words in text, words
    rule = {
        "version": 1,
        "any_of": [["contact_email"], ["attributes.region", "contact_phone"]],
        "duplicate_window_days": 90,
        "scope": "niche",
        "action": "refuse",
    }
    ann.put(
        f"{own}/intake-policy",
        json={"is_public": False, "approves": False, "duplicate_rule": rule},
        headers={"If-Match": "*"},
    ).raise_for_status()
    reoffer = {"every_minutes": 60, "max_times": 5, "max_hours": 48}
    ann.patch(own, json={"reoffer": reoffer}, headers={"If-Match": "*"}).raise_for_status()
    text = unescape(seen(ann, f"/niches/{niche_id}"))
    for words in (
        "offered again every 60 minutes, at most 5 times, for 48 hours after approval.",
        "“contact_email”, “attributes.region + contact_phone”",
        "of the niche of the last 90 days is refused.",
        '"any_of": [["contact_email"], ["attributes.region", "contact_phone"]]',
    ):
        assert words in text, words
    german = ann.get(f"/niches/{niche_id}", headers={"Accept-Language": "de"}).text
    assert "offered again" not in german
