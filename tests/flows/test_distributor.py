"""What is done when a distribution fails: leads are tried one by one, failures go on record, outages are passed on."""

from typing import Any

import pytest

from fairlead.core.errors import Refused, Unavailable
from fairlead.flows import distributor as policy
from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.marketplaces import HOSTING, declare


@pytest.fixture
def niche_id(database: Database) -> str:
    declare(database, HOSTING)
    [(niche_id,)] = rows(database, "select id::text from niches")
    return niche_id


def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.snapshot() as conn:
        return conn.execute(query.encode()).fetchall()


def submit(database: Database, count: int) -> list[str]:
    return submit_leads(database, "hosting", [{"cores": 8, "region": "north"}] * count, OPERATOR, approve=True)


def failing(
    monkeypatch: pytest.MonkeyPatch, error: Exception, *, whole_batches: bool, lead_id: str | None = None
) -> None:
    """From now on a batch, or the distribution of this lead, raises the error before it writes anything."""
    real = policy.distribute

    def distribute(*words: Any) -> Any:
        only_lead_id = words[5]
        if (whole_batches and only_lead_id is None) or (lead_id is not None and only_lead_id == lead_id):
            raise error
        return real(*words)

    monkeypatch.setattr(policy, "distribute", distribute)


def test_a_batch_that_fails_is_decided_lead_by_lead(
    database: Database, niche_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    leads = submit(database, 3)
    failing(monkeypatch, ArithmeticError("together"), whole_batches=True)
    done = Distributor(database).distribute_waiting(niche_id)
    assert [decision.lead_id for decision in done.decisions] == leads
    assert (done.failures, done.batch_error) == ((), "ArithmeticError: together")
    assert sorted(done.requests) == sorted(leads)
    assert rows(database, "select count(*) from leads where failed_runs > 0") == [(0,)]


def test_a_lead_that_fails_alone_is_on_record_isolated_and_in_no_batch_any_more(
    database: Database, niche_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    leads = submit(database, 3)
    distributor = Distributor(database)
    with monkeypatch.context() as patched:
        failing(patched, ValueError("only\nthis"), whole_batches=True, lead_id=leads[1])
        done = distributor.distribute_waiting(niche_id)
    assert [decision.lead_id for decision in done.decisions] == [leads[0], leads[2]]
    assert [(failure.lead_id, failure.error) for failure in done.failures] == [(leads[1], "ValueError: only this")]
    assert rows(database, "select id::text, failed_runs, isolated from leads where awaits_decision") == [
        (leads[1], 1, True)
    ]
    assert not distributor.distribute_waiting(niche_id), "an isolated lead is decided when it is named"
    assert [each.lead_id for each in distributor.distribute_waiting(niche_id, leads[1]).decisions] == [leads[1]]


@pytest.mark.parametrize("error", [Unavailable("away"), Refused("niche_inactive", "closed")])
@pytest.mark.parametrize("is_named", [False, True])
def test_an_outage_and_a_refusal_are_no_failure_of_a_lead(
    database: Database, niche_id: str, monkeypatch: pytest.MonkeyPatch, error: Exception, is_named: bool
) -> None:
    [lead_id] = submit(database, 1)
    with monkeypatch.context() as patched:
        failing(patched, error, whole_batches=True, lead_id=lead_id)
        with pytest.raises(type(error), match=str(error)):
            Distributor(database).distribute_waiting(niche_id, lead_id if is_named else None)
    assert rows(database, "select failed_runs, isolated, awaits_decision from leads") == [(0, False, True)]
    assert Distributor(database).distribute_waiting(niche_id).decisions
