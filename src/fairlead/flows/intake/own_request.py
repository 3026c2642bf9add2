"""What a consumer does with its own request, by the link in its messages: see how far it has come, withdraw it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from fairlead.core.errors import Refused
from fairlead.flows.access.principal import Client
from fairlead.flows.access.throttle import TOKEN_OF_ADDRESS, give_back, network_of, take
from fairlead.flows.access.tokens import hash_of, new_token, token_from
from fairlead.flows.idempotency import IdempotencyKey, run_idempotent
from fairlead.flows.notifications.message import Links, OneTimeLink
from fairlead.flows.reject_lead import reject_locked
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.consumer_links import (
    OwnRequest,
    RecipientCompany,
    assignments_to_tell,
    count_consumer_links,
    insert_consumer_link,
    lead_of_link,
    lead_of_notice,
    own_request,
    recipients_of_lead,
)
from fairlead.store.leads.review import lock_rejectable
from fairlead.store.leads.rows import clock, lock_lead
from fairlead.store.leads.state import set_withdrawn
from fairlead.store.notifications.outbox import Notification, notify
from fairlead.store.notifications.rows import ClaimedNotification
from fairlead.store.notifications.webhook_endpoints import ask_for_endpoints

LINK_LASTS = timedelta(days=365)
MOST_LINKS = 30
"""So many links a lead has at most by messages: each attempt to send one brings a new one."""

IS_CHECKED_FOR = timedelta(days=14)
"""Whatever becomes of it, a request that has not been passed on is said to be checked for so long."""

WITHDRAWN = "withdrawn by the consumer"

RequestState = Literal[
    "waiting_for_confirmation", "not_confirmed", "being_checked", "not_passed_on", "passed_on", "withdrawn"
]


@dataclass(frozen=True, slots=True)
class ShownRequest:
    """A request as its consumer may know it, and who has it.

    Why one was not passed on is not told, and neither when that was decided: a request that repeats another is rejected
    as soon as it is confirmed, and who typed a stranger's telephone number could learn from it what the stranger asked
    for. `may_withdraw` says whether it is not withdrawn yet.
    """

    state: RequestState
    niche_name: str
    sent_at: datetime
    confirmed_at: datetime | None
    withdrawn_at: datetime | None
    may_withdraw: bool
    recipients: tuple[RecipientCompany, ...]


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A request that is withdrawn, `was_already` before. With `was_passed_on` its recipients have it, and are told."""

    was_already: bool
    was_passed_on: bool


def show_request(database: Database, token: str, client: Client) -> ShownRequest:
    """How far the request has come that the link leads to. What is no link is counted as an attempt. Locks nothing.

    Raises `Throttled`, and `Refused`: `token_refused`.
    """
    lead_id = _lead_of(database, token, client)

    def work(conn: Connection) -> ShownRequest:
        now, found = clock(conn), own_request(conn, lead_id)
        assert found is not None, "links are of leads from outside"
        return _shown(found, tuple(recipients_of_lead(conn, lead_id)), now)

    return database.read(work)


def withdraw_request(
    database: Database, token: str, client: Client, idempotency_key: IdempotencyKey | None = None
) -> Withdrawn:
    """The consumer has withdrawn the request that the link leads to; doing so again changes nothing.

    One that is not sold is rejected with that reason, as an operator rejects, and is never distributed. What is sold
    stays sold: its recipients are told, in the same transaction. Locks the lead, so that of a withdrawal and a
    distribution or an approval at once each finds what the other did. Audited.

    Raises `Throttled`, and `Refused`: `token_refused`, `idempotency_key_reused`.
    """
    lead_id = _lead_of(database, token, client)
    consumer = Actor("consumer", "system", client.request_id)
    return database.run(
        lambda conn: run_idempotent(conn, idempotency_key, Withdrawn, lambda: _withdraw(conn, lead_id, consumer))
    )


def request_token(confirmation_token: str) -> str:
    """The link to the lead for who has confirmed it by this one: the same each time, so that no answer is kept."""
    return token_from(confirmation_token, "consumer link")


def keep_request_token(conn: Connection, lead_id: str, confirmation_token: str, now: datetime) -> None:
    """`request_token` of a link that has confirmed the lead is a link to it from now on, if it was not before."""
    insert_consumer_link(conn, hash_of(request_token(confirmation_token)), lead_id, now, now + LINK_LASTS)


