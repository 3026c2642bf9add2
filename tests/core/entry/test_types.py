"""The types of Pydantic's over these values: canonical after reading, and the bounds in the document."""

from typing import Annotated

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from fairlead.core.entry.types import Email, Line, Lines, Memo, Name, PhoneRegion

NAME, EMAIL, MEMO, REGION = map(TypeAdapter[str], (Name, Email, Memo, PhoneRegion))


def test_what_was_read_is_canonical() -> None:
    assert NAME.validate_python(" Mu\u0308ller ") == "Müller"
    assert EMAIL.validate_json('" Ann@EXAMPLE.com "') == "Ann@example.com"
    assert MEMO.validate_python("\u3000the number is not in use") == "the number is not in use"
    assert TypeAdapter(Annotated[str, Lines(20)]).validate_python("a \r\nb") == "a\nb"
    assert REGION.validate_python("DE") == "DE"


@pytest.mark.parametrize(
    ("adapter", "value"),
    [
        (NAME, "x" * 201),
        (NAME, " "),
        (NAME, "a\u202eb"),
        (NAME, 1),
        (NAME, b"a"),
        (EMAIL, "mailto:a@example.com"),
        (EMAIL, "a@example.com,"),
        (MEMO, "too short"),
        (REGION, "XX"),
        (REGION, "de"),
    ],
)
def test_what_is_none_of_the_kind_is_refused(adapter: TypeAdapter[str], value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        adapter.validate_python(value)
    assert len(refused.value.errors()) == 1


def test_the_bounds_stand_in_the_document() -> None:
    described = Annotated[str, Line(50, 2), Field(description="A short one.")]
    schema = TypeAdapter(described).json_schema()
    assert (schema["minLength"], schema["maxLength"], schema["description"]) == (2, 50, "A short one.")
    assert schema["pattern"].startswith("^")
    assert EMAIL.json_schema()["maxLength"] == 254
