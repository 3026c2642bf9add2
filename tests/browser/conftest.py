"""A real browser, a fresh site for each test, and an eye on everything that a page does."""

from collections.abc import Generator

import pytest
from playwright.sync_api import Browser

from fairlead.store.connection import Database
from tests.browser.site import Site, chromium, serving
from tests.browser.watched import Visit, Watched


@pytest.fixture
def browser() -> Generator[Browser]:
    """Chromium, for one test: while it is driven, its thread has an event loop that other tests could not start in."""
    with chromium() as started:
        yield started


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
