"""What was only kept for a while is gone, and nothing else."""

import pytest

from fairlead.flows.maintenance import clean_up as flow
from fairlead.flows.maintenance.clean_up import clean_up
from fairlead.store.connection import Database
from fairlead.store.jobs.queue import Job, enqueue
from tests.by_hand import WAITS, rows_by_hand
from tests.flows.maintenance.workers import begin_jobs, jobs, maintenance_of, rows, worker
from tests.race.marketplaces import Terms, add_leads, open_niche


def add_letter(database: Database, lead_id: str, resolved: str | None) -> None:
    """A dead letter of 60 days ago, resolved so long ago."""
    with database.transaction() as conn:
        conn.execute(
            """
            insert into dead_letters (id, queue, task, lead_id, payload, error, attempts, failed_at, resolved_at,
                                      resolved_by, resolution)
            select gen_random_uuid(), 'distribute', 'distribute_lead', %s, '{}', 'Broken', 6,
                   now() - interval '60 days', at, case when at is not null then 'operator' end,
                   case when at is not null then 'resolved' end
            from (values (now() - %s::interval)) as resolved (at)
            """,
            (lead_id, resolved),
        )


def add_attempt(database: Database, lead_id: str, ended: str) -> None:
    with database.transaction() as conn:
        conn.execute(
            """
            insert into job_attempts (id, task, lead_id, outcome, ended_at)
            values (gen_random_uuid(), 'distribute_lead', %s, 'failed', now() - %s::interval)
            """,
            (lead_id, ended),
        )


def unsold_leads(database: Database, count: int) -> list[str]:
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", [Terms(1000, 1, 1)])
        lead_ids = add_leads(conn, niche, [40] * count)
        conn.execute("update leads set awaits_decision = false, last_outcome = 'failed'")
    return lead_ids


@rows_by_hand(WAITS)
def test_resolved_dead_letters_are_gone_after_thirty_days(database: Database) -> None:
    old, recent, open_one = unsold_leads(database, 3)
    for lead_id, resolved in ((old, "30 days 1 minute"), (recent, "29 days"), (open_one, None)):
        add_letter(database, lead_id, resolved)
    assert clean_up(maintenance_of(database))["dead_letters"] == 1
    assert sorted(rows(database, "select lead_id::text from dead_letters")) == [recent, open_one]


@rows_by_hand(WAITS)
def test_runs_are_forgotten_after_thirty_days(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "CHUNK_ATTEMPTS", 2)
    lead_id, resolved, open_one = unsold_leads(database, 3)
    add_letter(database, resolved, "1 day")
    add_letter(database, open_one, None)
    for each in (lead_id, resolved, open_one):
        for ended in ("29 days", "31 days", "400 days"):
            add_attempt(database, each, ended)
    assert clean_up(maintenance_of(database))["attempts"] == 4
    counts = dict(rows(database, "select lead_id::text, count(*) from job_attempts group by 1"))
    assert counts == {lead_id: 1, resolved: 1, open_one: 3}


@rows_by_hand(WAITS)
def test_workers_that_are_silent_for_a_day_are_forgotten_and_their_jobs_are_not(database: Database) -> None:
    unsold_leads(database, 1)
    database.run(lambda conn: enqueue(conn, [Job("dispatch_notifications")]))
    gone, silent = worker(database, 86_460), worker(database, 80_000)
    begin_jobs(database, gone)
    assert clean_up(maintenance_of(database))["workers"] == 1
    assert jobs(database, "state, worker_id") == [("running", gone)]
    assert rows(database, "select id from workers") == [silent]
    assert not any(clean_up(maintenance_of(database)).values())
