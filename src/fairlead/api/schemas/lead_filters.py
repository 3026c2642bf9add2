"""Filters of lists of leads, as addresses of the API and of pages have them."""

from typing import Annotated, Literal, TypeAlias

from fastapi import Query

from fairlead.api.schemas.values import pattern_with_message
from fairlead.core.entry.contact import LONGEST_TRACKING
from fairlead.core.entry.types import Line

ID_PREFIX_PATTERN = pattern_with_message("^([0-9a-fA-F]-?){1,32}$", "Input should be the first digits of an id")

IdPrefix: TypeAlias = Annotated[
    str | None, Query(pattern=ID_PREFIX_PATTERN, description="How the id begins.", examples=["01990d8e"])
]

Source: TypeAlias = Annotated[str, Line(LONGEST_TRACKING)]
"""Where leads came from, in the form in which it is stored."""

LeadOrder: TypeAlias = Literal["newest", "oldest"]
"""Which leads come first, by the time at which they came in."""

LeadPeriod: TypeAlias = Literal["today", "7", "30"]
"""Leads of today, or of the last 7 or 30 days, by the viewer's zone."""
