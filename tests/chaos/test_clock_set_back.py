"""The database's clock is set back by a day in the middle of the work: what was put off is not put off by a day."""

import glob
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fairlead.store.connection import Database
from fairlead.store.embedded import account
from fairlead.store.embedded.cluster import Cluster
from fairlead.store.embedded.scratch import scratch_cluster
from fairlead.store.schema import migrate
from tests.chaos.market import (
    approve,
    assert_all_sold,
    assert_hooks_told,
    assert_told_once,
    one,
    open_market,
    outside,
    rows,
    submit,
    wait_until_drained,
)
from tests.chaos.outside import Hook, MailBox, moody_mail_server, moody_receiver
from tests.chaos.workers import Fleet
from tests.closing_sweep import sweep
from tests.waiting import wait_until

DAY_SECONDS = 86_400
TAKEOVER_SECONDS = 3
LIBRARIES = sorted(glob.glob("/usr/lib/*/faketime/libfaketime.so.1"))

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.slow,
    pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed (Debian: apt-get install faketime)"),
]


@dataclass(frozen=True)
class Clock:
    """The clock of one server. Its processes look into a file for how far it is off."""

    file: Path

    def set_back(self) -> None:
        """It shows this time yesterday from now on."""
        self.file.write_text(f"-{DAY_SECONDS}s\n", encoding="ascii")


@pytest.fixture
def clock(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Servers started from here on go by this clock."""
    folder = tmp_path_factory.mktemp("clock")
    for directory in (folder, *folder.parents):
        if directory.owner() == folder.owner() and directory != Path(directory.anchor):
            directory.chmod(directory.stat().st_mode | 0o011)  # the server's account has to get in
    made = Clock(folder / "offset")
    made.file.write_text("+0s\n", encoding="ascii")
    for name, value in {
        "LD_PRELOAD": LIBRARIES[0],
        "FAKETIME_TIMESTAMP_FILE": str(made.file),
        "FAKETIME_NO_CACHE": "1",  # or for a second some sessions would live in the future of others
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }.items():
        monkeypatch.setitem(account._ENVIRONMENT, name, value)
    return made


@pytest.fixture
def server(clock: Clock) -> Iterator[Cluster]:
    """A migrated server that goes by the clock."""
    with scratch_cluster() as cluster:
        with Database(cluster.url, "fairlead") as database:
            migrate(database)
        yield cluster


def test_a_clock_set_back_by_a_day_puts_nothing_off(
    server: Cluster, clock: Clock, open_fleet: Callable[..., Fleet], seed: int
) -> None:
    # Every message is refused at first, so that each has an attempt to come when the clock is set back.
    box, hook = MailBox(random.Random(seed), 0.2), Hook(random.Random(seed + 1), 1)
    with (
        Database(server.url, "fairlead") as database,
        moody_mail_server(box) as smtp_port,
        moody_receiver(hook),
    ):
        market = open_market(database, hook=hook)
        lead_ids = submit(database, market, 30)
        # The first retry of a webhook comes after five seconds, and further ones soon enough: each fails three times.
        fleet = open_fleet(
            server.url, heartbeat_timeout_seconds=TAKEOVER_SECONDS, retry_delay_factor=0.01, **outside(smtp_port)
        )
        dying, living = fleet.start_serving(2)
        approve(database, lead_ids[:20])
        wait_until(lambda: one(database, PUT_OFF) > 5, "attempts are put off")
        approve(database, lead_ids[20:25])
        dying.kill()
        before = one(database, "select clock_timestamp()")
        clock.set_back()
        wait_until(lambda: one(database, "select clock_timestamp() < %s", before), "the clock is set back")
        put_off = one(database, PUT_OFF_BY_A_DAY)
        heartbeats = one(database, FROM_THE_FUTURE)
        since = time.monotonic()
        approve(database, lead_ids[25:])
        hook.trouble = 0
        # A message that fails a fourth time, of a timeout on a busy machine, waits for 72 seconds.
        wait_until_drained(database, 200)
        print(f"drained {time.monotonic() - since:.1f} s after the clock was set back")
        assert living.is_alive()
        assert_all_sold(database, lead_ids)
        assert_told_once(database, box)
        assert_hooks_told(database, market, hook)
        sweep(database)

        assert put_off > 0, "nothing was put off when the clock was set back"
        assert heartbeats > 0, "no worker's last sign of life lay in the future"
        wait_until(lambda: rows(database, DUTIES_LATE) == [], "every task was done by the new clock", 10)
        assert one(database, FROM_THE_FUTURE) == 0, "a dead worker is believed in"


PUT_OFF = "select count(*) from jobs where state = 'waiting' and scheduled_at > clock_timestamp()"
PUT_OFF_BY_A_DAY = PUT_OFF + " + interval '23 hours'"
DUTIES_LATE = "select name from schedules where started_at > clock_timestamp() + interval '1 minute'"
FROM_THE_FUTURE = "select count(*) from workers where last_heartbeat > clock_timestamp()"
