"""Templates of niches: what there is to begin with, and beginning with one."""

from collections.abc import Sequence
from typing import Annotated, Literal

from babel.numbers import get_currency_precision
from fastapi import Query, Response
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.niches.niches import NicheChanged, NicheSlug, PhoneRegion, niche_changed
from fairlead.api.schemas.changes import Memo, Name
from fairlead.api.schemas.currency import Currency, InCurrency
from fairlead.api.schemas.documents import StoredForm, as_stored
from fairlead.api.schemas.levels import MaxRecipients
from fairlead.api.schemas.values import Cents, RequestModel, ResponseModel, Slug
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.templates_of_niches import (
    NicheTemplate,
    WantedLevel,
    create_niche_from_template,
    niche_templates,
)

router = Router(prefix="/api/v1/admin/niche-templates", tags=["niches"])

Reader = Annotated[Principal, needs(Permission.NICHES_READ)]
Editor = Annotated[Principal, needs(Permission.NICHES_WRITE)]


TemplateLanguage = Literal["en", "de"]


class NicheTemplateLevel(ResponseModel):
    """A level that a template begins with."""

    name: str = Field(examples=["Exclusive"])
    price_cents: int = Field(examples=[2400])
    max_recipients: int = Field(examples=[1])


class NicheTemplateItem(ResponseModel):
    """A market to begin with; prices are to be changed."""

    template: str = Field(description="What the template is called by.", examples=["vps-hosting"])
    name: str = Field(examples=["VPS hosting"])
    summary: str = Field(description="What its form asks, in a few words.", examples=["Virtual servers: size, region."])
    form_schema: StoredForm
    levels: Sequence[NicheTemplateLevel] = Field(description="The levels in their order.")


class NicheTemplates(ResponseModel):
    """Every template that there is."""

    currency: Currency
    items: Sequence[NicheTemplateItem]


class LevelOfNewNiche(RequestModel):
    """A level of the new niche, after those before it."""

    name: Annotated[Name, Field(examples=["Exclusive"])]
    price_cents: Annotated[Cents, Field(examples=[2400])]
    max_recipients: MaxRecipients


class NicheFromTemplate(RequestModel):
    """A new niche with a template's form. Its levels are those that are named here."""

    template: Annotated[Slug, Field(description="The template's own name.", examples=["vps-hosting"])]
    slug: NicheSlug
    name: Name
    levels: Annotated[list[LevelOfNewNiche], Field(min_length=1, max_length=20, description="Its levels in order.")]
    language: TemplateLanguage = Field(
        default="en", description="What the template's questions are written in. They are the niche's own from then on."
    )
    phone_region: PhoneRegion | None = Field(
        default=None, description="The country of telephone numbers that are given without one; null for none."
    )
    memo: Memo | None = None


@router.get("")
def list_niche_templates(
    _: Reader,
    currency: InCurrency,
    language: Annotated[TemplateLanguage, Query(description="What their texts are written in.")] = "en",
) -> NicheTemplates:
    """List the templates that a niche can begin with."""
    return NicheTemplates(
        currency=currency, items=[template_item(each, currency) for each in niche_templates(language).values()]
    )


@router.post("", status_code=201, responses=refuses("niche_exists", "level_exists", "niche_template_unknown"))
def add_niche_from_template(
    asked: NicheFromTemplate, response: Response, editor: Editor, database: MarketplaceDatabase
) -> NicheChanged:
    """There is a niche with the template's form and the levels that are named: all of it or nothing."""
    levels = [WantedLevel(each.name, each.price_cents, each.max_recipients) for each in asked.levels]
    done = create_niche_from_template(
        database,
        asked.template,
        asked.slug,
        asked.name,
        levels,
        editor.actor,
        language=asked.language,
        phone_region=asked.phone_region,
        memo=asked.memo,
    )
    return niche_changed(response, done)


def template_item(template: NicheTemplate, currency: str) -> NicheTemplateItem:
    """The template with its prices in minor units of the currency."""
    cents = 10 ** get_currency_precision(currency)
    return NicheTemplateItem(
        template=template.template,
        name=template.name,
        summary=template.text,
        form_schema=as_stored(template.form_schema),
        levels=[
            NicheTemplateLevel(name=each.name, price_cents=each.price * cents, max_recipients=each.max_recipients)
            for each in template.levels
        ],
    )
