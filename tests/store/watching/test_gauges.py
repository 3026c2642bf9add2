"""What a scrape reads is what the tables hold, and reading it does not touch what is done."""

from dataclasses import replace

import pytest

from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.watching.gauges import LOOK_BACK_ENTRIES, newest_heartbeat_seconds, read_gauges, watching
from fairlead.telemetry.gauges import Gauges, NicheGauges, QueuedNotifications, QueueGauges, ReconciliationGauges
from tests.by_hand import APPROVED, POLICY, rows_by_hand
from tests.flows.marketplaces import HOSTING, declare, provider_id

NORTH = {"cores": 8, "region": "north"}


def gauges(database: Database) -> Gauges:
    with watching(database) as conn:
        return read_gauges(conn)


def run(database: Database, statement: str, *values: object) -> None:
    with database.transaction() as conn:
        conn.execute(statement.encode(), values)


def queue(database: Database, name: str) -> QueueGauges:
    return next(each for each in gauges(database).queues if each.queue == name)


def niche(database: Database, slug: str = "hosting") -> NicheGauges:
    return next(each for each in gauges(database).niches if each.niche == slug)


def add_job(database: Database, name: str, state: str, due_in_seconds: int | None, made_seconds_ago: int) -> None:
    """A job in this state, made so long ago."""
    with database.transaction() as conn:
        conn.execute(
            """
            insert into jobs (queue, task, state, scheduled_at, enqueued_at)
            values (%s, 'some_task', %s, now() + make_interval(secs => %s), now() - make_interval(secs => %s))
            """,
            (name, state, due_in_seconds, made_seconds_ago),
        )


def submit(database: Database, attributes: dict[str, object], count: int = 1) -> None:
    submit_leads(database, "hosting", [attributes] * count, OPERATOR, approve=True)


def distribute(database: Database) -> None:
    with database.snapshot() as conn:
        niche_ids = [row[0] for row in conn.execute("select id::text from niches").fetchall()]
    for niche_id in niche_ids:
        while Distributor(database).distribute_waiting(niche_id).decisions:
            pass


def test_an_empty_marketplace_is_all_zeros(database: Database) -> None:
    seen = gauges(database)
    assert {"distribute", "email", "webhook"} <= {each.queue for each in seen.queues}
    assert {replace(each, queue="") for each in seen.queues} == {QueueGauges("", 0, 0, 0, 0, 0, 0)}
    assert seen.niches == ()
    assert seen.notifications == (QueuedNotifications("email", 0, 0, 0), QueuedNotifications("webhook", 0, 0, 0))
    assert (seen.endpoints_by_state, seen.failing_endpoints) == ({"active": 0, "paused": 0, "disabled": 0}, 0)
    assert (seen.workers_alive, seen.newest_heartbeat_seconds, seen.reconciliation) == (0, None, None)
    assert seen.recent_attempts == {}


def test_ready_scheduled_and_running_jobs_are_told_apart(database: Database) -> None:
    for status, due, made in (
        ("waiting", None, 50),
        ("waiting", -90, 1000),
        ("waiting", 90, 2000),
        ("running", None, 3000),
    ):
        add_job(database, "distribute", status, due, made)
    seen = queue(database, "distribute")
    assert (seen.ready_jobs, seen.scheduled_jobs, seen.running_jobs) == (2, 1, 1)
    # One waits since it was made 50 s ago, one since it became due 90 s ago, however long ago it was made.
    assert seen.oldest_ready_seconds == pytest.approx(90, abs=5)
    assert queue(database, "email").ready_jobs == 0


def test_a_job_without_a_time_waits_since_it_was_made(database: Database) -> None:
    add_job(database, "email", "waiting", None, 300)
    add_job(database, "email", "waiting", -90, 1000)
    assert queue(database, "email").oldest_ready_seconds == pytest.approx(300, abs=5)


def test_what_is_not_due_yet_has_not_waited(database: Database) -> None:
    add_job(database, "webhook", "waiting", 600, 300)
    assert queue(database, "webhook").oldest_ready_seconds == 0


def test_a_queue_that_is_not_declared_is_shown_too(database: Database) -> None:
    add_job(database, "extra", "waiting", None, 0)
    assert queue(database, "extra").ready_jobs == 1


def test_open_dead_letters_are_counted_by_queue(database: Database) -> None:
    letter = """
        insert into dead_letters (id, queue, task, payload, error, attempts, failed_at,
                                  resolved_at, resolved_by, resolution)
        values (%s, 'email', 'send_email', '{}', 'SMTPServerDisconnected', 6, now() - make_interval(secs => %s),
                case when %s then now() end, case when %s then 'x' end, case when %s then 'resolved' end)"""
    for age_seconds, resolved in ((100, False), (700, False), (9000, True)):
        run(database, letter, new_id(), age_seconds, resolved, resolved, resolved)
    seen = queue(database, "email")
    assert seen.open_dead_letters == 2
    assert seen.oldest_dead_letter_seconds == pytest.approx(700, abs=5)
    assert queue(database, "webhook").open_dead_letters == 0


