"""Who may be together, over HTTP: conflict groups, exclusive levels, recipients per lead."""

from fairlead.api.routes.admin.providers import conflict_groups as admin_conflict_groups
from fairlead.core.permissions import Permission
from fairlead.store.connection import Database
from tests.api.asking import an_admin, anonymous, application, machine
from tests.api.keys import operators_key
from tests.api.permitting import STALE, codes_of, problem, seen
from tests.flows.configuration.market import UNKNOWN, open_market
from tests.flows.marketplaces import everything

ANY = {"If-Match": "*"}
GROUPS = "/api/v1/admin/conflict-groups"


def test_a_group_and_its_providers(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    made = ann.post(GROUPS, json={"name": "One owner"})
    assert made.status_code == 201, made.text
    group = made.json()["conflict_group"]
    own = f"{GROUPS}/{group['conflict_group_id']}"
    assert (group["providers"], made.json()["took_effect"]) == ([], True)
    assert ann.post(GROUPS, json={"name": "One owner"}).json()["took_effect"] is False
    joining = f"/api/v1/admin/providers/{market.anchor}/conflict-group"
    provider = ann.get(f"/api/v1/admin/providers/{market.anchor}")
    joined = ann.put(joining, json={"conflict_group_id": group["conflict_group_id"]}, headers=seen(provider))
    assert joined.json()["provider"]["conflict_group_id"] == group["conflict_group_id"]
    assert ann.get(GROUPS).json()["items"][0]["providers"] == [{"provider_id": market.anchor, "name": "Anchor"}]
    assert problem(ann.delete(own, headers=ANY)) == (409, "conflict_group_in_use")
    assert problem(ann.put(joining, json={"conflict_group_id": UNKNOWN}, headers=ANY)) == (
        404,
        "conflict_group_unknown",
    )
    assert problem(ann.put(joining, json={}, headers=ANY)) == (422, "input_invalid")
    assert problem(ann.put(joining, json={"conflict_group_id": None}, headers=STALE)) == (412, "version_conflict")
    ann.put(joining, json={"conflict_group_id": None}, headers=seen(joined))
    shown = ann.get(own)
    assert ann.patch(own, json={"name": "Of none"}, headers=seen(shown)).json()["conflict_group"]["name"] == "Of none"
    assert problem(ann.patch(own, json={"name": "Once more"}, headers=seen(shown))) == (412, "version_conflict")
    assert ann.delete(own, headers=ANY).status_code == 204
    assert problem(ann.get(own)) == (404, "conflict_group_unknown")


def test_levels_and_niches_say_it(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    level = f"/api/v1/admin/levels/{market.gold}"
    changed = ann.patch(level, json={"is_exclusive": True, "max_recipients": 1}, headers=ANY)
    assert changed.json()["level"]["is_exclusive"] is True
    assert problem(ann.patch(level, json={"max_recipients": 2}, headers=ANY)) == (422, "input_invalid")
    niche = f"/api/v1/admin/niches/{market.niche}"
    assert (
        ann.patch(niche, json={"max_recipients_per_lead": 3}, headers=ANY).json()["niche"]["max_recipients_per_lead"]
        == 3
    )
    assert ann.patch(niche, json={"name": "Hosting"}, headers=ANY).json()["niche"]["max_recipients_per_lead"] == 3
    assert (
        ann.patch(niche, json={"max_recipients_per_lead": None}, headers=ANY).json()["niche"]["max_recipients_per_lead"]
        is None
    )
    assert problem(ann.patch(niche, json={"max_recipients_per_lead": 0}, headers=ANY)) == (422, "input_invalid")


def test_only_who_may_can_do_it(database: Database) -> None:
    open_market(database)
    app = application(database)
    reader = machine(app, operators_key(database, Permission.NICHES_READ))
    before = everything(database)
    assert codes_of(admin_conflict_groups.router, anonymous(app)) == {(401, "session_invalid")}
    assert codes_of(admin_conflict_groups.router, reader) == {(403, "permission_missing")}
    assert everything(database)["conflict_groups"] == before["conflict_groups"]
