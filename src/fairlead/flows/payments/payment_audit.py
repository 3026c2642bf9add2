"""What the audit log has to say of payments that gateways collect."""

from fairlead.store.audit.log import Actor, AuditEvent
from fairlead.store.money.payment_doubts import NewDoubt
from fairlead.store.money.payment_requests import NewPaymentRequest, PaymentRequest, State

REQUEST = "payment_request"
DOUBT = "payment_doubt"


def gateway_actor(gateway: str) -> Actor:
    """The gateway as the one who did something."""
    return Actor(f"gateway:{gateway}", "system")


def requested_event(request: NewPaymentRequest, actor: Actor) -> AuditEvent:
    """A payment was asked for."""
    asked = {
        "provider_id": request.provider_id,
        "gateway": request.gateway,
        "amount_cents": request.amount_cents,
        "currency": request.currency,
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
