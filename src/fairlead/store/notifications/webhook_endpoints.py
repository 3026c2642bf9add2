"""Providers' webhook endpoints as rows: where their leads are sent, how that goes, and what waits for them.

The lock of a provider comes before that of its endpoint, and the endpoint's before those of its notifications.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import LiteralString

from psycopg import Cursor
from psycopg.types.json import Jsonb

from fairlead.store.arrays import array_text
from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows, one_row


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """A webhook endpoint. Its secrets are sealed; it has no URL in its repr, because receivers keep tokens there.

    `failure_count` deliveries failed since the last that succeeded, from `failing_since` on.
    """

    endpoint_id: str
    provider_id: str
    url: str = field(repr=False)
    field_mapping: dict[str, str] | None
    state: str
    state_reason: str | None
    failure_count: int
    failing_since: datetime | None
    created_at: datetime
    secret: bytes = field(repr=False)
    previous_secret: bytes | None = field(repr=False)


ENDPOINT_REMOVED = "the webhook endpoint was removed"
"""Why notifications for it are skipped."""

_COLUMNS = """
    select id::text as endpoint_id, provider_id::text, url, field_mapping, state, state_reason, failure_count,
           failing_since,
           created_at, secret, previous_secret
    from webhook_endpoints"""

_LIVING = " where id = %s and provider_id = coalesce(%s::uuid, provider_id) and deleted_at is null"


def insert_endpoint(conn: Connection, row: EndpointRow) -> None:
    """The endpoint exists. Needs the lock of its provider, who has no living one."""
    conn.execute(
        """
        insert into webhook_endpoints (id, provider_id, url, field_mapping, secret, created_at)
        values (%s, %s, %s, %s, %s, %s)
        """,
        (row.endpoint_id, row.provider_id, row.url, _jsonb(row.field_mapping), row.secret, row.created_at),
    )


def endpoint(conn: Connection, endpoint_id: str, of_provider_id: str | None = None) -> EndpointRow | None:
    """The living endpoint with this id, with a provider's id only its own; nothing is locked."""
    return one_row(conn, EndpointRow, _COLUMNS + _LIVING, (endpoint_id, of_provider_id))


def endpoint_of_provider(conn: Connection, provider_id: str) -> EndpointRow | None:
    """The provider's living endpoint; nothing is locked."""
    return one_row(conn, EndpointRow, _COLUMNS + " where provider_id = %s and deleted_at is null", (provider_id,))


def ask_for_endpoints(conn: Connection, provider_ids: Collection[str]) -> Cursor[tuple[str, str]]:
    """The endpoints of these providers that are not disabled: pairs of ids, provider and endpoint.

    Within a pipeline nothing is waited for until the pairs are fetched. Nothing is locked: what is handed out later
    looks again whether the endpoint is there.
    """
    return conn.execute(
        """
        select provider_id::text, id::text from webhook_endpoints
        where provider_id = any(%s::uuid[]) and deleted_at is null and state <> 'disabled'
        """,
        (array_text(provider_ids),),
    )


def lock_endpoint(conn: Connection, endpoint_id: str, of_provider_id: str | None = None) -> EndpointRow | None:
    """The endpoint, its row locked; None when there is none, none of this provider, or it was removed."""
    return one_row(conn, EndpointRow, _COLUMNS + _LIVING + " for no key update", (endpoint_id, of_provider_id))


def hold_endpoint_of(conn: Connection, notification_id: str) -> EndpointRow | None:
    """The living endpoint that a notification is for, which stays as it is until the transaction ends.

    Others may hold it too, and a change of it waits.
    """
    found = conn.execute("select webhook_endpoint_id from notifications where id = %s", (notification_id,)).fetchone()
    return one_row(conn, EndpointRow, _COLUMNS + " where id = %s and deleted_at is null for share", found or (None,))


def write_address(conn: Connection, endpoint_id: str, url: str, field_mapping: Mapping[str, str] | None) -> None:
    """The endpoint has this URL and mapping. Needs its lock."""
    conn.execute(
        "update webhook_endpoints set url = %s, field_mapping = %s where id = %s",
        (url, _jsonb(field_mapping), endpoint_id),
    )


def write_secrets(conn: Connection, endpoint_id: str, secret: bytes, previous_secret: bytes | None) -> None:
    """The endpoint has these sealed secrets. Needs its lock."""
    conn.execute(
        "update webhook_endpoints set secret = %s, previous_secret = %s where id = %s",
        (secret, previous_secret, endpoint_id),
    )


def write_state(conn: Connection, endpoint_id: str, state: str, reason: str | None) -> None:
    """The endpoint is in this state; one that becomes active starts without failures. Needs its lock."""
    conn.execute(
        """
        update webhook_endpoints
        set state = %s, state_reason = %s,
            failure_count = case when %s = 'active' then 0 else failure_count end,
            failing_since = case when %s = 'active' then null else failing_since end
        where id = %s
        """,
        (state, reason, state, state, endpoint_id),
    )


def write_failures(conn: Connection, endpoint_id: str, failure_count: int, failing_since: datetime | None) -> None:
    """So many deliveries failed since the last that succeeded. Needs its lock."""
    conn.execute(
        "update webhook_endpoints set failure_count = %s, failing_since = %s where id = %s",
        (failure_count, failing_since, endpoint_id),
    )


