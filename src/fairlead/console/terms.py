"""Limits and schedules as pages show them: what is used, when windows turn, the week, the form."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from babel.dates import format_date, format_datetime, get_day_names

from fairlead.console.entered_amount import entered_amount
from fairlead.console.formats import money_text, number_text
from fairlead.console.texts import noted, translated
from fairlead.console.viewer import Viewer
from fairlead.core.calendar.limits import CAPS, Cap, Owner, limits_text
from fairlead.core.calendar.local_time import zone_named
from fairlead.core.calendar.public_holidays import holiday_places
from fairlead.core.calendar.schedule import DAYS, parse_schedule
from fairlead.core.canonical import JsonObject
from fairlead.flows.configuration.terms_in_force import SeenTerms, TermsInForce

MINUTES_OF_DAY = 1440
_NAMES: Mapping[str, str] = {
    "leads_per_hour": noted("Leads an hour"),
    "leads_per_day": noted("Leads a day"),
    "leads_per_week": noted("Leads a week"),
    "leads_per_month": noted("Leads a month"),
    "leads_total": noted("Leads in total"),
    "spend_cents_per_day": noted("Spending a day"),
    "spend_cents_per_week": noted("Spending a week"),
    "spend_cents_per_month": noted("Spending a month"),
}


@dataclass(frozen=True, slots=True)
class LimitLine:
    """One limit as a row. `turns` is by the provider's clocks, "" where nothing turns."""

    name: str
    owner: Owner
    used: str
    limit: str
    left: str
    used_share: int
    is_reached: bool
    closes_at: datetime | None
    turns: str


@dataclass(frozen=True, slots=True)
class LimitField:
    """A limit as a field of the form, with what is set."""

    name: str
    label: str
    value: str
    is_of_money: bool


@dataclass(frozen=True, slots=True)
class WeekDay:
    """A day of the week: its open minutes as `(from, length)`, and the spans that begin on it, in words."""

    name: str
    bars: tuple[tuple[int, int], ...]
    spans: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownSchedule:
    """The schedule that counts. `week` is empty where every hour of it is open; `opens` by the provider's clocks."""

    week: tuple[WeekDay, ...]
    dates_off: tuple[str, ...]
    holidays: str
    paused_until: str
    opens: str
    closes: str


@dataclass(frozen=True, slots=True)
class ShownTerms:
    """All that a page shows of limits and a schedule. `lines` None: they cannot be read."""

    terms: TermsInForce
    seen: SeenTerms
    lines: tuple[LimitLine, ...] | None
    fields: tuple[LimitField, ...]
    digits: int
    currency: str
    schedule: ShownSchedule
    editor: JsonObject


def shown_terms(seen: SeenTerms, currency: str, viewer: Viewer) -> ShownTerms:
    """The terms for a page, in the language of its viewer."""
    terms = seen.terms
    return ShownTerms(
        terms,
        seen,
        limit_lines(terms, currency, viewer),
        tuple(_field(cap, terms.own.document, currency) for cap in CAPS),
        entered_amount(None, currency).digits,
        currency,
        _schedule(terms, viewer),
        _editor(terms, viewer),
    )


