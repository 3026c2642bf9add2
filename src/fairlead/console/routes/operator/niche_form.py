"""A niche's form: its fields, what changing them would do, and the versions that it had."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.values import Uuid
from fairlead.console.field_type_words import type_words
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.core.form import FieldType
from fairlead.core.permissions import Permission
from fairlead.core.subscription import readable_form
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.form_schemas import form_schema_versions
from fairlead.flows.configuration.reading import read_niche

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/niches/{niche_id}/form")
def show_niche_form(
    niche_id: Annotated[Uuid, Path()],
    reader: Annotated[Principal, needs(Permission.NICHES_READ)],
    page: PageOfRequest,
    database: MarketplaceDatabase,
) -> Response:
    """The fields that leads of the niche answer, to be changed and tried, and its versions, the newest first."""
    seen = read_niche(database, niche_id)
    form = readable_form(seen.row.form_schema)
    return page.render(
        "operator/niche-form.html",
        reader,
        seen=seen,
        niche=seen.row,
        fields=() if form is None else form.fields,
        types={each.value: type_words(each) for each in FieldType},
        level_names={row.level.level_id: row.level.name for row in seen.levels},
        versions=form_schema_versions(database, niche_id),
    )
