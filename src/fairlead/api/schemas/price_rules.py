"""Price rules as requests set them and answers show them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import ConfigDict, Field, JsonValue

from fairlead.api.schemas.documents import FilterDocument
from fairlead.api.schemas.terms import WeeklySpan
from fairlead.api.schemas.values import LARGE_BODY_BYTES, Cents, Int, RequestModel, ResponseModel, Text
from fairlead.core.calendar.schedule import MOST_SPANS
from fairlead.core.canonical import JsonObject
from fairlead.core.price_rule_problems import MAX_RULE_NAME_CHARS, MOST_AGE_MINUTES, MOST_PRICE_RULES
from fairlead.core.price_rule_words import WordedPriceRule

PRICE_RULES_EXAMPLE: dict[str, JsonValue] = {
    "version": 1,
    "timezone": "Europe/Berlin",
    "rules": [
        {
            "name": "Nights",
            "price_cents": 700,
            "hours": [{"days": ["sat", "sun"], "opens": "22:00", "closes": "06:00"}],
        },
        {"name": "Older than an hour", "price_cents": 400, "lead_age_minutes": {"from": 60}},
    ],
}

StoredPriceRules: TypeAlias = Annotated[dict[str, JsonValue], Field(examples=[PRICE_RULES_EXAMPLE])]
"""Price rules as they are kept."""

_Minutes: TypeAlias = Annotated[Int, Field(ge=1, le=MOST_AGE_MINUTES)]


class LeadAge(RequestModel):
    """How old a lead is when it is decided: at least `from` minutes, and less than `below`."""

    from_: Annotated[_Minutes | None, Field(alias="from", description="At least so many minutes.", examples=[60])] = (
        None
    )
    below: Annotated[_Minutes | None, Field(description="Less than so many minutes.", examples=[1440])] = None


class PriceRuleDocument(RequestModel):
    """Another price, and when it is asked: all the conditions that it has must hold, and it has at least one."""

    name: Annotated[Text, Field(min_length=1, max_length=MAX_RULE_NAME_CHARS, examples=["Nights"])]
    price_cents: Annotated[Cents, Field(examples=[700])]
    filter: FilterDocument | None = Field(default=None, description="What the lead must have answered.")
    hours: Annotated[list[WeeklySpan], Field(min_length=1, max_length=MOST_SPANS)] | None = Field(
        default=None, description="Hours of the week, by the clocks of the document's time zone."
    )
    lead_age_minutes: LeadAge | None = Field(default=None, description="How old the lead is when it is decided.")


class PriceRulesDocument(RequestModel):
    """A level's price rules, in order: the first that holds decides. No rules: the level asks its own price."""

    most_bytes: ClassVar[int] = LARGE_BODY_BYTES

    model_config = ConfigDict(json_schema_extra={"examples": [PRICE_RULES_EXAMPLE]})

    version: Literal[1]
    timezone: Annotated[Text, Field(max_length=100, examples=["Europe/Berlin"])] | None = None
    rules: Annotated[list[PriceRuleDocument], Field(max_length=MOST_PRICE_RULES, description="In order.")]

    def as_json(self) -> JsonObject:
        """The document as it was sent."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class PriceRuleInWords(ResponseModel):
    """A price rule for people: its price, and when it is asked."""

    name: str = Field(examples=["Older than an hour"])
    price_cents: int = Field(examples=[400])
    when: str = Field(description="When it is asked, in words.", examples=["the lead is at least 1 hour old"])


def in_words(rules: Sequence[WordedPriceRule]) -> list[PriceRuleInWords]:
    """The price rules for an answer."""
    return [PriceRuleInWords(name=each.name, price_cents=each.price_cents, when=each.when) for each in rules]


class TriedPriceRule(ResponseModel):
    """A price rule, and which of its conditions hold for the lead."""

    name: str = Field(examples=["Older than an hour"])
    price_cents: int = Field(examples=[400])
    holds: bool = Field(description="Whether all of its conditions do.")
    conditions: dict[Literal["filter", "hours", "lead_age_minutes"], bool] = Field(
        description="Each condition that the rule has, and whether it holds."
    )


class TriedPrice(ResponseModel):
    """What the level would ask for the lead. `rule_number` counts from 1; null: no rule holds."""

    price_cents: int = Field(examples=[400])
    rule_number: int | None = Field(
        description="The place of the rule that decides; null where none holds.", examples=[2]
    )
    decided_at: datetime = Field(description="The moment at which it would be decided.")
    age_minutes: int = Field(description="How old the lead is then, in whole minutes.", examples=[90])
    rules: Sequence[TriedPriceRule] = Field(description="Every price rule, in order.")
