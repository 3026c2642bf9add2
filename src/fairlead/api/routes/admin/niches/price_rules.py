"""A level's price rules: what else it asks, and when."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

from fastapi import Path, Response
from pydantic import Field, model_validator

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.idempotency import changes_nothing
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.niches.levels import (
    LevelChanged,
    LevelChangePreview,
    Pricer,
    level_changed,
    level_preview,
)
from fairlead.api.schemas.changes import Memo
from fairlead.api.schemas.currency import Currency, InCurrency
from fairlead.api.schemas.documents import as_stored, document_in
from fairlead.api.schemas.form_values import Attributes
from fairlead.api.schemas.price_rules import (
    PriceRuleInWords,
    PriceRulesDocument,
    StoredPriceRules,
    TriedPrice,
    TriedPriceRule,
    in_words,
)
from fairlead.api.schemas.values import LARGE_BODY_BYTES, Int, RequestModel, ResponseModel, Timestamp, Uuid
from fairlead.core.permissions import Permission
from fairlead.core.price_rule_problems import MOST_AGE_MINUTES
from fairlead.core.prices import price_rules_document
from fairlead.flows.access.principal import Principal, require
from fairlead.flows.configuration.price_rules import (
    MadeUpLead,
    preview_price_rules,
    read_price_rules,
    set_price_rules,
    try_price_rules,
)

router = Router(prefix="/api/v1/admin/levels", tags=["levels"])

Reader = Annotated[Principal, needs(Permission.NICHES_READ)]
Editor = Annotated[Principal, needs(Permission.NICHES_WRITE)]
LevelId = Annotated[Uuid, Path()]


class PriceRulesState(ResponseModel):
    """A level's price rules, as a document and in words, and all the prices that it can ask."""

    level_id: Uuid
    price_cents: int = Field(description="What is asked where no rule holds, in minor units.", examples=[2000])
    lowest_price_cents: int = Field(examples=[400])
    highest_price_cents: int = Field(examples=[2000])
    currency: Currency
    price_rules: StoredPriceRules
    in_words: Sequence[PriceRuleInWords] = Field(description="The same for people, in order.")


class NewPriceRules(RequestModel):
    """The level's price rules as they are to be, all of them."""

    most_bytes: ClassVar[int] = LARGE_BODY_BYTES

    price_rules: PriceRulesDocument
    memo: Memo | None = None


class PriceRulesTrial(RequestModel):
    """A lead of the niche by its id, or answers of one that does not exist.

    With `price_rules` it is tried by those, else by those that the level has.
    """

    most_bytes: ClassVar[int] = LARGE_BODY_BYTES

    lead_id: Uuid | None = Field(
        default=None, description="A lead of the niche; needs `leads:read`. Null: `attributes` are given."
    )
    attributes: Attributes | None = Field(default=None, description="The answers of a lead that does not exist.")
    age_minutes: Annotated[Int, Field(ge=0, le=MOST_AGE_MINUTES, description="How old it is.", examples=[90])] = 0
    at: Timestamp | None = Field(default=None, description="When it is decided; null: now.")
    price_rules: PriceRulesDocument | None = Field(default=None, description="Rules that are only meant.")

    @model_validator(mode="after")
    def _one_lead(self) -> "PriceRulesTrial":
        if (self.lead_id is None) == (self.attributes is None):
            raise ValueError("one of `lead_id` and `attributes` is needed")
        return self

    @property
    def lead(self) -> MadeUpLead | str:
        """The lead that is tried."""
        return self.lead_id or MadeUpLead(self.attributes or {}, self.age_minutes)


@router.get("/{level_id}/price-rules", responses=refuses("level_unknown"))
def show_price_rules(
    level_id: LevelId, response: Response, _: Reader, currency: InCurrency, database: MarketplaceDatabase
) -> PriceRulesState:
    """Show the level's price rules. The ETag is the level's."""
    seen = read_price_rules(database, level_id)
    show_version(response, seen.version)
    level = seen.row.level
    return PriceRulesState(
        level_id=level.level_id,
        price_cents=level.price_cents,
        lowest_price_cents=seen.prices.lowest_cents,
        highest_price_cents=seen.prices.highest_cents,
        currency=currency,
        price_rules=as_stored(price_rules_document(level.price_rules_text)),
        in_words=in_words(seen.prices.rules),
    )


@router.put("/{level_id}/price-rules", responses=refuses("level_unknown", "level_deleted", "form_unreadable"))
def replace_price_rules(
    level_id: LevelId,
    asked: NewPriceRules,
    response: Response,
    editor: Editor,
    currency: InCurrency,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
) -> LevelChanged:
    """Replace the level's price rules. They count from the next decision on, and move subscriptions at once.

    What providers have is held against the lowest price that the level can ask. If-Match: the version of the level.
    """
    with document_in("price_rules"):
        done = set_price_rules(
            database,
            level_id,
            asked.price_rules.as_json(),
            editor.actor,
            memo=asked.memo,
            expected_version=expected,
        )
    return level_changed(response, done, currency)


@router.post(
    "/{level_id}/price-rules/preview",
    dependencies=[changes_nothing("it only tries something out")],
    responses=refuses("level_unknown", "level_deleted", "form_unreadable"),
)
def preview_rules(
    level_id: LevelId, asked: NewPriceRules, _: Pricer, currency: InCurrency, database: MarketplaceDatabase
) -> LevelChangePreview:
    """Say which subscriptions these price rules would let start or stop, or leave out. Nothing is changed."""
    with document_in("price_rules"):
        done = preview_price_rules(database, level_id, asked.price_rules.as_json())
    return level_preview(done, currency)


@router.post(
    "/{level_id}/price-rules/trial",
    dependencies=[changes_nothing("it only tries something out")],
    responses=refuses("level_unknown", "level_deleted", "form_unreadable", "lead_unknown", "lead_erased"),
)
def try_prices(level_id: LevelId, asked: PriceRulesTrial, reader: Reader, database: MarketplaceDatabase) -> TriedPrice:
    """Say what the level would ask for a lead, and which condition of which rule holds for it.

    The lead is one of the niche, or does not exist. One of the niche needs the permission `leads:read`, too.
    """
    if asked.lead_id is not None:
        require(reader, Permission.LEADS_READ)
    document = None if asked.price_rules is None else asked.price_rules.as_json()
    with document_in("price_rules"):
        tried = try_price_rules(database, level_id, asked.lead, at=asked.at, document=document)
    return TriedPrice(
        price_cents=tried.price_cents,
        rule_number=tried.rule_number,
        decided_at=tried.decided_at,
        age_minutes=tried.age_minutes,
        rules=[
            TriedPriceRule(name=rule.name, price_cents=rule.price_cents, holds=rule.holds, conditions=rule.conditions)  # pyright: ignore[reportArgumentType]  # names of the document
            for rule in tried.rules
        ],
    )
