"""A provider's own money: its balance, every movement of it, and what a span of time adds up to."""

from typing import Annotated

from fastapi import Query

from fairlead.api.access import OwnProvider, needs_own
from fairlead.api.bodies import Router
from fairlead.api.schemas.by_sequence import BySequence, cursor_before
from fairlead.api.schemas.currency import Currency
from fairlead.api.schemas.ledger import LedgerEntryItem, LedgerEntryKind, Statement, TotalOfKind
from fairlead.api.schemas.pagination import Page
from fairlead.api.schemas.spans import Before, From, NeededBefore, NeededFrom
from fairlead.core.permissions import Permission
from fairlead.store.lookups import marketplace_currency
from fairlead.store.money.ledger_pages import LedgerFilter, own_ledger_page, statement

router = Router(prefix="/api/v1/provider/ledger", tags=["provider: money"])

Reader = Annotated[OwnProvider, needs_own(Permission.OWN_READ)]


class OwnLedgerPage(Page[LedgerEntryItem]):
    """A page of the ledger, and what its amounts are in."""

    currency: Currency


@router.get("")
def list_own_ledger(
    page: BySequence,
    caller: Reader,
    kind: Annotated[LedgerEntryKind | None, Query()] = None,
    created_from: From = None,
    created_before: Before = None,
) -> OwnLedgerPage:
    """List the movements of the provider's balance, the newest first.

    A page may hold fewer items than asked for, even none, as long as there is a `next_cursor`.
    """
    wanted = LedgerFilter(kind, created_from, created_before)
    found, currency = caller.database.read(
        lambda conn: (
            own_ledger_page(conn, caller.provider_id, wanted, page.before_seq, page.limit),
            marketplace_currency(conn),
        )
    )
    items = [LedgerEntryItem.model_validate(each) for each in found.items]
    return OwnLedgerPage(items=items, next_cursor=cursor_before(found.next_after), currency=currency)


@router.get("/statement")
def show_own_statement(
    caller: Reader,
    created_from: NeededFrom,
    created_before: NeededBefore,
) -> Statement:
    """Add up the movements of a span of time by their kind."""
    found, currency = caller.database.read(
        lambda conn: (
            statement(conn, caller.provider_id, created_from, created_before),
            marketplace_currency(conn),
        )
    )
    return Statement(
        currency=currency,
        opening_balance_cents=found.opening_balance_cents,
        closing_balance_cents=found.closing_balance_cents,
        totals=[TotalOfKind.model_validate(each) for each in found.totals],
    )
