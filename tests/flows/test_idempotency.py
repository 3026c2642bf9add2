"""A request that is sent again has the effect and the result that it had the first time."""

from collections.abc import Callable
from typing import Any

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.flows.approve_lead import approve_lead, trigger_distribution
from fairlead.flows.idempotency import IdempotencyKey, idempotency_key_for
from fairlead.flows.maintenance.clean_up import clean_up
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.money.bad_leads import accept_bad_lead, mark_lead_bad, reject_bad_lead, report_bad_lead
from fairlead.flows.money.deposit import deposit
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.by_hand import APPROVED, CLOSED, rows_by_hand
from tests.flows.maintenance.workers import maintenance_of
from tests.flows.marketplaces import everything
from tests.flows.sales import MEMO, PORTAL, Sale, balances, query, sell

Verb = Callable[[Database, Sale, IdempotencyKey], object]


def reported(database: Database, sale: Sale) -> str:
    """The assignment, reported before."""
    if query(database, "select 1 from assignments where id = %s and bad_lead_reported_at is null", sale.anchor):
        report_bad_lead(database, sale.anchor_id, sale.anchor, "spam", None, PORTAL)
    return sale.anchor


def pending(database: Database, sale: Sale) -> str:
    """A lead that was pending approval once."""
    found = query(database, "select id::text from leads where id <> %s", sale.lead_id)
    lead = [{"cores": 8, "region": "south"}]
    return found[0][0] if found else submit_leads(database, "hosting", lead, OPERATOR, approve=False)[0]


def unsold(database: Database, sale: Sale) -> str:
    """A lead that was approved and not sold."""
    lead_id = pending(database, sale)
    query(
        database,
        "update leads set status = 'approved', approved_at = coalesce(approved_at, now()) where id = %s returning 1",
        lead_id,
    )
    return lead_id


VERBS: dict[str, Verb] = {
    "credit": lambda db, sale, once: adjust_balance(db, sale.bowline_id, "credit", 5000, MEMO, OPERATOR, once),
    "debit": lambda db, sale, once: adjust_balance(db, sale.anchor_id, "debit", 2000, MEMO, OPERATOR, once),
    "deposit": lambda db, sale, once: deposit(db, sale.bowline_id, 5000, "bank", "one", OPERATOR, once),
    "refund": lambda db, sale, once: refund_assignment(db, sale.bowline, MEMO, OPERATOR, once),
    "report": lambda db, sale, once: report_bad_lead(db, sale.anchor_id, sale.anchor, "spam", "why", PORTAL, once),
    "accept": lambda db, sale, once: accept_bad_lead(db, reported(db, sale), MEMO, OPERATOR, once),
    "reject": lambda db, sale, once: reject_bad_lead(db, reported(db, sale), MEMO, OPERATOR, once),
    "bad": lambda db, sale, once: mark_lead_bad(db, sale.lead_id, MEMO, OPERATOR, once),
    "approve": lambda db, sale, once: approve_lead(db, pending(db, sale), OPERATOR, once),
    "trigger": lambda db, sale, once: trigger_distribution(db, unsold(db, sale), OPERATOR, once),
}


def request(
    key: str = "k-1", asked: object = None, route: str = "POST /it", actor_id: str = "operator"
) -> IdempotencyKey:
    return idempotency_key_for(actor_id, key, route, asked)


@pytest.mark.parametrize("name", VERBS)
@rows_by_hand(APPROVED)
def test_a_repetition_replays_the_result_and_changes_nothing(name: str, database: Database) -> None:
    sale = sell(database)
    first = VERBS[name](database, sale, request())
    before = everything(database)
    again = VERBS[name](database, sale, request())
    assert again == first
    assert type(again) is type(first)
    assert everything(database) == before
    [stored] = query(database, "select actor, route, status, body::text from idempotency_keys where key = 'k-1'")
    assert stored[:3] == ("operator", "POST /it", "done")
    assert MEMO not in stored[3]


@pytest.mark.parametrize("name", VERBS)
@rows_by_hand(APPROVED, CLOSED)
def test_a_refusal_stores_nothing_and_leaves_the_key_free(name: str, database: Database) -> None:
    sale = sell(database)
    VERBS[name](database, sale, request("other"))
    used = query(database, "select key from idempotency_keys order by 1")
    gone = Sale(*["01900000-0000-7000-8000-000000000000"] * 5)
    if name in ("accept", "reject"):  # the second decision
        gone = sale
    if name in ("approve", "trigger"):
        query(database, "update leads set status = 'rejected', awaits_decision = false returning 1")
        with pytest.raises(Refused):
            approve_lead(database, pending(database, sale), OPERATOR, request())
        with pytest.raises(Refused):
            trigger_distribution(database, pending(database, sale), OPERATOR, request())
        query(database, "update leads set status = 'distributed' where distributed_at is not null returning 1")
    else:
        with pytest.raises(Refused):
            VERBS[name](database, gone, request())
    assert query(database, "select key from idempotency_keys order by 1") == used
    adjust_balance(database, sale.anchor_id, "credit", 1, MEMO, OPERATOR, request())


def test_a_key_stands_for_one_request(database: Database) -> None:
    sale = sell(database)
    adjust_balance(database, sale.anchor_id, "credit", 5, MEMO, OPERATOR, request(asked={"cents": 5}))
    before = everything(database)
    for other in (request(asked={"cents": 6}), request(asked={"cents": 5}, route="POST /other")):
        with pytest.raises(Refused, match="was used for another request") as caught:
            adjust_balance(database, sale.anchor_id, "credit", 5, MEMO, OPERATOR, other)
        assert caught.value.code == "idempotency_key_reused"
    assert everything(database) == before


def test_keys_of_two_actors_are_two_keys(database: Database) -> None:
    sale = sell(database)
    for actor_id in ("operator", "another"):
        adjust_balance(database, sale.anchor_id, "credit", 5, MEMO, OPERATOR, request(actor_id=actor_id))
    assert balances(database)["Anchor"] == 3010


def test_a_crash_before_the_commit_leaves_neither_effect_nor_key(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = sell(database)
    before = everything(database)

    def crash(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("fairlead.flows.idempotency.keep_result", crash)
    with pytest.raises(MemoryError):
        adjust_balance(database, sale.anchor_id, "credit", 5, MEMO, OPERATOR, request())
    assert everything(database) == before


def test_keys_are_kept_for_a_day(database: Database) -> None:
    sale = sell(database)
    for key, age in (("old", "24 hours 1 minute"), ("young", "23 hours 59 minutes")):
        adjust_balance(database, sale.anchor_id, "credit", 5, MEMO, OPERATOR, request(key))
        query(
            database,
            "update idempotency_keys set created_at = clock_timestamp() - %s::interval where key = %s returning 1",
            age,
            key,
        )
    assert clean_up(maintenance_of(database))["keys"] == 1
    assert query(database, "select key from idempotency_keys") == [("young",)]


@pytest.mark.parametrize("key", ["", "x" * 256, "two\nlines", "k\u00e9y"])
def test_what_cannot_be_a_key(key: str) -> None:
    with pytest.raises(BadInput, match="Idempotency-Key: must be 1 to 255 printable ASCII characters"):
        idempotency_key_for("operator", key, "POST /it", None)


def test_a_fingerprint_tells_requests_apart() -> None:
    values: list[Any] = [None, 1, True, "1", {"a": 1}, {"a": "1"}, [1], []]
    assert len({request(asked=value).fingerprint for value in values}) == len(values)
