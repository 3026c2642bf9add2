"""All of an endpoint is replayed while each is replayed by itself, too: each is sent once more, not twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from fairlead.flows.notifications import replay as flow
from fairlead.flows.notifications.replay import replay_endpoint, replay_notification
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.rows import clock
from tests.delivery.receiver import receiver, says
from tests.flows.notifications.stage import open_marketplace, query, sell_lead, set_endpoint, settings_for, work_off

LEADS, ROUNDS = 8, 5


def test_an_endpoint_and_its_deliveries_are_replayed_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "BATCH_NOTIFICATIONS", 3)
    open_marketplace(database)
    with receiver(says(200)) as crm:
        made = set_endpoint(database, crm.url())
        for _ in range(LEADS):
            sell_lead(database)
        work_off(database, settings_for())
        delivered = query(database, "select id::text from notifications where channel = 'webhook' and state = 'sent'")
        since = database.run(clock) - timedelta(hours=1)
        assert len(crm.requests) == len(delivered) > 3
        for round_number in range(1, ROUNDS + 1):
            with ThreadPoolExecutor(4) as pool:
                # In opposite orders and at once, so that the two meet.
                all_at_once = [pool.submit(replay_endpoint, database, made.endpoint_id, since, OPERATOR) for _ in "ab"]
                singles = [
                    pool.submit(replay_notification, database, each, OPERATOR) for (each,) in reversed(delivered)
                ]
            count = sum(each.result() for each in all_at_once) + sum(each.result().took_effect for each in singles)
            assert count == len(delivered)
            assert query(
                database, "select distinct state, replay_count from notifications where channel = 'webhook'"
            ) == [("queued", round_number)]
            work_off(database, settings_for())
            assert len(crm.requests) == (round_number + 1) * len(delivered)
    told_of = query(
        database,
        "select sum(coalesce((new ->> 'count')::integer, 1))::integer from audit_log "
        "where action in ('webhook_endpoint.replayed', 'notification.replayed')",
    )
    assert told_of == [(ROUNDS * len(delivered),)]
