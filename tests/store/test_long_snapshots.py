"""How long a snapshot may take: as any transaction, or, where everything is read, within bounds of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from fairlead.core.errors import Unavailable
from fairlead.flows.exporting.open_export import begin_export
from fairlead.flows.maintenance.reconcile import reconcile
from fairlead.flows.proving.verify import verify
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Connection, Database, Timeouts
from fairlead.store.exports.slots import Exporter

HASTY = Timeouts(statement_ms=200, transaction_ms=400, long_statement_ms=1_000)


def test_an_ordinary_snapshot_is_bounded_as_every_statement_is(database: Database) -> None:
    with (
        Database(database.url, "fairlead", HASTY) as hasty,
        pytest.raises(Unavailable, match=r"canceling statement due to statement timeout$"),
        hasty.snapshot() as conn,
    ):
        conn.execute("select pg_sleep(60)")


def test_a_long_snapshot_outlasts_the_bounds_of_others(database: Database) -> None:
    with Database(database.url, "fairlead", HASTY) as hasty, hasty.snapshot(is_long=True) as conn:
        conn.execute("select pg_sleep(0.5)")
        assert conn.execute("select 1").fetchone() == (1,)


def test_a_long_snapshot_s_statement_does_not_hang_for_ever(database: Database) -> None:
    said = r"statement timeout \(1000 ms, unless FAIRLEAD_LONG_STATEMENT_TIMEOUT_MS says otherwise\)$"
    with (
        Database(database.url, "fairlead", HASTY) as hasty,
        pytest.raises(Unavailable, match=said),
        hasty.snapshot(is_long=True) as conn,
    ):
        conn.execute("select pg_sleep(60)")
    with Database(database.url, "fairlead", HASTY) as hasty, hasty.snapshot() as conn:
        assert conn.execute("show statement_timeout").fetchone() == ("200ms",)


class Noted(Exception):
    """What a reader was given."""


@pytest.mark.parametrize("reader", ["verify", "reconcile", "export"])
def test_those_who_read_everything_read_for_long(
    reader: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def note(conn: Connection, *_: object, **__: object) -> bool:
        seen.append(conn.execute("show statement_timeout").fetchall()[0][0])
        raise Noted

    monkeypatch.setattr("fairlead.flows.proving.verify.niches_of", note)
    monkeypatch.setattr("fairlead.flows.maintenance.reconcile.clock", note)
    monkeypatch.setattr("fairlead.flows.exporting.open_export.take_export_slot", note)
    with ExitStack() as held:
        readers: dict[str, Callable[[], object]] = {
            "verify": lambda: verify(database),
            "reconcile": lambda: reconcile(database, OPERATOR),
            "export": lambda: begin_export(database, held, Exporter("operators", "ann")),
        }
        with pytest.raises(Noted):
            readers[reader]()
    assert seen == ["30min"]
    monkeypatch.undo()


SLEEPER = """
import sys
from fairlead.store.connection import Database
with Database(sys.argv[1], "fairlead") as database, database.snapshot(is_long=True) as conn:
    print(conn.info.backend_pid, flush=True)
    conn.execute("select pg_sleep(600)")
"""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="the server's system cannot tell")
def test_a_statement_whose_process_was_killed_ends_soon(database: Database) -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEPER, database.url], stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        backend_pid = int(client.stdout.readline())
        deadline = time.monotonic() + 120
        with database.transaction() as conn:

            def is_there(state: str) -> bool:
                conn.execute("select pg_stat_clear_snapshot()")
                query = f"select from pg_stat_activity where pid = %s and {state}"
                return bool(conn.execute(query.encode(), (backend_pid,)).fetchall())

            while not is_there("wait_event = 'PgSleep'"):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            os.kill(client.pid, signal.SIGKILL)
            while is_there("true"):
                assert time.monotonic() < deadline, "its statement goes on without it"
                time.sleep(0.1)
