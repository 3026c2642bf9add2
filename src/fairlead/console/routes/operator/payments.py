"""Payments of all providers, and those in doubt, which an operator resolves."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.pagination import ByCursor
from fairlead.api.schemas.payments import PaymentState
from fairlead.api.schemas.values import Uuid
from fairlead.console.addresses import TypedText, address
from fairlead.console.operator.provider_choice import provider_choice
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.payment_words import DOUBTS, GATEWAYS, reason_word
from fairlead.console.texts import noted
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.payments.doubts import can_be_credited
from fairlead.store.money.payment_doubts import open_doubts
from fairlead.store.money.payment_requests import PaymentFilter, payments_page

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PAYMENTS, _DOUBTS = "/money/payments", "/money/payments/doubts"
STATES: tuple[tuple[PaymentState | None, str], ...] = (
    (None, noted("All")),
    ("pending", noted("pending")),
    ("succeeded", noted("succeeded")),
    ("failed", noted("failed")),
    ("in_review", noted("in review")),
)

Reader = Annotated[Principal, needs(Permission.MONEY_READ)]


@router.get(_PAYMENTS)
def show_payments(
    reader: Reader,
    page: PageOfRequest,
    database: MarketplaceDatabase,
    keyset: ByCursor,
    state: Annotated[PaymentState | None, Query()] = None,
    provider_id: Annotated[Uuid | None, Query()] = None,
    q: TypedText = None,
) -> Response:
    """Every payment, the newest first."""
    wanted = PaymentFilter(provider_id, state)
    found, waiting = database.read(
        lambda conn: (payments_page(conn, wanted, keyset.after, keyset.probe), open_doubts(conn, None, 1))
    )
    payments, cursor = keyset.cut(found, lambda each: (each.created_at, each.item_id))

    def with_(**other: object) -> str:
        return address(_PAYMENTS, **{"state": state, "provider_id": provider_id, **other})

    return page.render(
        "operator/payments.html",
        reader,
        payments=payments,
        is_in_doubt=bool(waiting),
        gateways=GATEWAYS,
        reason_word=reason_word,
        states=[(words, with_(state=each), each == state) for each, words in STATES],
        providers=provider_choice(database, q, provider_id, lambda each: with_(provider_id=each)),
        kept=[("state", state)] if state else [],
        is_filtered=state is not None or provider_id is not None,
        next_address=None if cursor is None else with_(cursor=cursor),
    )


@router.get(_DOUBTS)
def show_doubts(reader: Reader, page: PageOfRequest, database: MarketplaceDatabase, keyset: ByCursor) -> Response:
    """The payments in doubt that wait, the oldest first, each with what can be done."""
    found = database.read(lambda conn: open_doubts(conn, keyset.after, keyset.probe))
    doubts, cursor = keyset.cut(found, lambda each: (each.noticed_at, each.doubt_id))
    return page.render(
        "operator/payment-doubts.html",
        reader,
        doubts=[(each, *DOUBTS[each.kind], can_be_credited(each)) for each in doubts],
        gateways=GATEWAYS,
        next_address=None if cursor is None else address(_DOUBTS, cursor=cursor),
    )
