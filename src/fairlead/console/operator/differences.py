"""What a change made different, member by member: what it was, and what it is since."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from json import dumps
from typing import Any, cast

MOST_MEMBERS = 40
"""Of one change; what is beyond is counted."""


@dataclass(frozen=True, slots=True)
class ChangedMember:
    """A member of what was changed, by its path (`filter_rules.version`). None: it was nothing, or is nothing now."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """The members that differ, and how many more there are than are shown."""

    members: tuple[ChangedMember, ...]
    left_out: int


def difference_of(old: Any, new: Any) -> Difference:
    """What differs between two values of JSON; what is the same in both is not named.

    >>> difference_of({"name": "gold", "price_cents": 2000}, {"name": "gold", "price_cents": 2500}).members
    (ChangedMember(path='price_cents', before='2000', after='2500'),)
    >>> difference_of(None, {"status": "active"}).members
    (ChangedMember(path='status', before=None, after='active'),)
    """
    before, after = dict(_members(old, "")), dict(_members(new, ""))
    paths = [*before, *(path for path in after if path not in before)]
    found = [
        ChangedMember(path, before.get(path), after.get(path)) for path in paths if before.get(path) != after.get(path)
    ]
    return Difference(tuple(found[:MOST_MEMBERS]), max(len(found) - MOST_MEMBERS, 0))


def _members(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for name, each in cast("Mapping[str, Any]", value).items():
            yield from _members(each, f"{path}.{name}" if path else name)
    elif value is not None:
        yield path, value if isinstance(value, str) else dumps(value, ensure_ascii=False)
