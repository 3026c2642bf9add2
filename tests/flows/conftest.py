"""What holds for every test of a flow."""

from collections.abc import Generator

import pytest

from tests.flows import audit_log_last

audit_log_last.watch()


@pytest.fixture(autouse=True)
def audit_log_comes_last() -> Generator[None]:
    """No flow locks or writes anything else once it has the audit log's head: see `audit_log_last`."""
    audit_log_last.out_of_order.clear()
    yield
    assert audit_log_last.out_of_order == [], "the audit log comes last"
