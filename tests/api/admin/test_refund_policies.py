"""What a refund gives back, over the API: shown, and changed with its version."""

from fairlead.store.connection import Database
from tests.api.asking import an_admin, application
from tests.api.permitting import STALE, problem, seen
from tests.flows.configuration.market import UNKNOWN, open_market
from tests.flows.sales import query

NICHES = "/api/v1/admin/niches"


def test_the_policy_of_refunds_is_changed(database: Database) -> None:
    market = open_market(database)
    ann = an_admin(application(database), database)
    address = f"{NICHES}/{market.niche}/refund-policy"
    wanted = {"returns_turn": True, "leaves_limits": False}
    before = ann.get(address)
    assert (before.json()["returns_turn"], before.json()["leaves_limits"]) == (False, False)
    assert problem(ann.put(address, json=wanted)) == (428, "precondition_required")
    assert problem(ann.put(address, json=wanted, headers=STALE)) == (412, "version_conflict")
    assert problem(ann.put(address, json={"returns_turn": True}, headers=seen(before))) == (422, "input_invalid")
    done = ann.put(address, json={**wanted, "memo": "bad leads cost a turn"}, headers=seen(before))
    assert done.status_code == 200, done.text
    assert done.json() == {"niche_id": market.niche, "version": done.headers["etag"].strip('"'), **wanted}
    assert query(database, "select refund_returns_turn, refund_leaves_limits from niches") == [(True, False)]
    unknown = f"{NICHES}/{UNKNOWN}/refund-policy"
    assert problem(ann.get(unknown)) == (404, "niche_unknown")
    assert problem(ann.put(unknown, json=wanted, headers=STALE)) == (404, "niche_unknown")
