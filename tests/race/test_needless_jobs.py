"""A request that comes right after its lead was decided keeps its job when those of the decision are withdrawn."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fairlead.flows.approve_lead import ask_again, trigger_distribution
from fairlead.flows.distribute_lead import LeadDistribution
from fairlead.flows.distribute_niche import distribute_niche
from fairlead.flows.distributor import Distributed, Distributor
from fairlead.flows.lead_jobs import lead_jobs, withdraw_needless_jobs
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.maintenance.reoffer import reoffer
from fairlead.settings import Settings
from fairlead.store.audit.log import OPERATOR, Actor
from fairlead.store.connection import Database
from fairlead.store.jobs.orphans import leads_without_job
from fairlead.store.jobs.queue import enqueue
from fairlead.store.leads.rows import clock, lock_lead
from tests.by_hand import DECIDED, POLICY, rows_by_hand
from tests.race.marketplaces import Niche, Terms, add_leads, open_niche

CLERK = Actor("clerk", "admin", "req-1")
ROUNDS = 15


def open_market(database: Database, leads: int) -> tuple[Niche, list[str]]:
    """A niche without a buyer, and leads that wait in it, each with its job."""
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", [Terms(1000, 1, 1)])
        lead_ids = add_leads(conn, niche, [40] * leads)
        enqueue(conn, lead_jobs(lead_ids, OPERATOR, clock(conn)))
    return niche, lead_ids


def jobs_of_leads(database: Database) -> dict[str, int]:
    """The newest job of each lead that has any."""
    with database.transaction() as conn:
        return dict(
            conn.execute(
                """
                select payload ->> 'lead_id', max(id) from jobs
                where task = 'distribute_lead' and state = 'waiting' group by 1
                """
            ).fetchall()
        )


def ask_between(monkeypatch: pytest.MonkeyPatch, database: Database, lead_ids: list[str]) -> dict[str, int | None]:
    """Another process asks for these leads once they are decided, before their jobs are withdrawn; the new jobs."""
    asked: dict[str, int | None] = {}
    distribute_waiting = Distributor.distribute_waiting

    def then_ask_again(self: Distributor, *arguments: Any) -> Distributed:
        result = distribute_waiting(self, *arguments)
        if not asked:
            with ThreadPoolExecutor(1) as other:
                for lead_id in lead_ids:
                    asked[lead_id] = other.submit(trigger_distribution, database, lead_id, CLERK).result().job_id
        return result

    monkeypatch.setattr(Distributor, "distribute_waiting", then_ask_again)
    return asked


def test_a_lead_asked_for_right_after_its_batch_keeps_the_job_that_was_named(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, leads = open_market(database, 4)
    asked = ask_between(monkeypatch, database, leads[1:3])
    LeadDistribution(Distributor(database)).run(leads[0])
    left = jobs_of_leads(database)
    assert {lead: left.get(lead) for lead in leads[1:3]} == asked
    assert leads[3] not in left


def test_so_does_one_asked_for_while_its_niche_is_distributed_by_hand(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    niche, leads = open_market(database, 3)
    asked = ask_between(monkeypatch, database, leads[:1])
    next(distribute_niche(Distributor(database), niche.niche_id))
    assert jobs_of_leads(database) == asked


@rows_by_hand(DECIDED, POLICY)
def test_a_lead_that_is_offered_again_keeps_its_job(database: Database) -> None:
    niche, leads = open_market(database, 3)
    Distributor(database).distribute_waiting(niche.niche_id)
    with database.transaction() as conn:
        conn.execute("update niches set reoffer_every_minutes = 60, reoffer_max_times = 2, reoffer_max_hours = 48")
        conn.execute(
            "update leads set last_attempt_at = clock_timestamp() - interval '2 hours' where id <> %s", leads[:1]
        )
    assert reoffer(Maintenance(database, Settings()))["leads"] == 2
    withdraw_needless_jobs(database, leads)
    assert sorted(jobs_of_leads(database)) == sorted(leads[1:])


def test_a_lead_that_is_just_being_asked_for_is_not_waited_for(database: Database) -> None:
    niche, leads = open_market(database, 2)
    Distributor(database).distribute_waiting(niche.niche_id)
    with database.transaction() as asking:
        lead = lock_lead(asking, leads[0])
        assert lead is not None
        job_id = ask_again(asking, lead, CLERK)
        with ThreadPoolExecutor(1) as other:
            other.submit(withdraw_needless_jobs, database, leads).result(30)
    assert jobs_of_leads(database) == {leads[0]: job_id}


def test_requests_while_batches_are_decided_leave_no_waiting_lead_without_a_job(database: Database) -> None:
    _, leads = open_market(database, 8)
    stop = threading.Event()

    def decide(number: int) -> None:
        jobs = LeadDistribution(Distributor(database))
        while not stop.is_set():
            jobs.run(leads[number])

    with ThreadPoolExecutor(2) as workers:
        deciding = [workers.submit(decide, number) for number in range(2)]
        try:
            for _ in range(ROUNDS):
                for lead in leads[2:]:
                    trigger_distribution(database, lead, CLERK)
                # Only leads 0 and 1 are decided as a worker's own job, which it would take out of the queue.
                with database.transaction() as conn:
                    assert leads_without_job(conn, 10) == []
        finally:
            stop.set()
        for each in deciding:
            each.result(60)
    with database.transaction() as conn:
        assert leads_without_job(conn, 10) == []
