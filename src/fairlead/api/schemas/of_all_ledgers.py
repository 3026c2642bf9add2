"""Pages of the entries of all ledgers: a cursor is an entry's time, its provider, and its number in that ledger."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query

from fairlead.api.schemas.pagination import MOST_ITEMS, cursor_of, position_of
from fairlead.api.schemas.values import pattern_with_message
from fairlead.store.money.ledger_pages import LedgerPosition

_LARGEST_SEQ = 2**63 - 1


@dataclass(frozen=True, slots=True)
class PlaceInLedgers:
    """Where a page begins (None: at the beginning) and how many items it has at the most."""

    after: LedgerPosition | None
    limit: int


def cursor_of_all(position: LedgerPosition | None) -> str | None:
    """The cursor of the page after this entry; None where a view says that there is none."""
    if position is None:
        return None
    at, provider_id, seq = position
    return cursor_of(at, provider_id) + urlsafe_b64encode(seq.to_bytes(8, "big")).decode().rstrip("=")


def _position(cursor: str) -> LedgerPosition:
    """The position in a cursor: 32 characters of time and provider, 11 of the number."""
    at, provider_id = position_of(cursor[:32])
    return at, provider_id, min(int.from_bytes(urlsafe_b64decode(cursor[32:] + "="), "big"), _LARGEST_SEQ)


async def _place(
    cursor: Annotated[
        str | None,
        Query(
            pattern=pattern_with_message("^[A-Za-z0-9_-]{43}$", "Input should be a cursor that a page before gave"),
            description="`next_cursor` of the page before.",
        ),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ITEMS, description="At most so many items.")] = 50,
) -> PlaceInLedgers:
    return PlaceInLedgers(None if cursor is None else _position(cursor), limit)


OfAllLedgers = Annotated[PlaceInLedgers, Depends(_place, scope="function")]
"""For the list of all ledgers' entries: parameters `cursor` and `limit`, and `next_cursor` in the answer."""
