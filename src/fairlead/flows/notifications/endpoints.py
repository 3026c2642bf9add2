"""A provider's webhook endpoint: where its leads are sent, with which secret, and whether at all.

Each verb is one transaction, audited without URL or secret. With `of_provider_id` a verb knows of that provider's
endpoint only, and another's is `webhook_endpoint_unknown`; None is for operators. Locks go from the provider to its
endpoint to what waits for that. Asking for what is so already changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from fairlead.core.errors import BadInput, Refused
from fairlead.delivery.secret_box import SecretBox
from fairlead.delivery.webhook import new_webhook_secret
from fairlead.delivery.webhook_body import check_field_mapping
from fairlead.delivery.webhook_url import check_webhook_url
from fairlead.flows.configuration.versions import (
    UNCHANGED,
    Unchanged,
    endpoint_version,
    given,
    require_version,
)
from fairlead.flows.memos import checked_line
from fairlead.flows.notifications.endpoint_changes import EndpointChange, change_endpoint, locked_endpoint
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.rows import lock_providers
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.jobs.queue import Job, enqueue
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id
from fairlead.store.notifications.webhook_endpoints import (
    ENDPOINT_REMOVED,
    EndpointRow,
    endpoint,
    endpoint_of_provider,
    hold_back_all,
    insert_endpoint,
    mark_removed,
    skip_all,
    write_address,
    write_state,
)

MAX_REASON_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class EndpointAddress:
    """What is to be different about where an endpoint's webhooks go. A mapping of None: everything by our names."""

    url: str | Unchanged = field(default=UNCHANGED, repr=False)
    field_mapping: Mapping[str, str] | Unchanged | None = UNCHANGED


def set_webhook_endpoint(
    database: Database,
    box: SecretBox,
    provider_id: str,
    url: str,
    field_mapping: Mapping[str, str] | None,
    actor: Actor,
    *,
    allow_private: bool,
) -> EndpointChange:
    """The provider's one endpoint has this URL and mapping: a new one, with a new secret, or the one that it has.

    From now on its leads are sent there too. An endpoint that a receiver had disabled (HTTP 410) is active again with
    another URL; a paused one stays paused until it is resumed. Locks the provider, then the endpoint.

    Raises `BadInput` for a URL or mapping that cannot be, and `Refused`: `provider_unknown`.
    """
    return _set(database, box, provider_id, url, field_mapping, actor, allow_private=allow_private, may_exist=True)


def create_webhook_endpoint(
    database: Database,
    box: SecretBox,
    provider_id: str,
    url: str,
    field_mapping: Mapping[str, str] | None,
    actor: Actor,
    *,
    allow_private: bool,
) -> EndpointChange:
    """As `set_webhook_endpoint`, for a provider that has no endpoint yet. The answer alone has the secret.

    Sent twice it is refused the second time: a secret is kept nowhere that it could be given from again. Raises
    `BadInput`, and `Refused`: `provider_unknown`, `webhook_endpoint_exists`.
    """
    return _set(database, box, provider_id, url, field_mapping, actor, allow_private=allow_private, may_exist=False)


def _set(
    database: Database,
    box: SecretBox,
    provider_id: str,
    url: str,
    field_mapping: Mapping[str, str] | None,
    actor: Actor,
    *,
    allow_private: bool,
    may_exist: bool,
) -> EndpointChange:
    checked = checked_id(provider_id, "provider")
    mapping = _checked_address(url, field_mapping, allow_private=allow_private)
    endpoint_id, secret = new_id(database), new_webhook_secret()
    sealed = box.seal(secret, endpoint_id)

    def work(conn: Connection) -> EndpointChange:
        if checked not in lock_providers(conn, [checked]):
            raise Refused("provider_unknown", f"there is no provider {checked}")
        found = endpoint_of_provider(conn, checked)
        if found is None:
            new = EndpointRow(endpoint_id, checked, url, mapping, "active", None, 0, None, clock(conn), sealed, None)
            return _create(conn, new, secret, actor)
        if not may_exist:
            raise Refused("webhook_endpoint_exists", "the provider has a webhook endpoint already")
        return _change_address(conn, locked_endpoint(conn, found.endpoint_id), url, mapping, actor)

    return database.run(work)


def _checked_address(
    url: str, field_mapping: Mapping[str, str] | None, *, allow_private: bool
) -> dict[str, str] | None:
    problems = check_webhook_url(url, allow_private=allow_private)
    if problems := problems + ([] if field_mapping is None else check_field_mapping(field_mapping)):
        raise BadInput(problems)
    return None if field_mapping is None else dict(field_mapping)


def change_webhook_endpoint(
    database: Database,
    endpoint_id: str,
    change: EndpointAddress,
    actor: Actor,
    *,
    of_provider_id: str | None,
    allow_private: bool,
    expected_version: str | None = None,
) -> EndpointChange:
    """The endpoint has the URL and the mapping that the change names; what it does not name is as it was.

    What `set_webhook_endpoint` says of another URL holds here too. Locks the endpoint. Raises `BadInput`, and
    `Refused`: `webhook_endpoint_unknown`, `version_conflict`.
    """
    checked, wanted = checked_id(endpoint_id, "webhook endpoint"), given(change)

    def work(conn: Connection) -> EndpointChange:
        before = locked_endpoint(conn, checked, of_provider_id)
        url, mapping = wanted.get("url", before.url), wanted.get("field_mapping", before.field_mapping)
        mapping = _checked_address(url, mapping, allow_private=allow_private)
        if (before.url, before.field_mapping) != (url, mapping):
            require_version(expected_version, _version(before), "the webhook endpoint")
        return _change_address(conn, before, url, mapping, actor)

    return database.run(work)


