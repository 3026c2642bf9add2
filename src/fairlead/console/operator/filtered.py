"""Lists with filters: their addresses, and the filters in force, each with the address without it."""

from collections.abc import Mapping
from urllib.parse import urlencode


def address_with(path: str, **chosen: object) -> str:
    """The path with the parameters that are something.

    >>> address_with("/operations/audit", actor="", action="lead.")
    '/operations/audit?action=lead.'
    """
    given = {name: str(value) for name, value in chosen.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


def chips(path: str, chosen: Mapping[str, object]) -> list[tuple[str, str, str]]:
    """Each filter that is in force: its name, its value, and the address without it."""
    given = {name: value for name, value in chosen.items() if value not in (None, "")}
    return [
        (name, str(value), address_with(path, **{other: each for other, each in given.items() if other != name}))
        for name, value in given.items()
    ]
