"""Why a subscription did not receive a lead: a class for each reason, with the value that refused.

`fairlead.core.gates` states which gates there are and their precedence (R4). Reasons are stored as text, never renamed.
Each has its sentences here, and each refusal is told by one of them, wherever it is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Self

from fairlead.core.calendar.limits import CAPS, Owner, ReachedCap
from fairlead.core.canonical import JsonObject, timestamp_from_text, timestamp_text
from fairlead.core.messages import (
    Amount,
    LevelName,
    MessageValue,
    Names,
    ProviderName,
    TranslatableMessage,
    english,
)
from fairlead.core.model import INSUFFICIENT_FUNDS, PAUSED


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason. A subclass has what refused as its fields.

    `sentences` has the English template of each message that it is told by: by `reason`, or `reason.variant`. `summary`
    is a heading for many such refusals. `leaves_sale_open`: that a slot stayed open for this reason makes the
    outcome `partial`. `is_named`: decisions record whom it refused, since that follows from nothing else.
    `used_balance`: it depended on what the provider had, which is then recorded and locked. `shuts_until`, where it is
    not None, says how long it refuses whatever lead comes: until then the subscription is not visited again.
    """

    reason: ClassVar[str]
    summary: ClassVar[str]
    sentences: ClassVar[Mapping[str, str]]
    leaves_sale_open: ClassVar[bool] = False
    is_named: ClassVar[bool] = True
    used_balance: ClassVar[bool] = False

    @property
    def shuts_until(self) -> datetime | None:
        """Until when the subscription is refused for this, unless it, its provider or its level is changed."""
        return None

    @property
    def reopens_at(self) -> datetime | None:
        """When it may refuse the same lead no more; None where no moment does that."""
        return self.shuts_until

    def recorded(self) -> JsonObject:
        """What a decision records beside the reason; `read` reads it."""
        return {}

    @classmethod
    def read(cls, record: Mapping[str, Any], level: Mapping[str, Any]) -> Self:
        """The refusal that a decision recorded, at this level of its payload."""
        return cls()

    def message(self) -> TranslatableMessage:
        """What refused, in parts: one of `sentences` with its values. A reason with a single sentence needs no more."""
        return self.told(self.reason)

    def told(self, message_id: str, **values: MessageValue) -> TranslatableMessage:
        """This one of `sentences`, with these values."""
        return TranslatableMessage(message_id, self.sentences[message_id], values)

    def sentence(self, names: Names) -> str:
        """What refused, in English."""
        return english(self.message(), names)


@dataclass(frozen=True, slots=True)
class ProviderInactive(Refusal):
    """Its provider's status is not `active`."""

    reason = "provider_inactive"
    summary = "provider not active"
    sentences: ClassVar[Mapping[str, str]] = {
        "provider_inactive.pending": "The provider was not approved yet.",
        "provider_inactive.suspended": "The provider was suspended.",
        "provider_inactive.unknown": "The provider was not active.",
    }
    status: str

    def message(self) -> TranslatableMessage:
        known = f"{self.reason}.{self.status}"
        return self.told(known if known in self.sentences else f"{self.reason}.unknown")


@dataclass(frozen=True, slots=True)
class SubscriptionInactive(Refusal):
    """It is switched off: by its provider, by lack of funds (R9), or by an operator."""

    reason = "subscription_inactive"
    summary = "subscription not active"
    sentences: ClassVar[Mapping[str, str]] = {
        "subscription_inactive.paused": "The subscription was paused.",
        "subscription_inactive.insufficient_funds": "The subscription was off, because funds did not suffice.",
        "subscription_inactive.unknown": "The subscription was not active.",
    }
    deactivation_reason: str | None

    def message(self) -> TranslatableMessage:
        is_known = self.deactivation_reason in (PAUSED, INSUFFICIENT_FUNDS)
        return self.told(f"{self.reason}.{self.deactivation_reason if is_known else 'unknown'}")


@dataclass(frozen=True, slots=True)
class FilterInvalid(Refusal):
    """Its filter does not fit the niche's form as that is now."""

    reason = "filter_invalid"
    summary = "filter does not fit the form"
    sentences: ClassVar[Mapping[str, str]] = {"filter_invalid": "The filter does not fit the niche's form."}


@dataclass(frozen=True, slots=True)
class PriceAboveLimit(Refusal):
    """The price that its level asks for the lead is more than its provider pays at most (R14)."""

    reason = "price_above_limit"
    summary = "price above what the provider pays"
    sentences: ClassVar[Mapping[str, str]] = {
        "price_above_limit": "This lead costs {price}, and the provider pays at most {limit}.",
    }
    # It follows from the price and from what the journal says of the subscription.
    is_named = False
    price_cents: int
    limit_cents: int

    def message(self) -> TranslatableMessage:
        return self.told(self.reason, price=Amount(self.price_cents), limit=Amount(self.limit_cents))


FOR_GOOD = datetime.max.replace(tzinfo=UTC)
"""Until when a subscription is shut that no moment opens again."""


