"""How far a lead has come, told at every stage of its way."""

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.flows.approve_lead import approve_leads
from fairlead.flows.distribute_lead import LeadDistribution
from fairlead.flows.distributor import Distributor
from fairlead.flows.explaining.distribution_status import DistributionStatus, distribution_status
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.jobs.queue import withdraw_lead_jobs
from tests.by_hand import POLICY, WAITS, rows_by_hand
from tests.flows.marketplaces import HOSTING, declare
from tests.flows.test_distribute_lead import LEAD, leads_of, poison


def status(database: Database, lead_id: str) -> DistributionStatus:
    """The lead's status."""
    return distribution_status(database, lead_id)


def test_the_way_of_a_lead_that_is_sold(database: Database) -> None:
    (lead,) = leads_of(database, 1, approve=False)
    fresh = status(database, lead)
    assert (fresh.lead_status, fresh.last_attempt_status, fresh.notes) == ("pending_approval", "none", ())
    approve_leads(database, [lead], OPERATOR)
    queued = status(database, lead)
    assert (queued.last_attempt_status, queued.notes, queued.last_attempt_at) == ("queued", (), None)
    with database.transaction() as conn:
        conn.execute("update jobs set state = 'running' where task = 'distribute_lead'")
    assert status(database, lead).last_attempt_status == "processing"
    LeadDistribution(Distributor(database)).run(lead)
    sold = status(database, lead)
    assert (sold.lead_status, sold.last_attempt_status, sold.notes) == ("distributed", "success", ())
    assert (sold.assignments_created, sold.start_level_order_position, sold.distribution_attempts) == (2, 1, 1)
    assert sold.last_attempt_at is not None


def test_a_lead_whose_runs_fail_says_why_and_what_comes_next(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    (lead,) = leads_of(database, 1)
    poison(monkeypatch, lead)
    jobs = LeadDistribution(Distributor(database))
    jobs.run(lead)
    failed = status(database, lead)
    assert (failed.lead_status, failed.last_attempt_status, failed.distribution_attempts) == ("approved", "failed", 1)
    assert failed.notes[0] == "the last run failed: ArithmeticError"
    assert failed.notes[1].startswith("run 2 of 6 ")
    for _ in range(5):
        jobs.run(lead)
    given_up = status(database, lead)
    assert given_up.last_attempt_status == "failed"
    assert given_up.notes[1].startswith("given up: dead letter ")


@rows_by_hand(POLICY, WAITS)
def test_a_lead_without_a_job_says_what_it_waits_for(database: Database) -> None:
    (lead,) = leads_of(database, 1)
    database.run(lambda conn: withdraw_lead_jobs(conn, [lead]))
    (note,) = status(database, lead).notes
    assert "within five minutes" in note
    with database.transaction() as conn:
        conn.execute("update niches set auto_distribute = false")
    (manual,) = submit_leads(database, "hosting", [LEAD], OPERATOR, approve=True)
    seen = status(database, manual)
    assert (seen.last_attempt_status, len(seen.notes)) == ("none", 1)
    assert "manual trigger" in seen.notes[0]


def test_an_unknown_lead_is_refused(database: Database) -> None:
    declare(database, HOSTING)
    with pytest.raises(Refused, match="there is no lead"):
        status(database, "01900000-0000-7000-8000-000000000000")
    with pytest.raises(BadInput, match="no lead id"):
        status(database, "seven")
