"""Roster snapshots: written beside the sales, found out when they are wrong, and never needed."""

import hashlib
import json
import logging
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.flows.distributor import Distributor
from fairlead.flows.explaining.explain import ProviderStory, explain_provider
from fairlead.flows.maintenance import snapshot_rosters as snapshot_task
from fairlead.flows.maintenance.snapshot_rosters import snapshot_niche, snapshot_rosters
from fairlead.flows.proving.verify import verify
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.distribution import snapshots
from fairlead.store.distribution.snapshots import newest_state, state_before
from fairlead.store.invariants.engine import DIFFERENCES_SHOWN
from fairlead.store.journal import entries_after
from tests.flows.maintenance.workers import maintenance_of
from tests.flows.marketplaces import HOSTING, declare
from tests.flows.sales import query

LEADS = [{"cores": cores, "region": region} for cores in (2, 4, 8) for region in ("north", "south")]
PAUSED = """
[[provider]]
email = "anchor@example.com"
subscription = [{ niche = "hosting", level = "gold", active = false }]
"""


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot is due after every third entry."""
    monkeypatch.setattr(snapshots, "FEWEST_ENTRIES_BETWEEN", 3)


def sold(database: Database) -> list[str]:
    """A niche that sold, was edited, and sold again; the leads that were decided."""
    declare(database, HOSTING)
    leads = submit_leads(database, "hosting", LEADS, OPERATOR, approve=True)
    [(niche_id,)] = query(database, "select id::text from niches")
    Distributor(database).distribute_waiting(niche_id)
    declare(database, PAUSED)
    leads += submit_leads(database, "hosting", LEADS, OPERATOR, approve=True)
    Distributor(database).distribute_waiting(niche_id)
    return leads


def stories(database: Database, leads: list[str]) -> list[ProviderStory]:
    """What every provider is told of every lead."""
    emails = [email for (email,) in query(database, "select email from providers order by email")]
    return [explain_provider(database, lead, email) for lead in leads for email in emails]


def snapshot_seqs(database: Database) -> list[int]:
    return [seq for (seq,) in query(database, "select seq from roster_snapshots order by seq")]


def snapshot_rows(database: Database) -> list[tuple[int, bytes, bytes, bytes]]:
    return query(database, "select seq, journal_hash, digest, state from roster_snapshots order by seq")


def change(database: Database, statement: str, *values: object) -> None:
    with database.transaction() as conn:
        assert conn.execute(statement.encode(), values).rowcount == 1


def differences(database: Database) -> list[str]:
    """What `verify` finds of snapshots; all else holds."""
    checks = verify(database).checks
    assert all(check.holds for check in checks if not check.name.startswith("roster snapshots"))
    return [each for check in checks for each in check.differences]


def test_snapshots_are_written_once_and_change_no_explanation(database: Database) -> None:
    leads = sold(database)
    plain = stories(database, leads)
    maintenance = maintenance_of(database)
    assert snapshot_rosters(maintenance)["written"] == len(snapshot_seqs(database)) > 3
    assert snapshot_rosters(maintenance)["written"] == 0
    assert stories(database, leads) == plain
    [check] = [check for check in verify(database).checks if check.name.startswith("roster snapshots")]
    assert (check.checked, check.holds) == (len(snapshot_seqs(database)), True)

    for statement in ("delete from roster_snapshots where seq %% 2 = 0", "delete from roster_snapshots"):
        with database.transaction() as conn:
            assert conn.execute(statement.replace("%%", "%").encode()).rowcount > 0
        assert stories(database, leads) == plain
        assert verify(database).holds
    assert snapshot_rosters(maintenance)["written"] > 3, "they come back by themselves"


def test_a_snapshot_is_read_instead_of_the_entries_before_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    leads = sold(database)
    snapshot_rosters(maintenance_of(database))
    read: list[int] = []
    entries_after = snapshots.entries_after

    def counting(*words: object) -> object:
        found = entries_after(*words)  # type: ignore[arg-type]
        read.append(len(found))
        return found

    monkeypatch.setattr(snapshots, "entries_after", counting)
    for lead in leads:
        read.clear()
        explain_provider(database, lead, "bowline@example.com")
        assert sum(read) < 3


def test_no_entry_is_read_before_a_snapshot_can_be_due(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task runs every minute: what came since the newest snapshot is not folded each time."""
    sold(database)
    maintenance = maintenance_of(database)
    snapshot_rosters(maintenance)
    read: list[object] = []
    monkeypatch.setattr(snapshot_task, "entries_after", lambda *words: read.append(words) or entries_after(*words))
    assert snapshot_rosters(maintenance)["written"] == 0
    assert read == []
    submit_leads(database, "hosting", LEADS, OPERATOR, approve=True)
    [(niche_id,)] = query(database, "select id::text from niches")
    Distributor(database).distribute_waiting(niche_id)
    assert snapshot_rosters(maintenance)["written"] > 0
    assert read


def test_a_run_goes_on_where_the_one_before_ended(database: Database) -> None:
    sold(database)
    [(niche_id,)] = query(database, "select id::text from niches")
    assert snapshot_niche(database, niche_id, most_entries=7) == 2
    assert snapshot_seqs(database) == [3, 6]
    assert snapshot_niche(database, niche_id, most_entries=4) == 1
    assert snapshot_seqs(database) == [3, 6, 9]


