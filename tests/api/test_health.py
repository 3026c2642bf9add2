"""Health over real HTTP: alive, ready, scraped, whatever state the database is in.

What hangs here hangs for as long as a test waits at all: an answer that comes was bounded by what is tested.
"""

import asyncio
import signal
import socket
import threading
from collections.abc import Generator, Sequence

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from fairlead.api import health
from fairlead.api.health import DatabaseProbe, ReadinessCheck, health_application
from fairlead.api.serve import STOP_TIMEOUT_SECONDS, ServingThread, serve_in_thread
from fairlead.core.errors import Refused
from fairlead.store.connection import Database
from fairlead.telemetry.gauges import Gauges
from tests.telemetry.test_metrics import of, parsed
from tests.waiting import PATIENCE_SECONDS, wait_until


@pytest.fixture
def frozen_server() -> Generator[int]:
    """The port of a server that takes connections and then says nothing, as a frozen database does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def serving(probe: DatabaseProbe) -> ServingThread:
    return serve_in_thread(health_application(probe), "127.0.0.1", 0)


def get(server: ServingThread, path: str) -> httpx2.Response:
    return httpx2.get(f"http://127.0.0.1:{server.port}{path}", timeout=PATIENCE_SECONDS)


def nowhere(port: int) -> Database:
    return Database(f"postgresql://nobody:canary-secret@127.0.0.1:{port}/nothing", "fairlead")


def test_a_process_with_its_database_is_ready(database: Database) -> None:
    with serving(DatabaseProbe(database)) as server:
        alive, ready = get(server, "/livez"), get(server, "/readyz")
        metrics = get(server, "/metrics")
    assert (alive.status_code, alive.json()) == (200, {"alive": True})
    assert (ready.status_code, ready.json()) == (
        200,
        {"ready": True, "checks": {name: {"holds": True, "detail": ""} for name in ("database", "schema")}},
    )
    assert metrics.status_code == 200
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = parsed(metrics.text)
    assert of(found, "database_up") == 1
    assert of(found, "workers_alive") == 0
    assert ("process_resident_memory_bytes", frozenset()) in found
    for answer in (alive, ready, metrics):
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers


def test_a_worker_is_asked_for_where_that_is_wanted(database: Database) -> None:
    with serving(DatabaseProbe(database, worker_within_seconds=30)) as server:
        without = get(server, "/readyz")
        with database.transaction() as conn:
            conn.execute("insert into workers (last_heartbeat) values (now() - interval '90 s')")
        stale = get(server, "/readyz")
        with database.transaction() as conn:
            conn.execute("insert into workers (last_heartbeat) values (now())")
        beating = get(server, "/readyz")
    assert [answer.status_code for answer in (without, stale, beating)] == [503, 503, 200]
    assert without.json()["checks"]["worker"] == {"holds": False, "detail": "no worker is registered"}
    assert stale.json()["checks"]["worker"]["detail"].startswith("newest heartbeat 9")


def test_another_schema_is_not_ours(damaged_database: Database) -> None:
    with serving(DatabaseProbe(damaged_database)) as server:
        with damaged_database.transaction() as conn:
            conn.execute("update alembic_version set version_num = '0000'")
        outdated = get(server, "/readyz")
        with damaged_database.transaction() as conn:
            conn.execute("drop table alembic_version")
        missing = get(server, "/readyz")
    assert [answer.status_code for answer in (outdated, missing)] == [503, 503]
    assert outdated.json()["checks"]["schema"] == {"holds": False, "detail": "schema_outdated"}
    assert missing.json()["checks"]["schema"] == {"holds": False, "detail": "schema_missing"}


def test_without_a_database_it_lives_and_is_not_ready() -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        with serving(DatabaseProbe(nowhere(unheard.getsockname()[1]))) as server:
            alive, ready, metrics = (get(server, path) for path in ("/livez", "/readyz", "/metrics"))
    assert alive.status_code == 200
    assert ready.status_code == 503
    assert ready.json()["checks"]["database"]["detail"].startswith("Unavailable from ")
    assert "canary" not in ready.text
    assert metrics.status_code == 200
    assert of(parsed(metrics.text), "database_up") == 0


def test_a_frozen_database_freezes_no_answer(frozen_server: int) -> None:
    with serving(DatabaseProbe(nowhere(frozen_server))) as server:
        assert get(server, "/readyz").status_code == 503
        assert of(parsed(get(server, "/metrics").text), "database_up") == 0
        assert get(server, "/livez").status_code == 200


def test_there_is_nothing_else_to_see(database: Database) -> None:
    with serving(DatabaseProbe(database)) as server:
        assert {get(server, path).status_code for path in ("/", "/docs", "/redoc", "/openapi.json")} == {404}


class _Stuck:
    """A probe that answers only once it is let go."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.let_go = threading.Event()

    def readiness(self) -> Sequence[ReadinessCheck]:
        self.asked.set()
        self.let_go.wait(PATIENCE_SECONDS)
        return []

    def gauges(self) -> Gauges:
        raise NotImplementedError


