"""Proofs of the past are kept, one runs at a time, and one that failed is the first thing that needs a person."""

import pytest

from fairlead.core.errors import Refused, Unavailable
from fairlead.flows.proving import verifications as flow
from fairlead.flows.proving import verify as proof
from fairlead.flows.proving.verifications import (
    proof_state,
    read_verification,
    request_verification,
    verify_and_keep,
    verify_requested,
)
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR, Actor
from fairlead.store.connection import Database
from fairlead.store.verifications import start_verification
from fairlead.store.watching.attention import read_attention
from tests.flows.access.people import rows, value
from tests.flows.maintenance.workers import maintenance_of
from tests.flows.sales import sell

ANN = Actor("user:ann", "admin")


def by_hand(database: Database, statement: str) -> None:
    with database.transaction() as conn:
        conn.execute("set local session_replication_role = replica")
        conn.execute(statement.encode())


def test_what_was_verified_is_kept_with_every_check(database: Database) -> None:
    sell(database)
    found = verify_and_keep(database, OPERATOR)
    kept = proof_state(database).last
    assert kept is not None
    assert (kept.holds, kept.decision_count, kept.difference_count) == (True, found.decisions_replayed, 0)
    assert [(each["name"], each["checked"]) for each in kept.checks or ()] == [
        (each.name, each.checked) for each in found.checks
    ]
    assert (kept.requested_by, kept.error, proof_state(database).under_way) == ("operator", None, None)
    assert kept.seconds is not None
    assert database.read(read_attention)[0].kind != "past_not_proven"


def test_a_worker_makes_what_was_asked_for_once(database: Database) -> None:
    sell(database)
    asked = request_verification(database, ANN)
    assert request_verification(database, OPERATOR, "hosting").verification_id == asked.verification_id
    assert (asked.requested_by, asked.started_at) == ("user:ann", None)
    maintenance = maintenance_of(database)
    assert verify_requested(maintenance) == {"verifications": 1, "differences": 0}
    assert verify_requested(maintenance) == {}
    assert read_verification(database, asked.verification_id).holds is True


def test_a_second_does_not_run_beside_the_first(database: Database) -> None:
    sell(database)
    asked = request_verification(database, ANN)
    assert database.run(lambda conn: start_verification(conn, asked.verification_id))
    with pytest.raises(Refused, match="user:ann is verifying since"):
        verify_and_keep(database, OPERATOR)
    assert verify_requested(maintenance_of(database)) == {}


def test_one_whose_process_died_keeps_no_other_waiting(database: Database) -> None:
    sell(database)
    asked = request_verification(database, ANN)
    assert database.run(lambda conn: start_verification(conn, asked.verification_id))
    value(database, "update verifications set seen_at = now() - interval '6 minutes' returning id")
    assert verify_and_keep(database, OPERATOR).holds
    assert read_verification(database, asked.verification_id).error == "its process ended"


def test_how_far_it_is_can_be_seen_meanwhile(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    sell(database)
    monkeypatch.setattr(flow, "PROGRESS_SECONDS", 0.0)
    seen = list[object]()

    def watch(what: str, done: int, total: int) -> None:
        under_way = proof_state(database).under_way
        seen.append(None if under_way is None else under_way.progress)

    verify_and_keep(database, OPERATOR, "hosting", watch)
    assert seen[0] is None
    assert {"what", "done", "total"} == {*(seen[-1] or {})}  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]


def test_one_that_breaks_off_proves_nothing_and_says_why(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="no lead has been decided"):
        verify_and_keep(database, OPERATOR)
    sell(database)
    request_verification(database, ANN)

    def away(*_: object, **__: object) -> None:
        raise Unavailable("the server went away")

    monkeypatch.setattr(proof, "verify", away)
    assert verify_requested(maintenance_of(database)) == {"verifications": 1}
    assert proof_state(database).last is None
    errors = rows(database, "select error from verifications order by ended_at")
    assert errors[0].startswith("nothing was verified")
    assert errors[1] == "Unavailable"


def test_a_failed_proof_comes_before_all_else_until_one_of_all_niches_holds(damaged_database: Database) -> None:
    database = damaged_database
    sale = sell(database)
    submit_leads(database, "hosting", [{"cores": 8, "region": "north"}], OPERATOR, approve=False)
    paid = f"provider_id = '{sale.anchor_id}' and kind = 'lead_purchase'"
    by_hand(database, f"update ledger_entries set amount_cents = amount_cents - 1 where {paid}")
    assert not verify_and_keep(database, ANN).holds
    waiting = database.read(read_attention)[0]
    kept = proof_state(database).last
    assert kept is not None
    assert (waiting.kind, waiting.count, waiting.first_id) == (
        "past_not_proven",
        kept.difference_count,
        kept.verification_id,
    )
    assert all(each["differences"] for each in kept.failed_checks)
    assert rows(database, "select actor from audit_log where action = 'verification.differs'") == ["user:ann"]
    titles = rows(database, "select detail ->> 'title' from notifications where kind = 'operator_alert'")
    assert "The past cannot be proven" in titles

    by_hand(database, f"update ledger_entries set amount_cents = amount_cents + 1 where {paid}")
    assert verify_and_keep(database, OPERATOR, "hosting").holds
    assert database.read(read_attention)[0].kind == "past_not_proven"
    assert verify_and_keep(database, OPERATOR).holds
    assert "past_not_proven" not in {each.kind for each in database.read(read_attention)}
