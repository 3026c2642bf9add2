"""For whom a page is written: language, time zone, light or dark. The browser says them, in headers and cookies."""

import re
from dataclasses import dataclass
from datetime import tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale, negotiate_locale
from starlette.requests import HTTPConnection

LANGUAGES = ("en", "de")
"""The languages that the texts are there in; the first for viewers whose language is none of them."""

LANGUAGE_NAMES = {"en": "English", "de": "Deutsch"}
"""What each is called by those who speak it."""

LANGUAGE_COOKIE, ZONE_COOKIE, THEME_COOKIE = "language", "time_zone", "theme"
THEMES = ("light", "dark")

_PREFERENCE = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q=([0-9.]+)\s*)?")


@dataclass(frozen=True, slots=True)
class Viewer:
    """How numbers, times and texts are written. `theme` is None where the system's setting decides."""

    language: str
    locale: Locale
    zone: tzinfo
    zone_name: str
    theme: str | None

    @property
    def locale_name(self) -> str:
        """The locale as browsers name it, such as `en-GB`: scripts write numbers and times as the page has them."""
        return str(self.locale).replace("_", "-")


def viewer_of(request: HTTPConnection) -> Viewer:
    """As the browser says; whatever cannot be understood counts as not said."""
    language, locale = _language_of(request)
    zone_name = request.cookies.get(ZONE_COOKIE, "").replace("%2F", "/")
    if zone_name not in _zones():
        zone_name = "UTC"
    theme = request.cookies.get(THEME_COOKIE)
    return Viewer(language, locale, ZoneInfo(zone_name), zone_name, theme if theme in THEMES else None)


def _language_of(request: HTTPConnection) -> tuple[str, Locale]:
    """The language of the texts, and the locale of numbers and dates, which may be of a region (`en-GB`)."""
    preferred = preferred_languages(request.headers.get("accept-language", ""))
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        preferred = [each for each in preferred if each.partition("-")[0] == chosen] or [chosen]
    for each in preferred:
        language = negotiate_locale([each], LANGUAGES, sep="-")
        if language is not None:
            return language, _locale(each) or Locale.parse(language)
    return LANGUAGES[0], Locale.parse(LANGUAGES[0])


def preferred_languages(header: str) -> list[str]:
    """What `Accept-Language` names, the most wanted first.

    >>> preferred_languages("de;q=0.7, en-GB, *;q=0.1, fr;q=0")
    ['en-GB', 'de']
    """
    found: list[tuple[float, str]] = []
    for part in header[:500].split(","):
        match = _PREFERENCE.fullmatch(part)
        try:
            wanted = float(match[2] or 1) if match else 0.0
        except ValueError:
            wanted = 0.0
        if match and wanted > 0:
            found.append((wanted, match[1]))
    return [language for _, language in sorted(found, key=lambda each: -each[0])]


def _locale(name: str) -> Locale | None:
    try:
        return Locale.parse(name, sep="-")
    except (ValueError, LookupError):
        return None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
