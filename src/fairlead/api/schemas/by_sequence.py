"""Lists that are numbered by nature, such as a ledger, page by page from their end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Query

from fairlead.api.schemas.pagination import MOST_ITEMS
from fairlead.api.schemas.values import pattern_with_message

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Sequenced:
    """Before which number a page ends (None: at the newest), and how many items it has at the most."""

    before_seq: int | None
    limit: int

    @property
    def probe(self) -> int:
        """How many items to ask a view for that does not say itself whether there is a next page."""
        return self.limit + 1

    def cut(self, found: Sequence[Item], seq: Callable[[Item], int]) -> tuple[list[Item], str | None]:
        """The page's items of those that were found by `probe`, and the cursor of the next page if there is one."""
        items = list(found[: self.limit])
        return items, cursor_before(seq(items[-1])) if len(found) > self.limit else None


def cursor_before(seq: int | None) -> str | None:
    """The cursor of the page before this number; None where there is none."""
    return None if seq is None else str(seq)


async def _sequenced(
    cursor: Annotated[
        str | None,
        Query(
            pattern=pattern_with_message("^[1-9][0-9]{0,17}$", "Input should be a cursor that a page before gave"),
            description="`next_cursor` of the page before.",
        ),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ITEMS, description="At most so many items.")] = 50,
) -> Sequenced:
    return Sequenced(None if cursor is None else int(cursor), limit)


BySequence = Annotated[Sequenced, Depends(_sequenced, scope="function")]
"""For a numbered list, the newest first: parameters `cursor` and `limit`, and `next_cursor` in the answer."""
