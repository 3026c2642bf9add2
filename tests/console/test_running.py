"""Operations and settings: what is stuck with its cause and remedy, who did what, who may log in."""

from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.console.operator.jobs_in_words import TASKS
from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.store.connection import Database
from fairlead.store.jobs.queue import QUEUE_OF
from tests.flows.access.people import add_provider, provider_user, rows, value
from tests.flows.configuration.market import UNKNOWN
from tests.flows.given_up import give_up_lead, give_up_notification
from tests.flows.notifications.stage import open_marketplace, sell_lead, set_endpoint
from tests.flows.sales import sell

PATHS = (
    "/operations",
    "/operations/dead-letters",
    "/operations/deliveries",
    "/operations/endpoints",
    "/operations/audit",
    "/settings",
    "/settings/people",
    "/settings/keys",
    "/settings/templates",
    "/settings/templates/lead_assigned",
)


def test_every_page_stands_where_there_is_nothing(ann: TestClient) -> None:
    for path in PATHS:
        answer = ann.get(path)
        assert answer.status_code == 200, (path, answer.text[:500])
    assert "Nothing was given up" in ann.get("/operations/dead-letters").text
    assert "There is no key" in ann.get("/settings/keys").text


def test_what_was_given_up_leads_to_its_cause_and_remedy(ann: TestClient, database: Database) -> None:
    _, lead_id, letter = give_up_lead(database)
    give_up_notification(database)
    assert f'href="/operations/dead-letters/{letter}"' in ann.get("/operations/dead-letters?queue=distribute").text
    text = ann.get(f"/operations/dead-letters/{letter}").text
    assert "the books are wrong" in text
    assert f'data-api="POST /api/v1/admin/dead-letters/{letter}/retry"' in text
    assert f'href="/leads/{lead_id}"' in text
    closed = ann.post(f"/api/v1/admin/dead-letters/{letter}/resolve", json={"memo": "the form had a mistake"})
    assert closed.status_code == 200
    assert "the form had a mistake" in ann.get(f"/operations/dead-letters/{letter}").text
    assert letter not in ann.get("/operations/dead-letters").text
    assert letter in ann.get("/operations/dead-letters?state=resolved").text
    assert "550 no such user" in ann.get("/operations/deliveries?state=failed").text


def test_the_audit_log_is_filtered_by_what_the_form_sends(ann: TestClient, database: Database) -> None:
    give_up_lead(database)
    everything = ann.get("/operations/audit?actor=&action=&entity=&entity_id=&niche=").text.replace("<wbr>", "")
    assert "dead_letter.opened" in everything
    text = ann.get("/operations/audit?action=user.&actor=").text.replace("<wbr>", "")
    assert "dead_letter.opened" not in text
    assert "user." in text


def test_the_audit_log_is_filtered_by_days_and_shows_what_is_different(ann: TestClient, database: Database) -> None:
    provider_id = sell(database).anchor_id
    state = ann.get(f"/api/v1/admin/providers/{provider_id}")
    changed = ann.patch(
        f"/api/v1/admin/providers/{provider_id}",
        json={"low_balance_threshold_cents": 4321},
        headers={"If-Match": state.headers["etag"]},
    )
    assert changed.status_code == 200, changed.text
    about = {"entity": "provider", "entity_id": provider_id, "action": "provider.changed"}
    text = " ".join(ann.get("/operations/audit", params=about).text.split())
    assert "low_balance_threshold_cents" in text
    assert "4321</ins>" in text
    assert f'href="/providers/{provider_id}"' in text
    assert "provider.changed" in ann.get("/operations/audit", params=about | {"from": "2020-01-01", "to": ""}).text
    assert "Nothing is like that" in ann.get("/operations/audit", params=about | {"to": "2020-01-01"}).text
    assert ann.get("/operations/audit?from=1999-01-01", headers={"Accept": "text/html"}).status_code == 404


def test_one_message_shows_its_attempts_and_is_sent_again(ann: TestClient, database: Database) -> None:
    notification_id, _ = give_up_notification(database)
    path = f"/operations/deliveries/{notification_id}"
    assert f'href="{path}"' in ann.get("/operations/deliveries?channel=email&state=failed").text
    text = ann.get(path).text
    assert text.count("550 no such user") >= 2, "the last answer, and the attempt on record"
    replay = f"/api/v1/admin/deliveries/{notification_id}/replay"
    assert f'data-api="POST {replay}"' in text
    assert ann.post(replay).json()["took_effect"] is True
    assert replay not in ann.get(path).text, "it waits already"
    assert ann.get(f"/operations/deliveries/{UNKNOWN}").status_code == 404