def test_it_is_alive_while_a_check_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "READY_TIMEOUT_SECONDS", PATIENCE_SECONDS)
    probe = _Stuck()
    with serve_in_thread(health_application(probe), "127.0.0.1", 0) as server:
        waiting = threading.Thread(target=get, args=(server, "/readyz"))
        waiting.start()
        assert probe.asked.wait(PATIENCE_SECONDS)
        assert get(server, "/livez").status_code == 200
        assert waiting.is_alive(), "the check did not hang"
        probe.let_go.set()
        waiting.join()


def has_ended(server: ServingThread) -> bool:
    """Whether its thread is gone, and with it the port."""
    return f"http-{server.port}" not in {thread.name for thread in threading.enumerate()}


def test_to_stop_takes_less_than_a_second() -> None:
    assert STOP_TIMEOUT_SECONDS < 1


def test_it_stops_also_in_the_middle_of_an_answer() -> None:
    probe = _Stuck()
    server = serve_in_thread(health_application(probe), "127.0.0.1", 0)

    def ask() -> None:
        try:
            get(server, "/readyz")
        except httpx2.HTTPError:
            return

    asking = threading.Thread(target=ask)
    asking.start()
    assert probe.asked.wait(PATIENCE_SECONDS)
    server.stop()
    assert not probe.let_go.is_set()
    wait_until(lambda: has_ended(server))
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS)
    probe.let_go.set()
    asking.join()


def test_a_check_that_hangs_is_answered_for() -> None:
    probe = _Stuck()
    with serve_in_thread(health_application(probe), "127.0.0.1", 0) as server:
        answer = get(server, "/readyz")
        probe.let_go.set()
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"]["detail"] == "TimeoutError"


def test_an_answer_that_never_comes_does_not_keep_the_server_alive() -> None:
    asked = threading.Event()

    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await send({"type": "lifespan.startup.complete"})
            return
        asked.set()
        await asyncio.sleep(10 * PATIENCE_SECONDS)

    server = serve_in_thread(never, "127.0.0.1", 0)
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert asked.wait(PATIENCE_SECONDS)
        server.stop()
        wait_until(lambda: has_ended(server))


def test_an_idle_server_stops_and_leaves_signals_alone(database: Database) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    server = serving(DatabaseProbe(database))
    with httpx2.Client() as client:  # keeps its connection open
        assert client.get(f"http://127.0.0.1:{server.port}/livez").status_code == 200
        assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
        server.stop()
        server.stop()
        wait_until(lambda: has_ended(server))
    with socket.create_server(("127.0.0.1", server.port)):  # the port is free again
        pass


def test_a_port_that_is_taken_is_said_at_once(database: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Refused, match="in use"):
        serve_in_thread(health_application(DatabaseProbe(database)), "127.0.0.1", taken.getsockname()[1])


def test_it_also_listens_on_ipv6(database: Database) -> None:
    with serve_in_thread(health_application(DatabaseProbe(database)), "::1", 0) as server:
        assert httpx2.get(f"http://[::1]:{server.port}/livez").status_code == 200


def test_an_answer_in_two_packets_does_not_wait_for_an_acknowledgement(database: Database) -> None:
    with serving(DatabaseProbe(database)) as server, httpx2.Client() as client:
        client.get(f"http://127.0.0.1:{server.port}/livez")
        [connection] = server._server.server_state.connections  # pyright: ignore[reportPrivateUsage]
        taken: socket.socket = connection.transport.get_extra_info("socket")  # pyright: ignore
        assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
