"""Taking providers in over HTTP, changing them, and what operators write down of them."""

import pytest

from fairlead.api.routes.admin.providers import provider_notes as admin_provider_notes
from fairlead.api.routes.admin.providers import providers as admin_providers
from fairlead.core.permissions import Permission
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin, anonymous, application, machine
from tests.api.keys import operators_key
from tests.api.permitting import STALE, codes_of, problem, seen
from tests.flows.access.people import rows, value
from tests.flows.configuration.market import UNKNOWN, distribute, open_market
from tests.flows.marketplaces import activity, everything
from tests.flows.sales import query, sell

PROVIDERS = "/api/v1/admin/providers"
CAPSTAN = {"email": "leads@capstan.example", "name": "Capstan"}


def test_a_provider_is_taken_in_once(database: Database) -> None:
    ann = an_admin(application(database), database)
    asked = {**CAPSTAN, "status": "pending", "timezone": "Europe/Berlin", "credit_limit_cents": 500}
    made = ann.post(PROVIDERS, json=asked)
    assert made.status_code == 201, made.text
    provider = made.json()["provider"]
    assert (provider["balance_cents"], provider["available_cents"], provider["currency"]) == (0, 500, "EUR")
    assert query(database, "select id::text, email, status, timezone from providers") == [
        (provider["provider_id"], "leads@capstan.example", "pending", "Europe/Berlin")
    ]
    again = ann.post(PROVIDERS, json=asked)
    assert (again.status_code, again.json()["took_effect"], again.json()["provider"]) == (201, False, provider)
    taken = ann.post(PROVIDERS, json={**asked, "email": "Leads@Capstan.example", "name": "Other"})
    assert problem(taken) == (409, "email_taken")
    assert "capstan" not in taken.text.lower()
    for wrong in ({"timezone": "Mars/Base"}, {"email": "capstan"}, {"credit_limit_cents": -1}, {"status": "suspended"}):
        assert problem(ann.post(PROVIDERS, json={**asked, **wrong})) == (422, "input_invalid")


