"""What tests of chaos need: a relay in front of the test server, worker processes, dice that can be thrown again."""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.proxy import Proxy
from tests.chaos.workers import Fleet, environment


@pytest.fixture
def proxy(server_url: str) -> Iterator[Proxy]:
    """A relay that strikes nowhere until it is told to."""
    relay = Proxy(server_url)
    yield relay
    relay.close()


@pytest.fixture
def seed() -> int:
    """What the dice of this run begin with: CHAOS_SEED, or chance. Shown when the test fails."""
    chosen = int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(2**32))
    print(f"CHAOS_SEED={chosen}")
    return chosen


@pytest.fixture
def open_fleet(tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    """Makes a fleet whose processes work on the database of this URL; all of them are gone after the test."""
    fleets: list[Fleet] = []

    def make(database_url: str, **settings: object) -> Fleet:
        folder = tmp_path / f"fleet-{len(fleets)}"
        folder.mkdir()
        mail: dict[str, object] = {"mail_transport": "directory", "mail_directory": folder / "mail"}
        fleets.append(Fleet(folder, environment(database_url, **(mail | settings))))
        return fleets[-1]

    yield make
    for fleet in fleets:
        fleet.end()
