"""Every component of the design language on one page: what a page is made of, in every state, light and dark."""

from typing import Annotated

from fastapi import APIRouter, Response

from fairlead.api.access import needs
from fairlead.console.charts import Chart, Column, Series
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.texts import translated
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal

router = APIRouter(route_class=PageRoute, include_in_schema=False)

EXAMPLE = ((1, 12, 3), (2, 17, 0), (3, 9, 4), (4, 21, 2))


@router.get("/design")
def show_design(reader: Annotated[Principal, needs(Permission.SETTINGS_READ)], page: PageOfRequest) -> Response:
    """The components."""
    series = (Series(translated("Sold"), "one"), Series(translated("Not sold"), "two"))
    columns = tuple(Column(str(day), (sold, unsold)) for day, sold, unsold in EXAMPLE)
    chart = Chart(translated("Leads"), translated("Day"), series, columns)
    return page.render("design.html", reader, chart=chart)
