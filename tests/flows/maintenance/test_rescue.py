"""What a dead worker left behind is done by another, unless it is what kills them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.flows.distributor import Distributor
from fairlead.flows.lead_jobs import lead_jobs
from fairlead.flows.maintenance import rescue as flow
from fairlead.flows.maintenance.rescue import rescue
from fairlead.flows.notifications.delivery_jobs import delivery_job
from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.flows.notifications.replay import replay_notification
from fairlead.store.audit.log import OPERATOR, SYSTEM
from fairlead.store.connection import Database
from fairlead.store.jobs.fetching import fetch
from fairlead.store.jobs.queue import ISOLATED, Job, enqueue
from fairlead.store.jobs.workers import register
from fairlead.store.leads.rows import clock
from fairlead.store.leads.state import begin_isolated
from fairlead.telemetry.metrics import counting_in, make_metrics
from tests.flows.maintenance.workers import begin_jobs, jobs, maintenance_of, rows, worker
from tests.flows.niches import stored_leads
from tests.race.marketplaces import Niche, Provider, Terms, add_leads, add_providers, open_niche, subscribe


def waiting_leads(database: Database, count: int, slug: str = "moving") -> tuple[Niche, list[str]]:
    """A niche with leads that await their decision, each with its job."""
    with database.transaction() as conn:
        niche = open_niche(conn, slug, [Terms(1000, 1, 1)])
        lead_ids = add_leads(conn, niche, [40] * count)
        enqueue(conn, lead_jobs(lead_ids, SYSTEM, clock(conn)))
    return niche, lead_ids


def sold_lead(database: Database) -> None:
    """A lead was sold: its notification waits in a job of its own, and nothing else is in the queue."""
    sold_leads(database, 1)


def sold_leads(database: Database, count: int) -> None:
    """So many leads were sold to one provider: their notifications wait, and nothing else is in the queue."""
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", [Terms(1000, 1, 1)])
        providers = [Provider("ana", 5000, (1,))]
        subscribe(conn, niche, providers, add_providers(conn, providers, "moving"))
        add_leads(conn, niche, [40] * count)
    Distributor(database).distribute_waiting(niche.niche_id)
    dispatch_notifications(database)
    with database.transaction() as conn:
        conn.execute("delete from jobs where task = 'dispatch_notifications'")


def kill_a_worker(database: Database, alone: Sequence[str] = ()) -> None:
    """A worker takes all jobs, begins these leads alone, and dies."""
    begin_jobs(database, worker(database))
    with database.transaction() as conn:
        for lead_id in alone:
            begin_isolated(conn, lead_id)


def test_jobs_of_a_dead_worker_wait_anew(database: Database) -> None:
    _, lead_ids = waiting_leads(database, 2)
    with database.transaction() as conn:
        enqueue(conn, [Job("dispatch_notifications")])
    payloads = jobs(database, "payload")
    old_ids = begin_jobs(database, worker(database))
    with counting_in(make_metrics()) as metrics:
        assert rescue(maintenance_of(database)) == {"distribute": 2, "dispatch": 1, "given_up": 0}
        assert metrics.jobs_rescued.labels("distribute")._value.get() == 2
    assert jobs(database, "payload") == payloads
    assert jobs(database, "state, worker_id, scheduled_at, attempts") == [("waiting", None, None, 0)] * 3
    assert min(jobs(database, "id")) > max(old_ids)
    attempts = rows(database, "select lead_id::text, outcome, job_id from job_attempts order by job_id")
    assert attempts == [(lead_id, "crashed", job_id) for lead_id, job_id in zip(lead_ids, old_ids, strict=False)]
    assert rescue(maintenance_of(database)) == {}


def test_a_worker_that_lives_keeps_its_jobs(database: Database) -> None:
    waiting_leads(database, 2)
    begin_jobs(database, worker(database, silent_seconds=25))
    assert rescue(maintenance_of(database)) == {}
    assert jobs(database) == [("distribute_lead", "running")] * 2
    with database.transaction() as conn:
        conn.execute("update workers set last_heartbeat = last_heartbeat - interval '6 seconds'")
    assert rescue(maintenance_of(database))["distribute"] == 2


def test_a_restart_that_left_its_jobs_has_them_rescued_at_once(database: Database) -> None:
    waiting_leads(database, 1)
    worker_id = worker(database, silent_seconds=0)
    begin_jobs(database, worker_id)
    with database.transaction() as conn:
        conn.execute("delete from workers where id = %s", (worker_id,))
    assert jobs(database, "state, worker_id") == [("running", worker_id)]
    assert rescue(maintenance_of(database))["distribute"] == 1
    assert jobs(database) == [("distribute_lead", "waiting")]


def test_eight_who_sweep_at_once_rescue_each_job_once(database: Database) -> None:
    waiting_leads(database, 10)
    kill_a_worker(database)
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: rescue(maintenance_of(database)), range(8)))
    assert sum(each["distribute"] for each in counts) == 10
    assert jobs(database) == [("distribute_lead", "waiting")] * 10
    assert len(rows(database, "select from job_attempts")) == 10


def test_a_lead_that_is_locked_keeps_no_other_job_from_being_rescued(database: Database) -> None:
    """A worker that stands still may hold its lead's row: only that job waits for it to let go."""
    _, lead_ids = waiting_leads(database, 3)
    kill_a_worker(database)
    with database.transaction() as held:
        held.execute("select from leads where id = %s for no key update", (lead_ids[0],))
        with ThreadPoolExecutor(1) as pool:
            taken = pool.submit(rescue, maintenance_of(database)).result(5)
        assert taken["distribute"] == 2
        assert jobs(database, "state") == ["running", "waiting", "waiting"]
    assert rescue(maintenance_of(database))["distribute"] == 1
    assert jobs(database, "state") == ["waiting"] * 3


