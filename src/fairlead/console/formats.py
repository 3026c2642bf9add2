"""How amounts, numbers and times are written for a viewer. Templates use these as filters."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

from babel.core import Locale
from babel.dates import format_date, format_timedelta
from babel.numbers import (
    format_compact_decimal,
    format_currency,
    format_decimal,
    format_percent,
    get_currency_precision,
)
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from fairlead.console.viewer import Viewer
from fairlead.core.calendar.local_time import zone_named

_CODE_PARTS = re.compile(r"(?<=[._])")
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")


def _viewer(context: Context) -> Viewer:
    return context["viewer"]


def money_text(cents: int, currency: str, viewer: Viewer) -> str:
    """Minor units as an amount with its currency."""
    return _amount_text(cents, currency, viewer.locale)


# A table repeats prices, numbers and days in every row, and to write one takes Babel some 50 µs.
@lru_cache(maxsize=4096)
def _amount_text(cents: int, currency: str, locale: Locale) -> str:
    amount = Decimal(cents).scaleb(-get_currency_precision(currency))
    return format_currency(amount, currency, locale=locale)


@lru_cache(maxsize=4096, typed=True)
def _number_text(value: float | Decimal, locale: Locale) -> str:
    return format_decimal(value, locale=locale)


@lru_cache(maxsize=4096)
def _date_text(day: date, pattern: str, locale: Locale) -> str:
    return format_date(day, pattern, locale=locale)


@pass_context
def money(context: Context, cents: int, currency: str) -> str:
    """`1500|money("EUR")`: €15.00."""
    return money_text(cents, currency, _viewer(context))


@pass_context
def signed_money(context: Context, cents: int, currency: str) -> str:
    """The same with a sign also for what is added: ledgers and differences."""
    text = money_text(abs(cents), currency, _viewer(context))
    return f"+{text}" if cents > 0 else f"\N{MINUS SIGN}{text}" if cents < 0 else text


def number_text(value: float | Decimal, viewer: Viewer) -> str:
    """The number with the separators of the viewer's language."""
    return _number_text(value, viewer.locale)


@pass_context
def number(context: Context, value: float | Decimal) -> str:
    """`12447|number`: 12,447."""
    return number_text(value, _viewer(context))


@pass_context
def compact(context: Context, value: float) -> str:
    """`12447|compact`: 12K, for axes."""
    return format_compact_decimal(value, locale=_viewer(context).locale, fraction_digits=1)


@pass_context
def percent(context: Context, share: float | None, digits: int = 1) -> str:
    """`0.826|percent`: 82.6%; a dash for a share of nothing."""
    if share is None:
        return "\N{EM DASH}"
    pattern = "#,##0." + "0" * digits + "%" if digits else "#,##0%"
    return format_percent(share, format=pattern, locale=_viewer(context).locale)


@pass_context
def basis_points(context: Context, rate: int) -> str:
    """`1_900|basis_points`: 19%, hundredths of a percent as the viewer's language writes them."""
    locale = _viewer(context).locale
    pattern = locale.percent_formats[None].pattern.replace("#,##0", "#,##0.##")
    return format_percent(Decimal(rate) / 10_000, format=pattern, locale=locale)


@pass_context
def country(context: Context, code: str) -> str:
    """`"DE"|country`: Germany; the code where the viewer's language has no name for it."""
    names = cast("Mapping[str, str]", _viewer(context).locale.territories)
    return names.get(code, code)


@pass_context
def moment(context: Context, when: datetime | None, style: str = "short", zone: str | None = None) -> str | Markup:
    """A `<time>` in the viewer's zone, or in that of the name, the exact one on hover; a dash for None.

    `short` is day and time to the minute, with the year where it is another, `minute` the same with any year, `exact`
    to the second, `date` the day, `time` the time of day to the second, `ago` how long it is past.
    """
    if when is None:
        return "\N{EM DASH}"
    viewer = _viewer(context)
    local = when.astimezone(viewer.zone if zone is None else zone_named(zone))
    exact = f"{local.date()} {local:%H:%M:%S} {zone or viewer.zone_name}"
    shown = _STYLES[style](local, context["now"], viewer)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(when.isoformat(), exact, shown)