def limit_lines(terms: TermsInForce, currency: str, viewer: Viewer) -> tuple[LimitLine, ...] | None:
    """Every limit that holds, its own first; None where limits or time zone cannot be read."""
    if any(each.uses is None for each in terms.limits):
        return None
    lines: list[LimitLine] = []
    for each in terms.limits:
        for use in each.uses or ():
            used, limit, left = (_amount(use.cap, value, currency, viewer) for value in (use.used, use.limit, use.left))
            share = min(100, use.used * 100 // use.limit)
            turns = local_text(use.closes_at, terms, viewer)
            name = translated(_NAMES[use.cap.name])
            lines.append(LimitLine(name, each.owner, used, limit, left, share, use.left == 0, use.closes_at, turns))
    return tuple(lines)


def local_text(moment: datetime | None, terms: TermsInForce, viewer: Viewer) -> str:
    """The moment by the clocks of the terms' zone, with its name; "" for none."""
    if moment is None:
        return ""
    zone = zone_named(terms.timezone)
    local = moment.astimezone(zone)
    pattern = "EEE d MMM HH:mm" if local.year == terms.seen_at.astimezone(zone).year else "EEE d MMM y HH:mm"
    return f"{format_datetime(local, pattern, locale=viewer.locale)} {terms.timezone}"


def _amount(cap: Cap, value: int, currency: str, viewer: Viewer) -> str:
    return money_text(value, currency, viewer) if cap.is_of_money else number_text(value, viewer)


def _field(cap: Cap, document: JsonObject, currency: str) -> LimitField:
    value: Any = document.get(cap.name)
    text = entered_amount(value, currency).text if cap.is_of_money else "" if value is None else str(value)
    return LimitField(cap.name, translated(_NAMES[cap.name]), text, cap.is_of_money)


def _schedule(terms: TermsInForce, viewer: Viewer) -> ShownSchedule:
    schedule = terms.schedule
    document: Mapping[str, Any] = schedule.document or {}
    opens, closes = (local_text(each, terms, viewer) for each in (schedule.opens_at, schedule.closes_at))
    if not schedule.is_readable or schedule.document is None:
        return ShownSchedule((), (), "", "", opens, closes)
    until = parse_schedule(limits_text(schedule.document) or "{}").paused_until
    is_paused = until is not None and until > terms.seen_at
    return ShownSchedule(
        _week(schedule.document, viewer) if "weekly" in document else (),
        tuple(_date_off(each, viewer) for each in document.get("dates_off", ())),
        _place(document.get("holidays"), viewer),
        local_text(until, terms, viewer) if is_paused else "",
        opens,
        closes,
    )


def _week(document: JsonObject, viewer: Viewer) -> tuple[WeekDay, ...]:
    bars: list[list[tuple[int, int]]] = [[] for _ in DAYS]
    spans = parse_schedule(limits_text(document) or "{}").spans
    for number, own in enumerate(spans):
        for opens, closes in own:
            first, last = (int(each.total_seconds()) // 60 for each in (opens, closes))
            bars[number].append((first, min(last, MINUTES_OF_DAY) - first))
            if last > MINUTES_OF_DAY:
                bars[(number + 1) % len(DAYS)].append((0, last - MINUTES_OF_DAY))
    names = get_day_names("wide", locale=viewer.locale)
    return tuple(
        WeekDay(names[number], tuple(sorted(bars[number])), tuple(_span(*each) for each in spans[number]))
        for number in range(len(DAYS))
    )


def _span(opens: Any, closes: Any) -> str:
    first, last = (int(each.total_seconds()) // 60 for each in (opens, closes))
    shown = last if last <= MINUTES_OF_DAY else last - MINUTES_OF_DAY
    return f"{first // 60:02}:{first % 60:02}\N{EN DASH}{shown // 60:02}:{shown % 60:02}"


def _date_off(each: str | Mapping[str, str], viewer: Viewer) -> str:
    first, last = (each, each) if isinstance(each, str) else (each["from"], each["to"])
    texts = [format_date(datetime.fromisoformat(day), "d MMM y", locale=viewer.locale) for day in (first, last)]
    return texts[0] if first == last else "\N{EN DASH}".join(texts)


def _place(place: Mapping[str, str] | None, viewer: Viewer) -> str:
    if place is None:
        return ""
    name = _country(place["country"], viewer)
    return f"{name}, {place['region']}" if "region" in place else name


def _clock_text(until: str | None, terms: TermsInForce) -> str:
    """The moment by the clocks of the terms' zone, as inputs have it; "" for none, and where no clock can be read."""
    if until is None or not terms.schedule.is_readable:
        return ""
    return f"{datetime.fromisoformat(until).astimezone(zone_named(terms.timezone)):%Y-%m-%dT%H:%M}"


def _country(code: str, viewer: Viewer) -> str:
    names = cast("Mapping[str, str]", viewer.locale.territories)
    return names.get(code, code)


def _editor(terms: TermsInForce, viewer: Viewer) -> JsonObject:
    """What `week-editor.js` begins with, its own schedule or else none, and what the template writes of it."""
    names = get_day_names("abbreviated", locale=viewer.locale)
    places = sorted((_country(code, viewer), code) for code in holiday_places())
    own: Mapping[str, Any] = terms.own_schedule or {}
    return {
        "schedule": own,
        "dates": [
            each if isinstance(each, str) else f"{each['from']} to {each['to']}" for each in own.get("dates_off", ())
        ],
        "paused": _clock_text(own.get("paused_until"), terms),
        "timezone": terms.timezone,
        "days": [names[number] for number in range(len(DAYS))],
        "countries": [[code, name] for name, code in places],
        "regions": {code: list(regions) for code, regions in holiday_places().items() if regions},
    }