DAMAGES = {
    "content": ("state = set_byte(state, 9, get_byte(state, 9) # 1)", "its digest is not that of its content"),
    "digest": ("digest = set_byte(digest, 9, get_byte(digest, 9) # 1)", "its digest is not that of its content"),
    "hash": (
        "journal_hash = set_byte(journal_hash, 9, get_byte(journal_hash, 9) # 1)",
        "it names another hash than the journal's entry has",
    ),
    "of no entry": ("seq = 1000000", "the journal has no entry there"),
    "of another entry": (
        "(state, digest) = (select state, digest from roster_snapshots order by seq limit 1)",
        "its content is that of another entry",
    ),
    "no content": ("state = '', digest = sha256('')", "it cannot be read: error"),
    "no state": (
        "state = '\\x789cab562a4bcc294d55b232ac0500142e0368', digest = sha256("
        "'\\x789cab562a4bcc294d55b232ac0500142e0368')",
        "it cannot be read",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_snapshot_is_passed_over_found_and_replaced(
    damaged_database: Database, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    database, (setting, words) = damaged_database, DAMAGES[damage]
    leads = sold(database)
    plain = stories(database, leads)
    snapshot_rosters(maintenance_of(database))
    whole = snapshot_rows(database)
    newest = whole[-1][0]
    change(database, f"update roster_snapshots set {setting} where seq = %s", newest)
    [difference] = differences(database)
    assert words in difference

    with caplog.at_level(logging.WARNING):
        assert stories(database, leads) == plain
        assert snapshot_rosters(maintenance_of(database))["written"] == 1
    assert "roster snapshot passed over" in caplog.text
    assert [row for row in snapshot_rows(database) if row[0] in {earlier[0] for earlier in whole}] == whole
    assert len(differences(database)) == (damage == "of no entry"), "that one stands where no snapshot is written"
    assert snapshot_rosters(maintenance_of(database))["written"] == 0


def test_a_snapshot_that_was_changed_and_hashed_again_is_found(damaged_database: Database) -> None:
    """Nothing in the row tells; the fold does."""
    database = damaged_database
    sold(database)
    snapshot_rosters(maintenance_of(database))
    newest = snapshot_seqs(database)[-1]
    [(packed,)] = query(database, "select state from roster_snapshots where seq = %s", newest)
    document = json.loads(zlib.decompress(packed))
    document["served"][min(document["served"])] += 1
    forged = zlib.compress(json.dumps(document).encode())
    change(
        database,
        "update roster_snapshots set state = %s, digest = %s where seq = %s",
        forged,
        hashlib.sha256(forged).digest(),
        newest,
    )
    assert differences(database) == [
        f"roster snapshot at entry {newest}: it holds another state than the journal's fold gives"
    ]


def test_a_snapshot_of_another_format_is_replaced(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    sold(database)
    with monkeypatch.context() as later:
        later.setattr("fairlead.core.roster_state.FORMAT", 99)
        assert snapshot_rosters(maintenance_of(database))["written"] > 3
    assert len(differences(database)) == min(len(snapshot_seqs(database)), DIFFERENCES_SHOWN)
    assert snapshot_rosters(maintenance_of(database))["written"] == len(snapshot_seqs(database))
    assert differences(database) == []


def test_a_journal_that_cannot_be_folded_ends_the_comparison(damaged_database: Database) -> None:
    """What the replay says of the journal is enough: no snapshot behind it can be compared with anything."""
    database = damaged_database
    sold(database)
    snapshot_rosters(maintenance_of(database))
    [(paused,)] = query(database, "select max(seq) from niche_journal where kind = 'subscription'")
    with database.transaction() as conn:
        conn.execute("alter table niche_journal disable trigger user")
        conn.execute("update niche_journal set payload = '{}' where seq = %s", (paused,))
        conn.execute("alter table niche_journal enable trigger user")
    [check] = [check for check in verify(database).checks if check.name.startswith("roster snapshots")]
    seqs = snapshot_seqs(database)
    assert 0 < sum(seq < paused for seq in seqs) == check.checked < len(seqs)
    assert check.differences == ()


def test_snapshots_are_written_while_leads_are_sold(database: Database) -> None:
    """By two processes at once, whose snapshots are the same."""
    declare(database, HOSTING)
    [(niche_id,)] = query(database, "select id::text from niches")
    submit_leads(database, "hosting", LEADS * 6, OPERATOR, approve=True)

    def sell() -> int:
        distributor, count = Distributor(database, batch_limit=1), 0
        while distributor.distribute_waiting(niche_id).decisions:
            count += 1
        return count

    def write(of: int) -> int:
        return sum(snapshot_niche(database, niche_id) for _ in range(40))

    with ThreadPoolExecutor() as threads:
        selling, *writing = threads.submit(sell), *(threads.submit(write, each) for each in range(2))
        assert selling.result() == len(LEADS) * 6
        written = [each.result() for each in writing]
    written.append(snapshot_niche(database, niche_id))
    seqs = snapshot_seqs(database)
    assert sum(written) == len(seqs) > len(LEADS)
    with database.snapshot() as conn:
        state = newest_state(conn, niche_id)
        assert state.head.seq == seqs[-1]
        assert state.document() == state_before(conn, niche_id, seqs[-1] + 1).document()


def test_a_snapshot_holds_no_personal_data(database: Database) -> None:
    sold(database)
    snapshot_rosters(maintenance_of(database))
    for (packed,) in query(database, "select state from roster_snapshots"):
        text = zlib.decompress(packed).decode()
        assert "example.com" not in text
        assert set(json.loads(text)) == {
            *("format", "niche_id", "seq", "hash", "next_start_order_position", "last_served_seq", "is_active"),
            *("form_schema", "levels", "providers", "filters", "subscriptions", "served"),
        }