@rows_by_hand(APPROVED)
def test_leads_wait_until_they_are_decided(database: Database) -> None:
    declare(database, HOSTING)
    submit(database, NORTH, 3)
    run(database, "update leads set approved_at = approved_at - interval '40 s'")
    seen = niche(database)
    assert seen.waiting_leads == 3
    assert seen.oldest_waiting_seconds == pytest.approx(40, abs=5)
    distribute(database)
    seen = niche(database)
    assert (seen.waiting_leads, seen.oldest_waiting_seconds) == (0, 0)


@rows_by_hand(POLICY)
def test_where_leads_are_distributed_by_hand_no_lead_is_late(database: Database) -> None:
    declare(database, HOSTING)
    submit(database, NORTH, 2)
    run(database, "update niches set auto_distribute = false")
    seen = niche(database)
    assert (seen.waiting_leads, seen.oldest_waiting_seconds) == (2, 0)


def test_decisions_that_assign_no_provider_are_a_streak_until_one_does(database: Database) -> None:
    declare(database, HOSTING)
    submit(database, NORTH)
    distribute(database)
    assert niche(database).zero_assignment_streak == 0
    suspend = '[[provider]]\nemail = "{}@example.com"\nstatus = "{}"'
    for name in ("anchor", "bowline"):
        declare(database, suspend.format(name, "suspended"))
    submit(database, NORTH, 3)
    distribute(database)
    seen = niche(database)
    assert seen.zero_assignment_streak == 3
    declare(database, suspend.format("anchor", "active"))
    submit(database, NORTH)
    distribute(database)
    assert niche(database).zero_assignment_streak == 0


def test_a_niche_that_never_assigned_a_lead_has_a_streak_too(database: Database) -> None:
    declare(database, HOSTING.split("[[provider]]")[0])
    submit(database, NORTH, 2)
    distribute(database)
    assert niche(database).zero_assignment_streak == 2


