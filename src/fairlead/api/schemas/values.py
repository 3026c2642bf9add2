"""The values that requests and answers are made of: bounded, storable, and the same in the document as in the code.

Python's own types accept what the document does not say (`true` and `"5"` are integers to Pydantic, `NaN` is a number)
and what PostgreSQL cannot keep (a NUL character, 2^70). So every field has one of these types.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, TypeAlias, cast

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError
from pydantic_core.core_schema import no_info_before_validator_function
from starlette.convertors import StringConvertor, register_url_convertor

from fairlead.core.entry.types import REGION_PATTERN
from fairlead.core.form_field import MAX_NUMBER
from fairlead.core.model import MAX_AMOUNT_CENTS

_MESSAGE_OF_PATTERN: dict[str, str] = {}


def pattern_with_message(pattern: str, message: str) -> str:
    """The pattern, for a `Field`. Where it does not fit, the refusal has this message: "Input should ...".

    Every pattern of a request has one: a client has no use for a regular expression as a reason.
    """
    _MESSAGE_OF_PATTERN[pattern] = message
    return pattern


def message_of_pattern(pattern: str) -> str:
    """What a refusal says where the pattern does not fit."""
    return _MESSAGE_OF_PATTERN.get(pattern, "Input does not have the form that the document gives")


pattern_with_message(REGION_PATTERN, "Input should be the two letters of a country, such as DE")

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
TEXT_PATTERN = pattern_with_message(r"^[^\x00]*$", "Input should be text without NUL characters")

Text: TypeAlias = Annotated[str, Field(pattern=TEXT_PATTERN)]
"""Text that PostgreSQL can keep; give it a length with `Field(max_length=...)`."""

Line: TypeAlias = Annotated[
    str,
    Field(
        pattern=pattern_with_message(r"^[^\x00-\x1f\x7f-\x9f]*$", "Input should be one line without control characters")
    ),
]
"""Text of one line; give it a length."""

_ID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

Uuid: TypeAlias = Annotated[
    str,
    Field(
        pattern=pattern_with_message(
            f"^{_ID}$",
            "Input should be an id, a UUID with its hyphens",
        ),
        json_schema_extra={"format": "uuid"},
        examples=["01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"],
    ),
    AfterValidator(str.lower),
]
"""An id."""


class _OnlyIds(StringConvertor):
    regex = _ID


register_url_convertor("id", _OnlyIds())
# `/{export_id:id}` fits ids and nothing else: for addresses beside which a word has an address of its own, as `/ledger`
# has, which would otherwise take the methods of both.

Slug: TypeAlias = Annotated[
    str,
    Field(
        pattern=pattern_with_message(
            r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", "Input should be a slug: 1 to 63 of a-z, 0-9 and, inside, hyphens"
        )
    ),
]
"""The name of a niche in addresses and files."""

NAME_PATTERN = pattern_with_message("^[a-z][a-z_]{0,63}$", "Input should be 1 to 64 of a-z and _")
"""How codes and kinds are written."""

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


LARGE_BODY_BYTES = 1_048_576
"""For the few bodies that need it: forms, filters and the templates of messages."""

MOST_UNKNOWN = 20
"""So many members of an object that it does not know are told one by one."""


def _stopping(schema: Any, model: type) -> Any:
    """The schema, but that lists stop at the first item that does not fit, and objects of any names at too many.

    Other models inside are left alone: each has seen to itself. Raises TypeError for an object without a bound.
    """
    if isinstance(schema, list):
        return [_stopping(each, model) for each in cast("list[Any]", schema)]
    if isinstance(schema, tuple):
        return tuple(_stopping(each, model) for each in cast("tuple[Any, ...]", schema))
    if not isinstance(schema, dict):
        return schema
    known = cast("dict[str, Any]", schema)
    if known.get("type") == "model" and known["cls"] is not model:
        return known
    made = {
        name: part if name in ("metadata", "serialization") else _stopping(part, model) for name, part in known.items()
    }
    if made.get("type") == "list":
        made["fail_fast"] = True
    elif made.get("type") == "dict":
        if "max_length" not in made:
            raise TypeError(f"an object of any names in {model.__name__} has to have a max_length")
        return no_info_before_validator_function(_at_most(made["max_length"]), cast("CoreSchema", made))
    return made


def _at_most(most: int) -> Callable[[Any], Any]:
    def checked(given: Any) -> Any:
        count = _members_of(given)
        if count > most:
            raise PydanticKnownError("too_long", {"field_type": "Object", "max_length": most, "actual_length": count})
        return given

    return checked


def _members_of(given: Any) -> int:
    return len(cast("dict[Any, Any]", given)) if type(given) is dict else 0


class RequestModel(BaseModel):
    """The base of request bodies: unknown members are refused, so that a misspelt one is not silently ignored.

    Checking one stops at the first item of a list that does not fit, and looks at no object with far more members than
    there are names: what it costs to refuse a body does not grow with what is wrong with it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    most_bytes: ClassVar[int] = 65_536
    """How large a body of this model may be."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """As Pydantic has it, but that checking stops at the first errors."""
        return _stopping(handler(source), cls)

    @model_validator(mode="before")
    @classmethod
    def _few_unknown(cls, given: Any) -> Any:
        if _members_of(given) > len(cls.model_fields) + MOST_UNKNOWN:
            raise PydanticCustomError("extra_forbidden", "There are many members here that have no meaning")
        return given


class ResponseModel(BaseModel):
    """The base of response bodies, read from the value that a flow or view returned."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

    holds_secret: ClassVar[bool] = False
    """It is the only one that has a secret: kept for a repetition, it is sealed, or not kept at all."""

    is_personal: ClassVar[bool] = False
    """It says who a lead's consumer is: it is not kept for a repetition, since it would outlast an erasure."""
