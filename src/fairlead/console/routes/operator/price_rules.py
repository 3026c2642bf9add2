"""A level's price rules: built by clicking, and tried on a lead."""

from typing import Annotated

from babel.dates import get_day_names
from babel.numbers import get_currency_precision
from fastapi import APIRouter, Path, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.currency import InCurrency
from fairlead.api.schemas.values import Uuid
from fairlead.console.formats import moment_text
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.routes.portal.filter_words import builder_of
from fairlead.console.viewer import Viewer
from fairlead.core.calendar.schedule import DAYS
from fairlead.core.errors import Refused
from fairlead.core.permissions import Permission
from fairlead.core.prices import price_rules_document
from fairlead.core.subscription import readable_form
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.price_rules import read_price_rules
from fairlead.flows.configuration.reading import read_niche
from fairlead.flows.lead_list import leads_in_list
from fairlead.store.connection import Database
from fairlead.store.leads.listing import LeadFilter

router = APIRouter(route_class=PageRoute, include_in_schema=False)

OFFERED_LEADS = 20
"""So many of the niche's newest leads can be chosen for a trial; any other by its id."""


@router.get("/niches/{niche_id}/levels/{level_id}/price-rules")
def show_price_rules(
    niche_id: Annotated[Uuid, Path()],
    level_id: Annotated[Uuid, Path()],
    reader: Annotated[Principal, needs(Permission.NICHES_READ)],
    page: PageOfRequest,
    currency: InCurrency,
    database: MarketplaceDatabase,
) -> Response:
    """The rules by clicking, in words, and a trial by them. Raises `Refused` for a level of another niche."""
    seen = read_price_rules(database, level_id)
    level = seen.row.level
    if seen.row.niche_id != niche_id:
        raise Refused("level_unknown", f"the niche has no level {level_id}")
    niche = read_niche(database, niche_id).row
    form = readable_form(niche.form_schema)
    document = price_rules_document(level.price_rules_text)
    names = get_day_names("abbreviated", locale=page.viewer.locale)
    # Price rules take no distance by a postcode table.
    builder = None if form is None else builder_of(form, {}, ())
    digits = get_currency_precision(currency)
    return page.render(
        "operator/price-rules.html",
        reader,
        niche=niche,
        level=level,
        version=seen.version,
        prices=seen.prices,
        currency=currency,
        digits=digits,
        form=form,
        builder=builder,
        preview=f"/niches/{niche_id}/filter-preview",
        editor={
            "document": document,
            "days": [[key, names[number]] for number, key in enumerate(DAYS)],
            "digits": digits,
        },
        zone=page.viewer.zone_name,
        trial_zone=document.get("timezone", page.viewer.zone_name),
        leads=_newest_leads(database, niche.slug, page.viewer) if Permission.LEADS_READ in reader.permissions else None,
        can_write=Permission.NICHES_WRITE in reader.permissions and not seen.row.is_deleted,
    )


def _newest_leads(database: Database, niche_slug: str, viewer: Viewer) -> list[tuple[str, str]]:
    """By id, each by its contact's name and when it came in."""
    found = leads_in_list(database, LeadFilter(niche_slug=niche_slug), None, OFFERED_LEADS)
    leads = [each.lead for each in found.items]
    return [
        (each.lead_id, f"{each.contact_name or each.lead_id[:8]}, {moment_text(each.created_at, viewer)}")
        for each in leads
    ]
