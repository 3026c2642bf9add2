"""What local time says of subscriptions at one moment: as the zones have it now, or as a past decision recorded it.

A decision records every counter that it depended on, and the editions of the time zones and of the public holidays
that it went by. Taking it again, the counts are those on record: another niche may have moved them. Windows and
schedules are reckoned again where the editions are the same, and are those on record where they are not: a parliament
that moves a holiday, or a change of clocks, changes nothing that was decided before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from fairlead.core.canonical import JsonObject
from fairlead.core.limits import CAPS, Counter, CounterKey, empty_windows
from fairlead.core.local_time import ZONES_VERSION
from fairlead.core.model import ProviderTerms, Subscription
from fairlead.core.prices import is_within
from fairlead.core.public_holidays import HOLIDAYS_VERSION
from fairlead.core.refusals import CapReached, OutsideSchedule
from fairlead.core.schedule import opens_at

CALENDARS: JsonObject = {"time_zones": ZONES_VERSION, "holidays": HOLIDAYS_VERSION}
"""The editions that local time is reckoned with here."""

Certain = Mapping[CounterKey, Counter]
"""Counters by window."""


def empty_counters(subscription: Subscription, terms: ProviderTerms, moment: datetime) -> list[Counter]:
    """The windows of the subscription's limits and of its provider's at that moment, with nothing used.

    Raises ValueError for limits or a zone that cannot be read.
    """
    counters: list[Counter] = []
    if (text := subscription.limits_text) is not None:
        counters += empty_windows("subscription", subscription.subscription_id, text, terms.timezone, moment)
    if (text := terms.limits_text) is not None:
        counters += empty_windows("provider", subscription.provider_id, text, terms.timezone, moment)
    return counters


def schedule_opens_at(subscription: Subscription, terms: ProviderTerms, moment: datetime) -> datetime | None:
    """When the schedule that the subscription goes by, its own or else its provider's, opens; None while it is open.

    Raises ValueError for a schedule or a zone that cannot be read.
    """
    text = subscription.schedule_text or terms.schedule_text
    return None if text is None else opens_at(text, terms.timezone, moment)


class CountedRules:
    """Local time at one moment, for a batch that is decided now, with counters as the batch goes on.

    A counter is the one after the batch's own purchases, else the certain one, else the expected one, else that of a
    window of which nothing was used: that way the batch goes on and finds out whom else it would consult. `consulted`
    says what each counter was taken to be before the batch, and `provider_ids` whose window it is.
    """

    calendars = CALENDARS

    def __init__(self, moment: datetime, certain: Certain, expected: Certain) -> None:
        self._moment = moment
        self._certain = certain
        self._expected = expected
        self._of_subscription: dict[str, Sequence[CounterKey]] = {}
        self.consulted: dict[CounterKey, Counter] = {}
        self.after: dict[CounterKey, Counter] = {}
        self.provider_ids: dict[CounterKey, str] = {}

    def counters(self, subscription: Subscription, terms: ProviderTerms) -> Sequence[Counter]:
        """See `TimeRules`."""
        keys = self._of_subscription.get(subscription.subscription_id)
        if keys is None:
            windows = empty_counters(subscription, terms, self._moment)
            keys = self._of_subscription[subscription.subscription_id] = [each.key for each in windows]
            for key, window in zip(keys, windows, strict=True):
                if key not in self.after:
                    known = self._certain.get(key) or self._expected_of(key, window)
                    self.consulted[key] = self.after[key] = known
                    self.provider_ids[key] = subscription.provider_id
        return [self.after[key] for key in keys]

    def opens_at(self, subscription: Subscription, terms: ProviderTerms) -> datetime | None:
        """See `TimeRules`."""
        return schedule_opens_at(subscription, terms, self._moment)

    def _expected_of(self, key: CounterKey, window: Counter) -> Counter:
        known = self._expected.get(key)
        if known is None:
            return window
        return window.with_use(known.lead_count, known.spent_cents)

    def is_within(self, hours_text: str, timezone: str) -> bool:
        """See `TimeRules`."""
        return is_within(hours_text, timezone, self._moment)

    def recorded_price_rule(self, level_id: str) -> int:
        """See `TimeRules`: nothing is on record."""
        return 0

    def count(self, counters: Sequence[Counter], price_cents: int) -> None:
        """A lead at this price was bought, with these counters consulted."""
        for counter in counters:
            self.after[counter.key] = self.after[counter.key].with_lead(price_cents)

    @property
    def moved(self) -> list[tuple[str, Counter]]:
        """The counters that the batch moved, as they are after it, each with its provider's id."""
        moved = [(key, counter) for key, counter in self.after.items() if counter != self.consulted[key]]
        return [(self.provider_ids[key], counter) for key, counter in moved]


