"""A provider's webhook endpoint: where its leads are sent, with which secret, and how that goes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, ClassVar, Literal, TypeAlias

from fastapi import Path, Response
from pydantic import Field

from fairlead.api.access import OwnProvider, needs_own
from fairlead.api.bodies import Router
from fairlead.api.concurrency_limits import ConcurrencyLimit
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.idempotency import refuses_keys
from fairlead.api.openapi import refuses
from fairlead.api.resources import SecretBoxResource, ServerSettings
from fairlead.api.schemas.changes import Memo, said, unsaid
from fairlead.api.schemas.memos import LINE_PATTERN
from fairlead.api.schemas.pagination import ByCursor, Page, cursor_after
from fairlead.api.schemas.values import Line, RequestModel, ResponseModel, Uuid, pattern_with_message
from fairlead.core.permissions import Permission
from fairlead.delivery.outcome import Sent
from fairlead.delivery.webhook_body import MAX_FIELD_NAME_CHARACTERS, MAX_MAPPED_FIELDS, SOURCES
from fairlead.delivery.webhook_url import MAX_URL_CHARACTERS
from fairlead.flows.access.read_limits import TRIALS_OF_PROVIDER
from fairlead.flows.notifications.endpoint_changes import EndpointChange
from fairlead.flows.notifications.endpoint_reading import (
    SeenEndpoint,
    deliveries_to,
    endpoints_of,
    read_webhook_endpoint,
)
from fairlead.flows.notifications.endpoint_secrets import retire_previous_secret, rotate_webhook_secret
from fairlead.flows.notifications.endpoint_trial import TRIAL_TIMEOUT_SECONDS, try_webhook_endpoint
from fairlead.flows.notifications.endpoints import (
    EndpointAddress,
    change_webhook_endpoint,
    create_webhook_endpoint,
    pause_webhook_endpoint,
    remove_webhook_endpoint,
    resume_webhook_endpoint,
)

router = Router(prefix="/api/v1/provider/webhook-endpoints", tags=["provider: webhooks"])

Reader = Annotated[OwnProvider, needs_own(Permission.OWN_READ)]
Writer = Annotated[OwnProvider, needs_own(Permission.OWN_WRITE)]
Tester = Annotated[OwnProvider, needs_own(Permission.OWN_WRITE, TRIALS_OF_PROVIDER)]
EndpointId = Annotated[Uuid, Path()]

Url: TypeAlias = Annotated[
    Line, Field(min_length=1, max_length=MAX_URL_CHARACTERS, examples=["https://crm.example.com/leads"])
]
FieldMapping: TypeAlias = Annotated[
    Mapping[
        Annotated[str, Field(min_length=1, max_length=MAX_FIELD_NAME_CHARACTERS, pattern=LINE_PATTERN)],
        Annotated[
            str,
            Field(
                pattern=pattern_with_message(
                    rf"^({'|'.join(SOURCES)}|attributes\.[A-Za-z_][A-Za-z0-9_.-]{{0,63}})$",
                    f"Input should be attributes. and the key of a field, or one of {', '.join(SOURCES)}",
                )
            ),
        ],
    ],
    Field(min_length=1, max_length=MAX_MAPPED_FIELDS, examples=[{"mail": "contact_email", "cpu": "attributes.cores"}]),
]
"""Names in the body by names of ours; null: everything, by our names."""

TRIALS = ConcurrencyLimit(3)
"""At most so many threads of a process wait for receivers at once; the others answer other requests."""


class NewOwnEndpoint(RequestModel):
    """Where leads are sent, and by which names."""

    url: Url
    field_mapping: FieldMapping | None = None


class OwnEndpointPatch(RequestModel):
    """What is to be different. What is not sent stays; a mapping of null: everything, by our names."""

    url: Url = unsaid()
    field_mapping: FieldMapping | None = unsaid()


class OwnEndpointReason(RequestModel):
    """Why, for the audit log."""

    reason: Memo


class OwnEndpoint(ResponseModel):
    """The provider's webhook endpoint and how it fares."""

    endpoint_id: Uuid
    url: str = Field(examples=["https://crm.example.com/leads"])
    field_mapping: dict[str, str] | None = Field(examples=[{"mail": "contact_email"}])
    state: Literal["active", "paused", "disabled"] = Field(description="Disabled: the receiver answered HTTP 410.")
    state_reason: str | None = Field(examples=["3 deliveries failed in a row, the last with: HTTP 503"])
    failure_count: int = Field(description="Since the last delivery that arrived.", examples=[0])
    failing_since: datetime | None
    waiting_count: int = Field(description="How many deliveries wait for it.", examples=[0])
    is_rotating: bool = Field(description="Whether deliveries are signed with the secret before, too.")
    created_at: datetime


