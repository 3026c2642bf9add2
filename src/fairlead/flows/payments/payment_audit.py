"""What the audit log has to say of payments that gateways collect."""

from fairlead.core.canonical import JsonObject, timestamp_text
from fairlead.store.audit.log import Actor, AuditEvent
from fairlead.store.money.auto_top_ups import AutoTopUp
from fairlead.store.money.payment_doubts import NewDoubt
from fairlead.store.money.payment_requests import NewPaymentRequest, PaymentRequest, State

REQUEST = "payment_request"
DOUBT = "payment_doubt"
TOP_UP = "auto_top_up"
METHOD = "payment_method"


def gateway_actor(gateway: str) -> Actor:
    """The gateway as the one who did something."""
    return Actor(f"gateway:{gateway}", "system")


def requested_event(request: NewPaymentRequest, actor: Actor) -> AuditEvent:
    """A payment was asked for."""
    asked: JsonObject = {
        "provider_id": request.provider_id,
        "gateway": request.gateway,
        "amount_cents": request.amount_cents,
        "currency": request.currency,
    }
    if request.to_method is not None:
        to = request.to_method
        asked |= {
            "method_reference": to.method_reference,
            "monthly_limit_cents": to.monthly_limit_cents,
            "charged_cents": to.charged_cents,
            "month_from": timestamp_text(to.month_from),
        }
    return AuditEvent(actor, "payment.requested", REQUEST, request.request_id, new=asked)


def settled_event(
    request: PaymentRequest,
    state: State,
    reason: str | None,
    payment_id: str | None,
    actor: Actor,
    memo: str | None = None,
) -> AuditEvent:
    """A payment that was asked for has come to this."""
    return AuditEvent(
        actor,
        "payment.settled",
        REQUEST,
        request.request_id,
        old={"state": request.state},
        new={"state": state, "reason": reason, "payment_id": payment_id},
        memo=memo,
    )


def doubted_event(doubt: NewDoubt, actor: Actor) -> AuditEvent:
    """A payment is in doubt."""
    noticed = {
        "kind": doubt.kind.value,
        "gateway": doubt.gateway,
        "subject": doubt.subject,
        "request_id": doubt.request_id,
        "charge_reference": doubt.charge_reference,
        "amount_cents": doubt.amount_cents,
        "currency": doubt.currency,
    }
    return AuditEvent(actor, "payment.doubted", DOUBT, doubt.doubt_id, new=noticed)


def top_up_document(row: AutoTopUp) -> JsonObject:
    """A provider's auto top-up as the audit log has it."""
    return {
        "threshold_cents": row.threshold_cents,
        "amount_cents": row.amount_cents,
        "monthly_limit_cents": row.monthly_limit_cents,
        "is_on": row.is_on,
        "off_reason": row.off_reason,
    }


def top_up_event(before: AutoTopUp | None, after: AutoTopUp, actor: Actor, memo: str | None = None) -> AuditEvent:
    """A provider's auto top-up was changed, by a person or by what the gateway said."""
    old = None if before is None else top_up_document(before)
    return AuditEvent(actor, "auto_top_up.changed", TOP_UP, after.provider_id, old, top_up_document(after), memo)


def method_event(action: str, setup_id: str, provider_id: str, gateway: str, actor: Actor) -> AuditEvent:
    """A payment method is being saved, was saved or forgotten. What it is called the gateway knows."""
    return AuditEvent(actor, action, METHOD, setup_id, new={"provider_id": provider_id, "gateway": gateway})
