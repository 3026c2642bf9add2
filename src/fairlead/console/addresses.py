"""Addresses of pages with their filters, and what such filters are when nothing was typed."""

from typing import Annotated, TypeAlias
from urllib.parse import urlencode

from fastapi import Query
from pydantic import BeforeValidator

from fairlead.core.entry.types import Sought


def address(path: str, **filters: object) -> str:
    """The path with those filters that are given, in the order in which they are given.

    >>> address("/providers", q="Anchor & Co", status=None)
    '/providers?q=Anchor+%26+Co'
    """
    given = {name: str(value) for name, value in filters.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def _given(text: object) -> object:
    return None if isinstance(text, str) and not text.strip() else text


TypedText: TypeAlias = Annotated[Sought | None, BeforeValidator(_given), Query()]
"""For a parameter: what was typed into a search box; None where that is nothing."""