def test_an_endpoint_says_how_much_would_be_sent_again(ann: TestClient, database: Database) -> None:
    open_marketplace(database)
    made = set_endpoint(database, "https://crm.example.com/in?token=not-to-be-shown")
    sell_lead(database)
    dispatch_notifications(database)
    value(database, "update notifications set state = 'failed' where channel = 'webhook'")
    count = rows(database, "select count(*) from notifications where channel = 'webhook'")[0]
    path = f"/operations/endpoints/{made.endpoint_id}"
    assert f'href="{path}"' in ann.get("/operations/endpoints").text
    text = ann.get(path).text
    assert f"Send {count} again" in text
    assert "not-to-be-shown" not in text
    assert ann.get(f"/operations/endpoints/{UNKNOWN}").status_code == 404


def test_operations_say_which_workers_live(ann: TestClient, database: Database) -> None:
    value(database, "delete from workers")
    assert "No worker is registered" in ann.get("/operations").text
    value(database, "insert into workers default values")
    value(database, "insert into workers (last_heartbeat) values (now() - interval '10 minutes')")
    text = " ".join(ann.get("/operations").text.split())
    assert "1 is at work" in text
    assert ">silent</span>" in text


def test_every_kind_of_job_has_words() -> None:
    assert TASKS.keys() == QUEUE_OF.keys()


def test_settings_say_whether_the_installation_is_well(ann: TestClient, database: Database) -> None:
    value(database, "delete from workers")
    give_up_lead(database)
    text = " ".join(ann.get("/settings").text.split())
    for words in ("leads and messages wait", "look at them", "not compared yet", "not sent"):
        assert words in text, words
    value(database, "insert into workers default values")
    assert "1 worker</a>" in ann.get("/settings").text


def test_a_template_is_shown_with_its_versions_and_can_be_restored(ann: TestClient) -> None:
    path, own = "/settings/templates/low_balance", "/api/v1/admin/templates/low_balance"
    assert "It was never changed" in ann.get(path).text
    state = ann.get(own)
    parts = {name: state.json()[name] for name in ("subject", "html", "text")}
    saved = ann.put(
        own, json=parts | {"subject": "Your balance", "memo": "shorter"}, headers={"If-Match": state.headers["etag"]}
    )
    assert saved.status_code == 200, saved.text
    text = ann.get(path).text
    assert 'value="Your balance"' in text
    assert "shorter" in text
    assert ann.get(own).headers["etag"].strip('"') in text, "the page names the version that it shows"
    assert f'data-api="POST {own}/restore?language=en"' in text
    assert "your own" in ann.get("/settings/templates").text
    assert ann.get("/settings/templates/none").status_code == 404


def test_a_user_is_given_another_role_on_its_page(app: FastAPI, ann: TestClient, database: Database) -> None:
    provider_id = add_provider(database)
    user = provider_user(database, provider_id)
    path = f"/settings/people/{user.user_id}"
    assert f'href="{path}"' in ann.get("/settings/people").text
    assert "Make an operator" in ann.get(path).text
    assert f'value="{provider_id}"' in ann.get(path, params={"q": "Anch"}).text
    assert "No provider begins like that" in ann.get(path, params={"q": "zzz"}).text
    own_id = ann.get("/api/v1/session").json()["user_id"]
    own = ann.get(f"/settings/people/{own_id}").text
    assert "This is you" in own
    assert "/disable" not in own
    assert ann.get(f"/settings/people/{UNKNOWN}").status_code == 404


def test_parameters_that_cannot_be_are_a_page(ann: TestClient) -> None:
    for path in ("/operations/audit?cursor=x", "/operations/dead-letters?queue=no", "/operations/audit?entity_id=1"):
        answer = ann.get(path, headers={"Accept": "text/html"})
        assert answer.status_code in (200, 404, 422), path
        assert answer.headers["content-type"].startswith("text/html")


def test_settings_lead_to_exports_of_every_kind_of_record(ann: TestClient) -> None:
    text = ann.get("/settings").text
    for kind in ("leads", "assignments", "ledger", "audit", "journal"):
        assert f'href="/exports/new?kind={kind}"' in text
        assert ann.get(f"/exports/new?kind={kind}").status_code == 200


def test_a_template_is_there_in_each_language(ann: TestClient) -> None:
    german = ann.get("/settings/templates/lead_assigned?language=de").text
    assert "Neuer Lead" in german
    assert 'data-api="PUT /api/v1/admin/templates/lead_assigned?language=de"' in german
    assert "Deutsch" not in ann.get("/settings/templates/operator_alert").text.split("<main", 1)[1]
