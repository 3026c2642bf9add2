"""What becomes of an auto top-up once its charge is settled, in the transaction that settles it.

Needs the lock of the payment request; locks the provider, if it is not locked yet. Nothing here appends to the audit
log: what there is to say is handed back, since that lock comes last.
"""

from dataclasses import replace
from datetime import datetime

from fairlead.core.canonical import timestamp_text
from fairlead.core.money.top_ups import Advice, retried_after
from fairlead.flows.money.deposit import Deposited
from fairlead.flows.payments.payment_audit import gateway_actor, top_up_event
from fairlead.store.audit.log import AuditEvent
from fairlead.store.configuration.rows import lock_providers
from fairlead.store.connection import Connection
from fairlead.store.money.auto_top_ups import auto_top_up, write_auto_top_up
from fairlead.store.money.payment_requests import PaymentRequest
from fairlead.store.notifications.outbox import Notification, notify


def charge_is_over(conn: Connection, request: PaymentRequest, now: datetime, credited: Deposited | None) -> None:
    """The auto top-up of which the request was is due again where the balance is low all the same.

    What was credited (None: nothing was) its provider is told, and its refusals count anew. Of a payment that a
    provider made itself nothing follows.
    """
    if not request.is_automatic:
        return
    if credited is not None:
        detail = {"amount_cents": credited.amount_cents, "payment_id": credited.payment_id}
        notify(conn, [Notification("balance_topped_up", provider_id=credited.provider_id, detail=detail)], now)
    provider = lock_providers(conn, [request.provider_id])[request.provider_id]
    row = auto_top_up(conn, request.provider_id)
    if row is None or not row.is_on:
        return
    is_low = provider.balance.balance_cents < row.threshold_cents
    refusals = row.refusal_count if credited is None else 0
    write_auto_top_up(conn, replace(row, refusal_count=refusals, due_at=now if is_low else None))


def charge_was_refused(
    conn: Connection, request: PaymentRequest, reason: str, advice: Advice | None, now: datetime
) -> list[AuditEvent]:
    """The auto top-up is tried again when `core.top_ups.retried_after` says, or is off; its provider is told which.

    Returns what the audit log has to say of it: nothing, unless it went off.
    """
    if not request.is_automatic:
        return []
    lock_providers(conn, [request.provider_id])
    row = auto_top_up(conn, request.provider_id)
    if row is None or not row.is_on:
        return []
    refusals = row.refusal_count + 1
    after = retried_after(refusals, reason, advice)
    if after is None:
        changed = replace(row, is_on=False, off_reason=reason, refusal_count=refusals, due_at=None)
    else:
        changed = replace(row, refusal_count=refusals, due_at=now + after)
    write_auto_top_up(conn, changed)
    tell_of_failure(conn, request.provider_id, row.amount_cents, reason, changed.due_at, now)
    return [] if changed.is_on else [top_up_event(row, changed, gateway_actor(request.gateway))]


def tell_of_failure(
    conn: Connection, provider_id: str, amount_cents: int, reason: str, tried_again_at: datetime | None, now: datetime
) -> None:
    """The provider will be told that it was not topped up, why, and when it is tried again (None: it is off)."""
    detail = {
        "amount_cents": amount_cents,
        "reason": reason,
        "tried_again_at": None if tried_again_at is None else timestamp_text(tried_again_at),
    }
    notify(conn, [Notification("auto_top_up_failed", provider_id=provider_id, detail=detail)], now)
