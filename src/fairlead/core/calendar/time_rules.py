"""What local time says of subscriptions at one moment: as the zones have it now, or as a past decision recorded it.

A decision records every counter that it depended on, and the editions of the time zones and of the public holidays
that it went by. Taking it again, the counts are those on record: another niche may have moved them. Windows and
schedules are reckoned again where the editions are the same, and are those on record where they are not: a parliament
that moves a holiday, or a change of clocks, changes nothing that was decided before.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from fairlead.core.calendar.counter_records import recorded_counters
from fairlead.core.calendar.limits import (
    CAPS,
    CountedLead,
    Counter,
    Counters,
    Owner,
    Windows,
    counters_of,
    windows_at,
    windows_between,
)
from fairlead.core.calendar.local_time import ZONES_VERSION
from fairlead.core.calendar.public_holidays import HOLIDAYS_VERSION
from fairlead.core.calendar.schedule import opens_at
from fairlead.core.calendar.stored_counters import StoredCounters
from fairlead.core.canonical import JsonObject
from fairlead.core.model import ProviderTerms, Subscription
from fairlead.core.prices import is_within
from fairlead.core.refusals import CapReached, OutsideSchedule

CALENDARS: JsonObject = {"time_zones": ZONES_VERSION, "holidays": HOLIDAYS_VERSION}
"""The editions that local time is reckoned with here."""

Certain = Mapping[str, Counters]
"""Counters by owner."""

Expected = Mapping[str, StoredCounters]
"""Counters by owner, as they were kept when they were seen last."""

NO_OWNERS: AbstractSet[str] = frozenset()


def limits_of(subscription: Subscription, terms: ProviderTerms) -> list[tuple[Owner, str, str]]:
    """The limits of the subscription, then those of its provider, each with whose they are."""
    found: list[tuple[Owner, str, str]] = []
    if (text := subscription.limits_text) is not None:
        found.append(("subscription", subscription.subscription_id, text))
    if (text := terms.limits_text) is not None:
        found.append(("provider", subscription.provider_id, text))
    return found


def schedule_opens_at(subscription: Subscription, terms: ProviderTerms, moment: datetime) -> datetime | None:
    """When the schedule that the subscription goes by, its own or else its provider's, opens; None while it is open.

    Raises ValueError for a schedule or a zone that cannot be read.
    """
    text = subscription.schedule_text or terms.schedule_text
    return None if text is None else opens_at(text, terms.timezone, moment)


class CountedRules:
    """Local time at one moment, for a batch that is decided now, with counters as the batch goes on.

    A counter is the one after the batch's own purchases, else the certain one, else the expected one, else that of a
    window of which nothing was used: that way the batch goes on and finds out whom else it would consult. Of the owners
    in `unmoved` nothing was moved since what is expected was seen. `counted` has, by owner, the last of the batch's
    leads that counted there; `asked` are the counters that are not certain, as they were taken to be before the batch,
    each with its provider's id.
    """

    calendars = CALENDARS

    def __init__(
        self, moment: datetime, certain: Certain, expected: Expected, unmoved: AbstractSet[str] = NO_OWNERS
    ) -> None:
        self._moment = moment
        self._seconds = int(moment.timestamp())
        self._certain = certain
        self._expected = expected
        self._unmoved = unmoved
        self.counted: dict[str, CountedLead] = {}
        self.asked: dict[str, tuple[str, Counters]] = {}

    def counters(self, subscription: Subscription, terms: ProviderTerms) -> Sequence[Counters]:
        """See `TimeRules`."""
        counted, provider_id = self.counted, subscription.provider_id
        found: list[Counters] = []
        if (text := subscription.limits_text) is not None:
            own_id = subscription.subscription_id
            if (last := counted.get(own_id)) is None:
                found.append(self._consult("subscription", own_id, provider_id, text, terms.timezone))
            else:
                found.append(last[0].with_lead(last[1], self._seconds))
        if (text := terms.limits_text) is not None:
            if (last := counted.get(provider_id)) is None:
                found.append(self._consult("provider", provider_id, provider_id, text, terms.timezone))
            else:
                found.append(last[0].with_lead(last[1], self._seconds))
        return found

    def _consult(self, owner: Owner, owner_id: str, provider_id: str, limits_text: str, timezone: str) -> Counters:
        if (known := self._certain.get(owner_id)) is not None:
            return known
        if (asked := self.asked.get(owner_id)) is not None:
            return asked[1]  # what is expected of a provider may be another by now: other niches move it
        stored = self._expected.get(owner_id)
        if stored is not None:
            known = stored.read_before(limits_text, timezone, self._seconds)
        if known is None:
            windows = windows_at(limits_text, timezone, self._moment)
            known = None if stored is None else stored.at(owner, owner_id, windows)
            if known is None:
                known, stored = counters_of(owner, owner_id, windows), None
        if stored is None or owner_id not in self._unmoved:
            self.asked[owner_id] = provider_id, known
        return known

    def opens_at(self, subscription: Subscription, terms: ProviderTerms) -> datetime | None:
        """See `TimeRules`."""
        return schedule_opens_at(subscription, terms, self._moment)

    def is_within(self, hours_text: str, timezone: str) -> bool:
        """See `TimeRules`."""
        return is_within(hours_text, timezone, self._moment)

    def recorded_price_rule(self, level_id: str) -> int:
        """See `TimeRules`: nothing is on record."""
        return 0

    def count(self, counters: Sequence[Counters], price_cents: int) -> None:
        """A lead at this price was bought, with these counters consulted."""
        for own in counters:
            self.counted[own.owner_id] = own, price_cents  # added up once it is asked: for most, by who writes it


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
                for own in recorded_counters(recipient):
                    for counter in own.each:
                        self._take(counter)
        for level in payload["levels"]:
            for refused in level["refused"]:
                if refused["reason"] == CapReached.reason and refused["cap"] is not None:
                    self._take(_counter_of_refusal(refused, level))
                elif refused["reason"] == OutsideSchedule.reason:
                    self._opens_at[refused["subscription_id"]] = OutsideSchedule.read(refused, level).opens_at

    def counters(self, subscription: Subscription, terms: ProviderTerms) -> Sequence[Counters]:
        """See `TimeRules`."""
        return [
            self._as_recorded(owner, owner_id, windows_at(text, terms.timezone, self._moment))
            for owner, owner_id, text in limits_of(subscription, terms)
        ]

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

    def _as_recorded(self, owner: Owner, owner_id: str, windows: Windows) -> Counters:
        """The windows as the zones have them, or, of another edition, the record; the limits are the journal's."""
        edges, used = [*windows.edges], [(0, 0)] * len(windows.periods)
        for number, period in enumerate(windows.periods):
            recorded = self._counters.get((owner_id, period))
            if recorded is None or (self._is_same_edition and recorded.opened_at != edges[number][0]):
                continue
            edges[number] = recorded.opened_at, recorded.closes_at
            used[number] = recorded.lead_count, recorded.spent_cents
        return counters_of(owner, owner_id, windows_between(windows.text, tuple(edges)), used)


def _counter_of_refusal(record: Mapping[str, Any], level: Mapping[str, Any]) -> Counter:
    refusal = CapReached.read(record, level)
    [cap] = [cap for cap in CAPS if cap.name == refusal.cap]
    used = (0, refusal.used) if cap.is_of_money else (refusal.used, 0)
    owner_id = record[f"{refusal.owner}_id"]
    return Counter(refusal.owner, owner_id, cap.period, refusal.opened_at, refusal.closes_at, *used)
