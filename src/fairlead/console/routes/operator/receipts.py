"""Receipts and credit notes of all providers, and what papers are to say of each."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.by_sequence import BySequence, cursor_before
from fairlead.api.schemas.receipts import ReceiptNumber
from fairlead.api.schemas.values import Uuid
from fairlead.console.addresses import TypedText, address
from fairlead.console.operator.provider_choice import provider_choice
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.payment_words import paid_by_words
from fairlead.console.periods import OfTwelveMonths
from fairlead.core.canonical import timestamp_text
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.billing_details import read_billing_details
from fairlead.flows.configuration.marketplace import read_marketplace
from fairlead.flows.configuration.reading import read_provider
from fairlead.flows.money.receipts import list_receipts, read_receipt, receipt_zone
from fairlead.store.money.receipts import ReceiptFilter

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/money/receipts"
Reader = Annotated[Principal, needs(Permission.MONEY_READ)]


@router.get(_PATH)
def show_receipts(
    reader: Reader,
    page: PageOfRequest,
    database: MarketplaceDatabase,
    keyset: BySequence,
    period: OfTwelveMonths,
    provider_id: Annotated[Uuid | None, Query()] = None,
    q: TypedText = None,
) -> Response:
    """Those of these days, the newest first; all of them or one provider's."""
    since, before = period.span
    found = list_receipts(database, ReceiptFilter(provider_id, since, before), keyset.before_seq, keyset.limit)
    cursor = cursor_before(found.next_after)
    marketplace = read_marketplace(database)
    return page.render(
        "operator/receipts.html",
        reader,
        period=period,
        receipts=found.items,
        paid_by=paid_by_words,
        providers=provider_choice(database, q, provider_id, lambda each: period.address(_PATH, provider_id=each or "")),
        kept=[*period.chosen.items()],
        next_address=None if cursor is None else period.address(_PATH, provider_id=provider_id or "", cursor=cursor),
        is_named=marketplace.legal_name is not None and marketplace.address is not None,
        may_name=Permission.SETTINGS_WRITE in reader.permissions,
        may_export=Permission.EXPORTS_WRITE in reader.permissions,
        export_address=address(
            "/exports/new",
            kind="receipts",
            provider_id=provider_id,
            created_from=timestamp_text(since),
            created_before=timestamp_text(before),
        ),
    )


@router.get(_PATH + "/{number}")
def show_receipt(number: ReceiptNumber, reader: Reader, page: PageOfRequest, database: MarketplaceDatabase) -> Response:
    """One: what was paid, with its tax, and whom it names; and taking it back."""
    found = read_receipt(database, number)
    is_open = found.kind == "receipt" and found.corrected_by is None
    return page.render(
        "operator/receipt.html",
        reader,
        path=_PATH,
        found=found,
        paid_by=paid_by_words,
        zone=receipt_zone(database, number),
        may_take_back=is_open and Permission.MONEY_WRITE in reader.permissions,
    )


@router.get("/providers/{provider_id}/billing-details")
def show_billing_details(
    provider_id: Annotated[Uuid, Path()],
    reader: Annotated[Principal, needs(Permission.PROVIDERS_READ)],
    page: PageOfRequest,
    database: MarketplaceDatabase,
) -> Response:
    """What papers say of the provider from now on."""
    return page.render(
        "operator/billing-details.html",
        reader,
        path=f"/providers/{provider_id}",
        provider_id=provider_id,
        provider_name=read_provider(database, provider_id).row.name,
        seen=read_billing_details(database, provider_id),
        may_write=Permission.PROVIDERS_WRITE in reader.permissions,
    )
