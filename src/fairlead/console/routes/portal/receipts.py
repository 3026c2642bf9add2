"""The provider's own receipts and credit notes."""

from fastapi import APIRouter, Response

from fairlead.api.schemas.by_sequence import BySequence, cursor_before
from fairlead.api.schemas.receipts import ReceiptNumber
from fairlead.console.addresses import address
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.payment_words import paid_by_words
from fairlead.console.periods import OfTwelveMonths
from fairlead.console.routes.portal.frame import Reader, render_portal
from fairlead.core.canonical import timestamp_text
from fairlead.flows.configuration.billing_details import read_billing_details
from fairlead.flows.money.receipts import list_receipts, read_receipt, receipt_zone
from fairlead.store.money.receipts import ReceiptFilter

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/portal/receipts"


@router.get(_PATH)
def show_own_receipts(page: PageOfRequest, caller: Reader, keyset: BySequence, period: OfTwelveMonths) -> Response:
    """Those of these days, the newest first."""
    since, before = period.span
    wanted = ReceiptFilter(caller.provider_id, since, before)
    found = list_receipts(caller.database, wanted, keyset.before_seq, keyset.limit)
    cursor = cursor_before(found.next_after)
    billing = read_billing_details(caller.database, caller.provider_id)
    return render_portal(
        page,
        "receipts.html",
        caller,
        period=period,
        receipts=found.items,
        paid_by=paid_by_words,
        next_address=None if cursor is None else period.address(_PATH, cursor=cursor),
        export_address=address(
            "/api/v1/provider/exports/receipts", issued_from=timestamp_text(since), issued_before=timestamp_text(before)
        ),
        is_named=billing.row is not None,
    )


@router.get(_PATH + "/{number}")
def show_own_receipt(number: ReceiptNumber, page: PageOfRequest, caller: Reader) -> Response:
    """One: what was paid, with its tax, and whom it names."""
    found = read_receipt(caller.database, number, caller.provider_id)
    return render_portal(
        page,
        "receipt.html",
        caller,
        path=_PATH,
        found=found,
        paid_by=paid_by_words,
        zone=receipt_zone(caller.database, number),
    )
