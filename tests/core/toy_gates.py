"""Two gates that Fairlead does not have, and nothing else of them: what reads the registry has them at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from fairlead.core.canonical import JsonObject
from fairlead.core.decision_state import DecisionState
from fairlead.core.gates import DecisionGate, Registry, StandingGate
from fairlead.core.messages import TranslatableMessage
from fairlead.core.model import Level, Subscription
from fairlead.core.refusals import Refusal
from tests.core.history import id_of


@dataclass(frozen=True, slots=True)
class OddDay(Refusal):
    """A toy: the provider takes leads on even days only."""

    reason: ClassVar[str] = "odd_day"
    summary: ClassVar[str] = "not on odd days"
    sentences: ClassVar[Mapping[str, str]] = {"odd_day": "Day {day} is odd."}
    leaves_sale_open: ClassVar[bool] = True
    day: int

    def recorded(self) -> JsonObject:
        return {"day": self.day}

    @classmethod
    def read(cls, record: Any, level: Any) -> "OddDay":
        return cls(record["day"])

    def message(self) -> TranslatableMessage:
        return self.told(self.reason, day=self.day)


@dataclass(frozen=True, slots=True)
class Nameless(Refusal):
    """A toy: the subscription's id ends in a 7."""

    reason: ClassVar[str] = "nameless"
    summary: ClassVar[str] = "without a name"
    sentences: ClassVar[Mapping[str, str]] = {"nameless": "The subscription has no name."}


EVEN_DAYS_ONLY = id_of("provider", 1)
"""The provider that keeps even days, where no other is named."""


def with_toy_gates(registry: Registry, even_days_only: str = EVEN_DAYS_ONLY, keeps_even_days: bool = True) -> Registry:
    """The registry with a standing gate and a decision gate more; the latter keeps this provider to even days."""

    def odd_day(state: DecisionState, subscription: Subscription, _level: Level) -> OddDay | None:
        day = state.decided_at.day
        return OddDay(day) if subscription.provider_id == even_days_only and (day % 2 or not keeps_even_days) else None

    standing = (*registry.standing, StandingGate(Nameless, _nameless))
    return Registry(standing, (DecisionGate(OddDay, odd_day), *registry.decision))


def _nameless(subscription: Subscription, _status: str) -> Nameless | None:
    return Nameless() if subscription.subscription_id.endswith("7") else None