def mark_removed(conn: Connection, endpoint_id: str, now: datetime) -> None:
    """The endpoint is removed for good, its secrets with it. Needs its lock."""
    conn.execute(
        "update webhook_endpoints set deleted_at = %s, secret = '', previous_secret = null where id = %s",
        (now, endpoint_id),
    )


def hold_back_all(conn: Connection, endpoint_id: str) -> int:
    """What waits to be sent to the endpoint waits until it is active again, and its jobs that have not started are
    withdrawn; returns how many.

    What a job has claimed is left to that job, or to the next if its worker dies, and what another transaction holds to
    its own job, which finds that the endpoint is not active. Needs the endpoint's lock; waits for no other.
    """
    rows = conn.execute(
        """
        update notifications set enqueued_at = null
        where id = any(array(
            select id from notifications
            where webhook_endpoint_id = %s and state = 'queued' and enqueued_at is not null and claimed_by_job is null
            order by id for no key update skip locked))
        returning id::text
        """,
        (endpoint_id,),
    ).fetchall()
    _withdraw(conn, [row[0] for row in rows])
    return len(rows)


def skip_all(conn: Connection, endpoint_id: str, why: str) -> int:
    """What waits to be sent to the endpoint will not be; returns how many. Needs the endpoint's lock."""
    rows = conn.execute(
        """
        update notifications set state = 'skipped', last_answer = %s, claimed_by_job = null
        where id = any(array(
            select id from notifications where webhook_endpoint_id = %s and state = 'queued'
            order by id for no key update))
        returning id::text
        """,
        (why, endpoint_id),
    ).fetchall()
    _withdraw(conn, [row[0] for row in rows])
    return len(rows)


def _withdraw(conn: Connection, notification_ids: Sequence[str]) -> None:
    """It only saves work: a job without anything to do ends at once. A worker that is just taking such a job is not
    waited
    for."""
    if notification_ids:
        conn.execute(
            """
            with withdrawn as materialized (
                select j.id from unnest(%s::text[]) as notification (id) cross join lateral (
                    select id from jobs
                    where task in ('send_email', 'send_webhook') and payload ->> 'notification_id' = notification.id
                      and state = 'waiting'
                    for update skip locked) j)
            delete from jobs where id = any(array(select id from withdrawn))
            """,
            (list(notification_ids),),
        )


_REPLAYABLE: LiteralString = """
    webhook_endpoint_id = %s and created_at between %s and %s and (state = 'failed' or (state = 'sent' and not %s))"""


def lock_replayable(
    conn: Connection,
    endpoint_id: str,
    created_from: datetime,
    until: datetime,
    after_id: str | None,
    limit: int | None,
    *,
    only_failed: bool,
) -> list[str]:
    """The next notifications of that time for the endpoint that failed, or were sent, too, in ascending order of id.

    They are locked. All of them without a limit.
    """
    rows = conn.execute(
        f"""
        select id::text from notifications
        where {_REPLAYABLE} and id > coalesce(%s::uuid, '00000000-0000-0000-0000-000000000000')
        order by id limit %s for no key update
        """,  # noqa: S608 - constants of our own
        (endpoint_id, created_from, until, only_failed, after_id, limit),
    ).fetchall()
    return [row[0] for row in rows]


def count_replayable(
    conn: Connection, endpoint_id: str, created_from: datetime, until: datetime, *, only_failed: bool
) -> int:
    """How many `lock_replayable` would find now; nothing is locked. The cost grows with what the endpoint ever had."""
    rows = conn.execute(
        f"select count(*) from notifications where {_REPLAYABLE}",  # noqa: S608 - as above
        (endpoint_id, created_from, until, only_failed),
    ).fetchall()
    return rows[0][0]


@dataclass(frozen=True, slots=True)
class ListedEndpoint:
    """A living endpoint as a list shows it; `waiting_count` notifications wait for it."""

    endpoint_id: str
    provider_id: str
    provider_name: str
    url: str = field(repr=False)
    state: str
    state_reason: str | None
    failure_count: int
    failing_since: datetime | None
    waiting_count: int
    is_rotating: bool
    field_mapping: dict[str, str] | None
    created_at: datetime


def list_endpoints(conn: Connection, provider_id: str | None = None) -> list[ListedEndpoint]:
    """The living endpoints (of the provider), by the provider's name."""
    return all_rows(
        conn,
        ListedEndpoint,
        """
        select e.id::text as endpoint_id, p.id::text as provider_id, p.name as provider_name, e.url, e.state,
               e.state_reason, e.failure_count, e.failing_since,
               (select count(*) from notifications n where n.webhook_endpoint_id = e.id and n.state = 'queued')
                   as waiting_count,
               e.previous_secret is not null as is_rotating, e.field_mapping, e.created_at
        from webhook_endpoints e join providers p on p.id = e.provider_id
        where e.deleted_at is null and (%s::uuid is null or p.id = %s::uuid) order by p.name, p.id
        """,
        (provider_id, provider_id),
    )


def _jsonb(mapping: Mapping[str, str] | None) -> Jsonb | None:
    return None if mapping is None else Jsonb(dict(mapping))
