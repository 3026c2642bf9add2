"""Resolving payments in doubt: an operator credits what came, or says why nothing is to be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fairlead.core.errors import Refused
from fairlead.core.money.payments import CREDITABLE, DoubtKind
from fairlead.flows.idempotency import IdempotencyKey, run_idempotent
from fairlead.flows.memos import checked_memo
from fairlead.flows.money.deposit import credit_deposit, record_deposit
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.flows.payments.payment_audit import DOUBT, settled_event
from fairlead.flows.payments.top_up_results import charge_is_over
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.rows import hold_currency
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id
from fairlead.store.money.payment_doubts import PaymentDoubt, Resolution, lock_doubt, resolve_doubt
from fairlead.store.money.payment_requests import lock_request, settle_request


@dataclass(frozen=True, slots=True)
class ResolvedDoubt:
    """A doubt that an operator resolved just now; `payment_id` is what was credited, None where nothing was."""

    doubt_id: str
    resolution: Resolution
    resolved_at: datetime
    payment_id: str | None = None
    provider_id: str | None = None
    balance_after_cents: int | None = None


def can_be_credited(doubt: PaymentDoubt) -> bool:
    """Whether it is about money that came and is on no balance, and names amount and charge."""
    is_of_money = doubt.amount_cents is not None and doubt.charge_reference is not None
    return DoubtKind(doubt.kind) in CREDITABLE and is_of_money and doubt.payment_id is None


def credit_doubt(
    database: Database,
    doubt_id: str,
    memo: str,
    actor: Actor,
    *,
    provider_id: str | None = None,
    idempotency_key: IdempotencyKey | None = None,
) -> ResolvedDoubt:
    """What came is on the balance of the provider (None: of whose payment it is), once, and the doubt is resolved.

    A request that was in review because of it has failed: what came is a payment of its own. One transaction, audited;
    locks the doubt, the request, then what `deposit` locks. Raises `BadInput`, and `Refused`: `payment_doubt_unknown`,
    `payment_doubt_resolved`, `payment_not_creditable`, `provider_unknown`, `balance_too_large`, `deposit_conflict`.
    """
    checked, memo = checked_id(doubt_id, "payment in doubt", is_spelt_out=True), checked_memo(memo)
    given = None if provider_id is None else checked_id(provider_id, "provider")

    def work(conn: Connection, also: Sequence[str]) -> ResolvedDoubt:
        currency = hold_currency(conn)
        doubt = _open_doubt(conn, checked)
        to = given or doubt.provider_id
        is_ours = doubt.currency == currency and to is not None
        if not can_be_credited(doubt) or not is_ours or doubt.amount_cents is None or doubt.charge_reference is None:
            raise Refused("payment_not_creditable", "name its provider; or it is about no money in this currency")
        assert to is not None, "just asked"
        events = list[AuditEvent]()
        request = None if doubt.request_id is None else lock_request(conn, doubt.request_id)
        credited = credit_deposit(conn, also, to, doubt.amount_cents, doubt.gateway, doubt.charge_reference, actor)
        if request is not None and request.state == "in_review":
            settle_request(conn, request.request_id, "failed", doubt.kind, None, credited.at)
            events.append(settled_event(request, "failed", doubt.kind, None, actor))
            charge_is_over(conn, request, credited.at, credited.deposited if to == request.provider_id else None)
        resolve_doubt(conn, checked, "credited", actor.name, memo, credited.at)
        payment_id = credited.deposited.payment_id
        events.append(_resolved_event(doubt, "credited", actor, memo, payment_id))
        record_deposit(conn, credited, actor, *events)
        return ResolvedDoubt(checked, "credited", credited.at, payment_id, to, credited.deposited.balance_after_cents)

    return with_niche_locks(
        database, lambda conn, also: run_idempotent(conn, idempotency_key, ResolvedDoubt, lambda: work(conn, also))
    )


def close_doubt(
    database: Database, doubt_id: str, memo: str, actor: Actor, *, idempotency_key: IdempotencyKey | None = None
) -> ResolvedDoubt:
    """The doubt is resolved, and no money moves; a request that was in review because of it has failed.

    One transaction, audited; locks the doubt, then the request. Raises `BadInput`, and `Refused`:
    `payment_doubt_unknown`, `payment_doubt_resolved`.
    """
    checked, memo = checked_id(doubt_id, "payment in doubt", is_spelt_out=True), checked_memo(memo)

    def work(conn: Connection) -> ResolvedDoubt:
        doubt = _open_doubt(conn, checked)
        request = None if doubt.request_id is None else lock_request(conn, doubt.request_id)
        now, events = clock(conn), list[AuditEvent]()
        is_over = request is not None and (request.state == "in_review" or doubt.kind == DoubtKind.NO_ANSWER)
        if request is not None and is_over and request.state in ("pending", "in_review"):
            settle_request(conn, request.request_id, "failed", doubt.kind, None, now)
            events.append(settled_event(request, "failed", doubt.kind, None, actor))
            charge_is_over(conn, request, now, credited=None)
        resolve_doubt(conn, checked, "closed", actor.name, memo, now)
        events.append(_resolved_event(doubt, "closed", actor, memo, None))
        append_audit(conn, events, now)
        return ResolvedDoubt(checked, "closed", now)

    return database.run(lambda conn: run_idempotent(conn, idempotency_key, ResolvedDoubt, lambda: work(conn)))


def _open_doubt(conn: Connection, doubt_id: str) -> PaymentDoubt:
    doubt = lock_doubt(conn, doubt_id)
    if doubt is None:
        raise Refused("payment_doubt_unknown", f"there is no payment in doubt {doubt_id}")
    if doubt.resolved_at is not None:
        raise Refused("payment_doubt_resolved", "the payment in doubt was resolved already")
    return doubt


def _resolved_event(
    doubt: PaymentDoubt, resolution: Resolution, actor: Actor, memo: str, payment_id: str | None
) -> AuditEvent:
    return AuditEvent(
        actor,
        "payment_doubt.resolved",
        DOUBT,
        doubt.doubt_id,
        new={"resolution": resolution, "payment_id": payment_id},
        memo=memo,
    )
