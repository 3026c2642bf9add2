"""The live feed over real sockets: what is seen, by whom, from where on, and how it ends for who does not read."""

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from websockets.exceptions import InvalidStatus

from fairlead.api.application import web_application
from fairlead.api.live import connection as connections
from fairlead.api.live import hub
from fairlead.api.live import watching as serving
from fairlead.api.live.sockets import SETTINGS
from fairlead.api.serve import ServingThread, serve_in_thread
from fairlead.flows.live.feed import bring_up_to_date, forget_old_entries, own_page
from fairlead.settings import Settings
from fairlead.store.connection import Database
from fairlead.store.live import sequencing
from tests.api.live_sites import (
    ADMIN,
    PROVIDER,
    Who,
    closing_code,
    read_to_the_end,
    receive,
    receive_many,
    refusal,
    watching,
)
from tests.flows.access.people import enrolled_admin, provider_user, value
from tests.flows.live.feeds import Market, open_market, sell
from tests.waiting import wait_until


@pytest.fixture
def app(database: Database) -> FastAPI:
    return web_application(database, Settings.model_validate({"cookie_over_http": True}))


@pytest.fixture
def site(app: FastAPI) -> Iterator[ServingThread]:
    with serve_in_thread(app, "127.0.0.1", 0) as served:
        yield served


@pytest.fixture
def market(database: Database) -> Market:
    return open_market(database)


@pytest.fixture
def ann(database: Database) -> Who:
    return Who(enrolled_admin(database).token)


def test_an_operator_sees_what_commits(database: Database, site: ServingThread, market: Market, ann: Who) -> None:
    with watching(site.port, ADMIN, ann) as feed:
        ready = receive(feed)
        assert (ready["type"], ready["id"]) == ("ready", "1")
        [lead_id] = sell(database, market.niches["moving"])
        messages = receive_many(feed, 4)
    assert [each["id"] for each in messages] == ["2-0", "2-1", "2-2", "2-3"]
    assert [each["type"] for each in messages] == ["decision.recorded"] + ["assignment.created"] * 3
    assert {each["lead_id"] for each in messages} == {lead_id}


def test_a_provider_sees_its_own_and_nothing_else(database: Database, site: ServingThread, market: Market) -> None:
    ana, ben, cyd = market.provider_ids.values()
    people = {each: Who(provider_user(database, each, f"{each}@example.com").token) for each in (ana, ben)}
    with watching(site.port, PROVIDER, people[ana]) as one, watching(site.port, PROVIDER, people[ben]) as two:
        firsts = receive(one), receive(two)
        lead_ids = sell(database, market.niches["moving"], 3)
        seen = {ana: receive_many(one, 3), ben: receive_many(two, 3)}
        for feed in (one, two):
            with pytest.raises(TimeoutError):
                feed.recv(0.6)
    for own, messages in seen.items():
        assert [each["lead_id"] for each in messages] == lead_ids
        stored = value(
            database, "select array_agg(id::text order by journal_seq) from assignments where provider_id = %s", own
        )
        assert [each["assignment_id"] for each in messages] == stored
        everything = json.dumps([*firsts, *messages])
        assert not any(other in everything for other in {ana, ben, cyd} - {own})
    # The ids tell nothing either: not where others stand, nor how much there was between two of them.
    assert not {each["id"] for each in seen[ana]} & {each["id"] for each in seen[ben]}
    assert {len(each["id"]) for messages in seen.values() for each in messages} == {32}


def test_a_provider_goes_on_from_its_own_ids_only(
    database: Database, site: ServingThread, market: Market, ann: Who
) -> None:
    ana, ben, _ = market.provider_ids.values()
    one, two = (Who(provider_user(database, each, f"{each}@example.com").token) for each in (ana, ben))
    with watching(site.port, PROVIDER, one) as feed:
        first = receive(feed)
    lead_ids = sell(database, market.niches["moving"], 3)
    with watching(site.port, PROVIDER, one, first["id"]) as feed:
        again = receive(feed)
        assert (again["type"], again["id"]) == ("ready", first["id"])
        second = receive(feed)
    with watching(site.port, PROVIDER, one, second["id"]) as feed:
        assert receive(feed)["type"] == "ready"
        assert [each["lead_id"] for each in receive_many(feed, 2)] == lead_ids[1:]
    for who, path, last_id in ((two, PROVIDER, second["id"]), (ann, ADMIN, second["id"]), (one, PROVIDER, "1-0")):
        assert refusal(site.port, path, who, last_id) == (422, "input_invalid")


