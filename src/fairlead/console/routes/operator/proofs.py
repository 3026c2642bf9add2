"""Proofs of the past: whether it was verified, when, and what did not hold."""

from fastapi import APIRouter, Response

from fairlead.api.resources import MarketplaceDatabase
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.routes.operator.overview import Reader
from fairlead.flows.proving.verifications import proof_state
from fairlead.store.verifications import verification_page

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_SHOWN = 50


@router.get("/fairness/proofs")
def show_proofs(reader: Reader, page: PageOfRequest, database: MarketplaceDatabase) -> Response:
    """The newest verifications, and of the last what it checked."""
    found = database.read(lambda conn: verification_page(conn, _SHOWN))
    return page.render(
        "operator/proofs.html",
        reader,
        proof=proof_state(database),
        ended=[each for each in found if each.ended_at is not None],
    )
