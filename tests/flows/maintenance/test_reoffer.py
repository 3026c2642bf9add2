"""Leads that were not sold are offered again, as their niche's policy has it and no more."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.flows.configuration.niches import NicheChange, change_niche
from fairlead.flows.distributor import Distributor
from fairlead.flows.maintenance import reoffer as flow
from fairlead.flows.maintenance.reoffer import reoffer
from fairlead.store.audit.log import OPERATOR
from fairlead.store.configuration.rows import ReofferPolicy
from fairlead.store.connection import Database
from fairlead.store.leads import unsold as unsold_leads
from tests.by_hand import APPROVED, CAME_IN, CLOSED, DECIDED, POLICY, rows_by_hand
from tests.flows.maintenance.workers import jobs, maintenance_of, rows
from tests.flows.niches import audited, stored_leads
from tests.race.marketplaces import Niche, Provider, Terms, add_leads, add_providers, open_niche, subscribe

OFFER_AGAIN = ReofferPolicy(every_minutes=60, max_times=2, max_hours=48)


def unsold(database: Database, count: int = 1, slug: str = "moving") -> tuple[Niche, list[str]]:
    """A niche without a buyer, where so many leads were decided and found no provider."""
    with database.transaction() as conn:
        niche = open_niche(conn, slug, [Terms(1000, 1, 1)])
        lead_ids = add_leads(conn, niche, [40] * count)
    change_niche(database, niche.niche_id, NicheChange(reoffer=OFFER_AGAIN), OPERATOR)
    Distributor(database).distribute_waiting(niche.niche_id)
    return niche, lead_ids


def ago(database: Database, interval: str, column: str = "last_attempt_at") -> None:
    """As if it had been so long ago."""
    with database.transaction() as conn:
        conn.execute(f"update leads set {column} = clock_timestamp() - %s::interval".encode(), (interval,))


def offered_again(database: Database) -> int:
    return reoffer(maintenance_of(database))["leads"]


@rows_by_hand(DECIDED)
def test_an_unsold_lead_is_offered_again_and_sold(database: Database) -> None:
    niche, [lead_id] = unsold(database)
    ago(database, "59 minutes")
    assert offered_again(database) == 0
    ago(database, "60 minutes")
    assert offered_again(database) == 1
    assert stored_leads(database, "status, awaits_decision, reoffer_count") == [("approved", True, 1)]
    assert jobs(database, "task, payload ->> 'lead_id'") == [("distribute_lead", lead_id)]
    assert audited(database, "distribution.reoffered") == [{"reoffer_count": 1}]
    assert offered_again(database) == 0  # it waits

    with database.transaction() as conn:
        providers = [Provider("ana", 5000, (1,))]
        subscribe(conn, niche, providers, add_providers(conn, providers, "moving"))
    Distributor(database).distribute_waiting(niche.niche_id)
    ago(database, "61 minutes")
    assert offered_again(database) == 0
    assert stored_leads(database, "status, reoffer_count") == [("distributed", 1)]


@rows_by_hand(DECIDED)
def test_at_most_so_many_times(database: Database) -> None:
    niche, _ = unsold(database)
    for count in (1, 2):
        ago(database, "1 hour")
        assert offered_again(database) == 1
        Distributor(database).distribute_waiting(niche.niche_id)
        assert stored_leads(database, "reoffer_count, distribution_attempts") == [(count, count + 1)]
    ago(database, "1 hour")
    assert offered_again(database) == 0


@rows_by_hand(APPROVED, DECIDED)
def test_at_most_for_so_long_after_its_approval(database: Database) -> None:
    unsold(database)
    ago(database, "1 hour")
    ago(database, "48 hours", "approved_at")
    assert offered_again(database) == 0
    ago(database, "47 hours 59 minutes", "approved_at")
    assert offered_again(database) == 1


@rows_by_hand(CLOSED, DECIDED, POLICY)
@pytest.mark.parametrize(
    "change",
    [
        "update niches set reoffer_every_minutes = null, reoffer_max_times = null, reoffer_max_hours = null",
        "update leads set status = 'rejected'",
        "update leads set last_outcome = 'failed'",
        "update leads set last_outcome = null",
    ],
)
def test_others_are_left_alone(change: str, database: Database) -> None:
    unsold(database)
    ago(database, "1 hour")
    with database.transaction() as conn:
        conn.execute(change.encode())
    assert offered_again(database) == 0
    assert jobs(database) == []
    assert stored_leads(database, "awaits_decision, reoffer_count") == [(False, 0)]


def test_leads_of_an_inactive_niche_wait(damaged_database: Database) -> None:
    unsold(damaged_database)
    ago(damaged_database, "1 hour")
    with damaged_database.transaction() as conn:
        conn.execute("update niches set is_active = false")  # not in its journal, hence no sweep
    assert offered_again(damaged_database) == 0


@rows_by_hand(DECIDED)
def test_a_run_is_bounded_in_each_niche(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "CHUNK_LEADS", 2)
    monkeypatch.setattr(flow, "MOST_CHUNKS", 2)
    _, first = unsold(database, 7)
    unsold(database, 1, "storage")
    ago(database, "1 hour")
    assert offered_again(database) == 4 + 1
    waiting = rows(database, "select id::text from leads where awaits_decision order by id")
    assert waiting[:4] == first[:4]  # the oldest first
    assert offered_again(database) == 3
    assert offered_again(database) == 0


@rows_by_hand(DECIDED)
def test_eight_at_once_offer_each_lead_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "CHUNK_LEADS", 3)
    unsold(database, 20)
    ago(database, "1 hour")
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: offered_again(database), range(8)))
    assert sum(counts) == 20
    assert stored_leads(database, "reoffer_count") == [1] * 20
    assert len(jobs(database)) == 20


@rows_by_hand(APPROVED, CAME_IN, CLOSED, DECIDED)
def test_leads_that_were_sold_long_ago_cost_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Among thousands that are of no concern, those that are due are found in an index that holds only the unsold."""
    niche, _ = unsold(database, 3)
    ago(database, "1 hour")
    with database.transaction() as conn:
        conn.execute(
            """
            insert into leads (id, niche_id, status, attributes, attributes_salt, dedupe_key, approved_at, created_at)
            select gen_random_uuid(), %s, 'rejected', '{"age": 40}', decode(repeat('00', 16), 'hex'), n::text, now(),
                   now()
            from generate_series(1, 20000) n
            """,
            (niche.niche_id,),
        )
        conn.execute("analyze leads; analyze niches")
    with database.transaction() as conn:
        real = conn.execute
        plans: list[str] = []

        def explain(query: str, values: object) -> object:
            plans.append(json.dumps(real(f"explain (analyze, format json) {query}".encode(), values).fetchall()))  # pyright: ignore
            return real(query.encode(), values)  # pyright: ignore

        monkeypatch.setattr(conn, "execute", explain)
        found = unsold_leads.lock_unsold(conn, niche.niche_id, 200)
        monkeypatch.undo()
        conn.execute("select 1")
    assert len(found) == 3
    [plan] = plans
    # The index over the unsold, or one over statuses: each holds the few that are approved apart from the rest.
    names = ("leads_unsold", "leads_of_status_by_age", "leads_of_niche_and_status_by_age")
    assert any(f'"Index Name": "{name}"' in plan for name in names)
    assert '"Seq Scan", "Parallel Aware": false, "Async Capable": false, "Relation Name": "leads"' not in plan