class OwnEndpoints(ResponseModel):
    """One at the most."""

    items: list[OwnEndpoint]


class OwnEndpointSecret(ResponseModel):
    """The secret that deliveries are signed with (Standard Webhooks). Shown now, and to a repetition of the request."""

    holds_secret: ClassVar[bool] = True

    endpoint_id: Uuid
    secret: str = Field(examples=["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="])


class OwnEndpointChanged(ResponseModel):
    """The endpoint's state after a verb. `took_effect`: it was otherwise before."""

    endpoint_id: Uuid
    state: Literal["active", "paused", "disabled"]
    took_effect: bool


class OwnTestDelivery(ResponseModel):
    """What came of a test delivery."""

    is_delivered: bool
    answer: str = Field(description="What the receiver said, or why it was not reached.", examples=["HTTP 204"])


class OwnDelivery(ResponseModel):
    """Something that was, or is to be, sent to the endpoint, and how far it has come."""

    notification_id: Uuid
    kind: str = Field(examples=["lead_assigned"])
    state: Literal["queued", "sent", "failed", "skipped"]
    is_held: bool = Field(description="It waits for the endpoint to be active.")
    assignment_id: Uuid | None
    attempts: int
    created_at: datetime
    last_attempt_at: datetime | None
    sent_at: datetime | None
    last_answer: str | None = Field(examples=["HTTP 503"])


@router.get("")
def list_own_endpoints(caller: Reader) -> OwnEndpoints:
    """List the provider's webhook endpoints."""
    found = endpoints_of(caller.database, caller.provider_id)
    return OwnEndpoints(items=[OwnEndpoint.model_validate(each.endpoint) for each in found])


@router.post(
    "", status_code=201, responses=refuses("webhook_endpoint_exists", "provider_unknown", "encryption_keys_missing")
)
def create_own_endpoint(
    asked: NewOwnEndpoint, caller: Writer, box: SecretBoxResource, settings: ServerSettings, response: Response
) -> OwnEndpointSecret:
    """Have leads sent to a system of the provider's from now on. The answer alone has the secret."""
    done = create_webhook_endpoint(
        caller.database,
        box,
        caller.provider_id,
        asked.url,
        asked.field_mapping,
        caller.actor,
        allow_private=settings.webhook_allow_private,
    )
    response.headers["Location"] = f"{router.prefix}/{done.endpoint_id}"
    return _secret(done)


@router.get("/{endpoint_id}", responses=refuses("webhook_endpoint_unknown"))
def show_own_endpoint(endpoint_id: EndpointId, caller: Reader, response: Response) -> OwnEndpoint:
    """Show the endpoint, with the ETag that a change has to name."""
    return _shown(read_webhook_endpoint(caller.database, endpoint_id, of_provider_id=caller.provider_id), response)


@router.patch("/{endpoint_id}", responses=refuses("webhook_endpoint_unknown"))
def change_own_endpoint(
    endpoint_id: EndpointId,
    asked: OwnEndpointPatch,
    expected: ExpectedVersion,
    caller: Writer,
    settings: ServerSettings,
    response: Response,
) -> OwnEndpoint:
    """Change where leads are sent, or by which names. One that its receiver had disabled is active at another URL."""
    change_webhook_endpoint(
        caller.database,
        endpoint_id,
        EndpointAddress(**said(asked)),
        caller.actor,
        of_provider_id=caller.provider_id,
        allow_private=settings.webhook_allow_private,
        expected_version=expected,
    )
    return _shown(read_webhook_endpoint(caller.database, endpoint_id, of_provider_id=caller.provider_id), response)


@router.delete(
    "/{endpoint_id}", status_code=204, response_class=Response, responses=refuses("webhook_endpoint_unknown")
)
def remove_own_endpoint(endpoint_id: EndpointId, expected: ExpectedVersion, caller: Writer) -> None:
    """Remove the endpoint: nothing is sent there any more, and what waited for it is given up."""
    remove_webhook_endpoint(
        caller.database, endpoint_id, caller.actor, of_provider_id=caller.provider_id, expected_version=expected
    )


