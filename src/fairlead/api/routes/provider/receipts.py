"""A provider's own receipts and credit notes, and what papers are to say of it."""

from typing import Annotated

from fastapi import Response

from fairlead.api.access import OwnProvider, needs_own
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.openapi import refuses
from fairlead.api.schemas.by_sequence import BySequence
from fairlead.api.schemas.pagination import Page
from fairlead.api.schemas.receipts import (
    BillingDetailsState,
    NewBillingDetails,
    ReceiptInFull,
    ReceiptItem,
    ReceiptNumber,
    details_shown,
    receipt_shown,
    receipts_shown,
)
from fairlead.api.schemas.spans import Before, From
from fairlead.core.permissions import Permission
from fairlead.flows.configuration.billing_details import SeenDetails, change_billing_details, read_billing_details
from fairlead.flows.money.receipts import list_receipts, read_receipt
from fairlead.store.money.receipts import ReceiptFilter

router = Router(prefix="/api/v1/provider", tags=["provider: money"])

Reader = Annotated[OwnProvider, needs_own(Permission.OWN_READ)]
Writer = Annotated[OwnProvider, needs_own(Permission.OWN_WRITE)]


@router.get("/receipts")
def list_own_receipts(
    page: BySequence, caller: Reader, issued_from: From = None, issued_before: Before = None
) -> Page[ReceiptItem]:
    """List the receipts of your deposits, and the credit notes that took one back, the newest first."""
    wanted = ReceiptFilter(caller.provider_id, issued_from, issued_before)
    return receipts_shown(list_receipts(caller.database, wanted, page.before_seq, page.limit))


@router.get("/receipts/{number}", responses=refuses("receipt_unknown"))
def show_own_receipt(number: ReceiptNumber, caller: Reader) -> ReceiptInFull:
    """Show a receipt or credit note: it says for ever what it said when it was issued."""
    return receipt_shown(read_receipt(caller.database, number, caller.provider_id))


@router.get("/billing-details", responses=refuses("provider_unknown"))
def show_own_billing_details(caller: Reader, response: Response) -> BillingDetailsState:
    """Show what papers say of you, and the ETag that a change has to name."""
    return _shown(read_billing_details(caller.database, caller.provider_id), response)


@router.put("/billing-details", responses=refuses("provider_unknown"))
def replace_own_billing_details(
    asked: NewBillingDetails, expected: ExpectedVersion, caller: Writer, response: Response
) -> BillingDetailsState:
    """Set what papers say of you. Those that were issued stay as they are."""
    done = change_billing_details(
        caller.database, caller.provider_id, asked.wanted, caller.actor, expected_version=expected
    )
    return _shown(done, response)


def _shown(seen: SeenDetails, response: Response) -> BillingDetailsState:
    show_version(response, seen.version)
    return details_shown(seen)