@pytest.mark.parametrize("last_id", ["2-1", "2", "1"])
def test_a_watcher_that_was_away_goes_on_where_it_was(
    database: Database, site: ServingThread, market: Market, ann: Who, last_id: str
) -> None:
    bring_up_to_date(database)
    sell(database, market.niches["moving"], 2)
    every = [f"{entry}-{number}" for entry in (2, 3) for number in range(4)]
    expected = {"2-1": every[2:], "2": every[4:], "1": every}[last_id]
    with watching(site.port, ADMIN, ann, last_id) as feed:
        assert receive(feed)["id"] == last_id
        assert [receive(feed)["id"] for _ in expected] == expected
        sell(database, market.niches["moving"])
        assert receive(feed)["id"] == "4-0"


def test_a_watcher_that_cannot_go_on_is_told_of_a_gap(
    database: Database, site: ServingThread, market: Market, ann: Who
) -> None:
    bring_up_to_date(database)
    sell(database, market.niches["moving"], 2)
    bring_up_to_date(database)
    value(database, "update live_entries set sequenced_at = sequenced_at - interval '8 days' where id = 2")
    assert forget_old_entries(database) == 1
    for last_id, reason in (("1", "expired_id"), ("2-0", "expired_id"), ("900", "unknown_id")):
        with watching(site.port, ADMIN, ann, last_id) as feed:
            gap = receive(feed)
            assert (gap["type"], gap["reason"], gap["id"]) == ("gap", reason, "2")
            assert [receive(feed)["id"] for _ in range(4)] == ["3-0", "3-1", "3-2", "3-3"]
    with watching(site.port, ADMIN, ann, "2") as feed:
        assert receive(feed)["type"] == "ready"


def test_a_gap_while_watching_is_told_too(
    database: Database, site: ServingThread, market: Market, ann: Who, monkeypatch: pytest.MonkeyPatch
) -> None:
    with watching(site.port, ADMIN, ann) as feed:
        receive(feed)
        sell(database, market.niches["moving"])
        assert receive_many(feed, 4)[-1]["id"] == "2-3"
        monkeypatch.setattr(sequencing, "MOST_BEHIND_ENTRIES", 2)
        sell(database, market.niches["moving"], 3)
        gap = receive(feed)
        assert (gap["type"], gap["reason"], gap["id"]) == ("gap", "expired_id", "3")
        sell(database, market.niches["moving"])
        assert receive(feed)["id"] == "4-0"


