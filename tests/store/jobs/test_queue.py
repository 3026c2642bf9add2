"""What is asked of the queue: which leads and notifications have no job, and which jobs need not run any more."""

import threading

from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.jobs.queue import (
    jobs_at_all,
    lead_job,
    leads_without_job,
    running_job_ids,
    withdraw_lead_jobs,
)
from tests.flows.marketplaces import HOSTING, declare

LEAD = {"cores": 8, "region": "north"}


def test_the_jobs_of_leads_can_be_withdrawn_unless_they_run(database: Database) -> None:
    declare(database, HOSTING)
    leads = submit_leads(database, "hosting", [LEAD] * 4, OPERATOR, approve=True)
    with database.transaction() as conn:
        conn.execute("update procrastinate_jobs set status = 'doing' where args ->> 'lead_id' = %s", (leads[0],))
        withdraw_lead_jobs(conn, leads[:3])
        assert [job and job.is_running for job in (lead_job(conn, lead) for lead in leads)] == [True, None, None, False]
        assert leads_without_job(conn, 10) == leads[1:3]
        assert leads_without_job(conn, 1) == leads[1:2]
        jobs = conn.execute("select id, args ->> 'lead_id' from procrastinate_jobs").fetchall()
        assert running_job_ids(conn, [job_id for job_id, _ in jobs]) == {i for i, lead in jobs if lead == leads[0]}
        assert jobs_at_all(conn) == len(jobs) == 3  # one tells providers of the marketplace's beginning


def test_leads_of_an_inactive_niche_need_no_job(database: Database) -> None:
    declare(database, HOSTING)
    leads = submit_leads(database, "hosting", [LEAD], OPERATOR, approve=True)
    declare(database, HOSTING.replace('name = "Hosting"', 'name = "Hosting"\nactive = false'))
    with database.transaction() as conn:
        withdraw_lead_jobs(conn, leads)
        assert leads_without_job(conn, 10) == []


def test_a_job_that_is_just_being_taken_is_not_waited_for(database: Database) -> None:
    declare(database, HOSTING)
    leads = submit_leads(database, "hosting", [LEAD] * 2, OPERATOR, approve=True)
    with database.transaction() as taking:
        taking.execute("select from procrastinate_jobs where args ->> 'lead_id' = %s for update", (leads[0],))
        withdrawn = threading.Thread(target=lambda: database.run(lambda conn: withdraw_lead_jobs(conn, leads)))
        withdrawn.start()
        withdrawn.join(10)
        assert not withdrawn.is_alive()
    with database.transaction() as conn:
        assert [job and job.is_running for job in (lead_job(conn, lead) for lead in leads)] == [False, None]
