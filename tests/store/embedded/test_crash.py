"""Nothing acknowledged is lost and nothing left behind keeps the server down, whatever was killed."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from fairlead.store.embedded import launch
from fairlead.store.embedded import orphans as ending
from fairlead.store.embedded.account import server_account
from fairlead.store.embedded.binaries import find_binaries
from fairlead.store.embedded.cluster import Cluster
from fairlead.store.embedded.errors import EmbeddedPostgresError
from fairlead.store.embedded.orphans import orphans
from fairlead.store.embedded.process import is_alive, live_postmaster, postgres_processes
from tests.store.embedded.processes import ask, client, keep_a_row, kill_hard, read_line
from tests.waiting import wait_until

ON_LINUX = sys.platform == "linux"
by_proc = pytest.mark.skipif(not ON_LINUX, reason="tells a server's processes apart by /proc")


def _kill_postmaster(cluster: Cluster) -> int:
    pid = cluster.status().pid
    assert pid is not None
    kill_hard(pid)
    wait_until(lambda: not cluster.status().running)
    return pid


def test_no_acknowledged_row_is_lost_when_the_postmaster_is_killed(home: Path) -> None:
    cluster = Cluster(home / "postgres")
    with client("write", cluster.start()) as writer:
        while int(read_line(writer)) < 300:
            pass
        _kill_postmaster(cluster)
        # Not communicate(), which leaves out the lines that readline() has read ahead.
        assert writer.stdout is not None
        rest = writer.stdout.read()
    acknowledged = 301 + len(rest.split())

    kept = ask(cluster.start(), "SELECT count(*), max(n) FROM acknowledged")

    # The last row may have been committed without its answer arriving.
    assert kept in ([(acknowledged, acknowledged - 1)], [(acknowledged + 1, acknowledged)])


@pytest.mark.parametrize("disguise", ["sleep", "postgres"])
def test_a_pid_file_whose_number_belongs_to_another_process(cluster: Cluster, disguise: str) -> None:
    keep_a_row(cluster.start())
    was = _kill_postmaster(cluster)
    pid_file = cluster.data / "postmaster.pid"
    # Called postgres it could be the server of another directory.
    with subprocess.Popen([disguise, "600"], executable="/bin/sleep") as stranger:
        try:
            pid_file.write_text(pid_file.read_text().replace(str(was), str(stranger.pid), 1))
            assert not cluster.status().running

            assert ask(cluster.start(), "SELECT n FROM kept") == [(42,)]
            assert stranger.poll() is None
        finally:
            stranger.kill()


@pytest.mark.parametrize("content", ["", "\n", "garbage", "-1\n", "0\n", "99999999999999999999\n/\n0\n5432\n"])
def test_a_broken_pid_file(cluster: Cluster, content: str) -> None:
    cluster.start()
    cluster.stop()
    (cluster.data / "postmaster.pid").write_text(content)
    assert not cluster.status().running

    assert ask(cluster.start(), "SELECT 1") == [(1,)]


def test_a_zombie_is_not_a_server(cluster: Cluster) -> None:
    cluster.start()
    _kill_postmaster(cluster)
    pid_file = cluster.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    with subprocess.Popen(["/bin/true"]) as zombie:
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        pid_file.write_text("\n".join([str(zombie.pid), *lines[1:]]) + "\n")

        assert ask(cluster.start(), "SELECT 1") == [(1,)]


@pytest.fixture
def stopped_backend(cluster: Cluster) -> Iterator[int]:
    """A backend that notices nothing, as one does that waits for a lock which a killed process held."""
    with contextlib.suppress(psycopg.Error), psycopg.connect(cluster.start()) as connection:
        backend = connection.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        yield backend
        with contextlib.suppress(ProcessLookupError):
            os.kill(backend, signal.SIGCONT)


@by_proc
def test_orphaned_backends_are_waited_for_even_without_a_pid_file(cluster: Cluster, stopped_backend: int) -> None:
    _kill_postmaster(cluster)
    (cluster.data / "postmaster.pid").write_text("")
    starting = threading.Thread(target=cluster.start)
    try:
        starting.start()
        time.sleep(1.5)
        second = live_postmaster(cluster.data)
        assert second is None or not is_alive(stopped_backend), "a second server beside a living backend destroys data"
    finally:
        os.kill(stopped_backend, signal.SIGCONT)
        starting.join(60)
    assert ask(cluster.url, "SELECT 1") == [(1,)]


@by_proc
def test_an_orphan_that_never_notices_is_ended_by_the_next_start(cluster: Cluster, stopped_backend: int) -> None:
    url = cluster.url
    keep_a_row(url)
    _kill_postmaster(cluster)

    assert cluster.start() == url

    assert not is_alive(stopped_backend)
    assert ask(url, "SELECT n FROM kept") == [(42,)]


@by_proc
def test_an_orphan_that_never_notices_is_ended_by_a_stop(cluster: Cluster, stopped_backend: int) -> None:
    _kill_postmaster(cluster)

    assert not cluster.stop(), "the server was down"

    assert not is_alive(stopped_backend)
    assert orphans(cluster.data) == []


@by_proc
def test_orphans_that_cannot_be_ended_are_named(
    cluster: Cluster, stopped_backend: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "_GONE_WITHIN_S", 0.5)
    _kill_postmaster(cluster)

    with pytest.raises(EmbeddedPostgresError, match=rf"do not end \(number {stopped_backend}\)"):
        cluster.start()


@by_proc
def test_a_server_whose_pid_file_is_lost_is_no_orphan(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "_RETRY_WITHIN_S", 0)
    cluster.start()
    pid_file = cluster.data / "postmaster.pid"
    content = pid_file.read_text()
    pid_file.write_text("")
    try:
        with pytest.raises(EmbeddedPostgresError, match="is still in use"):
            cluster.start()
    finally:
        pid_file.write_text(content)
    assert ask(cluster.url, "SELECT 1") == [(1,)], "it was left alone"


@by_proc
def test_a_server_in_single_user_mode_is_no_orphan(cluster: Cluster) -> None:
    account = server_account(cluster.root, cluster.data)
    program = find_binaries(None).program("postgres")
    become = {"user": account.uid, "group": account.gid, "extra_groups": []} if account.is_other else {}
    single = subprocess.Popen([program, "--single", "-D", cluster.data, "postgres"], stdin=subprocess.PIPE, **become)
    with single:
        wait_until(lambda: single.pid in postgres_processes(cluster.data))
        assert orphans(cluster.data) == []


@pytest.mark.skipif(not ON_LINUX, reason="finds initdb by /proc")
@pytest.mark.parametrize("initdb_dies_too", [True, False])
def test_a_killed_initdb_leaves_nothing_that_counts(missing: Cluster, initdb_dies_too: bool) -> None:
    with client("hold", missing.root) as first:
        wait_until(lambda: (missing.root / "data.new" / "postgresql.conf").exists())
        children = Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text().split()
        kill_hard(first.pid)
        for child in children if initdb_dies_too else []:
            kill_hard(int(child))
    assert children
    assert not missing.data.exists()

    assert ask(missing.start(), "SELECT 1") == [(1,)]
    assert not (missing.root / "data.new").exists()
    assert not (missing.root / "password.new").exists()
