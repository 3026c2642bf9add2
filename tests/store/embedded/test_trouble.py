"""A server that cannot run says what it lacks and what to do, whichever verb was asked."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from fairlead.core.errors import Unavailable
from fairlead.store.connection import Database
from fairlead.store.embedded.cluster import Cluster
from fairlead.store.embedded.errors import EmbeddedPostgresError
from fairlead.store.embedded.server_log import failure_reason
from tests.waiting import wait_until

DISK_BYTES = 200 * 2**20


@pytest.fixture
def small_disk(home: Path) -> Generator[Path]:
    """A directory on a disk of its own, with little room."""
    disk = home / "disk"
    disk.mkdir(mode=0o711)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0711", "tmpfs", str(disk)]
    if sys.platform != "linux" or os.geteuid() != 0 or subprocess.run(mount, check=False).returncode != 0:
        pytest.skip("a disk can be mounted by root on Linux alone")
    yield disk
    Cluster(disk / "postgres").stop()
    subprocess.run(["umount", str(disk)], check=True)


def _fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65_536))
        except OSError:
            return


def _kill(cluster: Cluster) -> None:
    pid = cluster.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not cluster.status().running)


def test_a_full_disk_is_named_when_the_server_starts(small_disk: Path) -> None:
    cluster = Cluster(small_disk / "postgres")
    cluster.start()
    _kill(cluster)
    _fill(small_disk)

    with pytest.raises(EmbeddedPostgresError, match=r"No space left on device.*free space on the disk") as refusal:
        cluster.start()
    assert "\n" not in str(refusal.value)

    (small_disk / "filler").unlink()
    cluster.start()


def test_a_disk_that_fills_while_a_verb_works_is_named(small_disk: Path) -> None:
    cluster = Cluster(small_disk / "postgres")

    def fill_while_writing() -> None:
        with cluster.use() as url, Database(url, "public", patience_seconds=1) as database:
            with database.transaction() as conn:
                conn.execute("create table filled (bytes bytea)")
                conn.execute("create table committed_calls (call_id uuid)")
            _fill(small_disk)
            database.run(
                lambda conn: conn.execute(
                    "insert into filled select convert_to(string_agg(gen_random_uuid()::text, ''), 'UTF8') "
                    "from generate_series(1, 2000) as n, generate_series(1, 3000) as row group by row"
                )
            )

    with pytest.raises(EmbeddedPostgresError, match=r"No space left on device.*free space on the disk"):
        fill_while_writing()


def test_another_outage_is_told_as_it_is(cluster: Cluster) -> None:
    def away() -> None:
        raise Unavailable("another reason")

    with pytest.raises(Unavailable, match=r"^another reason$"), cluster.use():
        away()


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can give a directory away")
def test_a_data_directory_that_the_server_may_not_read_is_named(home: Path) -> None:
    cluster = Cluster(home / "postgres")
    cluster.start()
    cluster.stop()
    (cluster.data / "global" / "pg_control").chmod(0o000)
    with pytest.raises(EmbeddedPostgresError, match=r"Permission denied.*it must own"):
        cluster.start()
    (cluster.data / "global" / "pg_control").chmod(0o600)


DATA = Path(__file__).parent


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (
            ["FATAL:  the database system is not yet accepting connections", "PANIC:  could not locate a valid "
             "checkpoint record"],
            f"could not locate a valid checkpoint record; {DATA} is damaged: restore a backup",
        ),
        (
            ["FATAL:  the database system is starting up", 'FATAL:  could not create lock file "postmaster.pid": '
             "Read-only file system"],
            f'could not create lock file "postmaster.pid": Read-only file system; the file system that holds {DATA} '
            "takes no writes: look at the machine's disks",
        ),
        (
            ["FATAL:  the database system is in recovery mode", "FATAL:  data directory has wrong ownership"],
            "data directory has wrong ownership",
        ),
        (["LOG:  shutting down", "LOG:  database system is shut down"], "database system is shut down"),
        (["FATAL:  the database system is shutting down"], "no message"),
        ([], "no message"),
    ],
)  # fmt: skip
def test_the_line_that_matters_is_told(lines: list[str], reason: str) -> None:
    assert failure_reason(lines, DATA) == reason
