"""The values that requests and answers are made of: bounded, storable, and the same in the document as in the code.

Python's own types accept what the document does not say (`true` and `"5"` are integers to Pydantic, `NaN` is a number)
and what PostgreSQL cannot keep (a NUL character, 2^70). So every field has one of these types.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from fairlead.core.form_field import MAX_NUMBER
from fairlead.core.model import MAX_AMOUNT_CENTS

_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _not_boolean_or_text(value: object) -> object:
    if isinstance(value, bool | str):
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    return value


def _written_out(value: object) -> object:
    if not isinstance(value, str) or _TIMESTAMP.fullmatch(value) is None:
        raise PydanticCustomError("datetime_format", "Input should be a date and time as in 2026-01-31T12:00:00Z")
    return value


def _in_utc(value: datetime) -> datetime:
    """With an offset, the first and the last day there are lie partly outside the years that Python can tell."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("datetime_range", "Input should lie in the years 1 to 9999, in UTC") from None


Int: TypeAlias = Annotated[int, BeforeValidator(_not_boolean_or_text)]
"""An integer of a body; give it bounds with `Field(ge=..., le=...)`. In a query `int` will do, with bounds too."""

# A pattern is not matched by half of a surrogate pair either. It comes before any validator of ours: behind one, it
# would not be in the document.
Text: TypeAlias = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""Text that PostgreSQL can keep; give it a length with `Field(max_length=...)`."""

Line: TypeAlias = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]
"""Text of one line; give it a length."""

Uuid: TypeAlias = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
        json_schema_extra={"format": "uuid"},
        examples=["01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"],
    ),
    AfterValidator(str.lower),
]
"""An id."""

Slug: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
"""The name of a niche in addresses and files."""

Cents: TypeAlias = Annotated[Int, Field(ge=1, le=MAX_AMOUNT_CENTS)]
"""An amount of money, positive, in minor units of the marketplace's currency."""

Timestamp: TypeAlias = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_utc)]
"""A moment (RFC 3339) with its offset from UTC, in UTC from here on."""

Number: TypeAlias = Annotated[float, Field(ge=-MAX_NUMBER, le=MAX_NUMBER, allow_inf_nan=False)]
"""A number that is the same in PostgreSQL and in JavaScript."""


Email: TypeAlias = Annotated[Line, Field(min_length=3, max_length=254, examples=["ada@example.com"])]
"""An email address; whether it can be one is the flow's to say."""

Password: TypeAlias = Annotated[Text, Field(min_length=1, max_length=256, repr=False, examples=["mizzen topsail 4711"])]
"""A password, new or known; whether a new one is good enough is the flow's to say."""


class Asked(BaseModel):
    """What a body is made of: what it does not name is refused, so that a misspelt member is not silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """What an answer is made of, read from the value that a flow or view returned."""

    model_config = ConfigDict(from_attributes=True, frozen=True)