def test_a_batch_that_killed_its_worker_is_decided_one_by_one(database: Database) -> None:
    _, lead_ids = waiting_leads(database, 3)
    waiting_leads(database, 1, "storage")
    with database.transaction() as conn:
        # One job ran, and decided all three; the other niche's job had not begun.
        conn.execute("delete from jobs where payload ->> 'lead_id' = any(%s)", (lead_ids[1:],))
        conn.execute("update jobs set scheduled_at = now() + interval '1 day' where id = 4")
    kill_a_worker(database)
    assert rescue(maintenance_of(database))["distribute"] == 1
    assert stored_leads(database, "isolated, crash_count, isolated_since is null") == [(True, 0, True)] * 3 + [
        (False, 0, True)
    ]


def test_a_niche_is_isolated_once_and_as_far_as_a_batch_reaches(database: Database) -> None:
    waiting_leads(database, 5)
    kill_a_worker(database)
    maintenance = maintenance_of(database)
    with database.transaction() as conn:
        conn.execute("delete from jobs where id not in (1, 2)")
    settings = maintenance.settings.model_copy(update={"max_leads_per_batch": 2})
    rescue(type(maintenance)(database, settings))
    # Two whose jobs they were, of which the first brought two more under suspicion, and the second none.
    assert stored_leads(database, "isolated") == [True, True, True, False, False]


def test_the_lead_that_kills_its_worker_three_times_is_given_up(database: Database) -> None:
    _, [killer, neighbour] = waiting_leads(database, 2)
    maintenance = maintenance_of(database)
    for crash_count in (1, 2):
        kill_a_worker(database, alone=[killer])
        assert rescue(maintenance)["given_up"] == 0
        assert stored_leads(database, "crash_count") == [crash_count, 0]
    assert jobs(database) == [("distribute_lead", "waiting")] * 2
    kill_a_worker(database, alone=[killer])
    assert rescue(maintenance) == {"distribute": 2, "given_up": 1}

    assert stored_leads(database, "awaits_decision, last_outcome") == [(False, "failed"), (True, None)]
    lead_jobs_left = rows(database, "select payload ->> 'lead_id' from jobs where queue = 'distribute'")
    assert lead_jobs_left == [neighbour]
    letters = rows(database, "select lead_id::text, error, attempts from dead_letters")
    assert letters == [(killer, "its worker died while deciding it, 3 times", 3)]
    assert rows(database, "select kind from notifications") == ["operator_alert"]


def test_a_job_that_was_done_already_is_only_cleared_away(database: Database) -> None:
    sold_lead(database)
    with database.transaction() as conn:
        conn.execute("update notifications set state = 'sent', sent_at = now()")
    kill_a_worker(database)
    assert rescue(maintenance_of(database)) == {"email": 1, "given_up": 0}
    assert jobs(database) == []
    assert rows(database, "select from job_attempts") == []