class RecordedRules:
    """Local time as a past decision recorded it. Counters that it did not record had room."""

    def __init__(self, payload: Mapping[str, Any], moment: datetime) -> None:
        self._moment = moment
        self.calendars: JsonObject = payload.get("calendars", CALENDARS)
        self._is_same_edition = self.calendars == CALENDARS
        self._counters: dict[tuple[str, str], Counter] = {}
        self._opens_at: dict[str, datetime | None] = {}
        self._price_rules = {
            level["level_id"]: level["price_rule"]["number"] for level in payload["levels"] if "price_rule" in level
        }
        # A recipient's counters are whole, and a refusal has of its own only what refused: a provider may be refused at
        # a dear level by a limit of money, and receive the lead at a cheap one.
        for level in payload["levels"]:
            for recipient in level["recipients"]:
                for record in recipient.get("counters", ()):
                    self._take(Counter.read(record, recipient[f"{record['owner']}_id"]))
        for level in payload["levels"]:
            for refused in level["refused"]:
                if refused["reason"] == CapReached.reason and refused["cap"] is not None:
                    self._take(_counter_of_refusal(refused, level))
                elif refused["reason"] == OutsideSchedule.reason:
                    self._opens_at[refused["subscription_id"]] = OutsideSchedule.read(refused, level).opens_at

    def counters(self, subscription: Subscription, terms: ProviderTerms) -> Sequence[Counter]:
        """See `TimeRules`."""
        return [self._as_recorded(window) for window in empty_counters(subscription, terms, self._moment)]

    def is_within(self, hours_text: str, timezone: str) -> bool | None:
        """See `TimeRules`."""
        return is_within(hours_text, timezone, self._moment) if self._is_same_edition else None

    def recorded_price_rule(self, level_id: str) -> int:
        """See `TimeRules`."""
        return self._price_rules.get(level_id, 0)

    def opens_at(self, subscription: Subscription, terms: ProviderTerms) -> datetime | None:
        """See `TimeRules`."""
        if self._is_same_edition:
            return schedule_opens_at(subscription, terms, self._moment)
        return self._opens_at.get(subscription.subscription_id)

    def implausible(self) -> list[str]:
        """What is wrong with the windows on record, in words: each must hold the moment of the decision."""
        return [
            f"the {counter.period} of {counter.owner} {counter.owner_id} that it counted does not hold its moment"
            for counter in self._counters.values()
            if (counter.opened_at is not None and counter.opened_at > self._moment)
            or (counter.closes_at is not None and counter.closes_at <= self._moment)
        ]

    def _take(self, counter: Counter) -> None:
        self._counters.setdefault((counter.owner_id, counter.period), counter)

    def _as_recorded(self, window: Counter) -> Counter:
        recorded = self._counters.get((window.owner_id, window.period))
        if recorded is None or (self._is_same_edition and recorded.key != window.key):
            return window
        # The limits are those of the journal, whatever the record says of them.
        return replace(recorded, most_leads=window.most_leads, most_cents=window.most_cents)


def _counter_of_refusal(record: Mapping[str, Any], level: Mapping[str, Any]) -> Counter:
    refusal = CapReached.read(record, level)
    [cap] = [cap for cap in CAPS if cap.name == refusal.cap]
    used = (0, refusal.used) if cap.is_of_money else (refusal.used, 0)
    owner_id = record[f"{refusal.owner}_id"]
    return Counter(refusal.owner, owner_id, cap.period, refusal.opened_at, refusal.closes_at, *used)
