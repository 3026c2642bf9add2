"""Lead jobs: what one decides, what becomes of a lead whose run raises or kills its worker, and of the others."""

from collections.abc import Callable
from typing import Any

import pytest

from fairlead.core.decide import decide
from fairlead.core.errors import Broken
from fairlead.core.model import Lead
from fairlead.flows.approve_lead import approve_leads, trigger_distribution, trigger_untried
from fairlead.flows.distribute_lead import LeadDistribution
from fairlead.flows.distributor import Distributor
from fairlead.flows.failures.failed_runs import record_crash
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR, Actor, append_audit
from fairlead.store.connection import Database
from fairlead.store.failures.dead_letters import dead_letters
from fairlead.store.leads.rows import clock
from fairlead.store.leads.runs import attempts_of
from fairlead.store.leads.state import begin_isolated, isolate_waiting_leads
from tests.by_hand import POLICY, rows_by_hand
from tests.flows.marketplaces import HOSTING, declare

LEAD = {"cores": 8, "region": "north"}
CLERK = Actor("clerk", "admin", "req-1")


def leads_of(database: Database, count: int, *, approve: bool = True) -> list[str]:
    """So many leads of a small marketplace, in the order in which they were approved."""
    declare(database, HOSTING)
    return submit_leads(database, "hosting", [LEAD] * count, CLERK, approve=approve)


def rows(database: Database, query: Any, *values: object) -> list[tuple[Any, ...]]:
    """What the query gives."""
    with database.snapshot() as conn:
        return conn.execute(query, values).fetchall()


def lead_jobs(database: Database) -> list[tuple[Any, ...]]:
    """The lead jobs in the queue: lead, and the seconds until each is due."""
    return rows(
        database,
        """
        select payload ->> 'lead_id', coalesce(extract(epoch from scheduled_at - now()), 0)::float8
        from jobs where task = 'distribute_lead' order by id
        """,
    )


def poison(monkeypatch: pytest.MonkeyPatch, lead_id: str, error: Callable[[], Exception] = ArithmeticError) -> None:
    """From now on deciding this lead raises."""

    def decide_or_raise(roster: Any, lead: Lead, *rest: Any) -> Any:
        if lead.lead_id == lead_id:
            raise error()
        return decide(roster, lead, *rest)

    monkeypatch.setattr("fairlead.core.batch.decide", decide_or_raise)


def test_approval_enqueues_one_job_per_lead_that_says_who_asked_and_nothing_personal(database: Database) -> None:
    leads = leads_of(database, 3, approve=False)
    assert lead_jobs(database) == []
    approve_leads(database, leads, CLERK)
    payloads = [row[0] for row in rows(database, "select payload from jobs where queue = 'distribute'")]
    assert sorted(payload.pop("lead_id") for payload in payloads) == sorted(leads)
    for payload in payloads:
        assert payload.pop("requested_at").endswith("Z")
        assert payload == {"triggered_by": {"actor_id": "clerk", "actor_role": "admin"}, "correlation_id": "req-1"}
    approve_leads(database, leads, CLERK)
    assert len(lead_jobs(database)) == 3


@rows_by_hand(POLICY)
def test_a_niche_may_wait_for_a_manual_trigger(database: Database) -> None:
    leads = leads_of(database, 3, approve=False)
    with database.transaction() as conn:
        conn.execute("update niches set auto_distribute = false")
    approve_leads(database, leads, CLERK)
    assert rows(database, "select distinct status, awaits_decision from leads") == [("approved", False)]
    assert lead_jobs(database) == []
    assert trigger_distribution(database, leads[0], CLERK).job_id is not None
    assert [lead for lead, _ in lead_jobs(database)] == leads[:1]
    (niche,) = rows(database, "select id::text from niches")
    assert trigger_untried(database, niche[0], CLERK) == 2
    assert trigger_untried(database, niche[0], CLERK) == 0
    assert sorted(lead for lead, _ in lead_jobs(database)) == sorted(leads)


def test_a_job_decides_all_that_wait_and_withdraws_their_jobs(database: Database) -> None:
    leads = leads_of(database, 7)
    jobs = LeadDistribution(Distributor(database, batch_limit=3))
    done = jobs.run(leads[6])
    # Oldest first, whichever lead's job it is: its own lead came with the last batch.
    assert [d.lead_id for result in done for d in result.decisions] == leads
    assert [lead for lead, _ in lead_jobs(database)] == leads[6:]  # the one that runs ends by itself
    assert jobs.run(leads[0]) == []
    assert rows(database, "select distinct correlation_id from notifications where kind = 'lead_assigned'") == [
        ("req-1",)
    ]


def test_a_limit_per_second_counts_every_lead(database: Database) -> None:
    leads = leads_of(database, 3)
    turns: list[int] = []
    jobs = LeadDistribution(Distributor(database), lambda: turns.append(1))
    for number, lead in enumerate(leads, start=1):
        (done,) = jobs.run(lead)
        assert [decision.lead_id for decision in done.decisions] == [lead]
        assert len(turns) == number


