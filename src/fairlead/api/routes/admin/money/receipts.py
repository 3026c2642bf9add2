"""Receipts and credit notes of all providers, and what papers are to say of each."""

from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.idempotency import RequireIdempotencyKey
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.by_sequence import BySequence
from fairlead.api.schemas.memos import RefundMemo
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
from fairlead.api.schemas.values import RequestModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.billing_details import SeenDetails, change_billing_details, read_billing_details
from fairlead.flows.money.receipts import issue_credit_note, read_receipt
from fairlead.flows.money.receipts import list_receipts as read_receipts
from fairlead.store.money.receipts import ReceiptFilter

router = Router(prefix="/api/v1/admin", tags=["money"])

Reader = Annotated[Principal, needs(Permission.MONEY_READ)]
Treasurer = Annotated[Principal, needs(Permission.MONEY_WRITE)]
ProviderId = Annotated[Uuid, Path(description="The provider's id.")]


class NewCreditNote(RequestModel):
    """Why a receipt is taken back."""

    memo: RefundMemo = Field(description="Why, in one line that is kept for good.")


@router.get("/receipts")
def list_receipts(
    page: BySequence,
    _: Reader,
    database: MarketplaceDatabase,
    provider_id: Annotated[Uuid | None, Query(description="Only of this provider.")] = None,
    issued_from: From = None,
    issued_before: Before = None,
) -> Page[ReceiptItem]:
    """List the receipts and credit notes of all providers, the newest first. A page may have fewer than its limit."""
    wanted = ReceiptFilter(provider_id, issued_from, issued_before)
    return receipts_shown(read_receipts(database, wanted, page.before_seq, page.limit))


@router.get("/receipts/{number}", responses=refuses("receipt_unknown"))
def show_receipt(number: ReceiptNumber, reader: Reader, database: MarketplaceDatabase) -> ReceiptInFull:
    """Show a receipt or credit note: it says for ever what it said when it was issued."""
    return receipt_shown(read_receipt(database, number), reader.permissions)


@router.post(
    "/receipts/{number}/credit-note",
    status_code=201,
    responses=refuses("receipt_unknown", "receipt_corrected", "receipt_not_correctable"),
)
def take_receipt_back(
    number: ReceiptNumber,
    asked: NewCreditNote,
    treasurer: Treasurer,
    database: MarketplaceDatabase,
    idempotency: RequireIdempotencyKey,
) -> ReceiptInFull:
    """Take a receipt back, whole and once, by a credit note with a number of its own. No balance moves."""
    key = idempotency.key_of(treasurer, asked)
    note = issue_credit_note(database, number, asked.memo, treasurer.actor, key)
    return receipt_shown(note, treasurer.permissions)


@router.get("/providers/{provider_id}/billing-details", responses=refuses("provider_unknown"))
def show_billing_details(
    provider_id: ProviderId,
    _: Annotated[Principal, needs(Permission.PROVIDERS_READ)],
    database: MarketplaceDatabase,
    response: Response,
) -> BillingDetailsState:
    """Show what papers say of a provider, and the ETag that a change has to name."""
    return _shown(read_billing_details(database, provider_id), response)


@router.put("/providers/{provider_id}/billing-details", responses=refuses("provider_unknown"))
def replace_billing_details(
    provider_id: ProviderId,
    asked: NewBillingDetails,
    expected: ExpectedVersion,
    operator: Annotated[Principal, needs(Permission.PROVIDERS_WRITE)],
    database: MarketplaceDatabase,
    response: Response,
) -> BillingDetailsState:
    """Set what papers say of a provider. Those that were issued stay as they are."""
    done = change_billing_details(database, provider_id, asked.wanted, operator.actor, expected_version=expected)
    return _shown(done, response)


def _shown(seen: SeenDetails, response: Response) -> BillingDetailsState:
    show_version(response, seen.version)
    return details_shown(seen)