def moment_text(when: datetime, viewer: Viewer) -> str:
    """The moment in the viewer's zone, to the minute, within a sentence."""
    return _minute(when.astimezone(viewer.zone), when, viewer)


@pass_context
def second(context: Context, when: datetime, zone: str) -> str:
    """The moment in the zone of that name to the second, for rows that are many: no element, nothing on hover."""
    return _exact(when.astimezone(zone_named(zone)), when, _viewer(context))


def _short(local: datetime, now: datetime, viewer: Viewer) -> str:
    same_year = local.year == now.astimezone(viewer.zone).year
    return f"{_date_text(local.date(), 'd MMM' if same_year else 'd MMM y', viewer.locale)} {local:%H:%M}"


def _minute(local: datetime, _now: datetime, viewer: Viewer) -> str:
    return f"{day_text(local.date(), viewer)} {local:%H:%M}"


def _exact(local: datetime, _now: datetime, viewer: Viewer) -> str:
    return f"{day_text(local.date(), viewer)} {local:%H:%M:%S}"


def _ago(local: datetime, now: datetime, viewer: Viewer) -> str:
    return format_timedelta(local - now, add_direction=True, locale=viewer.locale)


def day_text(value: date, viewer: Viewer) -> str:
    """The day as the viewer writes it."""
    return _date_text(value, "d MMM y", viewer.locale)


@pass_context
def day(context: Context, value: date) -> str:
    """`date(2026, 11, 29)|day`: 29 Nov 2026."""
    return day_text(value, _viewer(context))


@pass_context
def month(context: Context, first_day: date) -> str:
    """`date(2026, 11, 1)|month`: November 2026."""
    return format_date(first_day, "LLLL y", locale=_viewer(context).locale)


_STYLES: Mapping[str, Callable[[datetime, datetime, Viewer], str]] = {
    "short": _short,
    "ago": _ago,
    "minute": _minute,
    "exact": _exact,
    "date": lambda local, _, viewer: day_text(local.date(), viewer),
    "time": lambda local, _, viewer: f"{local:%H:%M:%S}",
}


@pass_context
def duration(context: Context, span: timedelta | float | None) -> str:
    """`0.011|duration`: 11 ms; seconds or a timedelta. A dash for None."""
    if span is None:
        return "\N{EM DASH}"
    seconds = span.total_seconds() if isinstance(span, timedelta) else span
    locale = _viewer(context).locale
    if seconds < 1:
        return f"{format_decimal(round(seconds * 1000), locale=locale)} ms"
    if seconds < 60:
        return f"{format_decimal(round(seconds, 1), locale=locale)} s"
    return format_timedelta(timedelta(seconds=seconds), threshold=1.5, locale=locale)


@pass_context
def size(context: Context, byte_count: int) -> str:
    """`1_234_567|size`: 1.2 MB."""
    for unit, factor in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)):
        if byte_count >= factor:
            return f"{format_decimal(round(byte_count / factor, 1), locale=_viewer(context).locale)} {unit}"
    return f"{byte_count} B"


def breakable(code: str) -> Markup:
    """A code that may be broken after a point or an underscore, and nowhere else.

    >>> breakable("lead_view.saved")
    Markup('lead_<wbr>view.<wbr>saved')
    """
    return Markup("<wbr>").join(part for part in _CODE_PARTS.split(code) if part)


def memo(text: str) -> str:
    """What was noted, with the digest of a file by its beginning.

    >>> memo(f"marketplace file {'0a' * 32}"), memo("called twice")
    ('marketplace file 0a0a0a0a…', 'called twice')
    """
    return _DIGEST.sub(lambda found: f"{found[0][:8]}…", text)


FILTERS: Mapping[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (
        money,
        signed_money,
        number,
        compact,
        percent,
        basis_points,
        country,
        moment,
        second,
        day,
        month,
        duration,
        size,
        breakable,
        memo,
    )
}
