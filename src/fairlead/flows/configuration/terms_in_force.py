"""What limits and schedules come to at this moment: what is used and left, when windows turn, when it opens.

One view for the API, the console, the portal and the command line. It is a look without locks: the lead that comes next
may change it, and a decision counts for itself.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fairlead.core.calendar.limit_use import LimitUse, limit_uses
from fairlead.core.calendar.limits import Counters, Owner, counters_of, limits_text, windows_at
from fairlead.core.calendar.schedule import DAYS_SEARCHED, closes_at, opens_at, parse_schedule
from fairlead.core.canonical import JsonObject
from fairlead.core.errors import Refused
from fairlead.flows.configuration.versions import provider_version, subscription_version
from fairlead.store.configuration.lookups import provider_row, subscription_keys
from fairlead.store.configuration.rows import ProviderRow, SubscriptionRow, subscription_rows
from fairlead.store.configuration.set_by import SetBy, TimedMember, provider_set_by, subscription_set_by
from fairlead.store.connection import Connection, Database
from fairlead.store.distribution.limit_counters import read_counters
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id


@dataclass(frozen=True, slots=True)
class LimitsInForce:
    """The limits of one owner. `uses` None: they, or the time zone, cannot be read, and no lead is received."""

    owner: Owner
    document: JsonObject
    uses: tuple[LimitUse, ...] | None


@dataclass(frozen=True, slots=True)
class ScheduleInForce:
    """The schedule that counts, and whose it is: None and None where every moment is open.

    `opens_at`: when it opens, where it is closed; `closes_at`: when it closes, where it is open. None where that is
    further ahead than is looked, and both where it cannot be read (`is_readable`), which is closed.
    """

    owner: Owner | None
    document: JsonObject | None
    is_open: bool
    opens_at: datetime | None
    closes_at: datetime | None
    is_readable: bool = True


@dataclass(frozen=True, slots=True)
class TermsInForce:
    """Limits and schedule of a subscription, or of a provider by itself, at `seen_at`, by the clocks of `timezone`.

    `own` are those of which the terms were asked, `of_provider` what its provider's add, for a subscription. Both hold.
    """

    timezone: str
    seen_at: datetime
    own: LimitsInForce
    of_provider: LimitsInForce | None
    own_schedule: JsonObject | None
    schedule: ScheduleInForce

    @property
    def limits(self) -> tuple[LimitsInForce, ...]:
        """All that hold, its own first."""
        return (self.own,) if self.of_provider is None else (self.own, self.of_provider)


@dataclass(frozen=True, slots=True)
class SeenTerms:
    """The terms, the version that a change names, and who set what stands; None where a marketplace file did."""

    terms: TermsInForce
    version: str
    limits_set_by: SetBy | None
    schedule_set_by: SetBy | None


def read_provider_terms(database: Database, provider_id: str) -> SeenTerms:
    """The provider's terms over all of its subscriptions. Locks nothing. Raises `Refused`: `provider_unknown`."""
    checked = checked_id(provider_id, "provider")

    def work(conn: Connection) -> SeenTerms:
        provider = _provider(conn, checked)
        terms = _terms(conn, provider, [])[None]
        set_by: _SetBy = {name: provider_set_by(conn, checked, name) for name in _MEMBERS}
        return _seen(terms, provider_version(provider), set_by)

    return database.read(work)


def read_subscription_terms(database: Database, subscription_id: str, *, of_provider_id: str | None) -> SeenTerms:
    """The subscription's terms and what its provider's add; with a provider's id, of its own subscriptions only.

    Locks nothing. Raises `Refused`: `subscription_unknown`.
    """
    checked = checked_id(subscription_id, "subscription")
    owner_id = None if of_provider_id is None else checked_id(of_provider_id, "provider")

    def work(conn: Connection) -> SeenTerms:
        keys = subscription_keys(conn, checked, owner_id)
        if keys is None:
            raise Refused("subscription_unknown", f"there is no subscription {checked}")
        rows = subscription_rows(conn, [keys.provider_id], [], [])
        [row] = [row for row in rows if row.subscription.subscription_id == checked]
        terms = _terms(conn, _provider(conn, keys.provider_id), [row])[checked]
        set_by: _SetBy = {name: subscription_set_by(conn, checked, name) for name in _MEMBERS}
        return _seen(terms, subscription_version(row), set_by)

    return database.read(work)


