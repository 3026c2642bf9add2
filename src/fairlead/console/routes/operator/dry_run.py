"""A dry run: the questions of a niche's form, and what would become of a lead with these answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Response

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.concurrency_limits import REPLAYS
from fairlead.api.idempotency import changes_nothing
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.leads.dry_runs import DryRunRequest, Reader
from fairlead.api.schemas.values import ResponseModel
from fairlead.console.addresses import address
from fairlead.console.niche_choice import NicheInAddress, NicheLink
from fairlead.console.operator.decision_picture import (
    DecisionPicture,
    PictureLevel,
    PictureRow,
    outcome_sentence,
    picture_of,
)
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.texts import writing_in
from fairlead.core.permissions import Permission
from fairlead.core.subscription import readable_form
from fairlead.flows.access.principal import Principal
from fairlead.flows.intake.take_in import niche_unknown
from fairlead.flows.try_lead import TriedLead, try_lead
from fairlead.store.configuration.pages import ListedNiche, every_niche
from fairlead.store.connection import Connection
from fairlead.store.leads.rows import NicheForm, niche_form

PATH = "/dry-run"

pages = APIRouter(route_class=PageRoute, include_in_schema=False)
parts = Router(include_in_schema=False)


class DrawnDryRun(ResponseModel):
    """What a dry run came to, as a part of a page, in the language of the page that asked."""

    html: str


@dataclass(frozen=True, slots=True)
class Payer:
    """A provider that would get the lead, and the levels that it could not pay for any more afterwards."""

    level: PictureLevel
    row: PictureRow
    switched_off: tuple[str, ...]


@pages.get(PATH)
def show_dry_run(
    reader: Annotated[Principal, needs(Permission.LEADS_READ)],
    database: MarketplaceDatabase,
    page: PageOfRequest,
    niche: NicheInAddress = None,
) -> Response:
    """The questions of the niche's form, of the first that is active where the address names none."""

    def read(conn: Connection) -> tuple[list[ListedNiche], ListedNiche | None, NicheForm | None]:
        found = sorted(every_niche(conn), key=lambda each: (not each.is_active, each.name.casefold()))
        chosen = next((each for each in found if niche in (None, each.slug)), None)
        if chosen is None and niche is not None:
            raise niche_unknown(niche)
        return found, chosen, None if chosen is None else niche_form(conn, chosen.slug)

    niches, chosen, form = database.read(read)
    schema = None if form is None else readable_form(form.form_schema)
    return page.render(
        "operator/dry-run.html",
        reader,
        niches=[NicheLink(each.slug, each.name, address(PATH, niche=each.slug), each is chosen) for each in niches],
        chosen=chosen,
        fields=() if schema is None else schema.fields,
    )


@parts.post(
    f"{PATH}/outcome",
    dependencies=[changes_nothing("the lead does not exist: nothing is written, and no turn moves")],
)
def draw_dry_run(
    asked: DryRunRequest, reader: Reader, database: MarketplaceDatabase, page: PageOfRequest
) -> DrawnDryRun:
    """What would become of a lead with these answers, drawn as a decision is; refused as the API's dry run is."""
    with REPLAYS.slot(reader.owner):
        tried = try_lead(database, asked.niche, asked.attributes, asked.at)
    with writing_in(page.viewer.language):
        picture = picture_of(tried, page.viewer)
        answer = page.render(
            "operator/dry-run-outcome.html",
            tried=tried,
            picture=picture,
            outcome=outcome_sentence(picture),
            payers=payers_of(picture, tried),
        )
    return DrawnDryRun(html=bytes(answer.body).decode())


def payers_of(picture: DecisionPicture, tried: TriedLead) -> Sequence[Payer]:
    """The recipients in the order of the picture."""
    off: dict[str, list[str]] = {}
    for each in tried.deactivated:
        off.setdefault(each.provider_id, []).append(tried.level_names[each.level_id])
    return [
        Payer(level, row, tuple(off.get(row.provider_id, ())))
        for level in picture.levels
        for row in level.all_rows
        if row.kind == "received"
    ]


router = APIRouter()
router.include_router(pages)
router.include_router(parts)
