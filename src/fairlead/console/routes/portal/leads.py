"""A bought lead in full: whom to call, what they want, and what the provider says of it."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response

from fairlead.api.schemas.values import Uuid
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.report_categories import words_for_providers
from fairlead.console.routes.portal.frame import Reader, render_portal
from fairlead.console.routes.portal.inbox import is_answerable
from fairlead.console.routes.portal.lead_words import EVENTS, answers, lead_name
from fairlead.core.money.report_rules import ReportCategory
from fairlead.core.subscription import readable_form
from fairlead.flows.money.report_limits import report_allowance
from fairlead.store.connection import Connection
from fairlead.store.leads.rows import NicheForm, niche_form
from fairlead.store.money.report_rules import report_rules
from fairlead.store.portal.inbox import InboxAssignment, inbox_assignment

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/portal/leads/{assignment_id}")
def show_lead(assignment_id: Annotated[Uuid, Path()], page: PageOfRequest, caller: Reader) -> Response:
    """The provider's lead. Looking does not count as having seen it: the page's script says that to the API."""

    def read(conn: Connection) -> tuple[InboxAssignment, NicheForm | None]:
        found = inbox_assignment(conn, caller.provider_id, assignment_id)
        return found, niche_form(conn, found.item.niche)

    found, niche = caller.database.read(read)
    lead = found.item
    form = None if niche is None else readable_form(niche.form_schema)
    allowance = report_allowance(caller.database, caller.provider_id)
    reported = None
    if found.report_reason is not None:
        rules = caller.database.read(report_rules)
        reported = rules.category(found.report_reason) or ReportCategory(found.report_reason)
    left = found.report_deadline - datetime.now(UTC)
    return render_portal(
        page,
        "lead.html",
        caller,
        lead=lead,
        name=lead_name(lead),
        answers=answers(found.attributes, form, page.viewer),
        details=found,
        events=[(EVENTS[each.event], each.at) for each in found.timeline],
        allowance=allowance,
        reasons=[(each.key, words_for_providers(each)) for each in allowance.categories],
        report_reason=None if reported is None else words_for_providers(reported),
        may_answer=is_answerable(lead),
        may_report=lead.reported_at is None and lead.refunded_at is None and left.total_seconds() > 0,
        time_left=left,
    )