def link_to_request(conn: Connection, lead_id: str, public_url: str, now: datetime) -> str | None:
    """The address of a new link to the lead, for a message; None where it has many already."""
    token = _new_token(conn, lead_id, now)
    # Behind the `#`, so that no browser sends it along and no server logs it.
    return None if token is None else f"{public_url.rstrip('/')}/my-request#{token}"


def links_when_confirmed(
    conn: Connection, claimed: ClaimedNotification, public_url: str | None, now: datetime
) -> Links | str:
    """What the message links to that tells of the confirmation; or why there is none, and it will not be sent."""
    lead = lead_of_notice(conn, claimed.notification_id)
    assert lead is not None, "it was queued with its lead"
    lead_id, has_address = lead
    if public_url is None:
        return "no address of the site is set (FAIRLEAD_PUBLIC_URL)"
    if not has_address:
        return "the lead was erased"
    url = link_to_request(conn, lead_id, public_url, now)
    return "the lead has too many links" if url is None else Links(one_time=OneTimeLink(url, now + LINK_LASTS))


def _new_token(conn: Connection, lead_id: str, now: datetime) -> str | None:
    if count_consumer_links(conn, lead_id) >= MOST_LINKS:
        return None
    token = new_token()
    insert_consumer_link(conn, hash_of(token), lead_id, now, now + LINK_LASTS)
    return token


def find_lead_of_link(database: Database, token: str, client: Client) -> str | None:
    """Whose link it is, None where it is none, which is counted as an attempt. Raises `Throttled`."""

    def work(conn: Connection) -> str | None:
        take(conn, TOKEN_OF_ADDRESS, network_of(client.ip))
        found = lead_of_link(conn, hash_of(token), clock(conn))
        if found is not None:
            give_back(conn, TOKEN_OF_ADDRESS, network_of(client.ip))
        return found

    return database.run(work)


def _lead_of(database: Database, token: str, client: Client) -> str:
    lead_id = find_lead_of_link(database, token, client)
    if lead_id is None:
        raise Refused("token_refused", "the link has expired, or it never was a link")
    return lead_id


def _shown(found: OwnRequest, recipients: tuple[RecipientCompany, ...], now: datetime) -> ShownRequest:
    state = _state(found, now, is_passed_on=bool(recipients))
    return ShownRequest(
        state,
        found.niche_name,
        found.created_at,
        found.confirmed_at,
        found.withdrawn_at,
        found.withdrawn_at is None and state != "not_confirmed",
        recipients,
    )


def _state(found: OwnRequest, now: datetime, *, is_passed_on: bool) -> RequestState:
    if is_passed_on:
        return "passed_on"
    if found.withdrawn_at is not None:
        return "withdrawn"
    if found.confirmed_at is None:
        return "waiting_for_confirmation" if found.status == "pending_confirmation" else "not_confirmed"
    return "being_checked" if now < found.confirmed_at + IS_CHECKED_FOR else "not_passed_on"


def _withdraw(conn: Connection, lead_id: str, consumer: Actor) -> Withdrawn:
    locked = lock_lead(conn, lead_id)
    # A statement of its own: it sees what was committed while the lock was waited for.
    found = own_request(conn, lead_id)
    assert locked is not None and found is not None, "leads are never deleted"  # noqa: PT018
    bought = assignments_to_tell(conn, lead_id)
    if found.withdrawn_at is not None:
        return Withdrawn(was_already=True, was_passed_on=bool(bought))
    now = clock(conn)
    unsold = lock_rejectable(conn, [lead_id])
    events = reject_locked(conn, unsold, WITHDRAWN, consumer, now) if unsold else []
    set_withdrawn(conn, lead_id, now)
    notify(conn, list(_notices(conn, bought, consumer.request_id)), now)
    new = {"recipients": len(bought)}
    append_audit(conn, [*events, AuditEvent(consumer, "lead.withdrawn", "lead", lead_id, new=new)], now)
    return Withdrawn(was_already=False, was_passed_on=bool(bought))


def _notices(conn: Connection, bought: Sequence[tuple[str, str]], request_id: str | None) -> Iterator[Notification]:
    """Each recipient is told by email, and by webhook where it has an endpoint."""
    endpoints = dict(ask_for_endpoints(conn, [provider_id for _, provider_id in bought])) if bought else {}
    for assignment_id, provider_id in bought:
        told = Notification(
            "lead_withdrawn", provider_id=provider_id, assignment_id=assignment_id, correlation_id=request_id
        )
        yield told
        if (endpoint_id := endpoints.get(provider_id)) is not None:
            yield told._replace(channel="webhook", webhook_endpoint_id=endpoint_id)
