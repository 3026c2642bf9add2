"""A lead that raises, and one that kills the worker that decides it, stop no other."""

from collections import Counter
from collections.abc import Callable

import pytest

from fairlead.flows.distribute_lead import LeadDistribution
from fairlead.flows.distributor import Distributor
from fairlead.flows.failures.dead_letters import retry_dead_letters
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.runs import attempts_of
from tests.chaos.market import (
    approve,
    assert_all_sold,
    one,
    open_market,
    poison,
    rows,
    submit,
    wait_until_drained,
)
from tests.chaos.workers import DEADLY_STATUS, Fleet, deadly_at, restarting

pytestmark = pytest.mark.chaos


def test_a_lead_that_cannot_even_be_read_stops_no_other(database: Database) -> None:
    market = open_market(database, niche_count=1)
    first, broken, last = submit(database, market, 3)
    poison(database, broken)
    approve(database, [broken, first, last])
    leads = LeadDistribution(Distributor(database))
    for lead_id in (first, broken, last):
        leads.run(lead_id)
    assert dict(rows(database, "select id::text, status from leads")) == {
        first: "distributed",
        broken: "approved",
        last: "distributed",
    }
    with database.snapshot() as conn:
        assert {attempt.outcome for attempt in attempts_of(conn, broken, None)} == {"failed"}
        assert attempts_of(conn, first, None) == []


@pytest.mark.slow
def test_a_lead_that_kills_every_worker_is_given_up_after_the_third_and_all_others_are_sold(
    database: Database, database_url: str, open_fleet: Callable[..., Fleet]
) -> None:
    market = open_market(database, niche_count=2)
    lead_ids = submit(database, market, 24)
    killer = lead_ids[5]
    fleet = open_fleet(database_url, heartbeat_timeout_seconds=2, alert_emails="ops@example.com")
    fleet.program = deadly_at(killer)
    fleet.start_serving(2)
    with restarting(fleet, 2):
        approve(database, lead_ids)
        wait_until_drained(database, 120)
        # An email that was in hand whenever its worker died is given up after the third, too: nothing tells it from one
        # that is to blame. An operator tries it again, and no worker dies any more.
        innocent = rows(database, "select id::text from dead_letters where lead_id is null")
        retry_dead_letters(database, innocent, OPERATOR)
        wait_until_drained(database, 120)
    assert_all_sold(database, lead_ids, but=[killer])

    [letter] = rows(database, "select error, attempts from dead_letters where lead_id is not null")
    assert letter == ("its worker died while deciding it, 3 times", 3)
    blamed = dict(rows(database, "select id::text, crash_count from leads where crash_count > 0"))
    assert blamed == {killer: 3}, "innocents were blamed"
    # As long as the first death is not noticed, the lead is in the next worker's batch, and no lead is blamed.
    deaths = Counter(process.popen.returncode for process in fleet.processes)[DEADLY_STATUS]
    print(f"{deaths} workers died of it")
    assert deaths >= 3
    alerts = one(database, "select count(*) from notifications where kind = 'operator_alert' and state = 'sent'")
    assert alerts == 1 or innocent
