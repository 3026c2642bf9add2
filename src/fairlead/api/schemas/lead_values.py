"""What requests say of a lead, whichever client sends it: answers to its niche's form, and details beside them."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, TypeAlias

from pydantic import Field

from fairlead.api.schemas.form_values import Attributes
from fairlead.api.schemas.values import RequestModel, Text
from fairlead.core.entry.contact import LONGEST_REFERRER, LONGEST_TRACKING
from fairlead.core.entry.types import Shortened
from fairlead.store.leads.rows import LEAD_DETAILS

# What only serves statistics never costs a lead: any text is taken, and what a column cannot keep is left out.
_Tracked: TypeAlias = Annotated[
    str,
    Shortened(LONGEST_TRACKING),
    Field(description="Kept to 200 characters, on one line.", examples=["newsletter"]),
]
_Referrer: TypeAlias = Annotated[
    str,
    Shortened(LONGEST_REFERRER),
    Field(description="Kept to 2,000 characters, on one line.", examples=["https://blog.example.com/moving"]),
]


class LeadDetails(RequestModel):
    """A lead as it is sent, but for what only some may say: its answers, who asks, and where they came from."""

    most_bytes: ClassVar[int] = 262_144

    attributes: Attributes
    # Wide: what is too long for a detail, or is none, the flow says with its reason.
    contact_name: Annotated[Text, Field(max_length=1_000, examples=["Ada Example"])] | None = Field(
        default=None, description="One line of at most 200 characters."
    )
    contact_email: Annotated[Text, Field(max_length=1_000, examples=["ada@example.com"])] | None = Field(
        default=None, description="One email address of at most 254 characters."
    )
    contact_phone: Annotated[Text, Field(max_length=1_000, examples=["+49 30 5550100"])] | None = Field(
        default=None, description="With its country, or without it where the niche has a phone_region."
    )
    utm_source: _Tracked | None = None
    utm_medium: _Tracked | None = None
    utm_campaign: _Tracked | None = None
    referrer: _Referrer | None = None

    @property
    def details(self) -> Mapping[str, str]:
        """What was said beside the answers, by the names of `LEAD_DETAILS`."""
        given = {name: getattr(self, name) for name in LEAD_DETAILS}
        return {name: text for name, text in given.items() if text}
