"""What a provider can subscribe to, and how a filter would fare there."""

from typing import Annotated, Literal

from fastapi import Path
from pydantic import AliasPath, Field

from fairlead.api.access import OwnProvider, needs_own
from fairlead.api.bodies import Router
from fairlead.api.idempotency import changes_nothing
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.currency import Currency
from fairlead.api.schemas.documents import FilterDocument, StoredForm
from fairlead.api.schemas.price_rules import PriceRuleInWords
from fairlead.api.schemas.values import ResponseModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.read_limits import PREVIEWS_OF_PROVIDER
from fairlead.flows.configuration.filter_preview import preview_filter_at_level
from fairlead.store.portal.levels_on_offer import niches_on_offer

router = Router(prefix="/api/v1/provider/levels", tags=["provider: subscriptions"])

Reader = Annotated[OwnProvider, needs_own(Permission.OWN_READ)]
Previewer = Annotated[OwnProvider, needs_own(Permission.OWN_WRITE, PREVIEWS_OF_PROVIDER)]


class OwnSubscriptionAtLevel(ResponseModel):
    """The provider's living subscription to the level."""

    subscription_id: Uuid
    is_active: bool
    deactivation_reason: Literal["paused", "insufficient_funds"] | None
    filter_is_valid: bool


class LevelOffer(ResponseModel):
    """A level that can be subscribed to."""

    level_id: Uuid
    name: str = Field(examples=["gold"])
    price_cents: int = Field(
        description="The price of a lead, in minor units, where no price rule holds.", examples=[2000]
    )
    lowest_price_cents: int = Field(validation_alias=AliasPath("prices", "lowest_cents"), examples=[400])
    highest_price_cents: int = Field(validation_alias=AliasPath("prices", "highest_cents"), examples=[2000])
    price_rules: list[PriceRuleInWords] = Field(
        description="When the level asks another price: the first that holds.",
        validation_alias=AliasPath("prices", "rules"),
    )
    currency: Currency
    max_recipients: int = Field(description="So many providers receive the same lead at the most.", examples=[3])
    order_position: int
    is_weighted: bool = Field(description="Whether the level shares its leads out by weights.")
    is_exclusive: bool = Field(
        description="Whether a lead that the level sells goes to no other provider, at any level."
    )
    own: OwnSubscriptionAtLevel | None = Field(description="Null where the provider does not subscribe.")


class NicheOffer(ResponseModel):
    """A niche and its levels, in their order."""

    niche_id: Uuid
    slug: str = Field(examples=["hosting"])
    name: str = Field(examples=["Hosting"])
    form_schema: StoredForm = Field(description="The questions that leads answer. A filter may use each of them.")
    bad_lead_window_days: int = Field(description="For so many days a lead can be reported as bad.", examples=[14])
    levels: list[LevelOffer]


class NicheOffers(ResponseModel):
    """All of them, by name."""

    items: list[NicheOffer]


class FilterOutcome(ResponseModel):
    """How a filter would have fared."""

    matched_count: int | None = Field(
        description="So many of the leads it would have let through. Null: fewer than 10 by estimate.",
        examples=[412],
    )
    is_estimate: bool = Field(
        description="Whether the filter asks for words or numbers that people typed: then the number is an estimate in "
        "tens, from how common each such field's rules are by themselves and how many leads pass the others.",
    )
    lead_count: int = Field(description="So many leads it was held against: the last ones.", examples=[1000])
    filter_summary: str = Field(description="The filter in plain words.", examples=["Cores at least 4"])


@router.get("")
def list_levels_on_offer(caller: Reader) -> NicheOffers:
    """List the niches and levels that can be subscribed to, and where the provider does."""
    found = caller.database.read(lambda conn: niches_on_offer(conn, caller.provider_id))
    return NicheOffers(items=[NicheOffer.model_validate(each) for each in found])


@router.post(
    "/{level_id}/filter-preview",
    dependencies=[changes_nothing("it only tries something out")],
    responses=refuses("level_unknown", "form_unreadable"),
)
def preview_own_filter(
    level_id: Annotated[Uuid, Path()], asked: FilterDocument, _: Previewer, marketplace: MarketplaceDatabase
) -> FilterOutcome:
    """Tell how many of the last 1,000 leads of the level's niche the filter would have let through.

    Nothing of any lead is told, and nothing is changed. It is for providers that may buy such leads, and each may ask
    only so often.
    """
    # Counted over all providers' leads, which the provider's own database does not show.
    return FilterOutcome.model_validate(preview_filter_at_level(marketplace, level_id, asked.as_json()))