def test_providers_are_found_page_by_page(database: Database) -> None:
    open_market(database)
    ann = an_admin(application(database), database)
    ann.post(PROVIDERS, json={**CAPSTAN, "status": "pending"})

    def names(**params: str) -> list[str]:
        answer = ann.get(PROVIDERS, params=params)
        assert answer.status_code == 200, answer.text
        return [each["name"] for each in answer.json()["items"]]

    assert names()[0] == "Capstan"
    assert sorted(names()) == ["Anchor", "Bowline", "Capstan"]
    before = names()
    assert names(status="pending") == ["Capstan"]
    assert names(q="leads@CAP") == ["Capstan"]
    assert names(q="bow", status="active") == ["Bowline"]
    assert names(q="%") == names(q="owline") == []
    ann.post(PROVIDERS, json={"name": "Mu\u0308ller", "email": "Sales@M\u00fcller.example"})
    for written in ("m\u00fcl", "mu\u0308l", " M\u00dcLLER\u00a0", "SALES@xn--mller-kva.example", "sales@mu\u0308ll"):
        assert names(q=written) == ["M\u00fcller"], written
    for odd in ("a\x00", "\x00", "a\x9bb", "a\u202eb", "\u200b", " \u00a0 ", "x" * 101, "a\nb"):
        assert problem(ann.get(PROVIDERS, params={"q": odd})) == (422, "input_invalid"), odd
    first = ann.get(PROVIDERS, params={"limit": 2}).json()
    rest = ann.get(PROVIDERS, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [each["name"] for each in first["items"] + rest["items"]] == names() == ["M\u00fcller", *before]
    assert rest["next_cursor"] is None


def test_a_credit_limit_moves_subscriptions_at_once(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    address = f"{PROVIDERS}/{market.bowline}"
    before = ann.get(address)
    assert (before.json()["balance_cents"], before.json()["credit_limit_cents"]) == (600, 0)
    asked = {"credit_limit_cents": 2000, "memo": "known for years"}
    assert problem(ann.patch(address, json=asked)) == (428, "precondition_required")
    assert problem(ann.patch(address, json=asked, headers=STALE)) == (412, "version_conflict")
    done = ann.patch(address, json=asked, headers=seen(before))
    assert done.json()["reactivated_subscription_ids"] == [market.subscriptions["bowline gold"]]
    assert activity(database)["bowline gold"] == "active"
    assert done.json()["provider"]["email"] == before.json()["email"]
    back = ann.patch(address, json={"credit_limit_cents": 0}, headers=seen(done))
    assert back.json()["deactivated_subscription_ids"] == [market.subscriptions["bowline gold"]]


def test_what_is_left_out_stays_and_null_means_something(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    address = f"{PROVIDERS}/{market.anchor}"
    told = ann.patch(address, json={"low_balance_threshold_cents": 1000}, headers={"If-Match": "*"})
    assert told.json()["provider"]["low_balance_threshold_cents"] == 1000
    named = ann.patch(address, json={"name": "Anchor & Sons"}, headers=seen(told)).json()["provider"]
    assert (named["name"], named["low_balance_threshold_cents"]) == ("Anchor & Sons", 1000)
    never = ann.patch(address, json={"low_balance_threshold_cents": None}, headers={"If-Match": "*"})
    assert never.json()["provider"]["low_balance_threshold_cents"] is None
    assert problem(ann.patch(address, json={"name": None}, headers=STALE)) == (422, "input_invalid")
    taken = ann.patch(address, json={"email": "bowline@example.com"}, headers={"If-Match": "*"})
    assert problem(taken) == (409, "email_taken")


def test_credit_is_money_and_needs_what_moving_money_needs(database: Database) -> None:
    market = open_market(database)
    app = application(database)
    ann = an_admin(app, database)
    address, any_version = f"{PROVIDERS}/{market.bowline}", {"If-Match": "*"}
    key = machine(app, operators_key(database, Permission.PROVIDERS_WRITE))
    assert key.patch(address, json={"name": "Bowline & Sons"}, headers=any_version).status_code == 200
    before = everything(database)["providers"]
    lent = {"credit_limit_cents": 100_000}
    assert problem(key.patch(address, json=lent, headers=any_version)) == (403, "permission_missing")
    assert problem(key.post(PROVIDERS, json={**CAPSTAN, **lent})) == (403, "permission_missing")
    value(database, "update sessions set stepped_up_at = now() - interval '11 minutes'")
    assert problem(ann.patch(address, json=lent, headers=any_version)) == (403, "step_up_required")
    assert everything(database)["providers"] == before
    assert key.post(PROVIDERS, json={**CAPSTAN, "credit_limit_cents": 0}).status_code == 201


def test_credit_that_is_in_use_stays(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    address = f"{PROVIDERS}/{market.bowline}"
    ann.patch(address, json={"credit_limit_cents": 5000}, headers={"If-Match": "*"})
    distribute(database, market, [{"cores": 2, "region": "north"}])  # too small for Anchor at gold
    assert ann.get(address).json()["balance_cents"] < 0
    low = ann.patch(address, json={"credit_limit_cents": 0}, headers={"If-Match": "*"})
    assert problem(low) == (409, "credit_in_use")


def test_a_provider_comes_in_and_goes_and_comes_back(database: Database) -> None:
    ann = an_admin(application(database), database)
    made = ann.post(PROVIDERS, json={**CAPSTAN, "status": "pending"}).json()["provider"]
    address = f"{PROVIDERS}/{made['provider_id']}"

    def step(verb: str) -> tuple[str, bool]:
        body = ann.post(f"{address}/{verb}", json={"memo": f"we {verb}"}).json()
        return body["provider"]["status"], body["took_effect"]

    assert problem(ann.post(f"{address}/reactivate")) == (409, "provider_status")
    assert [step(verb) for verb in ("approve", "approve", "suspend", "suspend")] == [
        ("active", True),
        ("active", False),
        ("suspended", True),
        ("suspended", False),
    ]
    assert problem(ann.post(f"{address}/approve")) == (409, "provider_status")
    assert step("reactivate") == ("active", True)
    assert query(database, "select action, memo from audit_log where action ~ '^provider' order by seq") == [
        ("provider.created", None),
        ("provider.approved", "we approve"),
        ("provider.suspended", "we suspend"),
        ("provider.reactivated", "we reactivate"),
    ]


def test_a_user_is_invited_to_the_portal(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    address = f"{PROVIDERS}/{market.anchor}/invitations"
    asked = {"email": "sam@anchor.example", "name": "Sam Sales"}
    done = ann.post(address, json=asked)
    assert (done.status_code, done.json()["status"]) == (201, "invited")
    assert query(database, "select id::text, role, provider_id::text from users where status = 'invited'") == [
        (done.json()["user_id"], "provider", market.anchor)
    ]
    assert rows(database, "select count(*) from notifications where kind = 'user_invited'") == [1]
    assert ann.post(address, json=asked).json()["user_id"] == done.json()["user_id"]
    other = ann.post(f"{PROVIDERS}/{market.bowline}/invitations", json=asked)
    assert problem(other) == (409, "email_taken")
    assert problem(ann.post(f"{PROVIDERS}/{UNKNOWN}/invitations", json=asked)) == (404, "provider_unknown")


def test_inviting_takes_a_fresh_proof(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    with database.transaction() as conn:
        conn.execute("update sessions set stepped_up_at = now() - interval '11 minutes'")
    asked = {"email": "sam@anchor.example", "name": "Sam Sales"}
    answer = ann.post(f"{PROVIDERS}/{market.anchor}/invitations", json=asked)
    assert problem(answer) == (403, "step_up_required")


def test_notes_are_kept_once_and_shown_page_by_page(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    address = f"{PROVIDERS}/{market.anchor}/notes"
    key = {"Idempotency-Key": "note-1"}
    first = ann.post(address, json={"note": "pays late,\nbut pays"}, headers=key)
    assert first.status_code == 201, first.text
    assert ann.post(address, json={"note": "pays late,\nbut pays"}, headers=key).json() == first.json()
    other = ann.post(address, json={"note": "something else"}, headers=key)
    assert problem(other) == (422, "idempotency_key_reused")
    for number in range(2):
        ann.post(address, json={"note": f"note {number}"})
    page = ann.get(address, params={"limit": 2}).json()
    rest = ann.get(address, params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert [each["note"] for each in page["items"] + rest["items"]] == ["note 1", "note 0", "pays late,\nbut pays"]
    assert rest["next_cursor"] is None
    assert page["items"][0]["author"].startswith("user:")
    assert ann.get(address, params={"limit": 200}).status_code == 200
    assert ann.get(f"{PROVIDERS}/{market.bowline}/notes").json()["items"] == []
    for blank in ("", " ", "\n", "a\x00b", "x" * 4001):
        assert problem(ann.post(address, json={"note": blank})) == (422, "input_invalid")


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [
        ("GET", "", None),
        ("PATCH", "", {"name": "Nobody"}),
        ("POST", "/approve", None),
        ("POST", "/suspend", None),
        ("POST", "/reactivate", None),
        ("GET", "/notes", None),
        ("POST", "/notes", {"note": "hello"}),
    ],
)
def test_an_unknown_provider_is_404(database: Database, method: str, path: str, asked: dict[str, str] | None) -> None:
    ann = an_admin(application(database), database)
    answer = ann.request(method, f"{PROVIDERS}/{UNKNOWN}{path}", json=asked, headers=STALE)
    assert problem(answer) == (404, "provider_unknown")


def test_it_is_for_operators(database: Database) -> None:
    market = open_market(database)
    app = application(database)
    sam = a_provider(app, database, market.anchor)
    eve = a_provider(app, database, market.bowline, "sales@bowline.example")
    for router in (admin_providers.router, admin_provider_notes.router):
        assert codes_of(router, anonymous(app)) == {(401, "session_invalid")}
        for client in (sam, eve):
            assert codes_of(router, client) == {(403, "permission_missing")}


def test_the_activity_of_a_provider_says_what_it_received_and_why_it_was_passed_over(database: Database) -> None:
    sale = sell(database)
    ann = an_admin(application(database), database)
    bowline = ann.get(f"{PROVIDERS}/{sale.bowline_id}/activity").json()
    assert bowline["total"]["spent_cents"] == 500
    assert [(each["received_count"], each["spent_cents"]) for each in bowline["items"]] == [(1, 500)]
    assert [each["refunded_cents"] for each in bowline["subscriptions"]] == [0]
    assert bowline["passed_over"] == [], "its gold was switched off before, which a decision only counts"
    assert problem(ann.get(f"{PROVIDERS}/{UNKNOWN}/activity")) == (404, "provider_unknown")


def test_the_list_counts_the_subscriptions_of_each_provider(database: Database) -> None:
    sell(database)
    ann = an_admin(application(database), database)
    counts = {
        each["name"]: (
            each["subscription_count"],
            each["active_subscription_count"],
            each["unfunded_subscription_count"],
        )
        for each in ann.get(PROVIDERS).json()["items"]
    }
    assert counts == {"Anchor": (2, 2, 0), "Bowline": (2, 0, 2)}
