"""What is asked of the queue: which leads and notifications have no job, and which jobs need not run any more."""

import json
import re
import threading
from uuid import uuid4

import pytest

from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Connection, Database
from fairlead.store.jobs.orphans import leads_without_job
from fairlead.store.jobs.queue import jobs_at_all, lead_job, withdraw_lead_jobs
from tests.flows.marketplaces import HOSTING, declare

LEAD = {"cores": 8, "region": "north"}


def test_the_jobs_of_leads_can_be_withdrawn_unless_they_run(database: Database) -> None:
    declare(database, HOSTING)
    leads = submit_leads(database, "hosting", [LEAD] * 4, OPERATOR, approve=True)
    with database.transaction() as conn:
        conn.execute("update jobs set state = 'running' where payload ->> 'lead_id' = %s", (leads[0],))
        withdraw_lead_jobs(conn, leads[:3])
        assert [job and job.is_running for job in (lead_job(conn, lead) for lead in leads)] == [True, None, None, False]
        assert leads_without_job(conn, 10) == leads[1:3]
        assert leads_without_job(conn, 1) == leads[1:2]
        jobs = conn.execute("select id, payload ->> 'lead_id' from jobs").fetchall()
        assert jobs_at_all(conn) == len(jobs) == 2


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
        taking.execute("select from jobs where payload ->> 'lead_id' = %s for update", (leads[0],))
        withdrawn = threading.Thread(target=lambda: database.run(lambda conn: withdraw_lead_jobs(conn, leads)))
        withdrawn.start()
        withdrawn.join(10)
        assert not withdrawn.is_alive()
    with database.transaction() as conn:
        assert [job and job.is_running for job in (lead_job(conn, lead) for lead in leads)] == [False, None]


def test_withdrawing_looks_at_the_jobs_of_its_leads_alone_even_by_statistics_of_an_empty_queue(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue that had run dry when it was analysed, and then fills at once, as after a bulk approval."""
    lead_ids = [str(uuid4()) for _ in range(20)]
    with database.transaction() as conn:
        enqueue_rows(conn, "send_email", "notification_id", [str(uuid4()) for _ in range(2_000)])
        conn.execute("delete from jobs")
        conn.execute("analyze jobs")
        enqueue_rows(conn, "send_email", "notification_id", [str(uuid4()) for _ in range(5_000)])
        enqueue_rows(conn, "distribute_lead", "lead_id", lead_ids)
    with database.transaction() as conn:
        real = conn.execute
        plans: list[str] = []

        def explain(query: str, values: object) -> object:
            done = real(f"explain (analyze, format json) {query}".encode(), values)  # pyright: ignore
            plans.append(json.dumps(done.fetchall()))
            return done

        monkeypatch.setattr(conn, "execute", explain)
        withdraw_lead_jobs(conn, lead_ids)
        monkeypatch.undo()
        left = conn.execute("select count(*) from jobs where task = 'distribute_lead'").fetchone()
    assert left == (0,)
    [plan] = plans
    read = [float(count) for count in re.findall(r'"Rows Removed by (?:Join )?Filter": ([0-9.]+)', plan)]
    assert max(read, default=0) < 100, "the mails that wait were read, too"


def enqueue_rows(conn: Connection, task: str, argument: str, ids: list[str]) -> None:
    """Jobs of the task, one for each id, that wait."""
    conn.execute(
        """
        insert into jobs (task, queue, payload, state)
        select %s, 'email', jsonb_build_object(%s::text, id), 'waiting' from unnest(%s::text[]) id
        """,
        (task, argument, ids),
    )