def test_the_streak_looks_back_so_far_and_no_further(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(database, HOSTING.split("[[provider]]")[0])
    submit(database, NORTH, 5)
    distribute(database)
    monkeypatch.setattr("fairlead.store.watching.gauges.LOOK_BACK_ENTRIES", 3)
    assert LOOK_BACK_ENTRIES == 1000
    assert niche(database).zero_assignment_streak == 3


def test_the_journal_head_is_shown_and_inactive_niches_are_not(database: Database) -> None:
    declare(database, HOSTING)
    with database.snapshot() as conn:
        [(head,)] = conn.execute("select journal_seq from niches").fetchall()
    assert niche(database).journal_seq == head > 0
    declare(database, '[[niche]]\nslug = "hosting"\nactive = false')
    assert gauges(database).niches == ()


def test_notifications_wait_or_are_under_way(database: Database) -> None:
    declare(database, HOSTING)
    submit(database, NORTH)
    distribute(database)  # one recipient per level: two notifications
    before = {each.channel: each for each in gauges(database).notifications}["email"]
    assert (before.under_way, before.oldest_under_way_seconds) == (0, 0)
    assert before.waiting >= 2
    run(
        database,
        "update notifications set enqueued_at = now() - interval '25 s' where id = (select min(id::text)::uuid "
        "from notifications)",
    )
    after = {each.channel: each for each in gauges(database).notifications}["email"]
    assert (after.waiting, after.under_way) == (before.waiting - 1, 1)
    assert after.oldest_under_way_seconds == pytest.approx(25, abs=5)
    run(database, "update notifications set state = 'failed'")
    assert gauges(database).notifications[0] == QueuedNotifications("email", 0, 0, 0)


def test_endpoints_are_counted_by_state_and_the_failing_ones_among_the_active(database: Database) -> None:
    declare(database, HOSTING)
    endpoint = """
        insert into webhook_endpoints (id, provider_id, url, secret, state, state_reason, failure_count, failing_since,
                                       created_at, deleted_at)
        values (%s, %s, 'https://example.com/hook', '', %s, 'why', %s, case when %s > 0 then now() end, now(), %s)"""
    anchor, bowline = (provider_id(database, f"{name}@example.com") for name in ("anchor", "bowline"))
    run(database, endpoint, new_id(), anchor, "active", 3, 3, None)
    run(database, endpoint, new_id(), bowline, "paused", 20, 20, None)
    run(database, endpoint, new_id(), bowline, "active", 9, 9, "2026-01-01")
    seen = gauges(database)
    assert seen.endpoints_by_state == {"active": 1, "paused": 1, "disabled": 0}
    assert seen.failing_endpoints == 1


def test_workers_are_alive_while_their_hearts_beat(database: Database) -> None:
    for age_seconds in (5, 25, 400):
        beat = "insert into workers (last_heartbeat) values (now() - make_interval(secs => %s))"
        run(database, beat, age_seconds)
    seen = gauges(database)
    assert seen.workers_alive == 2
    assert seen.newest_heartbeat_seconds == pytest.approx(5, abs=3)
    with watching(database) as conn:
        assert newest_heartbeat_seconds(conn) == pytest.approx(5, abs=3)


def test_the_newest_reconciliation_counts(database: Database) -> None:
    for age_hours, differences in ((30, 2), (5, 0)):
        run(
            database,
            """
            insert into reconciliations (id, started_at, ended_at, checked_count, difference_count, differences)
            values (%s, now() - make_interval(hours => %s), now() - make_interval(hours => %s), 77, %s, '[]')
            """,
            *(new_id(), age_hours, age_hours, differences),
        )
    found = gauges(database).reconciliation
    assert found is not None
    assert replace(found, age_seconds=0) == ReconciliationGauges(0, 77, 0)
    assert found.age_seconds == pytest.approx(5 * 3600, abs=5)


def test_recent_attempts_are_those_of_the_last_quarter_of_an_hour(database: Database) -> None:
    attempt = """
        insert into job_attempts (id, job_id, task, outcome, ended_at)
        values (%s, 1, %s, %s, now() - make_interval(mins => %s))"""
    for task, outcome, minutes in (("a", "failed", 1), ("a", "failed", 14), ("a", "failed", 16), ("b", "crashed", 2)):
        run(database, attempt, new_id(), task, outcome, minutes)
    assert gauges(database).recent_attempts == {("a", "failed"): 2, ("b", "crashed"): 1}


def test_what_is_done_is_not_read(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much was done, a scrape reads none of it: no table that only grows is read from end to end."""
    monkeypatch.setattr(
        "fairlead.store.watching.gauges.LOOK_BACK_ENTRIES", 20
    )  # as far from 500 entries as 1000 from 25,000
    declare(database, HOSTING.replace("5000", "500000000").replace("600", "500000000"))
    submit(database, NORTH, 500)
    distribute(database)
    for finished in (
        "insert into jobs (queue, task) select 'distribute', 'x' from generate_series(1, 5000)",
        "delete from jobs",
        "update notifications set state = 'sent', sent_at = now(), enqueued_at = now()",
        "insert into job_attempts (id, job_id, task, outcome, ended_at) "
        "select gen_random_uuid(), 1, 'x', 'failed', now() - interval '2 days' from generate_series(1, 5000)",
        "insert into dead_letters (id, queue, task, payload, error, attempts, failed_at, resolved_at, resolved_by, "
        "resolution) select gen_random_uuid(), 'email', 'x', '{}', 'x', 1, now(), now(), 'x', 'resolved' "
        "from generate_series(1, 5000)",
        "insert into reconciliations (id, started_at, ended_at, checked_count, difference_count, differences) "
        "select gen_random_uuid(), now(), now(), 1, 0, '[]' from generate_series(1, 2000)",
    ):
        run(database, finished)
    add_job(database, "distribute", "waiting", None, 10)
    submit(database, NORTH, 3)
    with watching(database) as conn:
        conn.execute("set default_transaction_read_only = off")
        conn.execute("vacuum analyze")
        # What a parallel worker reads is not in the counts of its leader.
        conn.execute("set max_parallel_workers_per_gather = 0")
        conn.execute("set default_transaction_isolation = 'repeatable read'")
        with conn.transaction():
            before = _rows_read(conn)
            seen = read_gauges(conn)
            after = _rows_read(conn)
    assert (seen.niches[0].waiting_leads, seen.niches[0].zero_assignment_streak) == (3, 0)
    read = {table: count - before[table] for table, count in after.items() if count > before[table]}
    assert read["jobs"] == 4, "one job is added here, and one for each lead that waits"
    assert max(read.values()) < 100, read


def _rows_read(conn: Connection) -> dict[str, int]:
    """How many rows of each table this connection has read: a difference of two, in one transaction, is what it read
    in between. The counts of all connections (pg_stat_user_tables) would hold what others read before and tell late.
    """
    query = """
        select relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables
    """
    return dict(conn.execute(query).fetchall())
