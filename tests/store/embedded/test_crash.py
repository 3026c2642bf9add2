"""Nothing acknowledged is lost and nothing left behind keeps the server down, whatever was killed."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest

from fairlead.store.embedded.cluster import Cluster
from fairlead.store.embedded.process import live_postmaster
from tests.store.embedded.processes import ask, client, keep_a_row, kill_hard, read_line
from tests.waiting import wait_until

ON_LINUX = sys.platform == "linux"


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
        rest, _ = writer.communicate(timeout=60)
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


@pytest.mark.skipif(not ON_LINUX, reason="stops a single backend, which is told apart by /proc")
def test_orphaned_backends_are_waited_for_even_without_a_pid_file(cluster: Cluster) -> None:
    url = cluster.start()
    connection = psycopg.connect(url)
    backend = connection.info.backend_pid
    os.kill(backend, signal.SIGSTOP)
    _kill_postmaster(cluster)
    (cluster.data / "postmaster.pid").write_text("")
    starting = threading.Thread(target=cluster.start)
    try:
        starting.start()
        time.sleep(1.5)
        assert live_postmaster(cluster.data) is None, "a second server beside a living backend destroys data"
    finally:
        os.kill(backend, signal.SIGCONT)
        starting.join(60)
        with contextlib.suppress(psycopg.Error):
            connection.close()
    assert ask(cluster.url, "SELECT 1") == [(1,)]


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
