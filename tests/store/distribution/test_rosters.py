"""A roster that is not what the journal says is noticed, whatever made it so."""

from collections.abc import Generator

import psycopg
import pytest

from fairlead.core.errors import Unavailable
from fairlead.core.journal import Entry
from fairlead.core.roster import Roster
from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Connection, Database, Timeouts
from fairlead.store.distribution import rosters
from fairlead.store.distribution.rosters import (
    MOST_FOLDED_UNDER_LOCK,
    RosterCache,
    RosterRows,
    load_roster,
    most_entries_folded,
)
from fairlead.store.journal import LockedNiche, entries_after, lock_niches
from tests.closing_sweep import sweep
from tests.flows.marketplaces import HOSTING, declare
from tests.kept_databases import KeptDatabase

LEAD = {"cores": 4, "region": "north"}

PAUSED = """
[[provider]]
email = "anchor@example.com"
subscription = [{ niche = "hosting", level = "gold", active = false }]
"""

NARROWED = """
[[provider]]
email = "bowline@example.com"
subscription = [
    { niche = "hosting", level = "silver", filter = [{ field_key = "region", operator = "in", value = ["south"] }] },
]
"""


@pytest.fixture
def standby(database: Database, kept_database: KeptDatabase, server_url: str) -> Generator[Database]:
    """What the database held before the test went on: a standby that did not hear of the rest."""
    with Database(database.url, "fairlead") as primary:  # closed again: a database in use cannot be copied
        declare(primary, HOSTING)
        submit_leads(primary, "hosting", [LEAD], OPERATOR, approve=True)
    kept_database.close()
    name = database.url.rsplit("/", 1)[1]
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"create database {name}_standby template {name}".encode())
        with Database(database.url + "_standby", "fairlead") as copy:
            yield copy
            sweep(copy)
        conn.execute(f"drop database {name}_standby with (force)".encode())


def test_a_process_that_remembers_a_lost_commit_starts_anew(database: Database, standby: Database) -> None:
    """The entry that it remembers was lost in a fail-over, and others have taken its number since."""
    [niche_id] = _niche_ids(database)
    remembering = Distributor(database)
    assert len(remembering.distribute_waiting(niche_id)) == 1

    declare(standby, PAUSED)
    assert len(Distributor(standby).distribute_waiting(niche_id)) == 1
    submit_leads(standby, "hosting", [LEAD] * 4, OPERATOR, approve=True)
    remembering.database = standby
    done = remembering.distribute_waiting(niche_id)

    assert (len(done.decisions), done.batch_error) == (4, None), "the count of rows served is the second to notice"
    with standby.snapshot() as conn:
        sold = conn.execute(
            """
            select count(*) from assignments a join subscriptions s on s.id = a.subscription_id
            where s.deactivation_reason = 'paused'
            """
        ).fetchone()
    assert sold == (0,), "a paused subscription was sold to"