def test_a_delivery_that_kills_its_worker_three_times_is_given_up(database: Database) -> None:
    sold_lead(database)
    maintenance = maintenance_of(database)
    for crash_count in range(3):
        kill_a_worker(database)
        assert rescue(maintenance) == {"email": 1, "given_up": 0}
        # The first time it was not alone, as far as can be told: from then on it is.
        assert jobs(database, "task, state, queue") == [("send_email", "waiting", ISOLATED)]
        assert rows(database, "select state from notifications") == ["queued"]
        outcomes = rows(database, "select outcome from job_attempts order by ended_at, id")
        assert outcomes == ["interrupted", *["crashed"] * crash_count], "each death at it is on record"
    kill_a_worker(database)
    assert rescue(maintenance) == {"email": 1, "given_up": 1}

    error = "its worker died while sending it, 3 times"
    told, alert = rows(database, "select kind, state, last_error from notifications order by created_at")
    assert (told, alert) == (("lead_assigned", "failed", error), ("operator_alert", "queued", None))
    assert rows(database, "select task, error, attempts from dead_letters") == [("send_email", error, 3)]
    assert jobs(database) == [("dispatch_notifications", "waiting")]


def test_what_was_in_hand_when_another_killed_its_worker_is_not_to_blame(database: Database) -> None:
    """A batch that killed its worker is sent one by one: only what kills again, alone, is held against it."""
    sold_leads(database, 2)
    innocent, killer = rows(database, "select id::text from notifications order by id")
    maintenance = maintenance_of(database)
    kill_a_worker(database)  # with both in hand
    assert rescue(maintenance) == {"email": 2, "given_up": 0}
    with database.transaction() as conn:
        [sent_alone] = fetch(conn, ISOLATED, register(conn), 1)  # by a worker that lives
        assert sent_alone.payload["notification_id"] == innocent
    for given_up in (0, 0, 1):
        with database.transaction() as conn:
            [run] = fetch(conn, ISOLATED, 99, 1)
            assert run.payload["notification_id"] == killer
        assert rescue(maintenance) == {"email": 1, "given_up": given_up}
    assert rows(database, f"select state from notifications where id = '{innocent}'") == ["queued"]
    assert rows(database, "select notification_id::text from dead_letters") == [killer]


def test_crashes_from_before_a_retry_count_no_more(database: Database) -> None:
    sold_lead(database)
    maintenance = maintenance_of(database)
    for _ in range(4):
        kill_a_worker(database)
        rescue(maintenance)
    with database.transaction() as conn:
        conn.execute("delete from jobs")
    [failed_id] = rows(database, "select id::text from notifications where state = 'failed'")
    assert replay_notification(database, failed_id, OPERATOR).took_effect
    kill_a_worker(database)
    assert rescue(maintenance) == {"email": 1, "given_up": 0}
    assert jobs(database) == [("send_email", "waiting")]


def test_an_alert_that_kills_its_worker_causes_no_alert(database: Database) -> None:
    with database.transaction() as conn:
        conn.execute(
            "insert into notifications (id, kind, channel, detail, enqueued_at, created_at) values "
            "(gen_random_uuid(), 'operator_alert', 'email', '{\"title\": \"x\"}', now(), now())"
        )
        [row] = conn.execute("select id::text from notifications").fetchall()
        enqueue(conn, [delivery_job(row[0], "email", None)])
    maintenance = maintenance_of(database)
    for _ in range(4):
        kill_a_worker(database)
        rescue(maintenance)
    assert rows(database, "select state from notifications") == ["failed"]
    assert len(rows(database, "select from dead_letters")) == 1


@pytest.mark.parametrize("step", ["record_crash", "states_of", "isolate_waiting_leads", "requeue", "lock_stalled"])
def test_a_sweep_that_dies_itself_loses_nothing(step: str, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever statement of a rescue fails, the job is as it was, and the next sweep rescues it."""
    waiting_leads(database, 1)
    kill_a_worker(database)
    with monkeypatch.context() as patch:

        def fail(*_: object) -> None:
            raise ZeroDivisionError

        patch.setattr(flow, step, fail)
        with pytest.raises(ZeroDivisionError):
            rescue(maintenance_of(database))
    assert jobs(database) == [("distribute_lead", "running")]
    assert stored_leads(database, "isolated") == [False]
    assert rescue(maintenance_of(database))["distribute"] == 1
