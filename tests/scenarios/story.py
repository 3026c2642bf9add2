"""A scenario as its file tells it. Unknown words are errors: a misspelt expectation must not go unread."""

import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

HERE = Path(__file__).parent


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GivenLevel(_Table):
    name: str
    position: int
    price_cents: int
    max_recipients: int = 1
    active: bool = True
    exclusive: bool = False
    order: str = "least_recently_served"
    price_rules: dict[str, Any] = {}


class GivenProvider(_Table):
    """`levels` are those subscribed to; what is of one of them stands by its name."""

    name: str
    balance_cents: int = 0
    credit_limit_cents: int = 0
    status: str = "active"
    conflict_group: str | None = None
    levels: list[str] = []
    filters: dict[str, list[dict[str, Any]]] = {}
    filter_version: int = 1
    timezone: str = "UTC"
    limits: dict[str, int] = {}
    schedule: dict[str, Any] = {}
    limits_at: dict[str, dict[str, int]] = {}
    schedules_at: dict[str, dict[str, Any]] = {}
    max_prices_at: dict[str, int] = {}
    weights_at: dict[str, int] = {}


class Given(_Table):
    field: list[dict[str, Any]] = []
    level: list[GivenLevel]
    provider: list[GivenProvider]
    max_recipients_per_lead: int | None = None
    refunds: dict[str, bool] = {}


class LevelChange(_Table):
    name: str
    position: int | None = None
    price_cents: int | None = None
    max_recipients: int | None = None
    active: bool | None = None
    exclusive: bool | None = None
    order: str | None = None
    price_rules: dict[str, Any] | None = None
    deleted: bool | None = None


class ProviderChange(_Table):
    name: str
    status: str | None = None
    credit_limit_cents: int | None = None
    timezone: str | None = None
    limits: dict[str, int] | None = None
    schedule: dict[str, Any] | None = None
    conflict_group: str | None = None


class Money(_Table):
    provider: str
    cents: int


class Refund(_Table):
    lead: int
    provider: str


class SubscriptionChange(_Table):
    provider: str
    level: str
    active: bool | None = None
    deleted: bool | None = None
    filter: list[dict[str, Any]] | None = None
    filter_version: int | None = None
    limits: dict[str, int] | None = None
    schedule: dict[str, Any] | None = None
    max_price_cents: int | None = None
    weight: int | None = None


class Step(_Table):
    """One thing that happens, and what must be true right after it. The words are explained in README.md."""

    at: datetime | None = None
    lead: dict[str, Any] | None = None
    leads: int | None = None
    again: int | None = None
    level: LevelChange | None = None
    provider: ProviderChange | None = None
    deposit: Money | None = None
    spent_elsewhere: Money | None = None
    subscription: SubscriptionChange | None = None
    form: list[dict[str, Any]] | None = None
    max_recipients_per_lead: int | None = None
    refund: Refund | None = None
    refunds: dict[str, bool] | None = None

    start: int | None = None
    next: int | None = None
    outcome: str | None = None
    received: list[list[str]] | None = None
    why: list[tuple[str, str, str]] = []
    says: list[tuple[str, str, str]] = []
    starts: list[tuple[int, int]] | None = None
    nothing_happens: bool = False
    balances: dict[str, int] = {}
    inactive: list[tuple[str, str, str]] | None = None


class Scenario(_Table):
    story: str
    rules: list[str]
    given: Given
    step: list[Step]


def load(name: str) -> Scenario:
    """The scenario of that name, each step of which says what happens and, of a decision, what comes of it."""
    scenario = Scenario.model_validate(tomllib.loads((HERE / f"{name}.toml").read_text()))
    for number, step in enumerate(scenario.step, start=1):
        said = step.model_fields_set
        events = said & {"at", "lead", "leads", "again", "level", "provider", "deposit", "spent_elsewhere"}
        events |= said & {"subscription", "form", "max_recipients_per_lead", "refund", "refunds"}
        assert len(events) == 1, f"{name}: step {number} says {sorted(events)}: one thing happens in a step"
        if events <= {"lead", "again"} and not step.nothing_happens:
            missing = {"next", "outcome", "received"} - said
            assert not missing, f"{name}: step {number} does not say {sorted(missing)}"
    return scenario


def names() -> list[str]:
    """Every scenario there is."""
    return sorted(path.stem for path in HERE.glob("*.toml"))


@dataclass(frozen=True, slots=True)
class Told:
    """What a world tells of one decision, in the names of the scenario.

    `received` is one tuple per level in the order of the traversal: its name, then its recipients in order; `why` is
    the reason, by level and provider, of each subscriber to a level that did not receive the lead there, and
    `says` the sentence that tells it.
    """

    start: int | None
    next: int
    outcome: str
    received: list[list[str]]
    why: dict[tuple[str, str], str]
    says: dict[tuple[str, str], str]


class World(Protocol):
    """A place where a scenario can happen."""

    def change(self, step: Step) -> None:
        """The marketplace is as the step says."""
        ...

    def distribute(self, attributes: dict[str, Any]) -> Told:
        """A new lead is decided."""
        ...

    def distribute_again(self, number: int) -> Told | None:
        """The lead of that number (from 1) is decided once more; None when it was sold already."""
        ...

    def balances(self) -> dict[str, int]:
        """Cents by provider."""
        ...

    def inactive(self) -> list[tuple[str, str, str]]:
        """Provider, level and reason of each living subscription that is inactive."""
        ...