def test_a_lead_of_an_inactive_niche_is_left_as_it_is(database: Database) -> None:
    (lead,) = leads_of(database, 1)
    declare(database, HOSTING.replace('name = "Hosting"', 'name = "Hosting"\nactive = false'))
    assert LeadDistribution(Distributor(database)).run(lead) == []
    assert rows(database, "select awaits_decision, failed_runs from leads") == [(True, 0)]


def test_a_lead_that_raises_is_tried_six_times_and_stops_no_other(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    leads = leads_of(database, 4)
    poison(monkeypatch, leads[1])
    jobs = LeadDistribution(Distributor(database))
    jobs.run(leads[0])
    assert rows(database, "select count(*) from leads where status = 'distributed'") == [(3,)]

    for run, delay in enumerate((5, 15, 45, 120, 300), start=1):
        assert rows(
            database,
            "select status, awaits_decision, last_outcome, failed_runs, distribution_attempts from leads where id = %s",
            leads[1],
        ) == [("approved", True, "failed", run, run)]
        lead, due_seconds = lead_jobs(database)[-1]
        assert lead == leads[1]
        assert 0.9 * delay - 2 <= due_seconds <= 1.1 * delay
        assert dead_letters_of(database) == []
        jobs.run(leads[1])

    (letter,) = dead_letters_of(database)
    assert (letter.queue, letter.lead_id, letter.attempts, letter.error) == (
        "distribute",
        leads[1],
        6,
        "ArithmeticError",
    )
    assert "decide_or_raise" in (letter.trace or "")
    assert rows(database, "select awaits_decision, last_outcome, last_error from leads where id = %s", leads[1]) == [
        (False, "failed", "ArithmeticError")
    ]
    failed = rows(database, "select entity_id, memo from audit_events where action = 'distribution.failed'")
    assert failed == [(leads[1], "ArithmeticError")] * 6
    assert rows(database, "select count(*) from notifications where kind = 'operator_alert'") == [(1,)]
    with database.snapshot() as conn:
        runs = attempts_of(conn, leads[1], None)
    assert [(run.outcome, run.error) for run in runs] == [("failed", "ArithmeticError")] * 6
    assert all(run.started_at is not None and run.started_at <= run.ended_at for run in runs)

    # No worker tries again by itself; an operator does, after the bug is gone.
    assert jobs.run(leads[1]) == []
    monkeypatch.setattr("fairlead.core.batch.decide", decide)
    trigger_distribution(database, leads[1], OPERATOR)
    assert dead_letters_of(database) == []
    (done,) = jobs.run(leads[1])
    assert [decision.lead_id for decision in done.decisions] == [leads[1]]
    assert rows(database, "select failed_runs, isolated, last_error from leads where id = %s", leads[1]) == [
        (0, False, None)
    ]


def test_what_cannot_get_better_goes_straight_to_the_dead_letters(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    (lead,) = leads_of(database, 1)
    poison(monkeypatch, lead, lambda: Broken("the books do not agree"))
    LeadDistribution(Distributor(database)).run(lead)
    (letter,) = dead_letters_of(database)
    assert (letter.attempts, letter.error) == (1, "Broken: the books do not agree")


def test_only_a_lead_that_was_decided_alone_is_to_blame_for_a_dead_worker(database: Database) -> None:
    leads = leads_of(database, 2)
    for _ in range(5):
        with database.transaction() as conn:
            assert not record_crash(conn, leads[0], 1)
    assert dead_letters_of(database) == []

    for crash in range(1, 4):
        with database.transaction() as conn:
            begin_isolated(conn, leads[0])
        with database.transaction() as conn:
            events = record_crash(conn, leads[0], crash)
            assert bool(events) == (crash == 3)
            append_audit(conn, events, clock(conn))
    (letter,) = dead_letters_of(database)
    assert letter.lead_id == leads[0]
    assert "died" in letter.error
    assert rows(database, "select awaits_decision, last_outcome from leads where id = %s", leads[0]) == [
        (False, "failed")
    ]


def test_a_lead_that_is_isolated_is_in_no_batch_and_is_cleared_by_its_decision(database: Database) -> None:
    leads = leads_of(database, 4)
    (niche,) = rows(database, "select id::text from niches")
    with database.transaction() as conn:
        isolate_waiting_leads(conn, niche[0], 2)
    jobs = LeadDistribution(Distributor(database))
    (done,) = jobs.run(leads[3])
    assert [decision.lead_id for decision in done.decisions] == leads[2:]
    for lead in leads[:2]:
        (done,) = jobs.run(lead)
        assert [decision.lead_id for decision in done.decisions] == [lead]
    assert rows(database, "select distinct isolated, isolated_since from leads") == [(False, None)]


def dead_letters_of(database: Database) -> list[Any]:
    """The open ones."""
    with database.snapshot() as conn:
        return dead_letters(conn)
