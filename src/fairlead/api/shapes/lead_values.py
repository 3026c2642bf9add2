"""What requests say of a lead, whoever sends it: answers to its niche's form, and details beside them."""

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import Field, StrictBool, StrictFloat, StrictInt

from fairlead.api.shapes.documents import Key
from fairlead.api.shapes.values import Asked, Line, Text
from fairlead.core.form import MAX_FIELDS, MAX_OPTIONS
from fairlead.core.form_field import MAX_NUMBER, MAX_TEXT_CHARS
from fairlead.store.leads.rows import LEAD_DETAILS

_Words: TypeAlias = Annotated[Text, Field(max_length=MAX_TEXT_CHARS)]
_Whole: TypeAlias = Annotated[StrictInt, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)]
_Fraction: TypeAlias = Annotated[StrictFloat, Field(ge=-MAX_NUMBER, le=MAX_NUMBER, allow_inf_nan=False)]
_Options: TypeAlias = Annotated[list[_Words], Field(max_length=MAX_OPTIONS)]

Attributes: TypeAlias = Annotated[
    dict[Key, StrictBool | _Whole | _Fraction | _Words | _Options | None],
    Field(max_length=MAX_FIELDS, examples=[{"cores": 8, "region": "north"}]),
]
"""Answers to the niche's form, by the keys of its fields. Whether they fit the form is the flow's to say."""

_Source: TypeAlias = Annotated[Line, Field(max_length=200, examples=["newsletter"])]


class LeadDetails(Asked):
    """A lead as it is sent, but for what only some may say: its answers, who asks, and where they came from."""

    attributes: Attributes
    contact_name: Annotated[Line, Field(max_length=200, examples=["Ada Example"])] | None = None
    contact_email: Annotated[Line, Field(max_length=254, examples=["ada@example.com"])] | None = None
    contact_phone: Annotated[Line, Field(max_length=200, examples=["+49 30 5550100"])] | None = None
    utm_source: _Source | None = None
    utm_medium: _Source | None = None
    utm_campaign: _Source | None = None
    referrer: Annotated[Line, Field(max_length=2_000, examples=["https://blog.example.com/moving"])] | None = None

    @property
    def details(self) -> Mapping[str, str]:
        """What was said beside the answers, by the names of `LEAD_DETAILS`."""
        given = {name: getattr(self, name) for name in LEAD_DETAILS}
        return {name: text for name, text in given.items() if text}