@dataclass(frozen=True, slots=True)
class OutsideSchedule(Refusal):
    """The schedule that it goes by is closed. `opens_at` None: that schedule, or the time zone, cannot be read."""

    reason = "outside_schedule"
    summary = "outside of its schedule"
    sentences: ClassVar[Mapping[str, str]] = {
        "outside_schedule.closed": "Outside of the schedule, which opens at {opens_at}.",
        "outside_schedule.unreadable": "The schedule cannot be read.",
    }
    leaves_sale_open = True
    opens_at: datetime | None

    @property
    def shuts_until(self) -> datetime | None:
        return FOR_GOOD if self.opens_at is None else self.opens_at

    def recorded(self) -> JsonObject:
        return {"opens_at": None if self.opens_at is None else timestamp_text(self.opens_at)}

    @classmethod
    def read(cls, record: Mapping[str, Any], level: Mapping[str, Any]) -> "OutsideSchedule":
        text = record["opens_at"]
        return cls(None if text is None else timestamp_from_text(text))

    def message(self) -> TranslatableMessage:
        if self.opens_at is None:
            return self.told(f"{self.reason}.unreadable")
        return self.told(f"{self.reason}.closed", opens_at=self.opens_at)


@dataclass(frozen=True, slots=True)
class CapReached(Refusal):
    """One more lead would overshoot a cap of it or of its provider (R13). `cap` None: the limits cannot be read.

    `is_for_price_only`: a lead at the lowest price that the level can ask would not (R14), so it is not shut.
    """

    reason = "cap_reached"
    summary = "limit of leads or spending reached"
    sentences: ClassVar[Mapping[str, str]] = {
        "cap_reached.leads_per_hour": "Limit of {limit} leads an hour reached, with {used}; the next begins {closes}.",
        "cap_reached.leads_per_day": "Limit of {limit} leads a day reached, with {used}; the next begins {closes}.",
        "cap_reached.leads_per_week": "Limit of {limit} leads a week reached, with {used}; the next begins {closes}.",
        "cap_reached.leads_per_month": "Limit of {limit} leads a month reached, with {used}; the next begins {closes}.",
        "cap_reached.leads_total": "Limit of {limit} leads in total reached, with {used}.",
        "cap_reached.spend_cents_per_day": (
            "Limit of {limit} a day: {used} spent, and this lead would go beyond it; the next begins {closes}."
        ),
        "cap_reached.spend_cents_per_week": (
            "Limit of {limit} a week: {used} spent, and this lead would go beyond it; the next begins {closes}."
        ),
        "cap_reached.spend_cents_per_month": (
            "Limit of {limit} a month: {used} spent, and this lead would go beyond it; the next begins {closes}."
        ),
        "cap_reached.unreadable": "The limits cannot be read.",
    }
    leaves_sale_open = True
    cap: str | None
    owner: Owner
    limit: int
    used: int
    opened_at: datetime | None
    closes_at: datetime | None
    is_for_price_only: bool = False

    @classmethod
    def of(cls, reached: ReachedCap, *, is_for_price_only: bool = False) -> "CapReached":
        """The refusal for this cap."""
        counter = reached.counter
        used = counter.used(reached.cap)
        window = (counter.opened_at, counter.closes_at)
        return cls(reached.cap.name, counter.owner, reached.limit, used, *window, is_for_price_only)

    @property
    def shuts_until(self) -> datetime | None:
        return None if self.is_for_price_only else self.reopens_at

    @property
    def reopens_at(self) -> datetime | None:
        return FOR_GOOD if self.closes_at is None else self.closes_at

    def recorded(self) -> JsonObject:
        return {
            "cap": self.cap,
            "owner": self.owner,
            "limit": self.limit,
            "used": self.used,
            "opened_at": None if self.opened_at is None else timestamp_text(self.opened_at),
            "closes_at": None if self.closes_at is None else timestamp_text(self.closes_at),
            **({"is_for_price_only": True} if self.is_for_price_only else {}),
        }

    @classmethod
    def read(cls, record: Mapping[str, Any], level: Mapping[str, Any]) -> "CapReached":
        window = (record["opened_at"], record["closes_at"])
        opened_at, closes_at = (None if each is None else timestamp_from_text(each) for each in window)
        is_for_price_only = record.get("is_for_price_only", False)
        used = (record["limit"], record["used"])
        return cls(record["cap"], record["owner"], *used, opened_at, closes_at, is_for_price_only)

    def message(self) -> TranslatableMessage:
        if self.cap is None:
            return self.told(f"{self.reason}.unreadable")
        values: dict[str, MessageValue] = {"limit": self.limit, "used": self.used}
        if _IS_OF_MONEY[self.cap]:
            values = {"limit": Amount(self.limit), "used": Amount(self.used)}
        if self.closes_at is not None:
            values["closes"] = self.closes_at
        return self.told(f"{self.reason}.{self.cap}", **values)


_IS_OF_MONEY = {cap.name: cap.is_of_money for cap in CAPS}


