"""What a decision knows while it goes from level to level: the lead, the balances, and who has received it so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from fairlead.core.calendar.limits import Counters
from fairlead.core.canonical import JsonObject
from fairlead.core.model import PLAIN_TERMS, Balance, Lead, Level, ProviderTerms, Subscription
from fairlead.core.prices import PriceFacts


class Balances(Protocol):
    """What providers can pay with. A mapping of all that are asked for is one."""

    def __getitem__(self, provider_id: str, /) -> Balance:
        """The provider's balance."""
        ...


class TimeRules(Protocol):
    """What local time says: how full the windows of limits are, and when schedules open. Asked at one moment.

    Only a subscription that has limits or a schedule, or whose provider has, is asked about. Both raise ValueError for
    a document or a zone that cannot be read.
    """

    @property
    def calendars(self) -> JsonObject:
        """The editions of the time zones and holidays that it goes by."""
        ...

    def counters(self, subscription: Subscription, terms: ProviderTerms) -> Sequence[Counters]:
        """The counters of the subscription's own limits, then those of its provider's, where they have any.

        As they were before the lead: a provider receives it once, so its own purchase never counts against it.
        """
        ...

    def opens_at(self, subscription: Subscription, terms: ProviderTerms) -> datetime | None:
        """When the schedule that the subscription goes by opens; None while it is open."""
        ...

    def is_within(self, hours_text: str, timezone: str) -> bool | None:
        """Whether these hours of a price rule hold the moment; None where that is not known any more."""
        ...

    def recorded_price_rule(self, level_id: str) -> int:
        """The number of the price rule that a past decision recorded for the level; 0 for none."""
        ...


@dataclass(slots=True)
class DecisionState:
    """The state of one decision. `received_at` holds the level at which each recipient's provider was chosen.

    `last_served_seq` is the niche's counter; each recipient takes the next one (R5). `terms` has those providers whose
    terms are not plain; with `time_rules` None no subscription has limits or a schedule. `used_local_time`
    says whether the decision depended on those. `conflict_groups` has the providers of each, of this niche;
    `recipient_of_group` the one that receives the lead. `lowest_prices` has the lowest price that levels with price
    rules can ask, in cents, by level; `used_age` says whether a price depended on how old the lead is, and
    `price_facts` are what price rules are asked with, once one was. `counters` are those of the candidate that was
    asked last: a lead for it counts in them.
    """

    seq: int
    decided_at: datetime
    lead: Lead
    balances: Balances
    last_served_seq: int
    received_at: dict[str, str] = field(default_factory=dict[str, str])
    terms: Mapping[str, ProviderTerms] = field(default_factory=dict[str, ProviderTerms])
    time_rules: TimeRules | None = None
    used_local_time: bool = False
    max_recipients_per_lead: int | None = None
    conflict_groups: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    recipient_of_group: dict[str, str] = field(default_factory=dict[str, str])
    is_sold_exclusively: bool = False
    lowest_prices: dict[str, int] = field(default_factory=dict[str, int])
    used_age: bool = False
    price_facts: PriceFacts | None = None
    counters: Sequence[Counters] = ()

    def terms_of(self, subscription: Subscription) -> ProviderTerms:
        """What holds for all subscriptions of its provider."""
        return self.terms.get(subscription.provider_id, PLAIN_TERMS)

    def receive(self, provider_id: str, level: Level) -> None:
        """The provider receives the lead, from this level."""
        self.received_at[provider_id] = level.level_id
        group_id = self.terms.get(provider_id, PLAIN_TERMS).conflict_group_id
        if group_id is not None:
            self.recipient_of_group[group_id] = provider_id
        self.is_sold_exclusively |= level.is_exclusive
