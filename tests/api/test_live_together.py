"""The live feed of several web processes: the same for all, nothing lost and nothing twice, whatever happens."""

import random
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from fairlead.core.errors import Unavailable
from fairlead.flows.distributor import Distributor
from fairlead.flows.live.positions import operator_id
from fairlead.store.connection import Database
from fairlead.store.embedded.cluster import Cluster
from fairlead.store.embedded.scratch import scratch_cluster
from fairlead.store.schema import migrate
from tests.api.live_sites import ADMIN, PROVIDER, Who, receive, receive_many, watching, web_process
from tests.closing_sweep import sweep
from tests.flows.access.people import enrolled_admin, provider_user
from tests.flows.live.feeds import Market, open_market, operators_see, sell
from tests.race.marketplaces import add_leads

SLUGS = ("moving", "storage", "hosting")
LEADS = 60
"""To each niche."""
RECONNECTS = 40


@pytest.fixture
def ports(database_url: str) -> Iterator[list[int]]:
    """Those of two web processes."""
    with ExitStack() as stack:
        yield [stack.enter_context(web_process(database_url)) for _ in range(2)]


def decide_all(database: Database, niche_id: str) -> None:
    """The niche's leads are decided, a few at a time."""
    distributor = Distributor(database, 3)
    while distributor.distribute_waiting(niche_id).decisions:
        pass


def read_with_many_reconnects(
    ports: list[int], path: str, who: Who, last_id: str, count: int, dice: random.Random
) -> tuple[list[dict[str, Any]], int]:
    """All messages, read through connections that are given up at random; how many connections it took."""
    received: list[dict[str, Any]] = []
    connections = 0
    while len(received) < count:
        # Half of them leave without a word, the others do not wait for the answer to theirs.
        with watching(dice.choice(ports), path, who, last_id, close_timeout=0.02) as feed:
            first = receive(feed)
            assert (first["type"], first["id"]) == ("ready", last_id)
            for _ in range(min(dice.randint(0, 2 * count // RECONNECTS), count - len(received))):
                received.append(receive(feed))
                last_id = received[-1]["id"]
            if dice.random() < 0.5:
                feed.socket.shutdown(socket.SHUT_RDWR)
        connections += 1
    return received, connections


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_watchers_that_reconnect_often_see_everything_once(database: Database, ports: list[int], seed: int) -> None:
    market = open_market(database, *SLUGS)
    ana = market.provider_ids["ana"]
    ann, sam = Who(enrolled_admin(database).token), Who(provider_user(database, ana).token)
    total = LEADS * len(SLUGS)
    with (
        watching(ports[1], ADMIN, ann) as steady,
        watching(ports[0], PROVIDER, sam) as own,
        ThreadPoolExecutor(2 + len(SLUGS)) as pool,
    ):
        begins, own_begins = receive(steady)["id"], receive(own)["id"]
        with database.transaction() as conn:
            for niche in market.niches.values():
                add_leads(conn, niche, [40] * LEADS)
        deciding = [pool.submit(decide_all, database, niche.niche_id) for niche in market.niches.values()]
        dice = [random.Random(f"{seed} {number}") for number in range(2)]
        following = [
            pool.submit(read_with_many_reconnects, ports, ADMIN, ann, begins, total * 4, dice[0]),
            pool.submit(read_with_many_reconnects, ports, PROVIDER, sam, own_begins, total, dice[1]),
        ]
        steadily, owned = receive_many(steady, total * 4), receive_many(own, total)
        for each in deciding:
            each.result()
        reconnecting, own_reconnecting = (each.result() for each in following)
    stored = [each.body(operator_id(each.position)) for each in operators_see(database, int(begins))]
    assert steadily == stored
    assert reconnecting[0] == stored
    assert own_reconnecting[0] == owned
    assert min(reconnecting[1], own_reconnecting[1]) > RECONNECTS // 2
    decisions = Counter(each["niche"] for each in steadily if each["type"] == "decision.recorded")
    assert decisions == dict.fromkeys(SLUGS, LEADS)
    of_ana = [each for each in steadily if each["type"] == "assignment.created" and each["provider_id"] == ana]
    assert [each["assignment_id"] for each in owned] == [each["assignment_id"] for each in of_ana]


@pytest.fixture
def durable() -> Iterator[Cluster]:
    """A server of its own with the settings that a marketplace runs with."""
    with scratch_cluster(extra_settings={}) as cluster:
        with Database(cluster.url, "fairlead") as database:
            migrate(database)
        yield cluster


@pytest.mark.slow
@pytest.mark.chaos
def test_a_database_that_is_away_ends_nothing_and_loses_nothing(durable: Cluster) -> None:
    with Database(durable.url, "fairlead") as database, ExitStack() as stack:
        market = open_market(database)
        ann = Who(enrolled_admin(database).token)
        ports = [stack.enter_context(web_process(durable.url)) for _ in range(2)]
        feeds = [stack.enter_context(watching(port, ADMIN, ann)) for port in ports]
        assert {receive(feed)["id"] for feed in feeds} == {"1"}
        expected = sell(database, market.niches["moving"], 3)
        assert [receive_many(feed, 12)[-1]["id"] for feed in feeds] == ["4-3"] * 2
        expected = sell(database, market.niches["moving"], 3)  # some of these are seen only when it is back
        assert durable.stop()
        time.sleep(3)
        durable.start()
        expected += sold_at_last(database, market)
        seen = [receive_many(feed, 4 * 5) for feed in feeds]
        for messages in seen:
            assert [each["lead_id"] for each in messages if each["type"] == "decision.recorded"] == expected
            assert [each["id"] for each in messages] == [f"{5 + n}-{m}" for n in range(5) for m in range(4)]
        sweep(database)


def sold_at_last(database: Database, market: Market) -> list[str]:
    """Two leads more, sold as soon as the database takes them."""
    while True:
        try:
            database.run(lambda conn: conn.execute("select 1"))
        except Unavailable:
            continue
        return sell(database, market.niches["moving"], 2)