@dataclass(frozen=True, slots=True)
class AlreadyRecipient(Refusal):
    """Its provider received the lead at a level that came before (R7)."""

    reason = "already_recipient"
    summary = "provider has the lead from another level"
    sentences: ClassVar[Mapping[str, str]] = {
        "already_recipient": "The provider had this lead already, from level {level}.",
    }
    # Named only by decisions of version 1: it follows from the recipients of the levels before.
    is_named = False
    received_at_level_id: str

    def recorded(self) -> JsonObject:
        return {"received_at_level_id": self.received_at_level_id}

    @classmethod
    def read(cls, record: Mapping[str, Any], level: Mapping[str, Any]) -> "AlreadyRecipient":
        return cls(record["received_at_level_id"])

    def message(self) -> TranslatableMessage:
        return self.told(self.reason, level=LevelName(self.received_at_level_id))


@dataclass(frozen=True, slots=True)
class ConflictGroup(Refusal):
    """Another provider of its provider's conflict group receives the lead (R16). Operators alone are told which."""

    reason = "conflict_group"
    summary = "another provider of the conflict group has the lead"
    sentences: ClassVar[Mapping[str, str]] = {
        "conflict_group": "The lead goes to another provider of the conflict group: {provider}.",
    }
    # It follows from the recipients and from the groups that the journal knows.
    is_named = False
    recipient_provider_id: str

    def recorded(self) -> JsonObject:
        return {"recipient_provider_id": self.recipient_provider_id}

    @classmethod
    def read(cls, record: Mapping[str, Any], level: Mapping[str, Any]) -> "ConflictGroup":
        return cls(record["recipient_provider_id"])

    def message(self) -> TranslatableMessage:
        return self.told(self.reason, provider=ProviderName(self.recipient_provider_id))


@dataclass(frozen=True, slots=True)
class InsufficientBalance(Refusal):
    """What its provider has, the credit limit included, is less than the level's price (R8)."""

    reason = "insufficient_balance"
    summary = "not enough money"
    sentences: ClassVar[Mapping[str, str]] = {
        "insufficient_balance": "Available {available}, this level costs {price}.",
    }
    leaves_sale_open = True
    used_balance = True
    available_cents: int
    price_cents: int

    def recorded(self) -> JsonObject:
        return {"available_cents": self.available_cents}

    @classmethod
    def read(cls, record: Mapping[str, Any], level: Mapping[str, Any]) -> "InsufficientBalance":
        return cls(record["available_cents"], level["price_cents"])

    def message(self) -> TranslatableMessage:
        return self.told(self.reason, available=Amount(self.available_cents), price=Amount(self.price_cents))


RECIPIENT_LIMIT = "recipient_limit"
"""The lead has as many recipients as its niche allows."""

EXCLUSIVE_LEVEL_SOLD = "exclusive_level_sold"
"""An exclusive level sold the lead."""

EXCLUSIVE_LEVEL_NEEDS_NONE = "exclusive_level_needs_none"
"""The level is exclusive, and the lead has a recipient already."""


@dataclass(frozen=True, slots=True)
class LeadFull(Refusal):
    """The lead takes no further recipient, or none of this level, before its turn came (R16).

    `used` are its recipients, `limit` is what its niche allows, where that is the cause. The causes are stored as text.
    """

    reason = "lead_full"
    summary = "lead had its recipients before their turn"
    sentences: ClassVar[Mapping[str, str]] = {
        "lead_full.recipient_limit": "Lead full: it has {used} of {limit} recipients.",
        "lead_full.exclusive_level_sold": "Lead full: it was sold exclusively.",
        "lead_full.exclusive_level_needs_none": "Lead full: the level is exclusive, and it has a recipient already.",
    }
    is_named = False
    cause: str
    used: int
    limit: int | None = None

    @property
    def closes_lead(self) -> bool:
        """Whether no other level can sell the lead any more either."""
        return self.cause != EXCLUSIVE_LEVEL_NEEDS_NONE

    def recorded(self) -> JsonObject:
        limit = {} if self.limit is None else {"limit": self.limit}
        return {"cause": self.cause, "used": self.used, **limit}

    @classmethod
    def read(cls, record: Mapping[str, Any], level: Mapping[str, Any]) -> "LeadFull":
        return cls(record["cause"], record["used"], record.get("limit"))

    def message(self) -> TranslatableMessage:
        if self.limit is None:
            return self.told(f"{self.reason}.{self.cause}")
        return self.told(f"{self.reason}.{self.cause}", used=self.used, limit=self.limit)


@dataclass(frozen=True, slots=True)
class LevelFull(Refusal):
    """The level had its recipients before its turn came: so many candidates stood ahead of it."""

    reason = "level_full"
    summary = "level was full before their turn"
    sentences: ClassVar[Mapping[str, str]] = {
        "level_full.in_turn": "Level full: {ahead} ahead in the order, it takes {max_recipients}.",
        "level_full.weighted": "Level full: by their shares {ahead} were due before it, it takes {max_recipients}.",
    }
    is_named = False
    ahead_count: int
    max_recipients: int
    by_shares: bool = False

    def message(self) -> TranslatableMessage:
        variant = "weighted" if self.by_shares else "in_turn"
        return self.told(f"{self.reason}.{variant}", ahead=self.ahead_count, max_recipients=self.max_recipients)
