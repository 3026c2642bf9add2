"""A relay in front of the test server."""

from collections.abc import Iterator

import pytest

from tests.chaos.proxy import Proxy


@pytest.fixture
def proxy(server_url: str) -> Iterator[Proxy]:
    """A relay that strikes nowhere until it is told to."""
    relay = Proxy(server_url)
    yield relay
    relay.close()
