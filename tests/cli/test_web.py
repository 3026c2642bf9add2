"""`fairlead web`, as a process: what it answers while the database is away, and how it ends when it is told to."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

import httpx2
import psycopg
import pytest

from fairlead.store.connection import Database
from tests.api.admin.test_exports import many_entries
from tests.flows.access.people import enrolled_admin
from tests.flows.sales import sell
from tests.waiting import PATIENCE_SECONDS, wait_until

COOKIE = "fairlead_session_http"


@pytest.mark.slow
def test_while_the_database_is_away_a_request_is_answered_that_it_is(
    damaged_database: Database, server_url: str
) -> None:
    name = damaged_database.url.rsplit("/", 1)[1]
    token = enrolled_admin(damaged_database).token
    with web(damaged_database.url) as (_, port), psycopg.connect(server_url, autocommit=True) as server:
        assert status_of(port, token) == (200, None)
        server.execute(f"alter database {name} allow_connections false".encode())
        server.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
        assert status_of(port, token) == (503, "5")
        server.execute(f"alter database {name} allow_connections true".encode())
        wait_until(lambda: status_of(port, token)[0] == 200, "an answer from the database")


@pytest.mark.slow
def test_it_ends_when_it_is_told_to_though_a_client_reads_an_export_slowly(damaged_database: Database) -> None:
    many_entries(damaged_database, sell(damaged_database).anchor_id, 60_000)
    token = enrolled_admin(damaged_database).token
    with web(damaged_database.url) as (process, port), socket.socket() as asked:
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        asked.connect(("127.0.0.1", port))
        request = f"GET /api/v1/admin/exports/ledger HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {COOKIE}={token}\r\n\r\n"
        asked.sendall(request.encode())
        assert asked.recv(1024).startswith(b"HTTP/1.1 200")
        process.terminate()
        assert process.wait(timeout=PATIENCE_SECONDS) == 0


@pytest.mark.slow
def test_a_port_that_is_taken_is_said_in_one_line_with_the_setting_to_change(database: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        given = {"FAIRLEAD_DATABASE_URL": database.url, "FAIRLEAD_WEB_PORT": port, "FAIRLEAD_LOG_LEVEL": "error"}
        command = [sys.executable, "-m", "fairlead", "web"]
        patience = 5 * PATIENCE_SECONDS  # it begins, and is to end by itself
        done = subprocess.run(command, env=os.environ | given, capture_output=True, text=True, timeout=patience)
    assert done.returncode == 1
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.endswith(
        f"cannot listen on 127.0.0.1, port {port}: Address already in use: set FAIRLEAD_WEB_PORT to another port, "
        "or to 0 for any that is free"
    )


@contextmanager
def web(url: str) -> Generator[tuple["subprocess.Popen[str]", int]]:
    """The process, and the port that it answers on."""
    environment = os.environ | {"FAIRLEAD_DATABASE_URL": url, "FAIRLEAD_COOKIE_OVER_HTTP": "true"}
    command = [sys.executable, "-m", "fairlead", "web", "--port", "0"]
    with subprocess.Popen(
        command,
        env=environment | {"FAIRLEAD_LOG_FORMAT": "json"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None, "it was asked for"
        started = next(line for line in process.stdout if "web started" in line)
        try:
            yield process, int(json.loads(started)["port"])
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE_SECONDS)


def status_of(port: int, token: str) -> tuple[int, str | None]:
    """The status of what an operator asks, and when it should be asked again."""
    url = f"http://127.0.0.1:{port}/api/v1/admin/leads"
    answer = httpx2.get(url, headers={"Cookie": f"{COOKIE}={token}"}, timeout=PATIENCE_SECONDS, trust_env=False)
    return answer.status_code, answer.headers.get("retry-after")
