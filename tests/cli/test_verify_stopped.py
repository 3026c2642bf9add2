"""Ctrl-C or SIGTERM while `fairlead verify` is at it: a real process and signal, and nothing of it is left running."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.embedded.cluster import Cluster
from tests.flows.marketplaces import HOSTING, declare
from tests.processes import python_process
from tests.waiting import PATIENCE_SECONDS, wait_until

PAUSING = """
import sys
from fairlead.flows.proving import verify as flow

whole = flow.verify

def pausing(database, niche, progress):
    def show(what, done, total):
        progress(what, done, total)
        print(what, flush=True)
        sys.stdin.readline()
    return whole(database, niche, progress=show)

flow.verify = pausing
sys.argv = ["fairlead", "verify"]
from fairlead.cli import main
main()
"""
"""The program, which after each step of `verify` says so and waits for a line."""


def interrupted(process: "subprocess.Popen[str]", by: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
    """How the process ended after the signal: status, and what it had left to say on either stream."""
    process.send_signal(by)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, out, err


def test_a_statement_under_way_ends_with_the_process(database: Database, database_url: str, server_url: str) -> None:
    declare(database, HOSTING)
    submit_leads(database, "hosting", [{"cores": 8, "region": "north"}] * 3, OPERATOR, approve=True)
    with database.snapshot() as conn:
        [(niche_id,)] = conn.execute("select id::text from niches").fetchall()
    assert len(Distributor(database).distribute_waiting(niche_id).decisions) == 3
    with psycopg.connect(server_url, autocommit=True) as watcher, database.transaction() as conn:

        def sessions(state: str) -> int:
            query = f"select count(*) from pg_stat_activity where datname = %s and pid <> pg_backend_pid() and {state}"
            return watcher.execute(query.encode(), (conn.info.dbname,)).fetchall()[0][0]

        before = sessions("true")
        conn.execute("lock table ledger_entries in access exclusive mode")
        with python_process(["-m", "fairlead", "verify"], {"FAIRLEAD_DATABASE_URL": database_url}) as process:
            wait_until(lambda: sessions("wait_event_type = 'Lock'") == 1, "verify did not get to the ledger")
            status, out, err = interrupted(process)
        assert (status, out) == (130, "")
        assert err.count("\n") == 1
        assert "stopped before the end, at rows, 0 of " in err
        assert "nothing is proven, and nothing was changed" in err
        wait_until(lambda: sessions("true") == before, "a session of it is left")


@pytest.fixture
def data_dir() -> Generator[Path]:
    """Where an embedded server may be, reachable for its account also when root runs the tests."""
    path = Path(tempfile.mkdtemp(prefix="fairlead-test-"))
    path.chmod(0o711 if os.geteuid() == 0 else 0o700)
    yield path
    Cluster(path / "postgres").stop()
    shutil.rmtree(path)


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "by"), [(1, signal.SIGINT), (3, signal.SIGINT), (1, signal.SIGTERM)])
def test_the_embedded_server_that_it_started_stops_with_it(steps: int, by: signal.Signals, data_dir: Path) -> None:
    environment = {"FAIRLEAD_DATA_DIR": str(data_dir), "FAIRLEAD_DATABASE_URL": ""}
    with python_process(["-c", PAUSING], environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for step in range(steps):
            if step:
                process.stdin.write("\n")
                process.stdin.flush()
            assert process.stdout.readline() == "rows\n"
        assert Cluster(data_dir / "postgres").status().running
        status, out, err = interrupted(process, by)
    assert (status, out) == (130, "")
    assert err.startswith(f"stopped before the end, at rows, {steps - 1} of ")
    assert not Cluster(data_dir / "postgres").status().running
