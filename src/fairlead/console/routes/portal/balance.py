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
from fairlead.flows.configuration.own_provider import read_own_profile
from fairlead.store.connection import Connection
from fairlead.store.leads.rows import clock
from fairlead.store.money.ledger_pages import LedgerFilter, Statement, own_ledger_page, statement

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PACE_DAYS = 30

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
    days_left: int | None

    @property
    def daily_cents(self) -> int:
        """On an average day."""
        return max(self.spent_cents - self.refunded_cents, 0) // self.days


def pace_of(span: Statement, days: int, available_cents: int) -> Pace:
    """The pace of a span of that many days, and for how many more what is available will do at it.

    >>> from fairlead.store.money.ledger_pages import KindTotal
    >>> spent = Statement(9000, 6000, (KindTotal("lead_purchase", 3, -3000),))
    >>> pace_of(spent, 30, 6000).days_left
    60
    """
    totals = {each.kind: each for each in span.totals}
    spent, refunded = totals.get("lead_purchase"), totals.get("refund")
    spent_cents = -spent.amount_cents if spent else 0
    refunded_cents = refunded.amount_cents if refunded else 0
    net_cents = spent_cents - refunded_cents
    left = max(available_cents, 0) * days // net_cents if net_cents > 0 else None
    return Pace(spent_cents, refunded_cents, spent.entry_count if spent else 0, days, left)


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

    def read(conn: Connection) -> tuple[datetime, int, Statement]:
        now = clock(conn)
        first = own_ledger_page(conn, caller.provider_id, LedgerFilter(), 2, 1).items
        # Who began a week ago has the pace of a week.
        days = min(max((now - first[0].created_at).days, 1), PACE_DAYS) if first else PACE_DAYS
        return now, days, statement(conn, caller.provider_id, now - timedelta(days=days), now)

    now, days, span = caller.database.read(read)
    found = caller.database.read(
        lambda conn: own_ledger_page(conn, caller.provider_id, LedgerFilter(kind), listed.before_seq, listed.limit)
    )
    pace = pace_of(span, days, balance.available_cents)
    beside = "" if kind is None else f"&kind={kind}"
    return render_portal(
        page,
        "balance.html",
        caller,
        balance=balance,
        currency=profile.currency,
        threshold_cents=profile.row.low_balance_threshold_cents,
        pace=pace,
        runs_out_on=None if pace.days_left is None or pace.days_left > 366 else now + timedelta(days=pace.days_left),
        entries=found.items,
        kinds=KINDS,
        tabs=[("/portal/balance", noted("All"), kind is None)]
        + [(f"/portal/balance?kind={name}", title, name == kind) for name, title in KINDS.items()],
        next_address=None if found.next_after is None else f"/portal/balance?cursor={found.next_after}{beside}",
    )
