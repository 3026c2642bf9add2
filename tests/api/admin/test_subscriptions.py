"""Subscriptions over HTTP: subscribing providers, their filters, and how it came to be."""

import pytest

from fairlead.api.routes.admin.providers import subscription_history as admin_subscription_history
from fairlead.api.routes.admin.providers import subscriptions as admin_subscriptions
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin, anonymous, application
from tests.api.permitting import STALE, codes_of, problem, seen
from tests.flows.configuration.market import UNKNOWN, distribute, open_market
from tests.flows.marketplaces import activity
from tests.flows.sales import query

SUBSCRIPTIONS = "/api/v1/admin/subscriptions"
NORTH = {"version": 1, "rules": [{"field_key": "region", "operator": "eq", "value": "north"}]}
UNFIT = {"version": 1, "rules": [{"field_key": "colour", "operator": "eq", "value": "red"}]}


def test_a_provider_is_subscribed_once(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    made = ann.post("/api/v1/admin/providers", json={"email": "leads@capstan.example", "name": "Capstan"})
    capstan = made.json()["provider"]["provider_id"]
    asked = {"provider_id": capstan, "level_id": market.silver, "filter_rules": NORTH, "memo": "by telephone"}
    done = ann.post(SUBSCRIPTIONS, json=asked)
    assert done.status_code == 201, done.text
    subscription = done.json()["subscription"]
    assert subscription["filter_rules"] == NORTH
    assert "north" in subscription["filter_summary"]
    assert (subscription["is_active"], subscription["deactivation_reason"]) == (False, "insufficient_funds")
    assert activity(database)["leads silver"] == "insufficient_funds"
    again = ann.post(SUBSCRIPTIONS, json=asked)
    assert (again.status_code, again.json()["took_effect"]) == (201, False)
    assert again.json()["subscription"] == subscription
    other = {"version": 1, "rules": []}
    assert problem(ann.post(SUBSCRIPTIONS, json=asked | {"filter_rules": other})) == (409, "subscription_exists")
    assert problem(ann.post(SUBSCRIPTIONS, json=asked | {"provider_id": UNKNOWN})) == (404, "provider_unknown")
    assert problem(ann.post(SUBSCRIPTIONS, json=asked | {"level_id": UNKNOWN})) == (404, "level_unknown")
    unfit = ann.post(SUBSCRIPTIONS, json=asked | {"level_id": market.gold, "filter_rules": UNFIT})
    assert problem(unfit) == (422, "input_invalid")
    assert [each["pointer"] for each in unfit.json()["errors"]] == ["/filter_rules/rules/0/field_key"]


def test_a_level_that_is_gone_takes_no_subscription(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    level = {"name": "tin", "price_cents": 1, "max_recipients": 1}
    made = ann.post(f"/api/v1/admin/niches/{market.niche}/levels", json=level)
    tin = made.json()["level"]["level_id"]
    ann.delete(f"/api/v1/admin/levels/{tin}", headers=seen(made))
    gone = ann.post(SUBSCRIPTIONS, json={"provider_id": market.anchor, "level_id": tin})
    assert problem(gone) == (409, "level_deleted")


def test_subscriptions_are_found_page_by_page(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)

    def found(**params: str | bool) -> list[tuple[str, str]]:
        answer = ann.get(SUBSCRIPTIONS, params=params)
        assert answer.status_code == 200, answer.text
        return [(each["provider_name"], each["level_name"]) for each in answer.json()["items"]]

    everything = [("Anchor", "gold"), ("Anchor", "silver"), ("Bowline", "gold"), ("Bowline", "silver")]
    assert sorted(found()) == everything
    assert sorted(found(provider_id=market.anchor)) == everything[:2]
    assert sorted(found(level_id=market.gold)) == [("Anchor", "gold"), ("Bowline", "gold")]
    assert found(provider_id=market.bowline, level_id=market.gold) == [("Bowline", "gold")]
    assert sorted(found(niche_id=market.niche)) == everything
    assert found(niche_id=UNKNOWN) == []
    ended = f"{SUBSCRIPTIONS}/{market.subscriptions['bowline gold']}"
    assert ann.delete(ended, headers={"If-Match": "*"}).status_code == 200
    assert sorted(found(niche_id=market.niche)) == [*everything[:2], everything[3]]
    assert sorted(found(niche_id=market.niche, with_ended=True)) == everything
    first = ann.get(SUBSCRIPTIONS, params={"limit": 3, "with_ended": True}).json()
    rest = ann.get(SUBSCRIPTIONS, params={"with_ended": True, "cursor": first["next_cursor"]}).json()
    ids = [each["subscription_id"] for each in first["items"] + rest["items"]]
    assert sorted(ids) == sorted(market.subscriptions.values())
    assert ids == sorted(ids, reverse=True)


def test_a_filter_is_changed_and_why_is_kept(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    address = f"{SUBSCRIPTIONS}/{market.subscriptions['anchor silver']}"
    before = ann.get(address)
    asked = {"filter_rules": NORTH, "memo": "they moved"}
    assert problem(ann.put(f"{address}/filter", json=asked)) == (428, "precondition_required")
    assert problem(ann.put(f"{address}/filter", json=asked, headers=STALE)) == (412, "version_conflict")
    unfit = ann.put(f"{address}/filter", json={"filter_rules": UNFIT}, headers=seen(before))
    assert [each["pointer"] for each in unfit.json()["errors"]] == ["/filter_rules/rules/0/field_key"]
    done = ann.put(f"{address}/filter", json=asked, headers=seen(before))
    assert done.json()["subscription"]["filter_rules"] == NORTH
    assert ann.get(address).headers["etag"] == done.headers["etag"]
    [(stored,)] = query(database, "select filter_rules from subscriptions where id = %s", address[-36:])
    assert stored == NORTH

    history = ann.get(f"{address}/history").json()
    assert history["next_cursor"] is None
    newest, oldest = history["items"]
    assert (newest["action"], newest["memo"], newest["filter_rules"]) == (
        "subscription.filter_changed",
        "they moved",
        NORTH,
    )
    assert (newest["seq"], newest["actor"][:5]) == (done.json()["journal_seq"], "user:")
    assert (oldest["actor"], oldest["filter_rules"]["rules"]) == (None, [])
    page = ann.get(f"{address}/history", params={"limit": 1}).json()
    assert ([each["seq"] for each in page["items"]], page["next_cursor"]) == ([newest["seq"]], str(newest["seq"]))
    rest = ann.get(f"{address}/history", params={"limit": 1, "cursor": page["next_cursor"]}).json()
    assert (rest["items"], rest["next_cursor"]) == ([oldest], None)
    assert ann.get(f"{address}/history", params={"limit": 200}).status_code == 200


def test_a_filter_that_is_too_large_is_refused_with_its_place(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    monkeypatch.setattr("fairlead.core.filters.filter.MAX_FILTER_BYTES", 77)  # NORTH has 78
    address = f"{SUBSCRIPTIONS}/{market.subscriptions['anchor silver']}/filter"
    preview = f"/api/v1/admin/niches/{market.niche}/filter-preview"
    asked = {"provider_id": market.anchor, "level_id": market.silver, "filter_rules": NORTH}
    for answer, pointer in (
        (ann.put(address, json={"filter_rules": NORTH}, headers={"If-Match": "*"}), "/filter_rules/rules"),
        (ann.post(SUBSCRIPTIONS, json=asked), "/filter_rules/rules"),
        (ann.post(preview, json={"filter_rules": NORTH}), "/filter_rules/rules"),
    ):
        assert problem(answer) == (422, "input_invalid")
        [told] = answer.json()["errors"]
        assert (told["pointer"], told["code"]) == (pointer, "filter_too_large")
        assert told["detail"] == "a filter takes at most 77 bytes, written without spaces; this one takes 78"


def test_the_longest_list_of_long_names_is_taken(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    names = [f"name of a place {number:07}" for number in range(10_000)]
    fields = [{"key": "region", "type": "select", "options": names}]
    form = f"/api/v1/admin/niches/{market.niche}/form"
    changed = ann.put(form, json={"form_schema": {"version": 1, "fields": fields}}, headers={"If-Match": "*"})
    assert changed.status_code == 200, changed.text[:500]
    rules = {"version": 1, "rules": [{"field_key": "region", "operator": "in", "value": names[:9_999]}]}
    address = f"{SUBSCRIPTIONS}/{market.subscriptions['anchor silver']}"
    done = ann.put(f"{address}/filter", json={"filter_rules": rules}, headers={"If-Match": "*"})
    assert done.status_code == 200, done.text[:500]
    paused = ann.post(f"{address}/pause", json={})
    assert paused.json()["subscription"]["filter_rules"] == rules


@pytest.mark.parametrize("value", [True, 4, 4.5, "north", ["north"], [1, 2.5]])
def test_an_operand_arrives_as_it_was_sent(database: Database, value: object) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    form = f"/api/v1/admin/niches/{market.niche}/form"
    fields = [
        {"key": "flag", "type": "boolean"},
        {"key": "number", "type": "number"},
        {"key": "text", "type": "text"},
        {"key": "choice", "type": "select", "options": ["north", "south"]},
    ]
    ann.put(form, json={"form_schema": {"version": 1, "fields": fields}}, headers={"If-Match": "*"})
    key, operator = {
        bool: ("flag", "eq"),
        int: ("number", "gte"),
        float: ("number", "lte"),
        str: ("text", "contains"),
    }.get(type(value), ("choice", "in") if value == ["north"] else ("number", "between"))
    rules = {"version": 1, "rules": [{"field_key": key, "operator": operator, "value": value}]}
    address = f"{SUBSCRIPTIONS}/{market.subscriptions['anchor silver']}"
    done = ann.put(f"{address}/filter", json={"filter_rules": rules}, headers={"If-Match": "*"})
    assert done.status_code == 200, done.text
    [(stored,)] = query(
        database, "select filter_rules -> 'rules' -> 0 -> 'value' from subscriptions where id = %s", address[-36:]
    )
    assert (stored, type(stored)) == (value, type(value))


def test_a_subscription_is_paused_resumed_and_ended(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    address = f"{SUBSCRIPTIONS}/{market.subscriptions['anchor silver']}"
    paused = ann.post(f"{address}/pause", json={"memo": "on holiday"})
    assert paused.json()["subscription"]["deactivation_reason"] == "paused"
    assert activity(database)["anchor silver"] == "paused"
    assert not ann.post(f"{address}/pause").json()["took_effect"]
    assert ann.post(f"{address}/resume").json()["subscription"]["is_active"]
    assert activity(database)["anchor silver"] == "active"
    assert problem(ann.delete(address)) == (428, "precondition_required")
    assert problem(ann.delete(address, headers=STALE)) == (412, "version_conflict")
    ended = ann.delete(address, headers=seen(ann.get(address)), params={"memo": "they left"})
    assert (ended.json()["subscription"]["is_ended"], ended.json()["subscription"]["is_active"]) == (True, False)
    assert activity(database)["anchor silver"] == "deleted"
    [listed] = ann.get(
        SUBSCRIPTIONS, params={"with_ended": True, "provider_id": market.anchor, "level_id": market.silver}
    ).json()["items"]
    [newest, *_] = ann.get(f"{address}/history").json()["items"]
    for shown in (ann.get(address).json(), listed, newest):
        assert (shown["is_ended"], shown["is_active"]) == (True, False)
    for verb in ("pause", "resume"):
        assert problem(ann.post(f"{address}/{verb}")) == (409, "subscription_ended")
    late = ann.put(f"{address}/filter", json={"filter_rules": NORTH}, headers={"If-Match": "*"})
    assert problem(late) == (409, "subscription_ended")
    back = ann.post(SUBSCRIPTIONS, json={"provider_id": market.anchor, "level_id": market.silver})
    assert back.json()["subscription"]["subscription_id"] == address[-36:]
    memos = query(database, "select memo from audit_log where entity_id = %s order by seq", address[-36:])
    assert memos == [("on holiday",), (None,), ("they left",), (None,)]


def test_a_filter_is_tried_on_the_leads_that_were_decided_last(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    distribute(database, market, [{"cores": 8, "region": region} for region in ("north", "south", "north")])
    address = f"/api/v1/admin/niches/{market.niche}/filter-preview"
    tried = ann.post(address, json={"filter_rules": NORTH}).json()
    assert (tried["matched_count"], tried["lead_count"]) == (2, 3)
    assert ann.post(address, json={"filter_rules": NORTH, "sample": 1}).json()["lead_count"] == 1
    assert problem(ann.post(address, json={"filter_rules": NORTH, "sample": 0})) == (422, "input_invalid")
    unfit = ann.post(address, json={"filter_rules": UNFIT})
    assert [each["pointer"] for each in unfit.json()["errors"]] == ["/filter_rules/rules/0/field_key"]
    nowhere = ann.post(f"/api/v1/admin/niches/{UNKNOWN}/filter-preview", json={"filter_rules": NORTH})
    assert problem(nowhere) == (404, "niche_unknown")


def test_a_form_that_cannot_be_read_takes_no_filter(damaged_database: Database) -> None:
    market = open_market(damaged_database)
    ann = an_admin(application(damaged_database), damaged_database)
    with damaged_database.transaction() as conn:
        conn.execute("update niches set form_schema = '{}'")
    asked = {"filter_rules": NORTH}
    anchor = f"{SUBSCRIPTIONS}/{market.subscriptions['anchor silver']}"
    answers = [
        ann.put(f"{anchor}/filter", json=asked, headers={"If-Match": "*"}),
        ann.post(f"/api/v1/admin/niches/{market.niche}/filter-preview", json=asked),
        ann.post(SUBSCRIPTIONS, json={"provider_id": market.anchor, "level_id": market.silver, **asked}),
    ]
    assert [problem(answer) for answer in answers] == [(409, "form_unreadable")] * 3


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [
        ("GET", "", None),
        ("PUT", "/filter", {"filter_rules": NORTH}),
        ("POST", "/pause", None),
        ("POST", "/resume", None),
        ("DELETE", "", None),
        ("GET", "/history", None),
    ],
)
def test_an_unknown_subscription_is_404(
    database: Database, method: str, path: str, asked: dict[str, object] | None
) -> None:
    ann = an_admin(application(database), database)
    answer = ann.request(method, f"{SUBSCRIPTIONS}/{UNKNOWN}{path}", json=asked, headers=STALE)
    assert problem(answer) == (404, "subscription_unknown")


def test_it_is_for_operators(database: Database) -> None:
    market = open_market(database)
    app = application(database)
    sam = a_provider(app, database, market.anchor)
    eve = a_provider(app, database, market.bowline, "sales@bowline.example")
    for router in (admin_subscriptions.router, admin_subscription_history.router):
        assert codes_of(router, anonymous(app)) == {(401, "session_invalid")}
        for client in (sam, eve):
            assert codes_of(router, client) == {(403, "permission_missing")}