def terms_of_provider(database: Database, provider_id: str) -> dict[str | None, TermsInForce]:
    """The terms of each of the provider's living subscriptions, by id, and under None its own over all of them.

    Locks nothing. Raises `Refused`: `provider_unknown`.
    """
    checked = checked_id(provider_id, "provider")

    def work(conn: Connection) -> dict[str | None, TermsInForce]:
        rows = [row for row in subscription_rows(conn, [checked], [], []) if not row.is_deleted]
        return _terms(conn, _provider(conn, checked), rows)

    return database.read(work)


_MEMBERS: tuple[TimedMember, ...] = ("limits", "schedule")
_SetBy = Mapping[TimedMember, SetBy | None]


def _provider(conn: Connection, provider_id: str) -> ProviderRow:
    row = provider_row(conn, provider_id)
    if row is None:
        raise Refused("provider_unknown", f"there is no provider {provider_id}")
    return row


def _terms(conn: Connection, provider: ProviderRow, rows: Sequence[SubscriptionRow]) -> dict[str | None, TermsInForce]:
    """The terms of the provider by itself (None) and of these subscriptions of its, with four statements at most."""
    now, zone = clock(conn), provider.timezone
    owners: dict[str, tuple[Owner, str | None]] = {provider.provider_id: ("provider", provider.limits_text)}
    owners |= {row.subscription.subscription_id: ("subscription", row.subscription.limits_text) for row in rows}
    uses = _uses(conn, provider.provider_id, owners, zone, now)
    limits = {
        owner_id: LimitsInForce(owner, _document(text) or {}, uses.get(owner_id))
        for owner_id, (owner, text) in owners.items()
    }
    of_provider = limits[provider.provider_id]
    found: dict[str | None, TermsInForce] = {}
    of_all = _schedule("provider", provider.schedule_text, zone, now)
    found[None] = TermsInForce(zone, now, of_provider, None, _document(provider.schedule_text), of_all)
    for row in rows:
        own_text = row.subscription.schedule_text
        schedule = of_all if own_text is None else _schedule("subscription", own_text, zone, now)
        own = limits[row.subscription.subscription_id]
        found[row.subscription.subscription_id] = TermsInForce(
            zone, now, own, of_provider, _document(own_text), schedule
        )
    return found


def _uses(
    conn: Connection, provider_id: str, owners: Mapping[str, tuple[Owner, str | None]], zone: str, now: datetime
) -> Mapping[str, tuple[LimitUse, ...]]:
    """What is used of the limits of each owner; it is not there whose limits, or zone, cannot be read."""
    asked: dict[str, tuple[str, Counters]] = {}
    uses: dict[str, tuple[LimitUse, ...]] = {}
    for owner_id, (owner, text) in owners.items():
        if text is None:
            uses[owner_id] = ()
            continue
        with suppress(ValueError):
            asked[owner_id] = provider_id, counters_of(owner, owner_id, windows_at(text, zone, now))
    if asked:
        uses |= {owner_id: limit_uses(counters) for owner_id, counters in read_counters(conn, asked).items()}
    return uses


def _schedule(owner: Owner, text: str | None, zone: str, now: datetime) -> ScheduleInForce:
    if text is None:
        return ScheduleInForce(None, None, True, None, None)
    document = _document(text)
    try:
        opens = opens_at(text, zone, now)
        closes = closes_at(text, zone, now) if opens is None else None
        begins = parse_schedule(text).paused_until or now
    except ValueError:
        return ScheduleInForce(owner, document, False, None, None, is_readable=False)
    is_found = opens is not None and opens < max(begins, now) + timedelta(days=DAYS_SEARCHED)
    return ScheduleInForce(owner, document, opens is None, opens if is_found else None, closes)


def _document(text: str | None) -> JsonObject | None:
    return None if text is None else json.loads(text)


def _seen(terms: TermsInForce, version: str, set_by: _SetBy) -> SeenTerms:
    standing: dict[TimedMember, JsonObject | None] = {"limits": terms.own.document, "schedule": terms.own_schedule}
    known = {
        name: found
        for name, found in set_by.items()
        # A marketplace file may have set another one since.
        if found is not None and limits_text(found.document) == limits_text(standing[name])
    }
    return SeenTerms(terms, version, known.get("limits"), known.get("schedule"))


def without_operators(seen: SeenTerms) -> SeenTerms:
    """The same for the provider itself: which operator acted, and why, is not for it."""
    return replace(
        seen,
        limits_set_by=_without_name(seen.limits_set_by),
        schedule_set_by=_without_name(seen.schedule_set_by),
    )


def _without_name(set_by: SetBy | None) -> SetBy | None:
    if set_by is None or set_by.actor_role == "provider":
        return set_by
    return replace(set_by, actor="operator", memo=None)
