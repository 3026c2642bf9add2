"""Threads of one process share a Distributor, its rosters and its guesses."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fairlead.core.decide import decide
from fairlead.core.model import Lead
from fairlead.flows.distributor import Distributor
from fairlead.store.connection import Database
from tests.race.marketplaces import Provider, Terms, add_leads, add_providers, open_niche, subscribe
from tests.race.processes import deadlocks, sampled_waits
from tests.waiting import PATIENCE_SECONDS, wait_until

TERMS = (Terms(5000, 1, 1), Terms(2000, 2, 2), Terms(1000, 3, 5))
THREADS = 8
LEADS = 24


def test_eight_threads_of_one_distributor_in_three_niches_with_shared_providers(
    database: Database, database_url: str
) -> None:
    # Enough for about half of what they could buy.
    people = [Provider(f"p{number:02}", 30_000, (1, 2, 5)) for number in range(10)]
    with database.transaction() as conn:
        ids = add_providers(conn, people, "all")
        niches = [open_niche(conn, slug, TERMS) for slug in ("moving", "painting", "roofing")]
        for niche in niches:
            subscribe(conn, niche, people, ids)
        lead_ids = [(niche.niche_id, lead) for niche in niches for lead in add_leads(conn, niche, [40] * LEADS)]

    shared = Distributor(database, batch_limit=3)
    decided: list[str] = []

    def work(number: int) -> None:
        # Half of them ask for leads by name, in orders of their own; the others for any lead that waits.
        for niche_id, lead_id in lead_ids[number::THREADS]:
            done = shared.distribute_waiting(niche_id, lead_id if number % 2 else None)
            assert not done.failures
            decided.extend(decision.lead_id for decision in done.decisions)

    with sampled_waits(database_url) as waits, ThreadPoolExecutor(THREADS) as pool:
        # Another transaction holds a provider until one of them is seen to wait for it: on a busy machine they
        # might otherwise pass each other by, and the test would prove nothing.
        with database.transaction() as conn:
            conn.execute("select from providers where id = %s for no key update", (ids["p00"],))
            runs = [pool.submit(work, number) for number in range(THREADS)]
            wait_until(lambda: waits)
        for run in runs:
            run.result(PATIENCE_SECONDS)
    for niche in niches:
        while done := shared.distribute_waiting(niche.niche_id):
            decided.extend(decision.lead_id for decision in done.decisions)

    assert Counter(decided) == Counter(lead_id for _, lead_id in lead_ids)
    assert waits, "no session ever waited for another"
    assert deadlocks(database_url) == 0
    with database.transaction() as conn:
        dry = conn.execute("select count(*) from subscriptions where deactivation_reason = 'insufficient_funds'")
        assert dry.fetchone() != (0,), "no provider ran out of money"


def poisoned(monkeypatch: pytest.MonkeyPatch, lead_id: str) -> None:
    """From now on deciding this lead raises: a bug that one lead meets."""

    def decide_or_raise(roster: Any, lead: Lead, *rest: Any) -> Any:
        if lead.lead_id == lead_id:
            raise ArithmeticError("a lead that no test thought of")
        return decide(roster, lead, *rest)

    monkeypatch.setattr("fairlead.core.batch.decide", decide_or_raise)


def test_a_lead_that_cannot_be_decided_fails_alone_and_moves_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [Provider(f"p{number}", 90_000, (1, 2, 5)) for number in range(8)]
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", TERMS)
        subscribe(conn, niche, people, add_providers(conn, people, "all"))
        lead_ids = add_leads(conn, niche, [40] * 4)
    poisoned(monkeypatch, lead_ids[1])

    done = Distributor(database).distribute_waiting(niche.niche_id)

    assert [failure.lead_id for failure in done.failures] == [lead_ids[1]]
    # R2: the failed attempt did not move the pointer, so the others' starts are 1, 2, 5.
    assert [(d.lead_id, d.start_order_position) for d in done.decisions] == [
        (lead_ids[0], 1),
        (lead_ids[2], 2),
        (lead_ids[3], 5),
    ]
    with database.transaction() as conn:
        pointer = conn.execute("select next_start_level_order_position from niches").fetchone()
        lead = conn.execute(
            "select status, last_outcome, awaits_decision, distribution_attempts from leads where id = %s",
            (lead_ids[1],),
        ).fetchone()
        told = conn.execute("select count(*) from audit_log where action = 'distribution.failed'").fetchone()
    # It waits for its next run, which is later, and alone.
    assert (pointer, lead, told) == ((1,), ("approved", "failed", True, 1), (1,))


def test_a_failing_thread_does_not_take_the_roster_from_one_that_just_committed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [Provider(f"p{number}", 90_000, (1, 2, 5)) for number in range(8)]
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", TERMS)
        subscribe(conn, niche, people, add_providers(conn, people, "all"))
        bad, good = add_leads(conn, niche, [40, 40])
    shared = Distributor(database)
    committed, failed = threading.Event(), threading.Event()
    dropped_meanwhile: list[bool] = []
    run = Database.run

    def run_and_linger(self: Database, *steps: Any) -> Any:
        """The thread that distributes the good lead stops right after its commit, until the other one has failed."""
        result = run(self, *steps)
        if threading.current_thread().name.startswith("good"):
            committed.set()
            dropped_meanwhile.append(failed.wait(0.5))
        return result

    poisoned(monkeypatch, bad)
    monkeypatch.setattr(Database, "run", run_and_linger)
    drop = shared._rosters.drop

    def drop_and_tell(niche_id: str) -> None:
        committed.wait(PATIENCE_SECONDS)
        drop(niche_id)
        failed.set()

    monkeypatch.setattr(shared._rosters, "drop", drop_and_tell)
    with ThreadPoolExecutor(1, "bad") as first, ThreadPoolExecutor(1, "good") as second:
        failing = first.submit(shared.distribute_waiting, niche.niche_id, bad)
        working = second.submit(shared.distribute_waiting, niche.niche_id, good)
        told = working.result(PATIENCE_SECONDS)
        assert [failure.lead_id for failure in failing.result(PATIENCE_SECONDS).failures] == [bad]
    assert [decision.lead_id for decision in told.decisions] == [good], "a decision was made and not reported"
    assert dropped_meanwhile == [False], "a roster is dropped when no thread holds it"


def test_of_two_who_fail_at_the_same_lead_the_second_blames_no_other(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [Provider(f"p{number}", 90_000, (1, 2, 5)) for number in range(8)]
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", TERMS)
        subscribe(conn, niche, people, add_providers(conn, people, "all"))
        bad, good = add_leads(conn, niche, [40, 40])
    raised: list[Exception] = []
    run = Database.run

    def run_and_be_overtaken(self: Database, *steps: Any) -> Any:
        """Between the failure of the lead alone and its being marked, another worker fails at it too, and marks it."""
        try:
            return run(self, *steps)
        except ArithmeticError as error:
            raised.append(error)
            if len(raised) == 2:  # the first was the failure of both leads together
                assert len(Distributor(database).distribute_waiting(niche.niche_id, bad).failures) == 1
            raise

    poisoned(monkeypatch, bad)
    monkeypatch.setattr(Database, "run", run_and_be_overtaken)
    done = Distributor(database).distribute_waiting(niche.niche_id)

    assert len(raised) > 2
    assert [failure.lead_id for failure in done.failures] == [bad]
    assert [decision.lead_id for decision in done.decisions] == [good]
    with database.transaction() as conn:
        failed = conn.execute(
            "select id::text, failed_runs from leads where failed_runs > 0 or last_outcome = 'failed'"
        )
        assert failed.fetchall() == [(bad, 2)]
