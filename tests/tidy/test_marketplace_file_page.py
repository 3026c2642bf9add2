"""The page of the marketplace file has a section for each table, with every key and no other."""

import inspect
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from fairlead.core.form import FormSchemaError, parse_form_schema
from fairlead.flows.declaring import tables
from fairlead.flows.declaring.tables import FileTable, MarketplaceFileTables

PAGE = (Path(__file__).parents[2] / "docs/reference/marketplace-file.md").read_text(encoding="utf-8")
SECTIONS = {
    heading.strip("`"): text
    for heading, text in re.findall(r"^### (`[^\n]+`)\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
}


def keys_of_section(text: str) -> set[str]:
    """The keys in the first column of its tables, which may have several in a row."""
    rows = re.findall(r"^\| (`[^|]+`) \|", text, re.MULTILINE)
    return {key for row in rows for key in re.findall(r"`(\w+)`", row)}


def heading_of(model: type[BaseModel]) -> str:
    found = re.match(r"`(\[+[a-z_.]+\]+)`", model.__doc__ or "")
    assert found, f"{model.__name__} begins with the heading of its table"
    return found[1]


def models() -> list[type[BaseModel]]:
    own = [each for each in vars(tables).values() if inspect.isclass(each) and issubclass(each, FileTable)]
    return [each for each in own if each not in (FileTable, MarketplaceFileTables)]


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_a_table_s_section_lists_its_keys(model: type[BaseModel]) -> None:
    beside = set(SECTIONS) | set(re.findall(r"`(\[+[a-z_.]+\]+)`", PAGE))
    own = heading_of(model).strip("[]")
    # A key that is a list of tables has a section of its own, and none where it is listed.
    lists = {name for name in model.model_fields if f"[[{own}.{name}]]" in beside}
    listed = keys_of_section(SECTIONS[heading_of(model)])
    assert model.model_fields.keys() - lists <= listed <= model.model_fields.keys()


def test_the_tables_of_a_file_have_their_sections() -> None:
    named = {heading.strip("[]") for heading in SECTIONS}
    assert MarketplaceFileTables.model_fields.keys() == {name for name in named if "." not in name}
    assert named == {heading_of(each).strip("[]") for each in models()} | {"niche.field"}


def test_the_form_s_section_lists_the_keys_of_a_field() -> None:
    listed = keys_of_section(SECTIONS["[[niche.field]]"])
    field = {"key": "a", "type": "select", "label": "A", "required": True, "options": ["x"]}
    assert listed == field.keys()
    parse_form_schema({"version": 1, "fields": [field]})
    with pytest.raises(FormSchemaError):
        parse_form_schema({"version": 1, "fields": [field | {"further": 1}]})
