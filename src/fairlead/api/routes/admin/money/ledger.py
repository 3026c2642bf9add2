"""Money and sales as operators look through them: ledgers, statements, assignments."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.by_sequence import BySequence, cursor_before
from fairlead.api.schemas.currency import Currency, InCurrency
from fairlead.api.schemas.ledger import LedgerEntryItem, LedgerEntryKind, Statement, TotalOfKind
from fairlead.api.schemas.of_all_ledgers import OfAllLedgers, cursor_of_all
from fairlead.api.schemas.pagination import ByCursor, Page, cursor_after
from fairlead.api.schemas.spans import Before, From, NeededBefore, NeededFrom
from fairlead.api.schemas.values import ResponseModel, Slug, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.read_limits import REPORTS_OF_CALLER
from fairlead.flows.money.ledger_reading import read_provider_ledger, read_provider_statement
from fairlead.flows.money.marketplace_statement import read_marketplace_statement
from fairlead.store.money.assignment_pages import AssignmentFilter, assignment_page
from fairlead.store.money.ledger_pages import LedgerEntryInFull, LedgerFilter, ledger_page

router = Router(prefix="/api/v1/admin", tags=["money"])

ProviderId = Annotated[Uuid, Path(description="The provider's id.")]
Reader = Annotated[Principal, needs(Permission.MONEY_READ)]


class ProviderLedgerEntry(LedgerEntryItem):
    """A movement of a balance, whose it is, and who made it. `amount_cents` is negative where money left."""

    provider_id: Uuid
    provider_name: str = Field(examples=["Anchor"])
    actor: str = Field(description="Who moved the money.", examples=["fairlead"])
    memo: str | None = Field(examples=["agreed on the telephone"])


class ProviderLedgerPage(Page[ProviderLedgerEntry]):
    """A page of movements, and what their amounts are in."""

    currency: Currency


class ProviderStatement(Statement):
    """A provider's span of time in sums: the opening balance and the totals make the closing balance."""

    provider_id: Uuid


class AssignmentItem(ResponseModel):
    """An assignment: nothing of its lead but the id."""

    assignment_id: Uuid
    lead_id: Uuid
    niche: str = Field(examples=["hosting"])
    level_id: Uuid
    level_name: str = Field(examples=["gold"])
    provider_id: Uuid
    provider_name: str = Field(examples=["Anchor"])
    subscription_id: Uuid
    price_cents: int
    currency: Currency
    status: str = Field(examples=["active"])
    assigned_at: datetime
    viewed_at: datetime | None
    answered_at: datetime | None
    reported_at: datetime | None
    report_decision: str | None = Field(examples=["accepted"])
    refunded_at: datetime | None


class ReconciliationState(ResponseModel):
    """A comparison of the books with themselves."""

    reconciliation_id: Uuid = Field(description="The reconciliation's id.")
    ended_at: datetime = Field(description="When the comparison ended.")
    checked_count: int = Field(description="How many subjects were compared.", examples=[12000])
    difference_count: int = Field(description="How many of them are not as they must be.", examples=[0])


class StatementOfMarketplace(ResponseModel):
    """The money of all providers: what they hold now, and what moved in a span of time, in sums by kind."""

    currency: Currency
    held_cents: int = Field(description="What all providers have together now, in minor units.", examples=[125000])
    totals: list[TotalOfKind] = Field(description="The kinds that moved.")
    last_reconciliation: ReconciliationState | None = Field(description="Null before the first.")


@router.get("/ledger")
def list_ledger(
    reader: Reader,
    database: MarketplaceDatabase,
    currency: InCurrency,
    page: OfAllLedgers,
    kind: Annotated[LedgerEntryKind | None, Query()] = None,
    provider_id: Annotated[Uuid | None, Query(description="Only of this provider.")] = None,
    created_from: From = None,
    created_before: Before = None,
) -> ProviderLedgerPage:
    """List the movements of all balances, the newest first. A page may have fewer items than its limit."""
    wanted = LedgerFilter(kind, created_from, created_before, provider_id)
    found = database.read(lambda conn: ledger_page(conn, wanted, page.after, page.limit))
    items = [_entry(each) for each in found.items]
    return ProviderLedgerPage(items=items, next_cursor=cursor_of_all(found.next_after), currency=currency)


@router.get("/providers/{provider_id}/ledger", responses=refuses("provider_unknown"))
def list_ledger_of_provider(
    provider_id: ProviderId,
    reader: Reader,
    database: MarketplaceDatabase,
    page: BySequence,
    kind: Annotated[LedgerEntryKind | None, Query()] = None,
    created_from: From = None,
    created_before: Before = None,
) -> ProviderLedgerPage:
    """List the movements of a provider's balance, the newest first."""
    wanted = LedgerFilter(kind, created_from, created_before)
    found, currency = read_provider_ledger(database, provider_id, wanted, page.before_seq, page.limit)
    items = [_entry(each) for each in found.items]
    return ProviderLedgerPage(items=items, next_cursor=cursor_before(found.next_after), currency=currency)


@router.get("/providers/{provider_id}/statement", responses=refuses("provider_unknown"))
def show_statement_of_provider(
    provider_id: ProviderId,
    reader: Annotated[Principal, needs(Permission.MONEY_READ, REPORTS_OF_CALLER)],
    database: MarketplaceDatabase,
    created_from: NeededFrom,
    created_before: NeededBefore,
) -> ProviderStatement:
    """Add up the movements of a provider's balance in a span of time, by their kind."""
    found = read_provider_statement(database, provider_id, created_from, created_before)
    return ProviderStatement(
        provider_id=provider_id,
        currency=found.currency,
        opening_balance_cents=found.statement.opening_balance_cents,
        closing_balance_cents=found.statement.closing_balance_cents,
        totals=[TotalOfKind.model_validate(each) for each in found.statement.totals],
    )


@router.get("/statement")
def show_statement_of_marketplace(
    reader: Annotated[Principal, needs(Permission.MONEY_READ, REPORTS_OF_CALLER)],
    database: MarketplaceDatabase,
    created_from: NeededFrom,
    created_before: NeededBefore,
) -> StatementOfMarketplace:
    """Add up the movements of all balances in a span of time, by their kind, beside what is held now."""
    found = read_marketplace_statement(database, created_from, created_before)
    return StatementOfMarketplace.model_validate(found)


@router.get("/assignments")
def list_assignments(
    reader: Reader,
    database: MarketplaceDatabase,
    page: ByCursor,
    niche: Annotated[Slug | None, Query(description="By its slug.")] = None,
    provider_id: Annotated[Uuid | None, Query()] = None,
    level_id: Annotated[Uuid | None, Query()] = None,
    status: Literal["active", "accepted", "rejected", "refunded"] | None = None,
    assigned_from: From = None,
    assigned_before: Before = None,
) -> Page[AssignmentItem]:
    """List who received which lead for how much, the newest first. A page may have fewer items than its limit."""
    wanted = AssignmentFilter(niche, provider_id, level_id, status, assigned_from, assigned_before)
    found = database.read(lambda conn: assignment_page(conn, wanted, page.after, page.limit))
    items = [AssignmentItem.model_validate(each) for each in found.items]
    return Page(items=items, next_cursor=cursor_after(found.next_after))


def _entry(found: LedgerEntryInFull) -> ProviderLedgerEntry:
    whose = {"provider_id": found.provider_id, "provider_name": found.provider_name}
    return ProviderLedgerEntry.model_validate(asdict(found.entry) | whose | {"actor": found.actor, "memo": found.memo})