def test_a_process_far_behind_reads_the_tables_and_a_process_near_by_the_entries(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(database, HOSTING)
    [niche_id] = _niche_ids(database)
    done: list[str] = []
    load, recent = rosters.read_roster_rows, rosters.entries_after

    def loading(conn: Connection, niche: LockedNiche) -> RosterRows:
        done.append("reload")
        return load(conn, niche)

    def reading(conn: Connection, niche_id: str, seq: int) -> list[Entry]:
        done.append(f"fold {len(found := recent(conn, niche_id, seq))}")
        return found

    # Afterwards all the money is spent, and each lead is one entry.
    submit_leads(database, "hosting", [LEAD] * 12, OPERATOR, approve=True)
    behind, others = Distributor(database), Distributor(database, batch_limit=1_000)
    behind.distribute_waiting(niche_id)
    most = MOST_FOLDED_UNDER_LOCK
    assert most > most_entries_folded(4)
    for missed, expected in ((most, f"fold {most}"), (most + 1, "reload"), (0, None), (3 * most, "reload")):
        if missed:
            submit_leads(database, "hosting", [LEAD] * missed, OPERATOR, approve=True)
            assert len(others.distribute_waiting(niche_id)) == missed
        submit_leads(database, "hosting", [LEAD], OPERATOR, approve=True)
        done.clear()
        with monkeypatch.context() as watched:
            watched.setattr(rosters, "read_roster_rows", loading)
            watched.setattr(rosters, "entries_after", reading)
            assert len(behind.distribute_waiting(niche_id)) == 1
        assert done == ([] if expected is None else [expected])


@pytest.mark.parametrize("missed", [1, 7, 300])
def test_both_ways_of_catching_up_lead_to_one_roster(database: Database, missed: int) -> None:
    declare(database, HOSTING)
    [niche_id] = _niche_ids(database)
    with database.transaction() as conn:
        folded = load_roster(conn, lock_niches(conn, [niche_id])[niche_id])
    submit_leads(database, "hosting", [LEAD] * missed, OPERATOR, approve=True)
    Distributor(database, batch_limit=missed).distribute_waiting(niche_id)
    declare(database, PAUSED)
    declare(database, NARROWED)
    with database.transaction() as conn:
        niche = lock_niches(conn, [niche_id])[niche_id]
        for entry in entries_after(conn, niche_id, folded.head.seq):
            folded.fold(entry)
        loaded = load_roster(conn, niche)
    assert _picture(folded) == _picture(loaded)
    assert folded.head.seq >= missed + 2


def test_the_niches_lock_is_free_while_a_process_reads_its_roster(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process sells meanwhile, and what it sold is folded before this one decides."""
    declare(database, HOSTING)
    [niche_id] = _niche_ids(database)
    submit_leads(database, "hosting", [LEAD] * 2, OPERATOR, approve=True)
    read, others = rosters.read_roster_rows, Distributor(database, batch_limit=1)
    sold: list[int] = []

    def reading(conn: Connection, niche: LockedNiche) -> RosterRows:
        rows = read(conn, niche)
        if not sold:
            sold.append(0)  # the other process reads a roster, too
            sold.append(len(others.distribute_waiting(niche_id).decisions))
            declare(database, PAUSED)
        return rows

    monkeypatch.setattr(rosters, "read_roster_rows", reading)
    submit_leads(database, "hosting", [LEAD], OPERATOR, approve=True)
    decided = Distributor(database).distribute_waiting(niche_id).decisions
    assert sold == [0, 1]
    assert len(decided) == 2
    with database.snapshot() as conn:
        paused = conn.execute("select id::text from subscriptions where deactivation_reason = 'paused'").fetchall()
    assert len(paused) == 1
    assert paused[0][0] not in {each.subscription_id for one in decided for each in one.recipients}


def test_a_process_that_falls_behind_while_it_waits_for_the_lock_comes_to_decide(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(database, HOSTING)
    [niche_id] = _niche_ids(database)
    follow, others = RosterCache.follow, Distributor(database, batch_limit=1)

    def overtaken(cache: RosterCache, behind: Database, niche: str) -> None:
        follow(cache, behind, niche)
        if cache is not others._rosters:  # pyright: ignore[reportPrivateUsage]
            for lead in submit_leads(database, "hosting", [LEAD] * 2, OPERATOR, approve=True):
                assert len(others.distribute_waiting(niche_id, lead)) == 1

    monkeypatch.setattr("fairlead.flows.distribute.MOST_FOLDED_UNDER_LOCK", 1)
    submit_leads(database, "hosting", [LEAD], OPERATOR, approve=True)
    others.distribute_waiting(niche_id)
    monkeypatch.setattr(RosterCache, "follow", overtaken)
    [late] = submit_leads(database, "hosting", [LEAD], OPERATOR, approve=True)
    assert len(Distributor(database).distribute_waiting(niche_id, late)) == 1


def test_a_roster_that_is_read_anew_decides_under_the_niches_lock(database: Database) -> None:
    """Its head and its tables are of one moment: a transaction that changes either needs the lock that it holds."""
    declare(database, HOSTING)
    [niche_id] = _niche_ids(database)
    with Database(database.url, "fairlead", Timeouts(lock_ms=300), patience_seconds=0.1) as other:
        with database.transaction() as conn:
            niche = lock_niches(conn, [niche_id])[niche_id]
            with pytest.raises(Unavailable):
                declare(other, PAUSED)
            roster = load_roster(conn, niche)
        assert roster.head.seq == niche.journal_seq
        declare(other, PAUSED)


def _picture(roster: Roster) -> dict[str, object]:
    """All that a roster says."""
    return {
        "head": roster.head,
        "levels": dict(roster.levels),
        "active levels": roster.active_levels,
        "subscriptions": dict(roster.subscriptions),
        "served": {each: roster.served_seq(each) for each in roster.subscriptions},
        "providers": {
            each.provider_id: roster.provider_status(each.provider_id) for each in roster.subscriptions.values()
        },
        "gates": {each: dict(roster.standing_counts(each)) for each in roster.levels},
        "order": {
            (cores, level.level_id): [each.subscription_id for each in candidates.at(level)[1]]
            for cores in (2, 4)
            for candidates in [roster.matching({"cores": cores, "region": "north"})]
            for level in roster.active_levels
        },
    }


def _niche_ids(database: Database) -> list[str]:
    with database.snapshot() as conn:
        return [row[0] for row in conn.execute("select id::text from niches")]


def test_counters_are_certain_as_long_as_none_but_this_process_moves_the_niche() -> None:
    rosters, head = RosterCache(), [bytes([number]) * 32 for number in range(4)]
    rosters.set_unmoved("niche", head[0], ["first"])
    assert rosters.unmoved_since("niche", head[0]) == {"first"}
    assert not rosters.unmoved_since("niche", head[1]), "an entry came"
    assert not rosters.unmoved_since("other", head[0])
    rosters.set_unmoved("niche", head[1], ["second"], since=head[0])
    assert rosters.unmoved_since("niche", head[1]) == {"first", "second"}
    rosters.set_unmoved("niche", head[3], ["third"], since=head[2])
    assert rosters.unmoved_since("niche", head[3]) == {"third"}, "what came before the third head is unknown"
