"""A primary is lost under load and its synchronous standby takes over: what was acknowledged is there, once."""

import os
import shutil
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from fairlead.store.connection import Database
from fairlead.store.embedded.account import ServerAccount, server_account
from fairlead.store.embedded.binaries import find_binaries
from fairlead.store.embedded.cluster import Cluster
from fairlead.store.embedded.launch import free_port
from fairlead.store.embedded.scratch import scratch_cluster
from fairlead.store.schema import migrate
from tests.chaos.outages import Deciding, kill_server, market
from tests.waiting import PATIENCE_SECONDS, wait_until

LEADS = 60
WORKERS = 2


@dataclass
class Standby:
    """A server that follows another one, until it is promoted."""

    data: Path
    port: int
    program: Path
    account: ServerAccount

    @property
    def log(self) -> Path:
        """What it says."""
        return self.data.with_suffix(".log")

    def start(self) -> None:
        """It runs and follows."""
        self._control("-w", "-l", str(self.log), "-o", f"-p {self.port}", "start")

    def promote(self) -> None:
        """It takes writes."""
        self._control("-w", "promote")

    def stop(self) -> None:
        """It is down."""
        self._control("-m", "immediate", "stop")

    def _control(self, *words: str) -> None:
        done = self.account.run([str(self.program), "-D", str(self.data), "-t", str(PATIENCE_SECONDS), *words])
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def primary() -> Generator[Cluster]:
    """A server that may be copied."""
    with scratch_cluster(extra_settings={"fsync": "off"}) as cluster:
        yield cluster


@pytest.fixture
def standby(primary: Cluster) -> Generator[Standby]:
    """A copy of the primary, made while it runs, that follows it; commits wait for it."""
    account = server_account(primary.root, primary.data)
    binaries = find_binaries(None, None)
    found = Standby(primary.root / "standby", free_port(), Path(binaries.program("pg_ctl")), account)
    found.data.mkdir(mode=0o700)
    if account.is_other:
        os.chown(found.data, account.uid, account.gid)
    found.log.touch(mode=0o666)
    found.log.chmod(0o666)
    copy = account.run(
        [binaries.program("pg_basebackup"), "-d", primary.superuser_url, "-D", str(found.data), "-R", "-c", "fast"]
    )
    assert copy.returncode == 0, copy.stderr
    found.start()
    with psycopg.connect(primary.superuser_url, autocommit=True) as conn:
        # After the copy was made: the promoted one has no standby to wait for.
        conn.execute("alter system set synchronous_standby_names = '*'")
        conn.execute("select pg_reload_conf()")
        following = "select sync_state from pg_stat_replication"
        wait_until(lambda: conn.execute(following).fetchone() == ("sync",), "a standby that follows")
    yield found
    found.stop()
    shutil.rmtree(found.data)


@pytest.mark.chaos
@pytest.mark.slow
def test_a_primary_lost_under_load_loses_nothing_that_was_acknowledged(primary: Cluster, standby: Standby) -> None:
    parts = conninfo_to_dict(primary.url)
    address = (
        f"postgresql://{parts['user']}:{parts['password']}@127.0.0.1:{parts['port']},127.0.0.1:{standby.port}/"
        f"{parts['dbname']}?target_session_attrs=read-write"
    )
    with Database(address, "fairlead") as database:
        migrate(database)
        niche, lead_ids = market(database, LEADS)
    deciding = Deciding(address, niche.niche_id, WORKERS)
    deciding.wait_for(LEADS // 4)
    kill_server(primary)
    assert len(deciding.acknowledged) < LEADS - deciding.untold_per_outage, "too late to disturb any worker"
    standby.promote()
    deciding.finish()
    with Database(address, "fairlead") as database:
        assert str(standby.port) in database.place
        deciding.assert_nothing_lost(database, lead_ids)
