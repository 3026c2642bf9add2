"""R9's safety net: both ways, never what is paused, every provider told, and the journal says so."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.core.configuration_entries import provider_payload
from fairlead.core.errors import Unavailable
from fairlead.core.journal import JournalEntryKind
from fairlead.flows.distributor import Distributor
from fairlead.flows.maintenance import funds as flow
from fairlead.flows.maintenance.funds import follow_funds
from fairlead.store.connection import Database, Timeouts
from fairlead.store.journal import append_configuration, lock_niches
from fairlead.store.leads.rows import clock
from tests.by_hand import CREDIT, rows_by_hand
from tests.flows.maintenance.workers import maintenance_of, rows
from tests.flows.marketplaces import HOSTING, activity, declare, everything, notices
from tests.race.marketplaces import Provider, Terms, add_leads, add_providers, leave_only, open_niche, pay_in, subscribe
from tests.race.processes import wait_until_blocked

NOTHING = {"low_balances_over": 0}


def spend(database: Database, name: str, left_cents: int) -> None:
    """The provider has so much left, as if another niche had charged it for the rest."""
    [provider_id] = rows(database, f"select id::text from providers where email like '{name}@%'")
    with database.transaction() as conn:
        leave_only(conn, provider_id, left_cents)


def receive(database: Database, name: str, cents: int) -> None:
    """Money that reactivated nothing."""
    [provider_id] = rows(database, f"select id::text from providers where email like '{name}@%'")
    with database.transaction() as conn:
        pay_in(conn, provider_id, cents, f"{cents} for {name}")


def test_where_all_agrees_nothing_is_written(database: Database) -> None:
    declare(database, HOSTING)
    before = everything(database)
    assert follow_funds(maintenance_of(database)) == NOTHING
    assert everything(database) == before


def test_what_cannot_be_paid_for_any_more_is_deactivated(database: Database) -> None:
    declare(database, HOSTING)
    spend(database, "anchor", 1999)
    assert follow_funds(maintenance_of(database)) == {"deactivated": 1, **NOTHING}
    assert activity(database) == {
        "anchor gold": "insufficient_funds",
        "anchor silver": "active",
        "bowline gold": "insufficient_funds",
        "bowline silver": "active",
    }
    assert notices(database)[-1] == "subscription_deactivated anchor gold"
    assert follow_funds(maintenance_of(database)) == NOTHING


def test_what_can_be_paid_for_again_is_reactivated(database: Database) -> None:
    declare(database, HOSTING)
    receive(database, "bowline", 1399)
    assert follow_funds(maintenance_of(database)) == NOTHING  # a cent short
    receive(database, "bowline", 1)
    assert follow_funds(maintenance_of(database)) == {"reactivated": 1, **NOTHING}
    assert activity(database)["bowline gold"] == "active"
    spend(database, "bowline", 1999)
    assert follow_funds(maintenance_of(database)) == {"deactivated": 1, **NOTHING}
    receive(database, "bowline", 2)
    assert follow_funds(maintenance_of(database)) == {"reactivated": 1, **NOTHING}
    assert notices(database) == ["subscription_deactivated bowline gold", "subscription_reactivated bowline gold"]
    assert rows(database, "select distinct task from jobs") == ["dispatch_notifications"]


@rows_by_hand(CREDIT)
def test_credit_counts_as_funds(database: Database) -> None:
    declare(database, HOSTING)
    with database.transaction() as conn:
        conn.execute("update providers set credit_limit_cents = 1400 where email like 'bowline@%'")
    assert follow_funds(maintenance_of(database))["reactivated"] == 1


def test_what_is_paused_or_gone_is_left_alone(database: Database) -> None:
    declare(database, HOSTING)
    gold = '{ niche = "hosting", level = "gold", %s }'
    for name, say in (("anchor", "active = false"), ("bowline", "deleted = true")):
        declare(database, f'[[provider]]\nemail = "{name}@example.com"\nsubscription = [{gold % say}]')
    spend(database, "anchor", 600)
    receive(database, "bowline", 5000)
    before = everything(database)
    assert follow_funds(maintenance_of(database)) == NOTHING
    assert everything(database) == before


def test_only_the_niche_concerned_is_written(database: Database) -> None:
    declare(database, HOSTING)
    declare(database, HOSTING.replace('"hosting"', '"storage"').replace("price_cents = 500", "price_cents = 100"))
    spend(database, "bowline", 300)
    heads = dict(rows(database, "select slug, journal_seq from niches"))
    assert follow_funds(maintenance_of(database)) == {"deactivated": 1, **NOTHING}
    after = dict(rows(database, "select slug, journal_seq from niches"))
    assert (after["hosting"] - heads["hosting"], after["storage"] - heads["storage"]) == (1, 0)


def test_a_charge_in_one_niche_is_followed_in_the_others(database: Database) -> None:
    """The case that it is for: a decision deactivates nothing outside its own niche."""
    with database.transaction() as conn:
        one, other = (open_niche(conn, slug, [Terms(1000, 1, 1)]) for slug in ("one", "other"))
        providers = [Provider("ana", 1500, (1,))]
        ids = add_providers(conn, providers, "all")
        for niche in (one, other):
            subscribe(conn, niche, providers, ids)
        add_leads(conn, one, [40])
    assert len(Distributor(database).distribute_waiting(one.niche_id).decisions) == 1
    query = "select n.slug, s.is_active from subscriptions s join niches n on n.id = s.niche_id order by 1"
    assert rows(database, query) == [("one", False), ("other", True)]
    assert follow_funds(maintenance_of(database)) == {"deactivated": 1, **NOTHING}
    assert rows(database, query) == [("one", False), ("other", False)]


def test_many_providers_are_followed_in_chunks(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "CHUNK_PROVIDERS", 2)
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", [Terms(1000, 1, 1), Terms(2000, 1, 2)])
        providers = [Provider(f"p{number}", 500 if number % 2 else 1500, (1, 2)) for number in range(7)]
        subscribe(conn, niche, providers, add_providers(conn, providers, "moving"))
    # Three cannot pay for either level, four for the second only.
    assert follow_funds(maintenance_of(database)) == {"deactivated": 3 * 2 + 4, **NOTHING}
    assert follow_funds(maintenance_of(database)) == NOTHING


def test_a_niche_that_stays_locked_holds_up_no_other(database: Database, database_url: str) -> None:
    declare(database, HOSTING)
    declare(database, HOSTING.replace('"hosting"', '"storage"'))
    spend(database, "bowline", 300)
    [first] = rows(database, "select id::text from niches order by id limit 1")
    with Database(database_url, "fairlead", Timeouts(30_000, 20, 30_000)) as hasty, database.transaction() as conn:
        lock_niches(conn, [first])
        with pytest.raises(Unavailable, match="did not take the change"):
            follow_funds(maintenance_of(hasty))
    inactive = "select niche_id::text = '{}' from subscriptions s join providers p on p.id = s.provider_id where "
    told = rows(database, inactive.format(first) + "not s.is_active and s.served_seq is null and p.email like 'b%'")
    assert sorted(told) == [False, False, True]  # gold was short of funds in both; silver is now in the second
    assert follow_funds(maintenance_of(database)) == {"deactivated": 1, **NOTHING}


def test_funds_that_move_meanwhile_are_read_under_lock(database: Database) -> None:
    """Sweeps and deposits at once: whatever the order, in the end activity follows the funds."""
    declare(database, HOSTING)
    receive(database, "bowline", 1400)
    follow_funds(maintenance_of(database))
    spend(database, "bowline", 1999)
    follow_funds(maintenance_of(database))
    receive(database, "bowline", 1)

    def sweep(_: int) -> int:
        return follow_funds(maintenance_of(database))["reactivated"]

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(sweep, range(6))) == 1
    assert activity(database)["bowline gold"] == "active"
    assert len(notices(database)) == 2


def test_what_others_write_into_the_journal_meanwhile_comes_first(database: Database) -> None:
    declare(database, HOSTING)
    spend(database, "anchor", 1999)
    [niche_id] = rows(database, "select id::text from niches")
    [anchor] = rows(database, "select id::text from providers where email like 'anchor@%'")
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as conn:
            locked = lock_niches(conn, [niche_id])[niche_id]
            append_configuration(
                conn, locked, [(JournalEntryKind.PROVIDER, provider_payload(anchor, "active"))], clock(conn)
            )
            running = pool.submit(follow_funds, maintenance_of(database))
            wait_until_blocked(database.url, running)
        assert running.result() == {"deactivated": 1, **NOTHING}


def test_a_low_balance_that_is_over_can_be_told_of_again(database: Database) -> None:
    declare(database, HOSTING)
    low = {"anchor": 6000, "bowline": 600}
    with database.transaction() as conn:
        conn.execute("update providers set low_balance_alerted_at = now()")
        for name, threshold_cents in low.items():
            conn.execute(
                "update providers set low_balance_threshold_cents = %s where email like %s",
                (threshold_cents, f"{name}@%"),
            )
    assert follow_funds(maintenance_of(database)) == {
        "low_balances_over": 1
    }  # 5000 is below 6000, 600 is not below 600
    query = "select split_part(email, '@', 1) from providers where low_balance_alerted_at is not null"
    assert rows(database, query) == ["anchor"]
    with database.transaction() as conn:
        conn.execute("update providers set low_balance_threshold_cents = null")
    assert follow_funds(maintenance_of(database)) == {"low_balances_over": 1}
    assert rows(database, query) == []
