"""Erasing a person drops the exports that may name it, whatever the workers do meanwhile."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from psycopg import errors

from fairlead.flows.exporting.requests import drop_exports_that_may_name, request_export, show_export
from fairlead.flows.exporting.rows import ExportRequest
from fairlead.store.connection import Database
from fairlead.store.exports.chunks import Chunk, add_chunk
from fairlead.store.exports.requests import begin_run, end_export, put_back
from fairlead.store.leads.rows import clock
from tests.flows.exporting.exports import ANN, built, stored_pieces
from tests.flows.sales import Sale, query, sell
from tests.waiting import wait_until


@pytest.fixture
def sale(database: Database) -> Sale:
    """A lead that two providers bought."""
    return sell(database)


def test_an_erasure_can_drop_every_file_that_may_name_the_person(database: Database, sale: Sale) -> None:
    earlier = built(database, ExportRequest("leads"))
    [(moment,)] = query(database, "select clock_timestamp()")
    named = built(database, ExportRequest("leads"))
    masked = built(database, ExportRequest("leads", without_contact_data=True))
    money = built(database, ExportRequest("ledger"))
    assert len(database.run(lambda conn: drop_exports_that_may_name(conn, moment))) == 2
    states = dict(query(database, "select id::text, state from exports"))
    assert states == {
        earlier.export_id: "ready",
        named.export_id: "expired",
        # Where a consumer came from may say who it is.
        masked.export_id: "expired",
        money.export_id: "ready",
    }
    assert stored_pieces(database, named.export_id) == []


def begun(database: Database, export_id: str) -> None:
    """A run of the export has begun; nothing is read yet."""
    assert database.run(lambda conn: begin_run(conn, export_id, clock(conn))) is not None


def test_an_erasure_drops_what_had_begun_and_reads_later(database: Database, sale: Sale) -> None:
    row = request_export(database, ExportRequest("leads"), ANN)
    begun(database, row.export_id)
    [(moment,)] = query(database, "select clock_timestamp()")
    assert len(database.run(lambda conn: drop_exports_that_may_name(conn, moment))) == 1
    assert show_export(database, row.export_id).state == "cancelled"


@pytest.mark.parametrize("state", ["waiting", "failed"])
def test_no_run_begins_while_a_person_is_erased(state: str, database: Database, sale: Sale) -> None:
    [(moment,)] = query(database, "select clock_timestamp()")
    row = request_export(database, ExportRequest("leads"), ANN)
    if state == "failed":
        database.run(lambda conn: end_export(conn, row.export_id, state, clock(conn), "too large"))
    with database.transaction() as erasing:
        assert drop_exports_that_may_name(erasing, moment) == []
        with database.transaction() as other, pytest.raises(errors.LockNotAvailable):
            other.execute("select from exports where id = %s for no key update nowait", (row.export_id,))
    assert show_export(database, row.export_id).state == state


def test_nothing_is_requested_while_a_person_is_erased(database: Database, sale: Sale) -> None:
    [(moment,)] = query(database, "select clock_timestamp()")
    with ThreadPoolExecutor(1) as other, database.transaction() as erasing:
        drop_exports_that_may_name(erasing, moment)
        requested = other.submit(request_export, database, ExportRequest("leads"), ANN)
        wait_until(lambda: query(database, "select from pg_locks where locktype = 'advisory' and not granted") != [])
        assert query(database, "select from exports") == []
    # Above, the block of the erasure ended first.
    assert requested.result().state == "waiting"


def test_an_erasure_leaves_nothing_of_a_run_that_will_be_begun_anew(database: Database, sale: Sale) -> None:
    row = request_export(database, ExportRequest("leads"), ANN)
    begun(database, row.export_id)
    database.run(lambda conn: add_chunk(conn, row.export_id, 1, Chunk(0, 0, b"contact@example.com")))
    database.run(lambda conn: put_back(conn, row.export_id, None))
    [(moment,)] = query(database, "select clock_timestamp()")
    assert database.run(lambda conn: drop_exports_that_may_name(conn, moment)) == []
    assert stored_pieces(database, row.export_id) == []
    assert show_export(database, row.export_id).state == "waiting"
