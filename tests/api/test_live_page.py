"""The client that the page on the live feed shows, as it is printed: it misses nothing when the server restarts."""

import re
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

import pytest

from fairlead.core.permissions import Permission
from fairlead.store.connection import Database
from tests.api.keys import operators_key
from tests.api.live_sites import OF_THE_FEED, PATIENCE_SECONDS, web_process
from tests.flows.live.feeds import open_market, sell

PAGE = (Path(__file__).parents[2] / "docs/reference/live.md").read_text(encoding="utf-8")
ADDRESS = "wss://leads.example.com"
HOST = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"
"""Where no other test's connection takes the port while the server is away."""


class Enough(BaseException):
    """The client has seen what it was to see. No error that it would go on after."""


def printed_client(site: str) -> str:
    """The page's example, with the address of this site in place of the page's."""
    [client] = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert client.count(ADDRESS) == 1
    return client.replace(ADDRESS, site)


def run_client(source: str, key: str, handle: Callable[[dict[str, Any]], None]) -> Thread:
    """The client runs until `handle` raises `Enough`."""

    def run() -> None:
        with suppress(Enough):
            exec(compile(source, "live.md", "exec"), {"key": key, "handle": handle})  # noqa: S102

    thread = Thread(target=run, daemon=True)
    thread.start()
    return thread


@pytest.mark.slow
@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_the_printed_client_misses_and_doubles_nothing_when_the_server_restarts(
    database: Database, database_url: str, kill: bool
) -> None:
    niche = open_market(database).niches["moving"]
    key = operators_key(database, Permission.LEADS_READ, Permission.REPORTS_READ)
    seen: SimpleQueue[str] = SimpleQueue()
    handled: list[dict[str, Any]] = []
    leads = 8

    def handle(message: dict[str, Any]) -> None:
        handled.append(message)
        if message["type"] in {"ready", "decision.recorded"}:
            seen.put(message["type"])
        if [each["type"] for each in handled].count("decision.recorded") == leads:
            raise Enough

    def await_decisions(count: int) -> None:
        while count:
            count -= seen.get(timeout=4 * PATIENCE_SECONDS) == "decision.recorded"

    with web_process(database_url, HOST, kill=kill) as port:
        client = run_client(printed_client(f"ws://{HOST}:{port}"), key, handle)
        assert seen.get(timeout=PATIENCE_SECONDS) == "ready"
        sold = sell(database, niche, 2)
        await_decisions(2)
    sold += sell(database, niche, 3)
    with web_process(database_url, HOST, port):
        await_decisions(3)
        sold += sell(database, niche, leads - len(sold))
        client.join(4 * PATIENCE_SECONDS)
    assert not client.is_alive()
    assert [each["lead_id"] for each in handled if each["type"] == "decision.recorded"] == sold
    told = [each["assignment_id"] for each in handled if each["type"] == "assignment.created"]
    assert len(told) == len({*told}) == 3 * (leads - 1), "those of the last come after it"
    assert {each["type"] for each in handled} - OF_THE_FEED == {"decision.recorded", "assignment.created"}
    assert "gap" not in {each["type"] for each in handled}
