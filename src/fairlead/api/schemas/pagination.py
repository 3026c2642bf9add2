"""Lists, page by page. Long ones by cursor: each page costs the same, and nothing is skipped or shown twice.

A cursor is the position of the last item that was seen: its time and its id, in a fixed form. It is no secret, and
every text of that form is one, so a made-up cursor is only an odd place to begin.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import ConfigDict, Field

from fairlead.api.schemas.values import ResponseModel, pattern_with_message

Item = TypeVar("Item")

MOST_ITEMS = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EARLIEST = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LATEST = (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC) - _EPOCH) // _MICROSECOND


def cursor_of(at: datetime, item_id: str) -> str:
    """The cursor after the item with this time and id.

    >>> position_of(cursor_of(_EPOCH, "01900000-0000-7000-8000-000000000000")) == (
    ...     _EPOCH, "01900000-0000-7000-8000-000000000000")
    True
    """
    microseconds = (at - _EPOCH) // _MICROSECOND
    return urlsafe_b64encode(microseconds.to_bytes(8, "big", signed=True) + UUID(item_id).bytes).decode()


def cursor_after(position: tuple[datetime, str] | None) -> str | None:
    """The cursor of the page after this position; None where a view says that there is none."""
    return None if position is None else cursor_of(*position)


def position_of(cursor: str) -> tuple[datetime, str]:
    """The time and id that the cursor, 32 characters of base64, holds; a time that cannot be becomes one that can.

    >>> position_of("_" * 32)[0] < _EPOCH, position_of("f" * 32)[0].year
    (True, 9999)
    """
    raw = urlsafe_b64decode(cursor)
    microseconds = min(max(int.from_bytes(raw[:8], "big", signed=True), _EARLIEST), _LATEST)
    return _EPOCH + microseconds * _MICROSECOND, str(UUID(bytes=raw[8:]))


class Page(ResponseModel, Generic[Item]):
    """A page of a long list."""

    # Said once more: Pydantic leaves the docstring out of the schema of a page of something.
    model_config = ConfigDict(json_schema_extra={"description": "A page of a long list."})

    items: Sequence[Item] = Field(description="The items of this page, in the order of the list.")
    next_cursor: str | None = Field(
        description="For the next page; null on the last one.", examples=["AAZDkXq5UAABmQ2OWx58OppTDI9NGy5v"]
    )


class NumberedPage(ResponseModel, Generic[Item]):
    """A page of a list that is short by nature."""

    model_config = ConfigDict(json_schema_extra={"description": "A page of a list that is short by nature."})

    page: int = Field(description="The number of this page, from 1.", examples=[1])
    limit: int = Field(description="How many items a page has at the most.", examples=[50])
    total: int = Field(description="How many items there are on all pages.", examples=[1])
    items: Sequence[Item] = Field(description="The items of this page, in the order of the list.")


@dataclass(frozen=True, slots=True)
class Keyset:
    """Where a page begins (None: at the beginning) and how many items it has at the most."""

    after: tuple[datetime, str] | None
    limit: int

    @property
    def after_id(self) -> str | None:
        """The id of the last item that was seen, for a view whose order is that of ids; None: at the beginning."""
        return None if self.after is None else self.after[1]

    @property
    def probe(self) -> int:
        """How many items to ask a view for: one more tells whether there is a next page."""
        return self.limit + 1

    def cut(
        self, found: Sequence[Item], position: Callable[[Item], tuple[datetime, str]]
    ) -> tuple[list[Item], str | None]:
        """The page's items of those that were found by `probe`, and the cursor of the next page if there is one."""
        items = list(found[: self.limit])
        return items, cursor_of(*position(items[-1])) if len(found) > self.limit else None


async def _keyset(
    cursor: Annotated[
        str | None,
        Query(
            pattern=pattern_with_message("^[A-Za-z0-9_-]{32}$", "Input should be a cursor that a page before gave"),
            description="`next_cursor` of the page before.",
        ),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ITEMS, description="At most so many items.")] = 50,
) -> Keyset:
    return Keyset(None if cursor is None else position_of(cursor), limit)


ByCursor = Annotated[Keyset, Depends(_keyset, scope="function")]
"""For a long list: parameters `cursor` and `limit`, and `next_cursor` in the answer."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """A page by its number, from 1."""

    page: int
    limit: int


async def _numbered(
    page: Annotated[int, Query(ge=1, le=100_000, description="From 1.")] = 1,
    limit: Annotated[int, Query(ge=1, le=MOST_ITEMS, description="At most so many items.")] = 50,
) -> Numbered:
    return Numbered(page, limit)


ByPage = Annotated[Numbered, Depends(_numbered, scope="function")]
"""For a list that is short by nature: parameters `page` and `limit`, and `total` in the answer."""
