"""A competition level as it is opened, changed and shown."""

from typing import Annotated, Literal, cast

from pydantic import Field, StrictBool

from fairlead.api.schemas.changes import Memo, Name, unsaid
from fairlead.api.schemas.currency import Currency
from fairlead.api.schemas.documents import as_stored
from fairlead.api.schemas.price_rules import StoredPriceRules
from fairlead.api.schemas.values import Cents, Int, RequestModel, ResponseModel, Uuid
from fairlead.core.prices import price_rules_document
from fairlead.flows.configuration.versions import level_version
from fairlead.store.configuration.rows import LevelRow

QueueOrder = Annotated[
    Literal["least_recently_served", "weighted"],
    Field(
        description="Which of its subscriptions is next: the one that was served the longest ago, or by their weights.",
        examples=["least_recently_served"],
    ),
]
MaxRecipients = Annotated[Int, Field(ge=1, le=100, examples=[3])]
OrderPosition = Annotated[Int, Field(ge=1, le=1_000_000)]


class NewLevel(RequestModel):
    """A level. Without a position it comes after all others. An exclusive one has one recipient."""

    name: Annotated[Name, Field(examples=["gold"])]
    price_cents: Annotated[Cents, Field(examples=[2000])]
    max_recipients: MaxRecipients
    order_position: OrderPosition | None = None
    is_active: StrictBool = True
    is_exclusive: StrictBool = False
    order: QueueOrder = "least_recently_served"
    memo: Memo | None = None


class LevelPatch(RequestModel):
    """What is to be different; what is left out stays as it is."""

    name: Annotated[Name, Field(examples=["gold"])] = unsaid()
    price_cents: Annotated[Cents, Field(examples=[2000])] = unsaid()
    max_recipients: MaxRecipients = unsaid()
    is_active: StrictBool = unsaid()
    is_exclusive: StrictBool = unsaid()
    order: QueueOrder = unsaid()
    memo: Memo | None = None


class LevelOrder(RequestModel):
    """Every living level of the niche once, in their order."""

    level_ids: Annotated[list[Uuid], Field(max_length=1000)]
    memo: Memo | None = None


class LevelState(ResponseModel):
    """A level as it is. A lead passes one that is not active by."""

    level_id: Uuid
    niche_id: Uuid
    name: str = Field(examples=["gold"])
    price_cents: int = Field(examples=[2000])
    currency: Currency
    max_recipients: int = Field(examples=[3])
    order_position: int
    is_active: bool
    is_exclusive: bool = Field(examples=[False])
    order: QueueOrder
    is_deleted: bool = Field(examples=[False])
    price_rules: StoredPriceRules
    version: str = Field(
        description="The version, which a change names in `If-Match`.", examples=["9f2c4e6a8b0d1f3a5c7e9b1d3f5a7c9e"]
    )


def level_state(row: LevelRow, currency: str) -> LevelState:
    """The level as it is shown."""
    level = row.level
    return LevelState(
        level_id=level.level_id,
        niche_id=row.niche_id,
        name=level.name,
        price_cents=level.price_cents,
        currency=currency,
        max_recipients=level.max_recipients,
        order_position=level.order_position,
        is_active=level.is_active,
        is_exclusive=level.is_exclusive,
        order=cast("QueueOrder", level.order),
        is_deleted=row.is_deleted,
        price_rules=as_stored(price_rules_document(level.price_rules_text)),
        version=level_version(row),
    )
