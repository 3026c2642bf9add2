"""Approving: who may be, in bulk and again; and asking for another distribution."""

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.flows import approve_lead as flow
from fairlead.flows.approve_lead import (
    Approved,
    Triggered,
    approve_lead,
    approve_leads,
    approve_niche,
    trigger_distribution,
)
from fairlead.flows.distributor import Distributor
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from tests.flows.made_leads import add_lead
from tests.flows.niches import add_niche, audited, stored_leads
from tests.race.marketplaces import Provider, Terms, add_leads, add_providers, open_niche, subscribe

STATE = "status, awaits_decision, approved_by, approved_at is not null"
PENDING = ("pending_approval", False, None, False)
APPROVED = ("approved", True, "operator", True)


def test_an_approved_lead_awaits_its_decision_and_again_changes_nothing(database: Database) -> None:
    lead_id = add_lead(database, add_niche(database))
    assert approve_lead(database, lead_id, OPERATOR) == Approved(lead_id, was_already=False)
    before = stored_leads(database, f"{STATE}, approved_at")
    assert before[0][:4] == APPROVED

    assert approve_lead(database, lead_id.upper(), OPERATOR) == Approved(lead_id, was_already=True)
    assert stored_leads(database, f"{STATE}, approved_at") == before
    assert audited(database, "lead.approved") == [{"status": "approved"}]


@pytest.mark.parametrize("status", ["rejected", "bad", "pending_confirmation"])
def test_what_cannot_be_approved_is_refused(database: Database, status: str) -> None:
    lead_id = add_lead(database, add_niche(database), status)
    with pytest.raises(Refused) as caught:
        approve_lead(database, lead_id, OPERATOR)
    assert caught.value.code == f"lead_{status}"
    with pytest.raises(Refused) as caught:
        trigger_distribution(database, lead_id, OPERATOR)
    assert caught.value.code == f"lead_{status}"
    assert stored_leads(database, STATE)[0][:2] == (status, False)
    assert audited(database, "lead.approved") == []


def test_ids_that_no_lead_has(database: Database) -> None:
    for verb in (approve_lead, trigger_distribution):
        with pytest.raises(Refused) as caught:
            verb(database, new_id(), OPERATOR)
        assert caught.value.code == "lead_unknown"
        with pytest.raises(BadInput, match="'17' is no lead id"):
            verb(database, "17", OPERATOR)


def test_bulk_approval_tells_what_became_of_each(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "CHUNK_LEADS", 2)
    niche_id = add_niche(database)
    new = [add_lead(database, niche_id) for _ in range(3)]
    already = add_lead(database, niche_id)
    approve_lead(database, already, OPERATOR)
    bad, unknown = add_lead(database, niche_id, "bad"), new_id()

    told: list[int] = []
    result = approve_leads(
        database,
        [unknown, bad, *reversed(new), already, new[0]],
        OPERATOR,
        lambda done: told.append(len(done.approved)),
    )
    assert result.approved == tuple(new)
    assert result.already == (already,)
    assert [(refused.lead_id, refused.code) for refused in result.refused] == [
        (bad, "lead_bad"),
        (unknown, "lead_unknown"),
    ]
    assert told == [2, 3, 3]
    assert stored_leads(database, STATE) == [APPROVED] * 4 + [("bad", False, None, False)]
    with pytest.raises(BadInput, match="no lead id"):
        approve_leads(database, [add_lead(database, niche_id), "x"], OPERATOR)
    assert stored_leads(database, STATE)[-1] == PENDING


def test_a_whole_niche_is_approved_and_no_other(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "CHUNK_LEADS", 3)
    niche_id, other_id = add_niche(database, "one"), add_niche(database, "other")
    mine = [add_lead(database, niche_id) for _ in range(7)]
    rejected, foreign = add_lead(database, niche_id, "rejected"), add_lead(database, other_id)

    told: list[int] = []
    assert approve_niche(database, niche_id, OPERATOR, told.append) == 7
    assert told == [3, 6, 7]
    assert approve_niche(database, niche_id, OPERATOR) == 0
    states = dict(stored_leads(database, "id::text, status"))
    assert states == dict.fromkeys(mine, "approved") | {rejected: "rejected", foreign: "pending_approval"}
    with database.snapshot() as conn:
        in_order = conn.execute("select id::text from leads where awaits_decision order by approved_at, id").fetchall()
    assert [row[0] for row in in_order] == mine


def test_an_unsold_lead_can_be_tried_again(database: Database) -> None:
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", [Terms(1000, 1, 1)])
        [lead_id] = add_leads(conn, niche, [40])
    # It was stored without a job, as if that had been lost: it has one now, and keeps it.
    hinted = trigger_distribution(database, lead_id, OPERATOR)
    assert hinted == Triggered(lead_id, "approved", True, took_effect=False, job_id=hinted.job_id)
    assert hinted.job_id is not None
    assert trigger_distribution(database, lead_id, OPERATOR) == hinted
    Distributor(database).distribute_waiting(niche.niche_id)
    assert stored_leads(database, "status, awaits_decision, last_outcome") == [("approved", False, "no_eligible")]

    again = trigger_distribution(database, lead_id, OPERATOR)
    assert again == Triggered(lead_id, "approved", True, took_effect=True, job_id=again.job_id)
    assert again.job_id is not None
    providers = [Provider("ana", 5000, (1,))]
    with database.transaction() as conn:
        subscribe(conn, niche, providers, add_providers(conn, providers, "moving"))
    Distributor(database).distribute_waiting(niche.niche_id)
    assert stored_leads(database, "status, awaits_decision, last_outcome") == [("distributed", False, "success")]

    again = trigger_distribution(database, lead_id, OPERATOR)
    assert again == Triggered(lead_id, "distributed", awaits_decision=False, took_effect=False)
    assert approve_lead(database, lead_id, OPERATOR).was_already
    assert len(audited(database, "distribution.triggered")) == 1