def test_a_watcher_that_comes_while_a_page_is_read_without_it_misses_nothing(
    database: Database, app: FastAPI, site: ServingThread, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, ben, _ = market.provider_ids.values()
    one, two = (Who(provider_user(database, each, f"{each}@example.com").token) for each in (ana, ben))
    with watching(site.port, PROVIDER, two) as feed:
        begins = receive(feed)["id"]
    read, go_on = threading.Event(), threading.Event()

    def slow_page(*words: Any) -> Any:
        page = own_page(*words)
        read.set()
        assert go_on.wait(60)
        return page

    rooms = app.state.live._rooms
    with watching(site.port, PROVIDER, one) as first:
        receive(first)
        # Both stand where the feed stood: what is sold now is on a page that the poller reads.
        wait_until(lambda: all(room.position_id is not None for room in rooms.values()))
        wait_until(lambda: all(each.is_attached for room in rooms.values() for each in room.connections))
        monkeypatch.setattr(hub, "own_page", slow_page)
        [lead_id] = sell(database, market.niches["moving"])
        assert read.wait(20)
        with watching(site.port, PROVIDER, two, begins) as second:
            receive(second)
            wait_until(lambda: sum(each.is_attached for room in rooms.values() for each in room.connections) == 2)
            go_on.set()
            assert receive(first)["lead_id"] == lead_id
            assert receive(second)["lead_id"] == lead_id


def test_a_heartbeat_says_from_where_to_go_on(
    database: Database, site: ServingThread, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also to a provider who was told nothing of what has happened meanwhile."""
    monkeypatch.setattr(serving, "HEARTBEAT_SECONDS", 0.2)
    quiet = value(
        database,
        "insert into providers (id, name, email, email_key, created_at) "
        "values (gen_random_uuid(), 'Dot', 'dot@live.test', 'dot@live.test', now()) "
        "returning id::text",
    )
    dot = Who(provider_user(database, quiet).token)
    with watching(site.port, PROVIDER, dot) as feed:
        first = receive(feed)
        sell(database, market.niches["moving"])
        wait_until(lambda: json.loads(feed.recv(5))["id"] != first["id"])
        beat = json.loads(feed.recv(5))
        assert (set(beat), beat["type"]) == ({"id", "type", "at"}, "heartbeat")
    value(database, "update live_entries set sequenced_at = sequenced_at - interval '8 days'")
    forget_old_entries(database)
    with watching(site.port, PROVIDER, dot, beat["id"]) as feed:
        assert receive(feed)["type"] == "ready"  # nothing was missed


@pytest.mark.slow
def test_a_watcher_that_does_not_read_is_closed_and_can_go_on(
    database: Database, app: FastAPI, site: ServingThread, market: Market, ann: Who, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST_QUEUED_MESSAGES", 300)
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    narrow.connect(("127.0.0.1", site.port))
    with watching(site.port, ADMIN, ann, sock=narrow, max_queue=1) as slow, watching(site.port, ADMIN, ann) as quick:
        assert receive(slow)["id"] == receive(quick)["id"] == "1"
        sold = 0
        while app.state.live.connection_count == 2:
            sell(database, market.niches["moving"], 50)
            sold += 50
            for _ in range(50 * 4):
                receive(quick)  # is not held up by the other
            assert sold <= 20_000, "it can take as much as it likes"
        received = read_to_the_end(slow)
        assert closing_code(slow) == 1013
    with watching(site.port, ADMIN, ann, received[-1]["id"]) as feed:
        assert receive(feed)["type"] == "ready"
        received += receive_many(feed, sold * 4 - len(received))
    assert [each["id"] for each in received] == [f"{2 + n}-{m}" for n in range(sold) for m in range(4)]


def test_a_peer_that_is_gone_without_a_word_is_noticed(app: FastAPI, ann: Who, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SETTINGS, "ws_ping_interval", 0.3)
    monkeypatch.setitem(SETTINGS, "ws_ping_timeout", 0.3)
    with serve_in_thread(app, "127.0.0.1", 0) as served:
        peer = socket.create_connection(("127.0.0.1", served.port))
        with peer:
            peer.sendall(
                f"GET {ADMIN} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nOrigin: http://127.0.0.1:{served.port}\r\n"
                f"Cookie: fairlead_session_http={ann.token}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n".encode()
            )
            answer = peer.recv(4_096)
            assert answer.startswith(b"HTTP/1.1 101 ")
            assert b"sec-websocket-extensions" not in answer.lower()  # nothing is compressed
            wait_until(lambda: app.state.live.connection_count == 1)
            wait_until(lambda: app.state.live.connection_count == 0)


@pytest.mark.parametrize("path", [ADMIN, PROVIDER])
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("last_id=1&last_id=2", "parameter_repeated"),
        ("last_id=1&last_id=1", "parameter_repeated"),
        ("last_id=&last%5Fid=1", "parameter_repeated"),
        ("lastid=1", "extra_forbidden"),
        ("last_id=1&since=2", "extra_forbidden"),
    ],
)
def test_a_parameter_that_is_repeated_or_unknown_is_refused(
    app: FastAPI, site: ServingThread, ann: Who, path: str, query: str, code: str
) -> None:
    try:
        with watching(site.port, f"{path}?{query}", ann):
            raise AssertionError("it was let in")
    except InvalidStatus as refused:
        problem = json.loads(refused.response.body or b"")
    assert (problem["status"], problem["code"]) == (422, "input_invalid")
    assert [(each["location"], each["code"]) for each in problem["errors"]] == [("query", code)]


@pytest.mark.parametrize(("sent", "code"), [("hello", 1008), (b"\0" * 10, 1008), ("x" * 5_000, 1009)])
def test_it_takes_no_messages(site: ServingThread, ann: Who, sent: str | bytes, code: int) -> None:
    with watching(site.port, ADMIN, ann) as feed:
        receive(feed)
        feed.send(sent)
        assert closing_code(feed) == code


def test_a_server_that_stops_says_so(app: FastAPI, ann: Who) -> None:
    served = serve_in_thread(app, "127.0.0.1", 0)
    with watching(served.port, ADMIN, ann) as feed:
        receive(feed)
        stopping = threading.Thread(target=served.stop)
        stopping.start()
        assert closing_code(feed) == 1001
        stopping.join()
    assert "live-feed" not in {thread.name for thread in threading.enumerate()}


def test_without_watchers_nothing_is_asked(app: FastAPI, site: ServingThread, ann: Who) -> None:
    assert "live-feed" not in {thread.name for thread in threading.enumerate()}
    with watching(site.port, ADMIN, ann) as feed:
        receive(feed)
        assert "live-feed" in {thread.name for thread in threading.enumerate()}
    wait_until(lambda: "live-feed" not in {thread.name for thread in threading.enumerate()})
    with watching(site.port, ADMIN, ann) as feed:
        assert receive(feed)["type"] == "ready"
