"""The review: one lead at a time that waits for approval, with all that helps to decide."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.values import Uuid
from fairlead.console.operator.lead_facts import answers_of, name_of
from fairlead.console.page import HtmlPage, PageOfRequest, PageRoute
from fairlead.console.routes.operator.lead import MOST_OTHERS, read_lead
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.review import PendingLead, pending_count, pending_leads, source_worth

router = APIRouter(route_class=PageRoute, include_in_schema=False)

AT_ONCE = 200
"""So many ids come with the page; the script asks for more of them when they run out."""

Reviewer = Annotated[Principal, needs(Permission.LEADS_APPROVE)]


@router.get("/review")
def show_review(reviewer: Reviewer, database: MarketplaceDatabase, page: PageOfRequest) -> Response:
    """The lead that waits longest, and the ids of those after it."""

    def work(conn: Connection) -> tuple[list[PendingLead], int]:
        return list(pending_leads(conn, None, AT_ONCE)), pending_count(conn)

    waiting, count = database.read(work)
    first = _facts(page, database, waiting[0].lead_id) if waiting else {}
    return page.render(
        "operator/review.html",
        reviewer,
        count=count,
        lead_ids=[each.lead_id for each in waiting],
        **first,
    )


@router.get("/review/leads/{lead_id}")
def show_review_part(
    lead_id: Annotated[Uuid, Path()], _: Reviewer, database: MarketplaceDatabase, page: PageOfRequest
) -> Response:
    """One lead alone, for the page of the review to put in its place."""
    return page.render("operator/review-part.html", **_facts(page, database, lead_id))


def _facts(page: HtmlPage, database: Database, lead_id: str) -> dict[str, Any]:
    read, worth = database.read(lambda conn: (read_lead(conn, lead_id), source_worth(conn, lead_id)))
    return {
        "lead": read.lead,
        "name": name_of(lead_id, read.lead.contact_name),
        "answers": answers_of(read.lead, read.form, page.viewer),
        "origin": read.origin,
        "others": read.others[:MOST_OTHERS],
        "currency": read.currency,
        "worth": worth,
        "average_cents": round(worth.net_cents / worth.lead_count) if worth.lead_count else None,
    }
