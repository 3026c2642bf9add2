"""What people may hand in when they configure a marketplace: types of values, and what is wrong with one in words.

The marketplace file and the verbs that change one thing take the same values.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError, WrapValidator
from pydantic_core import ErrorDetails, PydanticCustomError

from fairlead.core.entry.types import (
    LONGEST_LEDGER_MEMO,
    Address,
    Country,
    Email,
    Line,
    MailLanguage,
    Name,
    PhoneRegion,
    TaxId,
)
from fairlead.core.errors import BadInput
from fairlead.core.model import MAX_AMOUNT_CENTS
from fairlead.core.weighted import MAX_WEIGHT
from fairlead.store.time_zones import time_zone_names


def _timezone(name: str) -> str:
    if name not in time_zone_names():
        raise PydanticCustomError("unknown_timezone", "must be an IANA time zone such as Europe/Berlin")
    return name


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Timezone = Annotated[str, AfterValidator(_timezone)]
Cents = Annotated[int, Field(ge=0, le=MAX_AMOUNT_CENTS)]
PositiveCents = Annotated[int, Field(ge=1, le=MAX_AMOUNT_CENTS)]
MaxRecipients = Annotated[int, Field(ge=1, le=100)]
MaxRecipientsPerLead = Annotated[int, Field(ge=1, le=1_000)]
LevelOrder = Literal["least_recently_served", "weighted"]
Weight = Annotated[int, Field(ge=1, le=MAX_WEIGHT)]
OrderPosition = Annotated[int, Field(ge=1, le=1_000_000)]
Minutes = Annotated[int, Field(ge=1, le=100_000)]
Hours = Annotated[int, Field(ge=1, le=100_000)]
Times = Annotated[int, Field(ge=1, le=1_000)]
Days = Annotated[int, Field(ge=1, le=365)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Memo = Annotated[str, Line(LONGEST_LEDGER_MEMO)]
BasisPoints = Annotated[int, Field(ge=0, le=10_000)]
OR_NOTHING = WrapValidator(lambda value, read: "" if value == "" else read(value))
"""Beside one of these: an empty text is taken too, and takes away what was set."""


_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "has no meaning here",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "model_type": "must be a table",
    "string_too_short": "must not be empty",
}

_FORMATS = {
    "currency": "must be a currency code of three capital letters, such as EUR",
    "slug": "must be 1 to 63 small letters, digits and hyphens, with no hyphen at either end",
    "email": "must be an email address",
    "country": "must be a country's code of two capital letters, such as DE",
    "phone_region": "must be a country's code of two capital letters, such as DE",
}


def describe_error(detail: ErrorDetails) -> str:
    """What pydantic found wrong, on one line that names the place."""
    key = detail["loc"][-1]
    words = _WORDS.get(detail["type"], detail["msg"].replace("Input should", "must"))
    if detail["type"] in ("string_pattern_mismatch", "string_too_short") and key in _FORMATS:
        words = _FORMATS[str(key)]
    return f"{_path(detail['loc'])}: {words}"


def _path(places: Sequence[str | int]) -> str:
    path = "".join(f"[{place}]" if isinstance(place, int) else f".{place}" for place in places)
    return path.removeprefix(".").replace("\n", " ")[:200]


_STRICT = ConfigDict(strict=True)
_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {
    "name": TypeAdapter(Name, config=_STRICT),
    "email": TypeAdapter(Email, config=_STRICT),
    "slug": TypeAdapter(Slug, config=_STRICT),
    "timezone": TypeAdapter(Timezone, config=_STRICT),
    "credit_limit_cents": TypeAdapter(Cents, config=_STRICT),
    "low_balance_threshold_cents": TypeAdapter(Cents | None, config=_STRICT),
    "low_balance_days": TypeAdapter(Days | None, config=_STRICT),
    "min_deposit_cents": TypeAdapter(PositiveCents | None, config=_STRICT),
    "max_deposit_cents": TypeAdapter(PositiveCents | None, config=_STRICT),
    "language": TypeAdapter(MailLanguage | None, config=_STRICT),
    "price_cents": TypeAdapter(PositiveCents, config=_STRICT),
    "max_price_cents": TypeAdapter(PositiveCents | None, config=_STRICT),
    "max_recipients": TypeAdapter(MaxRecipients, config=_STRICT),
    "order_position": TypeAdapter(OrderPosition, config=_STRICT),
    "order": TypeAdapter(LevelOrder, config=_STRICT),
    "weight": TypeAdapter(Weight, config=_STRICT),
    "is_active": TypeAdapter(bool, config=_STRICT),
    "is_exclusive": TypeAdapter(bool, config=_STRICT),
    "max_recipients_per_lead": TypeAdapter(MaxRecipientsPerLead | None, config=_STRICT),
    "auto_distribute": TypeAdapter(bool, config=_STRICT),
    "phone_region": TypeAdapter(PhoneRegion | None, config=_STRICT),
    "every_minutes": TypeAdapter(Minutes, config=_STRICT),
    "max_times": TypeAdapter(Times, config=_STRICT),
    "max_hours": TypeAdapter(Hours, config=_STRICT),
    "bad_lead_window_days": TypeAdapter(Days, config=_STRICT),
    "currency": TypeAdapter(Currency, config=_STRICT),
    "legal_name": TypeAdapter(Name | None, config=_STRICT),
    "address": TypeAdapter(Address | None, config=_STRICT),
    "country": TypeAdapter(Country | None, config=_STRICT),
    "tax_id": TypeAdapter(TaxId | None, config=_STRICT),
    "tax_rate_basis_points": TypeAdapter(BasisPoints | None, config=_STRICT),
    "memo": TypeAdapter(Memo | None, config=_STRICT),
}
"""What a value of this name may be, in whatever it is a value of."""


def canonical_values(values: Mapping[str, object]) -> dict[str, Any]:
    """The values in the form in which they are compared and stored, each of what its name takes.

    Raises `BadInput` with every problem, each naming its value.

    >>> canonical_values({"price_cents": 500, "name": " Ko\u0308ln "})
    {'price_cents': 500, 'name': 'Köln'}
    >>> canonical_values({"price_cents": 0, "name": "Gold"})
    Traceback (most recent call last):
    fairlead.core.errors.BadInput: price_cents: must be greater than or equal to 1
    """
    problems: list[str] = []
    canonical: dict[str, Any] = {}
    for name, value in values.items():
        try:
            canonical[name] = _ADAPTERS[name].validate_python(value)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                detail["loc"] = (name,)
                problems.append(describe_error(detail))
    if problems:
        raise BadInput(problems)
    return canonical


def canonical_memo(memo: str | None) -> str | None:
    """Why something is changed, in the form in which it is stored; None where that is not said. Raises `BadInput`."""
    return canonical_values({"memo": memo})["memo"]
