"""Many processes, one server: the first one in starts it, the last one out stops it."""

from contextlib import ExitStack

import pytest

from fairlead.store.embedded.cluster import Cluster
from fairlead.store.embedded.errors import EmbeddedPostgresError
from tests.store.embedded.processes import ask, client, kill_hard, leave, read_line


def test_four_racing_cold_starts_make_one_server(missing: Cluster) -> None:
    with ExitStack() as stack:
        racers = [stack.enter_context(client("hold", missing.root)) for _ in range(4)]

        urls = {read_line(racer) for racer in racers}

        assert urls == {missing.url}
        assert ask(missing.url, "SELECT 1") == [(1,)]
        for racer in racers:
            assert missing.status().running
            leave(racer)
    assert not missing.status().running


def test_the_last_one_out_stops_it(cluster: Cluster) -> None:
    with client("hold", cluster.root) as first, client("hold", cluster.root) as second:
        read_line(first)
        read_line(second)
        pid = cluster.status().pid

        leave(first)
        assert cluster.status().pid == pid

        leave(second)
    assert not cluster.status().running


def test_coming_and_going_never_meets_a_stopping_server(cluster: Cluster) -> None:
    cluster.start()
    with ExitStack() as stack:
        for process in [stack.enter_context(client("churn", cluster.root, "12")) for _ in range(3)]:
            leave(process)
    assert not cluster.status().running


def test_uses_within_one_process_count_too(cluster: Cluster) -> None:
    with cluster.use() as outer:
        with cluster.use() as inner:
            assert inner == outer
        assert ask(outer, "SELECT 1") == [(1,)]
    assert not cluster.status().running


def test_it_stops_after_a_failure_as_well(cluster: Cluster) -> None:
    with pytest.raises(ZeroDivisionError), cluster.use():
        _ = 1 / 0
    assert not cluster.status().running


def test_kept_running_it_survives_its_users_until_stopped(cluster: Cluster) -> None:
    cluster.keep_running()
    assert cluster.status().stays_up
    with client("hold", cluster.root) as user:
        read_line(user)
        leave(user)
    assert cluster.status().running

    assert cluster.stop(force=False)
    assert not cluster.status().running
    assert not cluster.status().stays_up
    assert not cluster.stop(force=False)

    with cluster.use():
        pass
    assert not cluster.status().running


def test_a_killed_user_leaves_it_to_the_next(cluster: Cluster) -> None:
    with client("hold", cluster.root) as victim:
        read_line(victim)
        pid = cluster.status().pid
        kill_hard(victim.pid)
        victim.wait()
    assert cluster.status().pid == pid

    with client("hold", cluster.root) as following:
        read_line(following)
        assert cluster.status().pid == pid
        leave(following)
    assert not cluster.status().running


def test_stop_spares_the_users_unless_forced(cluster: Cluster) -> None:
    cluster.keep_running()
    with client("hold", cluster.root) as first, client("hold", cluster.root) as second:
        read_line(first)
        with pytest.raises(EmbeddedPostgresError, match="other fairlead processes are using"):
            cluster.stop(force=False)
        assert cluster.status().running

        read_line(second)
        leave(first)
        assert cluster.status().running
        leave(second)
    assert not cluster.status().running, "the refused stop still ends the keeping"


def test_a_forced_stop_is_at_once_and_its_user_leaves_in_peace(cluster: Cluster) -> None:
    with client("hold", cluster.root) as user:
        read_line(user)
        assert cluster.stop(force=True)
        assert not cluster.status().running
        leave(user)


def test_a_user_that_finds_the_server_killed_starts_it_again(cluster: Cluster) -> None:
    with cluster.use():
        pid = cluster.status().pid
        assert pid is not None
        kill_hard(pid)

        with cluster.use() as url:
            assert ask(url, "SELECT 1") == [(1,)]
            assert cluster.status().pid != pid
