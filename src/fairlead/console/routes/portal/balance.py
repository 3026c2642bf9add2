"""The balance: what is left, how long it lasts at the pace of the last days, and every movement of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response

from fairlead.api.schemas.by_sequence import BySequence
from fairlead.api.schemas.ledger import LedgerEntryKind
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.routes.portal.frame import Reader, render_portal
from fairlead.console.texts import noted
from fairlead.core.money.spending_pace import SpendingPace
from fairlead.flows.configuration.own_provider import read_own_profile
from fairlead.store.connection import Connection
from fairlead.store.leads.rows import clock
from fairlead.store.money.ledger_pages import LedgerFilter, Statement, own_ledger_page, statement
from fairlead.store.money.spending_pace import spending_paces

router = APIRouter(route_class=PageRoute, include_in_schema=False)

KINDS: Mapping[str, str] = {
    "deposit": noted("Deposit"),
    "lead_purchase": noted("Lead"),
    "refund": noted("Refund"),
    "manual_credit": noted("Credit"),
    "manual_debit": noted("Debit"),
}


@dataclass(frozen=True, slots=True)
class Pace:
    """What leads cost in the last days, net of refunds. `days_left` is None where nothing is spent."""

    spent_cents: int
    refunded_cents: int
    lead_count: int
    days: int
    daily_cents: int
    days_left: int | None


def pace_of(span: Statement, pace: SpendingPace, available_cents: int) -> Pace:
    """What was spent in the span of the pace, and for how many days more what is available will do at it."""
    totals = {each.kind: each for each in span.totals}
    spent, refunded = totals.get("lead_purchase"), totals.get("refund")
    spent_cents = -spent.amount_cents if spent else 0
    refunded_cents = refunded.amount_cents if refunded else 0
    lead_count = spent.entry_count if spent else 0
    left = pace.days_left(available_cents)
    return Pace(spent_cents, refunded_cents, lead_count, pace.days, pace.daily_cents, left)


@router.get("/portal/balance")
def show_balance(
    page: PageOfRequest,
    caller: Reader,
    listed: BySequence,
    kind: Annotated[LedgerEntryKind | None, Query()] = None,
) -> Response:
    """The provider's balance, pace and ledger, the newest entry first."""
    profile = read_own_profile(caller.database, caller.provider_id)
    balance = profile.row.balance

    def read(conn: Connection) -> tuple[datetime, SpendingPace, Statement]:
        now = clock(conn)
        pace = spending_paces(conn, [caller.provider_id], now)[caller.provider_id]
        return now, pace, statement(conn, caller.provider_id, now - timedelta(days=pace.days), now)

    now, spending, span = caller.database.read(read)
    found = caller.database.read(
        lambda conn: own_ledger_page(conn, caller.provider_id, LedgerFilter(kind), listed.before_seq, listed.limit)
    )
    pace = pace_of(span, spending, balance.available_cents)
    beside = "" if kind is None else f"&kind={kind}"
    return render_portal(
        page,
        "balance.html",
        caller,
        balance=balance,
        currency=profile.currency,
        threshold_cents=profile.row.low_balance_threshold_cents,
        threshold_days=profile.row.low_balance_days,
        pace=pace,
        runs_out_on=None if pace.days_left is None or pace.days_left > 366 else now + timedelta(days=pace.days_left),
        entries=found.items,
        kinds=KINDS,
        tabs=[("/portal/balance", noted("All"), kind is None)]
        + [(f"/portal/balance?kind={name}", title, name == kind) for name, title in KINDS.items()],
        next_address=None if found.next_after is None else f"/portal/balance?cursor={found.next_after}{beside}",
    )
