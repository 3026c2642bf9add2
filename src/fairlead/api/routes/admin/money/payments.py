"""Payments of all providers: what gateways collected, what was paid elsewhere, and what is in doubt."""

from datetime import datetime
from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.idempotency import AcceptIdempotencyKey, RequireIdempotencyKey
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.memos import RefundMemo
from fairlead.api.schemas.pagination import ByCursor, Page
from fairlead.api.schemas.payments import PaymentDoubt, PaymentItem, PaymentState, ResolvedPaymentDoubt
from fairlead.api.schemas.values import Cents, RequestModel, ResponseModel, Uuid
from fairlead.core.entry.types import Line
from fairlead.core.money.payments import MadeElsewhere
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.money.deposit import deposit
from fairlead.flows.payments.doubts import ResolvedDoubt, can_be_credited, close_doubt, credit_doubt
from fairlead.store.money import payment_doubts
from fairlead.store.money.payment_requests import PaymentFilter, payments_page

router = Router(prefix="/api/v1/admin", tags=["money"])

Reader = Annotated[Principal, needs(Permission.MONEY_READ)]
Treasurer = Annotated[Principal, needs(Permission.MONEY_WRITE)]
Recorder = Annotated[Principal, needs(Permission.PAYMENTS_RECORD)]
DoubtId = Annotated[Uuid, Path(description="The id of the payment in doubt.")]


class RecordedDeposit(RequestModel):
    """A deposit that was made elsewhere."""

    provider_id: Uuid = Field(description="Whose balance it goes to.")
    amount_cents: Cents = Field(examples=[5000])
    made_by: MadeElsewhere = Field(
        description="Where it was made; an external id belongs to one of these.", examples=["bank_transfer"]
    )
    external_id: Annotated[str, Line(200)] = Field(
        description="What names this deposit there, once: it is credited once for it.", examples=["2026-11-03/0042"]
    )


class DepositRecorded(ResponseModel):
    """A deposit on the balance, its place in the provider's ledger, and the balance that it led to."""

    payment_id: Uuid = Field(description="The payment, as the ledger names it.")
    provider_id: Uuid
    amount_cents: int = Field(examples=[5000])
    ledger_seq: int = Field(examples=[3])
    balance_after_cents: int = Field(examples=[6500])
    was_recorded: bool = Field(description="Whether it had been recorded before, so that nothing was changed now.")


class DoubtToCredit(RequestModel):
    """Whose balance what came goes to, and why."""

    provider_id: Uuid | None = Field(default=None, description="Null: of the provider whose payment it was.")
    memo: RefundMemo = Field(description="Why, in one line that is kept for good.")


class DoubtToClose(RequestModel):
    """Why nothing is to be done."""

    memo: RefundMemo = Field(description="Why, in one line that is kept for good.")


@router.get("/payments")
def list_payments(
    page: ByCursor,
    _: Reader,
    database: MarketplaceDatabase,
    provider_id: Annotated[Uuid | None, Query(description="Only of this provider.")] = None,
    state: Annotated[PaymentState | None, Query(description="Only in this state.")] = None,
) -> Page[PaymentItem]:
    """List the payments of all providers, the newest first."""
    wanted = PaymentFilter(provider_id, state)
    found = database.read(lambda conn: payments_page(conn, wanted, page.after, page.probe))
    items, next_cursor = page.cut(found, lambda each: (each.created_at, each.item_id))
    return Page(items=[PaymentItem.model_validate(each) for each in items], next_cursor=next_cursor)


@router.post(
    "/deposits",
    status_code=201,
    responses=refuses("provider_unknown", "deposit_conflict", "balance_too_large"),
)
def record_deposit(
    asked: RecordedDeposit,
    recorder: Recorder,
    database: MarketplaceDatabase,
    idempotency: AcceptIdempotencyKey,
    response: Response,
) -> DepositRecorded:
    """Record a deposit that was made elsewhere: it is on the balance, once per external id, and subscriptions follow.

    The same again changes nothing and answers 200; the same external id with another amount or provider is refused.
    """
    done = deposit(
        database,
        asked.provider_id,
        asked.amount_cents,
        asked.made_by,
        asked.external_id,
        recorder.actor,
        idempotency.key_of(recorder, asked),
    )
    response.status_code = 200 if done.was_recorded else 201
    return DepositRecorded.model_validate(done)


@router.get("/payment-doubts")
def list_payment_doubts(page: ByCursor, _: Reader, database: MarketplaceDatabase) -> Page[PaymentDoubt]:
    """List the payments in doubt that wait for an operator, the oldest first."""
    found = database.read(lambda conn: payment_doubts.open_doubts(conn, page.after, page.probe))
    items, next_cursor = page.cut(found, _position)
    return Page(items=[_shown(each) for each in items], next_cursor=next_cursor)


_RESOLVED = ("payment_doubt_unknown", "payment_doubt_resolved")


@router.post(
    "/payment-doubts/{doubt_id}/credit",
    responses=refuses(
        *_RESOLVED, "payment_not_creditable", "provider_unknown", "balance_too_large", "deposit_conflict"
    ),
)
def credit_payment_doubt(
    doubt_id: DoubtId,
    asked: DoubtToCredit,
    treasurer: Treasurer,
    database: MarketplaceDatabase,
    idempotency: RequireIdempotencyKey,
) -> ResolvedPaymentDoubt:
    """Credit what came, as the gateway says, to a provider: once, as a payment of its own."""
    done = credit_doubt(
        database,
        doubt_id,
        asked.memo,
        treasurer.actor,
        provider_id=asked.provider_id,
        idempotency_key=idempotency.key_of(treasurer, asked),
    )
    return _resolved(done)


@router.post("/payment-doubts/{doubt_id}/close", responses=refuses(*_RESOLVED))
def close_payment_doubt(
    doubt_id: DoubtId,
    asked: DoubtToClose,
    treasurer: Treasurer,
    database: MarketplaceDatabase,
    idempotency: RequireIdempotencyKey,
) -> ResolvedPaymentDoubt:
    """Close a payment in doubt: no money moves. What was in review because of it has failed."""
    done = close_doubt(
        database, doubt_id, asked.memo, treasurer.actor, idempotency_key=idempotency.key_of(treasurer, asked)
    )
    return _resolved(done)


def _position(doubt: payment_doubts.PaymentDoubt) -> tuple[datetime, str]:
    return doubt.noticed_at, doubt.doubt_id


def _shown(doubt: payment_doubts.PaymentDoubt) -> PaymentDoubt:
    values = {name: getattr(doubt, name) for name in PaymentDoubt.model_fields if name != "can_be_credited"}
    return PaymentDoubt.model_validate({**values, "can_be_credited": can_be_credited(doubt)})


def _resolved(done: ResolvedDoubt) -> ResolvedPaymentDoubt:
    return ResolvedPaymentDoubt.model_validate(done)
