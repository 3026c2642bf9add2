"""What a change of configuration does, for people and for programs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

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
        """
        old, new = self.old or {}, self.new or {}
        if self.kind == "change":
            parts = [f"{key} {_shown(old.get(key))} -> {_shown(value)}" for key, value in new.items()]
        else:
            parts = [f"{key} {_shown(value)}" for key, value in new.items() if value is not None]
        head = f"{SIGNS[self.kind]} {self.entity} {self.name}"
        return f"{head}: {', '.join(parts)}" if parts else head


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
    keys = [key for key in new if canonical_json({"": old[key]}) != canonical_json({"": new[key]})]
    return Change("change", entity, name, {key: old[key] for key in keys}, {key: new[key] for key in keys})


def _shown(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, list):
        items = cast("list[object]", value)
        if all(isinstance(item, Mapping) and "operator" in item for item in items):
            rules = cast("list[dict[str, object]]", items)
            text = " and ".join(f"{rule['field_key']} {rule['operator']} {_json(rule['value'])}" for rule in rules)
            text = text or "every lead"
        else:
            text = f"{len(items)} {'entry' if len(items) == 1 else 'entries'}"
    else:
        text = value if isinstance(value, str) else _json(value)
    return text if len(text) <= MAX_VALUE_CHARS else text[: MAX_VALUE_CHARS - 3] + "..."


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
