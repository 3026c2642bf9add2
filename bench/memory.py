"""What a roster costs: memory for each subscription, and time to load. Run in a process of its own."""

import ctypes
import gc
import json
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from bench.population import POPULATIONS, create_niche
from bench.server import SCHEMA, address, create_database, drop_databases
from fairlead.store.connection import Database
from fairlead.store.distribution.rosters import load_roster
from fairlead.store.journal import lock_niches
from fairlead.store.schema import migrate


def resident_bytes() -> int:
    """The memory that this process holds now, after everything that is free was given back (Linux)."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def load(url: str) -> dict[str, float]:
    """What loading the database's only niche took: `bytes_per_subscription`, `load_seconds`."""
    with Database(url, SCHEMA) as database, database.transaction() as conn:
        niche_id = conn.execute("select id::text from niches").fetchall()[0][0]
        niche = lock_niches(conn, [niche_id])[niche_id]
        before = resident_bytes()
        started = time.perf_counter()
        roster = load_roster(conn, niche)
        seconds = time.perf_counter() - started
        grown = resident_bytes() - before
        return {
            "subscriptions": len(roster),
            "bytes_per_subscription": grown / len(roster),
            "load_seconds": seconds,
        }


def measure_roster(server_url: str, subscriptions_per_level: int) -> dict[str, float]:
    """`load` of a fresh niche of this size, in a fresh process."""
    name = "roster"
    try:
        url = create_database(server_url, name)
        with Database(url, SCHEMA) as database:
            migrate(database)
            create_niche(database, POPULATIONS[0], subscriptions_per_level, leads=1, seed=1)
        command = [sys.executable, "-m", "bench.memory", address(server_url, name)]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    finally:
        drop_databases(server_url, [name])


if __name__ == "__main__":
    print(json.dumps(load(sys.argv[1])))
