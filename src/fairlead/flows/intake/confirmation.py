"""Confirming a public lead: the link that its consumer is sent, and what using it does."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.core.errors import Refused
from fairlead.flows.access.principal import Client
from fairlead.flows.access.throttle import TOKEN_OF_ADDRESS, give_back, network_of, take
from fairlead.flows.access.tokens import hash_of, new_token
from fairlead.flows.idempotency import IdempotencyKey, run_idempotent
from fairlead.flows.intake.duplicates import Compared, compare
from fairlead.flows.intake.own_request import keep_request_token, link_to_request
from fairlead.flows.intake.take_in import public_sender
from fairlead.flows.notifications.message import Links, OneTimeLink
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.confirmations import confirmation_token, insert_confirmation_token, lead_to_confirm
from fairlead.store.leads.intake import StoredContact, intake_niche, intake_of_lead, record_confirmation, stored_contact
from fairlead.store.leads.rows import clock, lock_lead
from fairlead.store.leads.state import set_rejected
from fairlead.store.notifications.outbox import Notification, notify
from fairlead.store.notifications.rows import ClaimedNotification


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A lead that its consumer has confirmed, `was_already` before this click.

    It says nothing of what became of the lead, which the consumer, or a person who typed another's telephone number,
    could learn from it that an operator alone should know.
    """

    lead_id: str
    was_already: bool


def confirm_lead(
    database: Database, token: str, client: Client, idempotency_key: IdempotencyKey | None = None
) -> Confirmed:
    """The lead is pending approval; clicked again, also by another of its links, nothing is changed.

    Only now is it held against others, as its niche's rule has it now: one that it refuses is rejected with that
    reason, one that it flags is flagged, and the answer is the same; its consumer is
    sent a link to it. Takes the lead's fingerprints in ascending order,
    then locks the lead. Audited. With a key, the same request has the same answer again.

    Raises `Throttled`, and `Refused`: `token_refused` for what is no link, a link whose time is over, and a lead that
    was rejected meanwhile.
    """
    token_hash = hash_of(token)
    lead_id = database.run(lambda conn: _lead_of(conn, token_hash, client))
    if lead_id is None:
        raise _refused()

    done = database.run(
        lambda conn: run_idempotent(conn, idempotency_key, Confirmed, lambda: _confirm(conn, lead_id, token, client))
    )
    # Afterwards, also for an answer that was given before: within, what is counted of a network would be waited for
    # with the lead's lock or the audit log's head in hand.
    database.run(lambda conn: give_back(conn, TOKEN_OF_ADDRESS, network_of(client.ip)))
    return done


def links_to_confirm(
    conn: Connection, claimed: ClaimedNotification, public_url: str | None, now: datetime
) -> Links | str:
    """A new link, good until the lead has to be confirmed, and one to the request; or why the message will not be sent.

    Every attempt to send has links of its own, and each of them is good.
    """
    lead = lead_to_confirm(conn, claimed.notification_id)
    assert lead is not None, "it was queued with its lead"
    if public_url is None:
        return "no address of the site is set (FAIRLEAD_PUBLIC_URL)"
    if lead.status != "pending_confirmation":
        return "the lead does not wait to be confirmed any more"
    if not lead.has_address:
        return "the lead was erased"
    if lead.confirm_by <= now:
        return "it was not sent in time: the lead cannot be confirmed any more"
    token = new_token()
    insert_confirmation_token(conn, hash_of(token), lead.lead_id, now, lead.confirm_by)
    # Behind the `#`, so that no browser sends it along and no server logs it.
    link = OneTimeLink(f"{public_url.rstrip('/')}/confirm-lead#{token}", lead.confirm_by)
    return Links(one_time=link, request_url=link_to_request(conn, lead.lead_id, public_url, now))


def _lead_of(conn: Connection, token_hash: bytes, client: Client) -> str | None:
    """Whose link it is, None when it is none. Not raised: the attempt has to count."""
    take(conn, TOKEN_OF_ADDRESS, network_of(client.ip))
    found = confirmation_token(conn, token_hash)
    return None if found is None else found.lead_id


def _confirm(conn: Connection, lead_id: str, given: str, client: Client) -> Confirmed:
    stored = stored_contact(conn, lead_id)
    niche = None if stored is None else intake_niche(conn, stored.niche_slug)
    assert stored is not None and niche is not None, "links are of leads, and leads of niches"  # noqa: PT018
    compared = compare(conn, niche, lead_id, stored.contact, stored.attributes)
    locked = lock_lead(conn, lead_id)
    now = clock(conn)
    intake, token = intake_of_lead(conn, lead_id), confirmation_token(conn, hash_of(given))
    assert locked is not None, "leads are never deleted"
    was_already = intake is not None and intake.confirmed_at is not None
    if not was_already and (locked.status != "pending_confirmation" or token is None or token.expires_at <= now):
        raise _refused()
    keep_request_token(conn, lead_id, given, now)
    if was_already:
        return Confirmed(lead_id, was_already=True)
    _write(conn, compared, stored, public_sender(client), now)
    return Confirmed(lead_id, was_already=False)


def _write(conn: Connection, compared: Compared, stored: StoredContact, actor: Actor, now: datetime) -> None:
    lead_id, repetition = compared.lead_id, compared.repetition
    earlier = None if repetition is None else (repetition.found.lead_id, repetition.matched_fields)
    record_confirmation(conn, lead_id, now, earlier)
    compared.remember(conn, stored.created_at)
    new: dict[str, object] = {"status": "pending_approval"}
    if earlier is not None:
        new["duplicate_of"] = earlier[0]
    old = {"status": "pending_confirmation"}
    events = [AuditEvent(actor, "lead.confirmed", "lead", lead_id, old=old, new=new)]
    if repetition is not None and repetition.is_refused:
        reason = f"it repeats the lead {repetition.found.lead_id} in {', '.join(repetition.matched_fields)}"
        set_rejected(conn, [lead_id], reason, actor.name, now, actor.request_id)
        events.append(
            AuditEvent(actor, "lead.rejected", "lead", lead_id, {"status": "pending_approval"}, {"status": "rejected"})
        )
    # Also of one that is rejected, or the message would tell that it was.
    notify(conn, [Notification("lead_confirmed", lead_id=lead_id, correlation_id=actor.request_id)], now)
    append_audit(conn, events, now)


def _refused() -> Refused:
    return Refused("token_refused", "the link has expired, the lead is rejected, or it never was a link")