@router.post("/{endpoint_id}/pause", responses=refuses("webhook_endpoint_unknown"))
def pause_own_endpoint(endpoint_id: EndpointId, asked: OwnEndpointReason, caller: Writer) -> OwnEndpointChanged:
    """Hold back what is to be sent, until the endpoint is resumed. Doing so twice is no mistake."""
    done = pause_webhook_endpoint(
        caller.database, endpoint_id, asked.reason, caller.actor, of_provider_id=caller.provider_id
    )
    return OwnEndpointChanged.model_validate(done)


@router.post("/{endpoint_id}/resume", responses=refuses("webhook_endpoint_unknown"))
def resume_own_endpoint(endpoint_id: EndpointId, asked: OwnEndpointReason, caller: Writer) -> OwnEndpointChanged:
    """Have everything sent that was held back. Also after failures had paused the endpoint, or HTTP 410 disabled it."""
    done = resume_webhook_endpoint(
        caller.database, endpoint_id, asked.reason, caller.actor, of_provider_id=caller.provider_id
    )
    return OwnEndpointChanged.model_validate(done)


@router.post(
    "/{endpoint_id}/rotate-secret",
    responses=refuses("webhook_endpoint_unknown", "webhook_rotation_under_way", "encryption_keys_missing"),
)
def rotate_own_secret(endpoint_id: EndpointId, caller: Writer, box: SecretBoxResource) -> OwnEndpointSecret:
    """Make a new secret. Deliveries are signed with both until the one before is retired."""
    done = rotate_webhook_secret(caller.database, box, endpoint_id, caller.actor, of_provider_id=caller.provider_id)
    return _secret(done)


@router.post("/{endpoint_id}/retire-secret", responses=refuses("webhook_endpoint_unknown"))
def retire_own_secret(endpoint_id: EndpointId, caller: Writer) -> OwnEndpointChanged:
    """End an exchange of secrets: deliveries are signed with the newest one alone. Doing so twice is no mistake."""
    done = retire_previous_secret(caller.database, endpoint_id, caller.actor, of_provider_id=caller.provider_id)
    return OwnEndpointChanged.model_validate(done)


@router.post(
    "/{endpoint_id}/test",
    dependencies=[refuses_keys("each test sends a delivery")],
    responses=refuses("webhook_endpoint_unknown", "encryption_keys_missing"),
)
def try_own_endpoint(
    endpoint_id: EndpointId, caller: Tester, box: SecretBoxResource, settings: ServerSettings
) -> OwnTestDelivery:
    """Send a test delivery, of no lead and no person, now, and tell what the receiver said within five seconds.

    It counts as no delivery. One at a time.
    """
    with TRIALS.slot(caller.provider_id):
        outcome = try_webhook_endpoint(
            caller.database,
            box,
            endpoint_id,
            settings,
            of_provider_id=caller.provider_id,
            timeout_seconds=min(settings.webhook_timeout_seconds, TRIAL_TIMEOUT_SECONDS),
        )
    return OwnTestDelivery(is_delivered=isinstance(outcome, Sent), answer=outcome.answer)


@router.get("/{endpoint_id}/deliveries", responses=refuses("webhook_endpoint_unknown"))
def list_own_deliveries(endpoint_id: EndpointId, page: ByCursor, caller: Reader) -> Page[OwnDelivery]:
    """List what was, or is to be, sent to the endpoint, the newest first."""
    found = deliveries_to(caller.database, endpoint_id, page.after, page.limit, of_provider_id=caller.provider_id)
    items = [OwnDelivery.model_validate(each) for each in found.items]
    return Page(items=items, next_cursor=cursor_after(found.next_after))


def _secret(done: EndpointChange) -> OwnEndpointSecret:
    assert done.secret is not None, "a secret that was made is shown"
    return OwnEndpointSecret(endpoint_id=done.endpoint_id, secret=done.secret)


def _shown(seen: SeenEndpoint, response: Response) -> OwnEndpoint:
    show_version(response, seen.version)
    return OwnEndpoint.model_validate(seen.endpoint)
