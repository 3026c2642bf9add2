"""A real browser, a fresh site for each test, and an eye on everything that a page does."""

import asyncio
from asyncio.events import AbstractEventLoop
from collections.abc import Generator

import pytest
from playwright.sync_api import Browser

from fairlead.store.connection import Database
from tests.browser.site import Site, chromium, serving
from tests.browser.watched import Visit, Watched


@pytest.fixture(scope="session")
def started_browser() -> Generator[tuple[Browser, AbstractEventLoop]]:
    """Chromium, started once in a process, and the event loop by which it is driven, which is not under way."""
    with chromium() as started:
        loop = asyncio.get_running_loop()
        _says_that_it_runs(None)
        yield started, loop
        _says_that_it_runs(loop)


def _says_that_it_runs(loop: AbstractEventLoop | None) -> None:
    """What drives the browser leaves its loop as the running one of the thread: no other test could start a loop."""
    asyncio._set_running_loop(loop)  # pyright: ignore[reportPrivateUsage]


@pytest.fixture
def browser(started_browser: tuple[Browser, AbstractEventLoop]) -> Generator[Browser]:
    """Chromium without a window. Those that the test opens are closed afterwards, and their cookies gone."""
    browser, loop = started_browser
    _says_that_it_runs(loop)
    yield browser
    for context in browser.contexts:
        context.close()
    _says_that_it_runs(None)


@pytest.fixture
def site(database: Database) -> Generator[Site]:
    """The console on a port of its own, with an empty marketplace."""
    with serving(database) as served:
        yield served


@pytest.fixture
def visit(browser: Browser, site: Site) -> Generator[Visit]:
    """Opens windows on the site: `visit(token)` gives a page that is logged in. At the end none of them had an error,
    broke the policy or asked another server.
    """
    watched = Watched(browser, site)
    yield watched.open
    watched.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They take seconds each: CI runs them, a developer's quick run does not."""
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.slow)
