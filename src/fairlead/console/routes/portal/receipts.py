"""The provider's own receipts and credit notes."""

from fastapi import APIRouter, Response

from fairlead.api.schemas.by_sequence import BySequence, cursor_before
from fairlead.api.schemas.receipts import ReceiptNumber
from fairlead.console.addresses import address
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.routes.portal.frame import Reader, render_portal
from fairlead.flows.configuration.billing_details import read_billing_details
from fairlead.flows.money.receipts import list_receipts, read_receipt, receipt_zone

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/portal/receipts"


@router.get(_PATH)
def show_own_receipts(page: PageOfRequest, caller: Reader, keyset: BySequence) -> Response:
    """Every one, the newest first."""
    found = list_receipts(caller.database, caller.provider_id, keyset.before_seq, keyset.limit)
    cursor = cursor_before(found.next_after)
    next_address = None if cursor is None else address(_PATH, cursor=cursor)
    billing = read_billing_details(caller.database, caller.provider_id)
    return render_portal(
        page,
        "receipts.html",
        caller,
        receipts=found.items,
        next_address=next_address,
        is_named=billing.row is not None,
    )


@router.get(_PATH + "/{number}")
def show_own_receipt(number: ReceiptNumber, page: PageOfRequest, caller: Reader) -> Response:
    """One: what was paid, with its tax, and whom it names."""
    found = read_receipt(caller.database, number, caller.provider_id)
    return render_portal(
        page, "receipt.html", caller, path=_PATH, found=found, zone=receipt_zone(caller.database, number)
    )
