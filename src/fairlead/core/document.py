"""Reading JSON documents that people wrote: what is wrong, where, and in which words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from fairlead.core.entry.text import composed


@dataclass(frozen=True, slots=True)
class DocumentProblem:
    """What is wrong with a document: `path` says where, `code` is stable, `message` is for people."""

    path: str
    code: str
    message: str


def shown(value: object) -> str:
    """A value as a message may quote it: in quotes, on one line, at most about 60 characters.

    >>> shown("x" * 100) == "'" + "x" * 56 + "...'"
    True
    """
    if isinstance(value, str):
        text = repr(value[:100])
        return text if len(text) <= 60 else text[:57] + "...'"
    # Python refuses to write out integers of thousands of digits.
    is_short = isinstance(value, (int, float)) and abs(value) < 1e18
    return repr(value) if is_short else f"a {type(value).__name__}"


def some_options(options: tuple[str, ...]) -> str:
    """The options as a message may list them: at most eight, and how many more there are.

    >>> some_options(("a", "b"))
    'a, b'
    """
    if len(options) <= 8:
        return ", ".join(options)
    return ", ".join(options[:8]) + f" and {len(options) - 8} more"


def as_object(value: object) -> Mapping[object, object] | None:
    """The value when it is a JSON object, else None.

    >>> as_object({}), as_object([])
    ({}, None)
    """
    return cast("Mapping[object, object]", value) if isinstance(value, (dict, Mapping)) else None


def as_list(value: object) -> tuple[object, ...] | None:
    """The items when the value is a JSON array, else None.

    >>> as_list([1]), as_list("ab")
    ((1,), None)
    """
    return tuple(cast("list[object]", value)) if isinstance(value, (list, tuple)) else None


def composed_texts(value: object) -> object:
    r"""The document with every text in it composed (NFC), but for the names of members.

    >>> composed_texts({"options": ["Ko\u0308ln"]}) == {"options": ["K\u00f6ln"]}
    True
    """
    if isinstance(value, str):
        return composed(value)
    if (members := as_object(value)) is not None:
        return {name: composed_texts(member) for name, member in members.items()}
    items = as_list(value)
    return value if items is None else [composed_texts(item) for item in items]


def object_problems(
    value: Mapping[object, object], path: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> list[DocumentProblem]:
    """One problem per key that is missing from a JSON object or has no meaning in it.

    >>> [problem.path for problem in object_problems({"a": 1, "b": 2}, "rules[0].", ("a", "c"))]
    ['rules[0].c', 'rules[0].b']
    """
    missing = [key for key in required if key not in value]
    extra = [key for key in value if key not in required and key not in optional]
    return [DocumentProblem(path + key, "missing_key", f"{key} is missing") for key in missing] + [
        DocumentProblem(path + _name(key), "unknown_key", f"{shown(key)} has no meaning here") for key in extra
    ]


def _name(key: object) -> str:
    return key[:60] if isinstance(key, str) else shown(key)


def version_problem(value: Mapping[object, object]) -> DocumentProblem | None:
    """None when the document says version 1, the integer: only then is the meaning of the rest known.

    >>> version_problem({"version": 1}) is None, version_problem({"version": True}).code
    (True, 'unknown_version')
    """
    version = value.get("version")
    if type(version) is int and version == 1:
        return None
    return DocumentProblem("version", "unknown_version", "version must be 1")
