"""The marketplace's own settings over HTTP, and what of the installation's is shown: nothing that is a secret."""

from fairlead.api.routes.admin.operations import settings as admin_settings
from fairlead.api.routes.admin.operations.settings import InstallationSettings
from fairlead.settings import Settings
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin, anonymous, application
from tests.api.permitting import STALE, codes_of, problem, seen
from tests.flows.configuration.market import open_market
from tests.flows.sales import query

MARKETPLACE = "/api/v1/admin/marketplace"

HIDDEN = {
    # Secrets.
    "database_url",
    "direct_database_url",
    "smtp_username",
    "smtp_password",
    "stripe_secret_key",
    "stripe_webhook_secrets",
    "encryption_keys",
    # Where things are on this machine and in its network.
    "schema_name",
    "data_dir",
    "postgres_bin_dir",
    "http_host",
    "web_port",
    "worker_port",
    "trusted_proxies",
    "mail_directory",
    "smtp_host",
    "smtp_port",
    "smtp_ca_file",
    # People.
    "alert_emails",
}
"""What is not shown. A new setting belongs here or among those that are: to decide cannot be forgotten."""


def test_every_setting_is_shown_or_hidden_on_purpose() -> None:
    shown = set(InstallationSettings.model_fields)
    assert shown | HIDDEN == set(Settings.model_fields)
    assert shown & HIDDEN == set()


def test_no_secret_is_ever_shown(database: Database) -> None:
    canaries = {
        "database_url": "postgresql://canary:canary@canary/canary",
        "smtp_username": "canary",
        "smtp_password": "canary",
        "stripe_secret_key": "canary",
        "stripe_webhook_secrets": "canary",
        "smtp_host": "canary",
        "alert_emails": "canary@example.com",
        "data_dir": "/canary",
        "mail_directory": "/canary",
        "schema_name": "canary",
    }
    ann = an_admin(application(database, worker_concurrency=7, **canaries), database)
    shown = ann.get("/api/v1/admin/settings")
    assert (shown.status_code, shown.json()["worker_concurrency"]) == (200, 7)
    assert shown.json()["public_url"] == "https://leads.example.com"
    assert "canary" not in shown.text
    assert "AAEC" not in shown.text


def test_the_currency_is_changed_until_money_was_moved(database: Database) -> None:
    ann = an_admin(application(database), database)
    before = ann.get(MARKETPLACE)
    assert before.json()["currency"] == "EUR"
    asked = {"currency": "CHF", "memo": "we are Swiss"}
    assert problem(ann.put(MARKETPLACE, json=asked)) == (428, "precondition_required")
    assert problem(ann.put(MARKETPLACE, json=asked, headers=STALE)) == (412, "version_conflict")
    assert problem(ann.put(MARKETPLACE, json={"currency": "chf"}, headers=STALE)) == (422, "input_invalid")
    done = ann.put(MARKETPLACE, json=asked, headers=seen(before))
    assert (done.status_code, done.json()["currency"]) == (200, "CHF")
    assert query(database, "select currency from marketplace") == [("CHF",)]
    made = ann.post("/api/v1/admin/providers", json={"email": "leads@capstan.example", "name": "Capstan"})
    assert made.json()["provider"]["currency"] == "CHF"


def test_the_currency_of_money_that_was_moved_stays(database: Database) -> None:
    open_market(database)
    ann = an_admin(application(database), database)
    refused = ann.put(MARKETPLACE, json={"currency": "CHF"}, headers={"If-Match": "*"})
    assert problem(refused) == (409, "currency_in_use")
    assert query(database, "select currency from marketplace") == [("EUR",)]


def test_it_is_for_operators(database: Database) -> None:
    market = open_market(database)
    app = application(database)
    sam = a_provider(app, database, market.anchor)
    eve = a_provider(app, database, market.bowline, "sales@bowline.example")
    assert codes_of(admin_settings.router, anonymous(app)) == {(401, "session_invalid")}
    for client in (sam, eve):
        assert codes_of(admin_settings.router, client) == {(403, "permission_missing")}
