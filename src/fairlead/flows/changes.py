"""What a change of configuration does, for people and for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from fairlead.core.canonical import JsonObject, canonical_json

SIGNS = {"create": "+", "change": "~", "delete": "-"}
MAX_VALUE_CHARS = 60


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is created, changed or deleted. `old` and `new` hold what differs, in the words of the file."""

    kind: str
    entity: str
    name: str
    old: JsonObject | None
    new: JsonObject | None

    @property
    def line(self) -> str:
        """The change on one line.

        >>> Change("change", "level", "vps/premium", {"price_cents": 900}, {"price_cents": 1000}).line
        '~ level vps/premium: price_cents 900 -> 1000'
        >>> Change("create", "billing_details", "sales@anchor.example", None, {"address": "Kai 4\\nHamburg"}).line
        '+ billing_details sales@anchor.example: address Kai 4, Hamburg'
        """
        old, new = self.old or {}, self.new or {}
        if self.kind == "change":
            parts = [f"{key} {_shown(key, old.get(key))} -> {_shown(key, value)}" for key, value in new.items()]
        else:
            parts = [f"{key} {_shown(key, value)}" for key, value in new.items() if value is not None]
        head = f"{SIGNS[self.kind]} {self.entity} {self.name}"
        return f"{head}: {', '.join(parts)}" if parts else head


class PlannedPart(Protocol):
    """A part of what a marketplace file does: what it changes, and what is wrong with it."""

    changes: list[Change]
    problems: list[str]


def difference(entity: str, name: str, old: JsonObject | None, new: JsonObject | None) -> Change | None:
    """The change from one state to another; None stands for absence. None when nothing differs.

    >>> difference("niche", "vps", {"name": "VPS", "active": True}, {"name": "VPS", "active": False}).line
    '~ niche vps: active true -> false'
    """
    if old is None:
        return None if new is None else Change("create", entity, name, None, new)
    if new is None:
        return Change("delete", entity, name, old, None)
    # As JSON, because Python takes true and 1 for the same.
    if canonical_json(old) == canonical_json(new):
        return None
    # Either may leave out what the other has: a filter of the first version does not name it.
    known = [*new, *(key for key in old if key not in new)]
    keys = [key for key in known if canonical_json({"": old.get(key)}) != canonical_json({"": new.get(key)})]
    return Change("change", entity, name, {key: old.get(key) for key in keys}, {key: new.get(key) for key in keys})


def _shown(key: str, value: object) -> str:
    if isinstance(value, list):
        items = cast("list[Mapping[str, object]]", value)
        text = _filter_text(items) if key == "filter" else f"{len(items)} {'entry' if len(items) == 1 else 'entries'}"
    elif value is None:
        text = "none"
    else:
        text = ", ".join(value.splitlines()) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= MAX_VALUE_CHARS else text[: MAX_VALUE_CHARS - 3] + "..."


def _filter_text(rules: Sequence[Mapping[str, object]]) -> str:
    """The rules as they were written: they may not fit the form any more, so they cannot be told in its words."""
    return " and ".join(map(_node_text, rules)) or "every lead"


def _node_text(node: Mapping[str, Any]) -> str:
    """A rule, or a group of version 2 in parentheses."""
    if "field_key" in node:
        return f"{node['field_key']} {node['operator']} {json.dumps(node['value'], ensure_ascii=False)}"
    if "not" in node:
        inner = _node_text(node["not"])
        return f"not {inner}" if inner.startswith("(") else f"not ({inner})"
    word = "any" if "any" in node else "all"
    return f"({(' or ' if word == 'any' else ' and ').join(map(_node_text, node[word]))})"
