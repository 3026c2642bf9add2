"""What waits gets a job again, however its job was lost; what has one is left alone."""

import pytest

from fairlead.flows.distributor import Distributor
from fairlead.flows.maintenance import orphans as flow
from fairlead.flows.maintenance.orphans import requeue_orphans
from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.store.connection import Database
from tests.by_hand import TOLD_OF_SALES, rows_by_hand
from tests.flows.maintenance.workers import begin_jobs, jobs, maintenance_of, rows, worker
from tests.race.marketplaces import Provider, Terms, add_leads, add_providers, open_niche, subscribe


def lose_jobs(database: Database) -> None:
    with database.transaction() as conn:
        conn.execute("delete from jobs")


def sold_leads(database: Database, count: int) -> None:
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", [Terms(1000, 1, 1)])
        providers = [Provider("ana", 50_000, (1,))]
        subscribe(conn, niche, providers, add_providers(conn, providers, "moving"))
        add_leads(conn, niche, [40] * count)
    Distributor(database).distribute_waiting(niche.niche_id)


def test_waiting_leads_without_a_job_get_one(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "CHUNK_JOBS", 3)
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", [Terms(1000, 1, 1)])
        lead_ids = add_leads(conn, niche, [40] * 7)
        asleep = open_niche(conn, "storage", [Terms(1000, 1, 1)])
        conn.execute("update niches set is_active = false where id = %s", (asleep.niche_id,))
        [sleeper] = add_leads(conn, asleep, [40])
    assert requeue_orphans(maintenance_of(database)) == {
        "leads": 7,
        "deliveries": 0,
        "exports": 0,
        "rescheduled": 0,
        "dispatches": 0,
    }
    assert sorted(jobs(database, "payload ->> 'lead_id'")) == lead_ids
    assert set(jobs(database)) == {("distribute_lead", "waiting")}
    [by] = {str(each) for each in jobs(database, "payload -> 'triggered_by'")}
    assert by == "{'actor_id': 'fairlead', 'actor_role': 'system'}"

    begin_jobs(database, worker(database, silent_seconds=0))
    assert requeue_orphans(maintenance_of(database)) == {
        "leads": 0,
        "deliveries": 0,
        "exports": 0,
        "rescheduled": 0,
        "dispatches": 0,
    }

    with database.transaction() as conn:
        conn.execute("update niches set is_active = true")
    assert requeue_orphans(maintenance_of(database))["leads"] == 1
    assert jobs(database, "payload ->> 'lead_id'")[-1] == sleeper


def test_notifications_whose_delivery_was_lost_get_a_job(database: Database) -> None:
    sold_leads(database, 2)
    assert dispatch_notifications(database) == 2
    lose_jobs(database)
    assert (
        requeue_orphans(maintenance_of(database))["deliveries"] == 0
    )  # just handed out: its job may not be visible yet
    with database.transaction() as conn:
        conn.execute("update notifications set enqueued_at = enqueued_at - interval '61 seconds'")
        conn.execute(
            "update notifications set state = 'sent', sent_at = now() where id = (select max(id::text)::uuid "
            "from notifications)"
        )
    assert requeue_orphans(maintenance_of(database)) == {
        "leads": 0,
        "deliveries": 1,
        "exports": 0,
        "rescheduled": 0,
        "dispatches": 0,
    }
    [left] = rows(database, "select id::text from notifications where state = 'queued'")
    assert jobs(database, "task, payload ->> 'notification_id'") == [("send_email", left)]
    assert requeue_orphans(maintenance_of(database))["deliveries"] == 0


def test_notifications_without_a_job_get_a_dispatch(database: Database) -> None:
    sold_leads(database, 2)
    assert requeue_orphans(maintenance_of(database))["dispatches"] == 0  # the decision's own waits
    lose_jobs(database)
    assert requeue_orphans(maintenance_of(database))["dispatches"] == 1
    assert requeue_orphans(maintenance_of(database))["dispatches"] == 0
    assert jobs(database) == [("dispatch_notifications", "waiting")]
    begin_jobs(database, worker(database, silent_seconds=0))
    assert requeue_orphans(maintenance_of(database))["dispatches"] == 1  # the one that runs may have looked already


@rows_by_hand(TOLD_OF_SALES)
def test_what_a_paused_endpoint_holds_back_is_no_reason(database: Database) -> None:
    sold_leads(database, 1)
    with database.transaction() as conn:
        conn.execute(
            "insert into webhook_endpoints (id, provider_id, url, secret, state, state_reason, created_at) "
            "select gen_random_uuid(), id, 'https://crm.example', '', 'paused', 'failing', now() from providers"
        )
        conn.execute(
            "update notifications set channel = 'webhook', webhook_endpoint_id = (select id from webhook_endpoints)"
        )
    lose_jobs(database)
    assert requeue_orphans(maintenance_of(database))["dispatches"] == 0
    with database.transaction() as conn:
        conn.execute("update webhook_endpoints set state = 'active', state_reason = null")
    assert requeue_orphans(maintenance_of(database))["dispatches"] == 1
