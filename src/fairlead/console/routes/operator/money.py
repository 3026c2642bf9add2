"""Money: where every cent went, and which reports of bad leads wait for a decision."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.ledger import LedgerEntryKind
from fairlead.api.schemas.values import Uuid
from fairlead.console.addresses import address
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.routes.operator.provider_ledger import KINDS
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.read_limits import REPORTS_OF_CALLER
from fairlead.flows.money.bad_leads import list_open_reports
from fairlead.flows.money.marketplace_statement import read_marketplace_statement
from fairlead.store.money.ledger_pages import LedgerFilter, ledger_page

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_DAYS = 30
_MOST_REPORTS, _MOST_ENTRIES = 50, 25


@router.get("/money")
def show_money(
    reader: Annotated[Principal, needs(Permission.MONEY_READ, REPORTS_OF_CALLER)],
    page: PageOfRequest,
    database: MarketplaceDatabase,
    kind: Annotated[LedgerEntryKind | None, Query()] = None,
    provider_id: Annotated[Uuid | None, Query()] = None,
) -> Response:
    """What came in, was sold, given back and is held; the reports that wait; the newest movements."""
    now = datetime.now(UTC)
    statement = read_marketplace_statement(database, now - timedelta(days=_DAYS), now + timedelta(minutes=1))
    reports = list_open_reports(database, None, _MOST_REPORTS, of_provider_id=provider_id)
    entries = database.read(lambda conn: ledger_page(conn, LedgerFilter(kind), None, _MOST_ENTRIES))
    return page.render(
        "operator/money.html",
        reader,
        statement=statement,
        currency=statement.currency,
        totals={each.kind: each for each in statement.totals},
        days=_DAYS,
        reports=reports,
        reported_cents=sum(each.price_cents for each in reports),
        is_full=len(reports) == _MOST_REPORTS,
        entries=entries.items,
        kind=kind,
        kinds=[(each, address("/money", kind=each, provider_id=provider_id)) for each in KINDS],
        provider_id=provider_id,
    )
