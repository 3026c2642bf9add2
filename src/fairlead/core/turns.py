"""Taking turns: what recipients, and a turn that is given back, do to the order within a level (R5, R15)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fairlead.core.weighted import LevelPass, Pick, after_lead, stride


@dataclass(frozen=True, slots=True)
class ServedAt:
    """The recipients of a lead at one level, in order: subscription, its place by the niche's counter, its weight.

    The weight is None at a level that is not weighted.
    """

    level_id: str
    recipients: Sequence[tuple[str, int, int | None]]


class Order(Protocol):
    """The places of a niche's subscriptions."""

    def served_seq(self, subscription_id: str) -> int | None:
        """When the subscription, living or not, was served last; None when it never was."""
        ...

    def set_served(self, subscription_id: str, served_seq: int) -> None:
        """The subscription was served last at `served_seq`."""

    def pass_value(self, subscription_id: str) -> int:
        """The subscription's own pass."""
        ...

    def set_pass(self, subscription_id: str, pass_value: int) -> None:
        """The subscription has this pass of its own."""

    def level_pass(self, level_id: str) -> LevelPass:
        """Where the level stands, or stood while it was weighted."""
        ...

    def set_level_pass(self, level_id: str, level_pass: LevelPass) -> None:
        """The level stands there."""

    def start_pass(self, subscription_id: str, level_id: str) -> int:
        """The pass at which the level's subscription stands in its queue while the level is weighted."""
        ...


def take_turns(order: Order, served: ServedAt) -> None:
    """The recipients have had their turns: each stands behind all served before, charged its stride."""
    picks = [
        Pick(subscription_id, served_seq, order.start_pass(subscription_id, served.level_id), weight)
        for subscription_id, served_seq, weight in served.recipients
        if weight is not None
    ]
    if picks:
        level_pass, passes = after_lead(order.level_pass(served.level_id), picks)
        order.set_level_pass(served.level_id, level_pass)
        for subscription_id, pass_value in passes.items():
            order.set_pass(subscription_id, pass_value)
    for subscription_id, served_seq, _ in served.recipients:
        order.set_served(subscription_id, served_seq)


def pass_given_back(pass_value: int, weight: int | None) -> int:
    """The pass of a subscription that gets back a turn which it was charged for at this weight; None: by none.

    >>> pass_given_back(stride(2) + 5, 2), pass_given_back(5, None)
    (5, 5)
    """
    return pass_value if weight is None else pass_value - stride(weight)
