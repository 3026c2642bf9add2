"""Random days of a marketplace: PostgreSQL says what the model says, and all of it can be proven at any time."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import Marketplace


def play(server_url: str, **words: Any) -> None:
    run_state_machine_as_test(
        lambda: Marketplace(server_url),  # type: ignore[arg-type]  # any callable that makes one will do
        settings=settings(deadline=None, suppress_health_check=[*HealthCheck], **words),  # type: ignore[list-item]
    )


def test_short_days(server_url: str) -> None:
    """The same days in every run: a dozen, and fewer where fewer examples of everything are tried."""
    days = settings().max_examples * 12 // 100
    play(server_url, derandomize=True, max_examples=days, stateful_step_count=35)


@pytest.mark.chaos_long
def test_long_days(server_url: str) -> None:
    """Other days in every run."""
    play(server_url, max_examples=200, stateful_step_count=80)
