"""`fairlead demo`: sets up, streams, ends by itself, proves itself, and can be run again."""

import signal
from itertools import count

import pytest

from fairlead.cli.demo import verb
from fairlead.store.connection import Database
from fairlead.store.lookups import count_of_leads
from tests.cli.program import Program
from tests.flows.marketplaces import HOSTING, declare


@pytest.fixture
def fairlead(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """The program on an empty marketplace."""
    return Program(monkeypatch, capsys, database_url)


def test_the_demo_sells_its_leads_and_proves_it(fairlead: Program, database: Database) -> None:
    shown = fairlead("demo", "--leads", "60", "--fast")
    assert shown.status == 0, shown
    assert "60 leads, " in shown.out
    assert "Verified: 60 decisions taken again and equal byte for byte" in shown.out
    assert "explain" in shown.out
    with database.snapshot() as conn:
        assert count_of_leads(conn) == 60


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_either_signal_it_proves_what_it_sold(
    fairlead: Program, by: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, calls = verb.hand_over_emails, count(1)

    def stopping(database: Database, answer: str) -> int:
        if next(calls) == 3:
            assert signal.getsignal(by) != signal.SIG_DFL, "the process would die, and leave its PostgreSQL running"
            signal.raise_signal(by)
        return whole(database, answer)

    monkeypatch.setattr(verb, "hand_over_emails", stopping)
    shown = fairlead("demo", "--leads", "1000", "--fast")
    assert (shown.status, shown.err) == (0, ""), shown
    assert "Verified: 15 decisions taken again" in shown.out
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, "its end is as it was before"


def test_providers_pay_in_again_so_that_it_does_not_run_dry(fairlead: Program, database: Database) -> None:
    assert fairlead("demo", "--leads", "200", "--fast").status == 0
    with database.snapshot() as conn:
        topped_up = conn.execute("select count(*) from payments where external_id like 'top-up-%'").fetchall()[0][0]
        [(waiting_for_money, subscriptions)] = conn.execute(
            "select count(*) filter (where deactivation_reason = 'insufficient_funds'), count(*) from subscriptions"
        ).fetchall()
        [(early, late)] = conn.execute(
            """
            select sum(cents) filter (where number <= 100), sum(cents) filter (where number > 100)
            from (select row_number() over (order by j.recorded_at, j.niche_id, j.seq) as number,
                         (select coalesce(sum(a.price_cents), 0) from assignments a
                          where a.niche_id = j.niche_id and a.journal_seq = j.seq) as cents
                  from niche_journal j where j.kind = 'decision') decided
            """
        ).fetchall()
    assert topped_up > 10
    assert waiting_for_money <= subscriptions / 4
    assert 10 * late >= 8 * early, "as much is sold at the end as in the beginning"


def test_it_leaves_no_job_for_a_lead_that_is_decided(fairlead: Program) -> None:
    fairlead("demo", "--leads", "15", "--fast")
    seen = fairlead("status", "--json").json
    assert seen["marketplace"]["leads_waiting"] == 0
    [distribute] = [queue for queue in seen["work"]["queues"] if queue["queue"] == "distribute"]
    assert (distribute["ready_jobs"], distribute["scheduled_jobs"], distribute["running_jobs"]) == (0, 0, 0)
    assert "distribute" not in next(line for line in fairlead("status").out.splitlines() if line.startswith("queues"))


def test_more_leads_come_in_when_it_is_run_again(fairlead: Program, database: Database) -> None:
    fairlead("demo", "--leads", "10", "--fast")
    again = fairlead("demo", "--leads", "10", "--fast")
    assert again.status == 0, again
    assert "Verified: 20 decisions" in again.out
    with database.snapshot() as conn:
        distinct = conn.execute("select count(distinct attributes) from leads").fetchone()
    assert distinct == (20,), "the second run streams the leads that follow, not the same ones"


def test_it_keeps_away_from_a_real_marketplace(fairlead: Program, database: Database) -> None:
    declare(database, HOSTING)
    refused = fairlead("demo")
    assert refused.status == 1
    assert "FAIRLEAD_SCHEMA" in refused.err


def test_it_keeps_away_from_real_providers_of_the_same_niches(fairlead: Program, database: Database) -> None:
    fairlead("demo", "--leads", "5", "--fast")
    declare(database, '[[provider]]\nemail = "real@example.com"\nname = "Real"')
    refused = fairlead("demo", "--leads", "5")
    assert (refused.status, "FAIRLEAD_SCHEMA" in refused.err) == (1, True)
    with database.snapshot() as conn:
        assert count_of_leads(conn) == 5
