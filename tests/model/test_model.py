"""Random days of a marketplace: PostgreSQL says what the model says, and all of it can be proven at any time."""

from collections import Counter
from collections.abc import Callable
from inspect import getmembers
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RULE_MARKER, run_state_machine_as_test

from tests.model.doubting import KINDS, Doubting
from tests.model.machine import Marketplace
from tests.model.paying import Paying

OUTCOMES = (
    "credited to its own",
    "credited to a named provider",
    "closed",
    "refused: no money to credit, or no provider",
    "refused: resolved before",
)
RULES_OF_PAYMENTS = {*vars(Paying), *vars(Doubting), "sell_one", "debit", "set_status", "wait"}


def plain(method: Callable[..., None]) -> Callable[..., None]:
    """The method, which others may call, and which is no rule."""
    return lambda *words, **named: method(*words, **named)


others = {
    name: plain(method)
    for name, method in getmembers(Marketplace)
    if hasattr(method, RULE_MARKER) and name not in RULES_OF_PAYMENTS
}
DaysOfPayments: type[Marketplace] = type("DaysOfPayments", (Marketplace,), others)
"""The same machine, in which money that comes in through a gateway is nearly all that happens."""


def play(server_url: str, machine: type[Marketplace] = Marketplace, **words: Any) -> None:
    run_state_machine_as_test(
        lambda: machine(server_url),  # type: ignore[arg-type]  # any callable that makes one will do
        settings=settings(deadline=None, suppress_health_check=[*HealthCheck], **words),  # type: ignore[list-item]
    )


def test_short_days(server_url: str) -> None:
    """The same days in every run: a dozen, and fewer where fewer examples of everything are tried."""
    days = settings().max_examples * 12 // 100
    play(server_url, derandomize=True, max_examples=days, stateful_step_count=35)


def test_short_days_of_payments(server_url: str) -> None:
    """Payments come into doubt for every reason, and every outcome of deciding on one comes about again and again."""
    before = Counter(Doubting.seen)
    days = settings().max_examples * 12 // 100
    play(server_url, DaysOfPayments, derandomize=True, max_examples=days, stateful_step_count=20)
    seen = Counter(Doubting.seen)
    seen.subtract(before)
    assert sum(seen[kind] for kind in KINDS) >= 24
    assert min(seen[each] for each in (*KINDS, *OUTCOMES)) >= 3, seen


@pytest.mark.chaos_long
def test_long_days(server_url: str) -> None:
    """Other days in every run: less than an hour of them, also on a busy machine."""
    play(server_url, max_examples=100, stateful_step_count=80)
