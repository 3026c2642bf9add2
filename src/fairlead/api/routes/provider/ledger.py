"""A provider's own money: its balance, every movement of it, and what a span of time adds up to."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from fastapi import APIRouter, Query
from pydantic import Field

from fairlead.api.access import OwnProvider, needs_own
from fairlead.api.shapes.by_sequence import BySequence, cursor_before
from fairlead.api.shapes.currency import Currency
from fairlead.api.shapes.pagination import Page
from fairlead.api.shapes.values import Answer, Timestamp, Uuid
from fairlead.core.permissions import Permission
from fairlead.store.lookups import marketplace_currency
from fairlead.store.money.ledger_pages import LedgerFilter, own_ledger_page, statement

router = APIRouter(prefix="/api/v1/provider/ledger", tags=["provider: money"])

Reader = Annotated[OwnProvider, needs_own(Permission.OWN_READ)]

Kind: TypeAlias = Literal["deposit", "lead_purchase", "refund", "manual_credit", "manual_debit"]


class OwnEntry(Answer):
    """A movement of the provider's balance. `amount_cents` is negative where money left."""

    seq: int = Field(description="Its number in the provider's ledger, from 1 without gaps.")
    kind: Kind
    amount_cents: int = Field(examples=[-2000])
    balance_after_cents: int = Field(examples=[3000])
    created_at: datetime
    assignment_id: Uuid | None = Field(description="What was bought or paid back.")
    lead_id: Uuid | None
    niche: str | None = Field(examples=["hosting"])
    level_name: str | None = Field(examples=["gold"])
    payment_id: Uuid | None = Field(description="What came in.")


class OwnEntryPage(Page[OwnEntry]):
    """A page of the ledger, and what its amounts are in."""

    currency: Currency


class OwnTotal(Answer):
    """What the movements of one kind add up to."""

    kind: Kind
    entry_count: int
    amount_cents: int = Field(examples=[-2000])


class OwnStatement(Answer):
    """A span of time in sums: the opening balance and the totals make the closing balance."""

    currency: Currency
    opening_balance_cents: int = Field(examples=[5000])
    closing_balance_cents: int = Field(examples=[3000])
    totals: list[OwnTotal]


@router.get("")
def list_own_ledger(
    page: BySequence,
    caller: Reader,
    kind: Annotated[Kind | None, Query()] = None,
    created_from: Annotated[Timestamp | None, Query(description="At this time or later.")] = None,
    created_before: Annotated[Timestamp | None, Query()] = None,
) -> OwnEntryPage:
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
    items = [OwnEntry.model_validate(each) for each in found.items]
    return OwnEntryPage(items=items, next_cursor=cursor_before(found.next_after), currency=currency)


@router.get("/statement")
def show_own_statement(
    caller: Reader,
    created_from: Annotated[Timestamp, Query(description="At this time or later.", examples=["2026-01-01T00:00:00Z"])],
    created_before: Annotated[Timestamp, Query(examples=["2026-02-01T00:00:00Z"])],
) -> OwnStatement:
    """Add up the movements of a span of time by their kind."""
    found, currency = caller.database.read(
        lambda conn: (
            statement(conn, caller.provider_id, created_from, created_before),
            marketplace_currency(conn),
        )
    )
    return OwnStatement(
        currency=currency,
        opening_balance_cents=found.opening_balance_cents,
        closing_balance_cents=found.closing_balance_cents,
        totals=[OwnTotal.model_validate(each) for each in found.totals],
    )