def _create(conn: Connection, row: EndpointRow, secret: str, actor: Actor) -> EndpointChange:
    insert_endpoint(conn, row)
    new = {"provider_id": row.provider_id, "host": _host(row.url), "has_field_mapping": row.field_mapping is not None}
    event = AuditEvent(actor, "webhook_endpoint.created", "webhook_endpoint", row.endpoint_id, new=new)
    append_audit(conn, [event], row.created_at)
    return EndpointChange(row.endpoint_id, row.provider_id, row.state, took_effect=True, secret=secret)


def _change_address(
    conn: Connection, before: EndpointRow, url: str, mapping: dict[str, str] | None, actor: Actor
) -> EndpointChange:
    if (before.url, before.field_mapping) == (url, mapping):
        return EndpointChange(before.endpoint_id, before.provider_id, before.state, took_effect=False)
    write_address(conn, before.endpoint_id, url, mapping)
    state = before.state
    if state == "disabled" and url != before.url:
        state = "active"
        _activate(conn, before.endpoint_id)
    old = {"host": _host(before.url), "has_field_mapping": before.field_mapping is not None, "state": before.state}
    new = {"host": _host(url), "has_field_mapping": mapping is not None, "state": state}
    event = AuditEvent(actor, "webhook_endpoint.changed", "webhook_endpoint", before.endpoint_id, old=old, new=new)
    append_audit(conn, [event], clock(conn))
    return EndpointChange(before.endpoint_id, before.provider_id, state, took_effect=True)


def pause_webhook_endpoint(
    database: Database, endpoint_id: str, reason: str, actor: Actor, *, of_provider_id: str | None = None
) -> EndpointChange:
    """Nothing is sent to the endpoint until it is resumed; what waits, and what comes, is held back.

    A delivery that is under way ends. `reason`: one line of 1 to 500 characters. One that is not active stays as it
    is. Raises `BadInput`, and `Refused`: `webhook_endpoint_unknown`.
    """
    checked, memo = checked_id(endpoint_id, "webhook endpoint"), checked_line(reason, "reason", MAX_REASON_CHARACTERS)

    def change(conn: Connection, before: EndpointRow) -> bool:
        if before.state != "active":
            return False
        write_state(conn, checked, "paused", memo)
        hold_back_all(conn, checked)
        return True

    return change_endpoint(database, checked, actor, "webhook_endpoint.paused", change, memo, of_provider_id)


def resume_webhook_endpoint(
    database: Database, endpoint_id: str, reason: str, actor: Actor, *, of_provider_id: str | None = None
) -> EndpointChange:
    """The endpoint is active, as if it had never failed, and what was held back is on its way.

    Also for one that its receiver had disabled. `reason`: one line of 1 to 500 characters. Raises `BadInput`, and
    `Refused`: `webhook_endpoint_unknown`.
    """
    checked, memo = checked_id(endpoint_id, "webhook endpoint"), checked_line(reason, "reason", MAX_REASON_CHARACTERS)

    def change(conn: Connection, before: EndpointRow) -> bool:
        if before.state == "active":
            return False
        _activate(conn, before.endpoint_id)
        return True

    return change_endpoint(database, checked, actor, "webhook_endpoint.resumed", change, memo, of_provider_id)


def remove_webhook_endpoint(
    database: Database,
    endpoint_id: str,
    actor: Actor,
    *,
    of_provider_id: str | None = None,
    expected_version: str | None = None,
) -> EndpointChange:
    """The provider has no endpoint any more; its secrets are gone, and what waited for it is skipped.

    Raises `BadInput`, and `Refused`: `webhook_endpoint_unknown`, also for one that was removed before;
    `version_conflict`.
    """
    checked = checked_id(endpoint_id, "webhook endpoint")

    def work(conn: Connection) -> EndpointChange:
        # Its provider first, so that a request that sets an endpoint at the same time waits until this one is gone.
        found = endpoint(conn, checked, of_provider_id)
        if found is not None:
            lock_providers(conn, [found.provider_id])
        before = locked_endpoint(conn, checked, of_provider_id)
        require_version(expected_version, _version(before), "the webhook endpoint")
        now = clock(conn)
        mark_removed(conn, checked, now)
        skipped_count = skip_all(conn, checked, ENDPOINT_REMOVED)
        old = {"provider_id": before.provider_id, "state": before.state}
        new = {"skipped_count": skipped_count}
        event = AuditEvent(actor, "webhook_endpoint.removed", "webhook_endpoint", checked, old=old, new=new)
        append_audit(conn, [event], now)
        return EndpointChange(checked, before.provider_id, "removed", took_effect=True)

    return database.run(work)


def _version(row: EndpointRow) -> str:
    return endpoint_version(row.endpoint_id, row.url, row.field_mapping)


def _activate(conn: Connection, endpoint_id: str) -> None:
    write_state(conn, endpoint_id, "active", None)
    enqueue(conn, [Job("dispatch_notifications")])


def _host(url: str) -> str | None:
    """All of a URL that may be kept elsewhere: receivers have tokens in the rest."""
    return urlsplit(url).hostname
