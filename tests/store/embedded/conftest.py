"""Real servers in directories of their own."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from fairlead.store.embedded.cluster import Cluster
from fairlead.store.embedded.scratch import QUICK, scratch_cluster


@pytest.fixture
def home() -> Generator[Path]:
    """A directory that the server's account can reach; pytest's own is closed to it when root tests."""
    path = Path(tempfile.mkdtemp(prefix="fairlead-test-"))
    path.chmod(0o711 if os.geteuid() == 0 else 0o700)
    yield path
    for root in {path / "postgres", *path.glob("*/postgres")}:
        with contextlib.suppress(OSError):
            Cluster(root).stop()
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def made() -> Generator[Cluster]:
    """One cluster for all tests that leave it whole: making or copying one takes longer than most tests."""
    with scratch_cluster() as cluster:
        yield cluster


@pytest.fixture
def cluster(made: Cluster) -> Generator[Cluster]:
    """A cluster that exists and is stopped; quick, since no test pulls the plug in these tests."""
    made.stop()
    yield made
    made.stop()


STARTS_SERVERS = {"home", "made"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Making, starting and killing servers is left to CI; every run stands on one that was made in the same way."""
    for item in items:
        if item.path.parent == Path(__file__).parent and STARTS_SERVERS & {*getattr(item, "fixturenames", ())}:
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def missing(home: Path) -> Cluster:
    """A cluster that does not exist yet."""
    return Cluster(home / "postgres", extra_settings=QUICK)
