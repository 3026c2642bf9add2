"""Why a subscription did not receive a lead: a class for each reason, with the value that refused.

`fairlead.core.gates` states which gates there are and their precedence (R4). Reasons are stored as text, never renamed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from fairlead.core.canonical import JsonObject
from fairlead.core.model import INSUFFICIENT_FUNDS, PAUSED


@dataclass(frozen=True, slots=True)
class Names:
    """What a refusal needs to be told to a person: names of levels by id, and how an amount is written."""

    level_names: Mapping[str, str]
    money: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason. A subclass has what refused as its fields.

    `summary` tells many such refusals at once. `leaves_sale_open`: that a slot stayed open for this reason makes the
    outcome `partial`. `is_named`: decisions record whom it refused, since that follows from nothing else.
    `used_balance`: it depended on what the provider had, which is then recorded and locked.
    """

    reason: ClassVar[str]
    summary: ClassVar[str]
    leaves_sale_open: ClassVar[bool] = False
    is_named: ClassVar[bool] = True
    used_balance: ClassVar[bool] = False

    def recorded(self) -> JsonObject:
        """What a decision records beside the reason; `read` reads it."""
        return {}

    @classmethod
    def read(cls, record: Mapping[str, Any], level: Mapping[str, Any]) -> Self:
        """The refusal that a decision recorded, at this level of its payload."""
        return cls()

    def text(self, names: Names) -> str:
        """What refused, for a person."""
        return self.summary


@dataclass(frozen=True, slots=True)
class ProviderInactive(Refusal):
    """Its provider's status is not `active`."""

    reason = "provider_inactive"
    summary = "provider not active"
    status: str

    def text(self, names: Names) -> str:
        return f"the provider was {self.status}"


@dataclass(frozen=True, slots=True)
class SubscriptionInactive(Refusal):
    """It is switched off: by its provider, by lack of funds (R9), or by an operator."""

    reason = "subscription_inactive"
    summary = "subscription not active"
    deactivation_reason: str | None

    def text(self, names: Names) -> str:
        why = {PAUSED: "it was paused", INSUFFICIENT_FUNDS: "its provider had run out of funds"}
        return why.get(self.deactivation_reason or "", "it was switched off")


@dataclass(frozen=True, slots=True)
class FilterInvalid(Refusal):
    """Its filter does not fit the niche's form as that is now."""

    reason = "filter_invalid"
    summary = "filter does not fit the form"

    def text(self, names: Names) -> str:
        return "its filter does not fit the niche's form"


@dataclass(frozen=True, slots=True)
class FilterMismatch(Refusal):
    """A rule of its filter does not hold for the lead; `rule` is the first of them, in words."""

    reason = "filter_mismatch"
    summary = "filter does not want this lead"
    rule: str

    def text(self, names: Names) -> str:
        return f"the filter asks for {self.rule}"


@dataclass(frozen=True, slots=True)
class AlreadyRecipient(Refusal):
    """Its provider received the lead at a level that came before (R7)."""

    reason = "already_recipient"
    summary = "provider has the lead from another level"
    # Named only by decisions of version 1: it follows from the recipients of the levels before.
    is_named = False
    received_at_level_id: str

    def recorded(self) -> JsonObject:
        return {"received_at_level_id": self.received_at_level_id}

    @classmethod
    def read(cls, record: Mapping[str, Any], level: Mapping[str, Any]) -> "AlreadyRecipient":
        return cls(record["received_at_level_id"])

    def text(self, names: Names) -> str:
        where = names.level_names.get(self.received_at_level_id, self.received_at_level_id)
        return f"its provider received the lead at level {where}"


@dataclass(frozen=True, slots=True)
class InsufficientBalance(Refusal):
    """What its provider has, the credit limit included, is less than the level's price (R8)."""

    reason = "insufficient_balance"
    summary = "not enough money"
    leaves_sale_open = True
    used_balance = True
    available_cents: int
    price_cents: int

    def recorded(self) -> JsonObject:
        return {"available_cents": self.available_cents}

    @classmethod
    def read(cls, record: Mapping[str, Any], level: Mapping[str, Any]) -> "InsufficientBalance":
        return cls(record["available_cents"], level["price_cents"])

    def text(self, names: Names) -> str:
        return f"only {names.money(self.available_cents)} available, {names.money(self.price_cents)} needed"


@dataclass(frozen=True, slots=True)
class LevelFull(Refusal):
    """The level had its recipients before its turn came: so many candidates stood ahead of it."""

    reason = "level_full"
    summary = "level was full before their turn"
    is_named = False
    ahead_count: int
    max_recipients: int

    def text(self, names: Names) -> str:
        return f"{self.ahead_count} candidates stood ahead of it, the level takes {self.max_recipients}"
