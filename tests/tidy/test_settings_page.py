"""The page of settings names every setting once, with the default that the code has."""

import re
from pathlib import Path

from pydantic_core import PydanticUndefined

from fairlead.settings import Settings

PAGE = Path(__file__).parents[2] / "docs/reference/settings.md"
ROW = re.compile(r"^\| `(FAIRLEAD_\w+)` \| ([^|]*) \|", re.MULTILINE)
NOT_OF_THE_CLASS = {"FAIRLEAD_SECRETS_DIR", "FAIRLEAD_DEBUG"}


def test_every_setting_is_on_the_page_once() -> None:
    named = [name for name, _ in ROW.findall(PAGE.read_text(encoding="utf-8")) if name not in NOT_OF_THE_CLASS]
    assert sorted(named) == sorted(map(_variable, Settings.model_fields))


def test_defaults_are_those_of_the_code() -> None:
    said = dict(ROW.findall(PAGE.read_text(encoding="utf-8")))
    for field, info in Settings.model_fields.items():
        default = info.default
        if default in (None, "", PydanticUndefined):
            assert not said[_variable(field)].startswith("`") or info.default_factory, field
        else:
            text = str(default).lower() if isinstance(default, bool) else str(default)
            assert said[_variable(field)] == f"`{text}`", field


def _variable(field: str) -> str:
    return "FAIRLEAD_SCHEMA" if field == "schema_name" else f"FAIRLEAD_{field.upper()}"
