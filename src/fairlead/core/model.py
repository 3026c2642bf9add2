"""The nouns of a distribution: what is decided on.

Ids are UUIDs as lower-case text: their text order is their byte order, so R5's tie-break needs no conversion, and
the journal's JSON holds the very same strings.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime

from fairlead.core.canonical import JsonObject, canonical_json

MAX_AMOUNT_CENTS = 1_000_000_000_000
"""The largest amount that may be handed in: a price, a deposit, a credit limit."""

MAX_BALANCE_CENTS = 2**53 - 1
"""The largest balance: every program reads it exactly, and it has a canonical form, which decisions need."""

PAUSED = "paused"
"""The `deactivation_reason` of a subscription that its provider or an operator paused."""

INSUFFICIENT_FUNDS = "insufficient_funds"
"""The `deactivation_reason` of a subscription whose level costs more than its provider can pay (R9)."""


LEAST_RECENTLY_SERVED = "least_recently_served"
"""The order of a level in which the subscription is next that was served last the longest ago (R5)."""

WEIGHTED = "weighted"
"""The order of a level that shares its leads out by weights (R15)."""


@dataclass(frozen=True, slots=True)
class Level:
    """A living competition level of a niche.

    An exclusive one takes part only while the lead has no recipient, and closes the lead when it sells (R16).
    `price_rules_text` are its price rules (`core.prices`), where it has any; at a level of a decision there are none,
    and `price_cents` is what they came to. `order` says which of its subscriptions is next.
    """

    level_id: str
    name: str
    price_cents: int
    max_recipients: int
    order_position: int
    is_active: bool
    is_exclusive: bool = False
    price_rules_text: str | None = None
    order: str = LEAST_RECENTLY_SERVED

    @property
    def is_weighted(self) -> bool:
        """Whether it shares its leads out by weights (R15)."""
        return self.order == WEIGHTED


@dataclass(frozen=True, slots=True)
class Subscription:
    """A provider's living subscription to one level. Its filter is the text that `filter_text` gives the document.

    As text a filter takes a quarter of the memory that it takes as objects, and equal ones can share it. So are its
    own limits (`core/calendar/limits`) and its schedule (`core/calendar/schedule`), where it has any. `max_price_cents`
    is the most that its provider pays for a lead, where it says so. `weight` counts where its level is weighted (1 to
    100).
    """

    subscription_id: str
    provider_id: str
    level_id: str
    is_active: bool
    deactivation_reason: str | None
    filter_text: str
    filter_is_valid: bool
    limits_text: str | None = None
    schedule_text: str | None = None
    max_price_cents: int | None = None
    weight: int = 1

    @property
    def goes_by_local_time(self) -> bool:
        """Whether it has limits or a schedule of its own."""
        return self.limits_text is not None or self.schedule_text is not None

    @property
    def filter_rules(self) -> JsonObject:
        """The filter as a document, read anew each time."""
        return json.loads(self.filter_text)


def with_shared_texts(subscription: Subscription, texts: dict[str, str]) -> Subscription:
    """The same subscription, with one text for all equal ones: thousands name one level, or have one filter.

    `texts` are those that are there, each by itself, and have this subscription's afterwards. One whose texts are among
    them is given back as it is: a copy would leave holes in the memory.

    >>> texts, one = {}, Subscription("s", "provider", "level", True, None, '{"rules":[],"version":1}', True)
    >>> with_shared_texts(one, texts) is one, [*texts]
    (True, ['provider', 'level', '{"rules":[],"version":1}'])
    """
    provider_id = texts.setdefault(subscription.provider_id, subscription.provider_id)
    level_id = texts.setdefault(subscription.level_id, subscription.level_id)
    own_filter = texts.setdefault(subscription.filter_text, subscription.filter_text)
    limits, schedule = (
        None if text is None else texts.setdefault(text, text)
        for text in (subscription.limits_text, subscription.schedule_text)
    )
    if (
        provider_id is subscription.provider_id
        and own_filter is subscription.filter_text
        and limits is subscription.limits_text
        and schedule is subscription.schedule_text
    ):
        return subscription
    return replace(
        subscription,
        provider_id=provider_id,
        level_id=level_id,
        filter_text=own_filter,
        limits_text=limits,
        schedule_text=schedule,
    )


def filter_text(filter_rules: JsonObject) -> str:
    """The one text of a filter: its canonical JSON, so that two filters are the same document if their texts are.

    A damaged row can hold what has no canonical form. It gets some text all the same: a filter that cannot be read
    matches no lead, and must not keep the niche's others from any.

    >>> filter_text({"version": 1, "rules": []})
    '{"rules":[],"version":1}'
    >>> filter_text({"version": 2**60})
    '{"version": 1152921504606846976}'
    """
    try:
        return canonical_json(filter_rules).decode()
    except ValueError:
        return json.dumps(filter_rules, sort_keys=True)


@dataclass(frozen=True, slots=True)
class ProviderTerms:
    """What holds for all of a provider's subscriptions: its time zone, limits over all niches, schedule, and group.

    A subscription with a schedule of its own goes by that. Of the providers of a conflict group at most one receives a
    lead (R16).
    """

    timezone: str = "UTC"
    limits_text: str | None = None
    schedule_text: str | None = None
    conflict_group_id: str | None = None

    @property
    def go_by_local_time(self) -> bool:
        """Whether they have limits or a schedule."""
        return self.limits_text is not None or self.schedule_text is not None


PLAIN_TERMS = ProviderTerms()
"""Those of a provider with no limit, no schedule and no group, by the clocks of UTC."""


@dataclass(frozen=True, slots=True)
class Lead:
    """What a decision may know of a lead: its attributes, and the commitment that stands for them in the journal.

    `matched_ids` is of a lead whose attributes were erased, for taking its decision again: the subscriptions that are
    taken to have a filter which it fits. `created_at` is when it came in; without that it comes in as it is decided.
    """

    lead_id: str
    attributes: JsonObject
    commitment: str
    attempt: int
    matched_ids: frozenset[str] | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """What one provider can pay with, as its locked row says (amounts in cents)."""

    balance_cents: int
    credit_limit_cents: int
    ledger_seq: int

    @property
    def available_cents(self) -> int:
        """How much may be charged before the balance reaches its floor (R8).

        >>> Balance(balance_cents=-300, credit_limit_cents=1000, ledger_seq=4).available_cents
        700
        """
        return self.balance_cents + self.credit_limit_cents

    def charged(self, price_cents: int) -> "Balance":
        """The balance after one purchase: the price less, one ledger entry more.

        >>> Balance(5000, 0, 7).charged(2000)
        Balance(balance_cents=3000, credit_limit_cents=0, ledger_seq=8)
        """
        return Balance(self.balance_cents - price_cents, self.credit_limit_cents, self.ledger_seq + 1)
