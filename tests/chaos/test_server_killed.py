"""The whole server is killed while leads are distributed: what was acknowledged is kept, and nothing is half done."""

from collections.abc import Iterator

import pytest

from fairlead.store.connection import Database
from fairlead.store.embedded.cluster import Cluster
from fairlead.store.embedded.scratch import scratch_cluster
from fairlead.store.schema import migrate
from tests.chaos.outages import Deciding, kill_server, market

WORKERS = 3


@pytest.fixture
def durable() -> Iterator[Cluster]:
    """A server of its own with the settings that a marketplace runs with."""
    with scratch_cluster(extra_settings={}) as cluster:
        yield cluster


@pytest.mark.slow
@pytest.mark.chaos
def test_a_killed_server_loses_nothing_that_was_acknowledged(durable: Cluster) -> None:
    _kill_under_load(durable, leads=60, kills=1)


@pytest.mark.chaos_long
def test_a_server_killed_again_and_again_loses_nothing_that_was_acknowledged(durable: Cluster) -> None:
    _kill_under_load(durable, leads=900, kills=6)


def _kill_under_load(cluster: Cluster, leads: int, kills: int) -> None:
    url = cluster.url
    with Database(url, "fairlead") as database:
        migrate(database)
        niche, lead_ids = market(database, leads)
    deciding = Deciding(url, niche.niche_id, WORKERS)
    for kill in range(kills):
        deciding.wait_for((kill + 1) * leads // (kills + 2))
        kill_server(cluster)
        assert len(deciding.acknowledged) < leads - deciding.untold_per_outage, "too late to disturb any worker"
        assert cluster.start() == url
    deciding.finish()
    with Database(url, "fairlead") as database:
        deciding.assert_nothing_lost(database, lead_ids, kills)
