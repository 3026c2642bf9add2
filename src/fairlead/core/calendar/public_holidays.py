"""Public holidays of countries and regions, as the library `holidays` has them.

What it says of a date may change from one release of it to the next: a parliament moves a holiday, a mistake is mended.
So a decision records what came of a schedule, and which edition it was asked of.
"""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

import holidays
from holidays.version import __version__ as version

HOLIDAYS_VERSION: str = version
"""Which edition of the holidays is in use."""


@lru_cache(maxsize=2048)
def public_holidays(country: str, region: str | None, year: int) -> frozenset[date]:
    """The dates that are public holidays there in that year, days given in lieu included.

    `country` is an ISO 3166 code of two letters, `region` the code of one of its parts. Raises ValueError where the
    library knows no such place.

    >>> date(2026, 1, 6) in public_holidays("DE", "BY", 2026), date(2026, 1, 6) in public_holidays("DE", None, 2026)
    (True, False)
    >>> public_holidays("XX", None, 2026)
    Traceback (most recent call last):
        ...
    ValueError: there are no public holidays known of XX
    """
    try:
        # One year at a time and frozen: the library's own object adds years while it is asked, in any thread.
        return frozenset(holidays.country_holidays(country, subdiv=region, years=year))
    except NotImplementedError as error:
        place = country if region is None else f"{country}-{region}"
        raise ValueError(f"there are no public holidays known of {place}") from error


@lru_cache(maxsize=1)
def holiday_places() -> Mapping[str, tuple[str, ...]]:
    """Every country that public holidays are known of, by code, with the codes of its regions.

    >>> "BY" in holiday_places()["DE"]
    True
    """
    known = holidays.list_supported_countries(include_aliases=False)
    return {country: tuple(known[country]) for country in sorted(known)}
