"""Webhook endpoints as operators look through them: how they fare, and of their addresses the host alone."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import LiteralString

from fairlead.store.connection import Connection
from fairlead.store.keyset import Conditions, KeysetPage, KeysetQuery, items_of
from fairlead.store.typed_rows import one_row

Place = tuple[datetime, str]
"""When it was made, and its id."""


@dataclass(frozen=True, slots=True)
class WatchedEndpoint:
    """A living endpoint. `failure_count` deliveries failed since the last that succeeded; `waiting_count` wait for it.

    It has no URL in its repr, because receivers keep tokens there.
    """

    endpoint_id: str
    provider_id: str
    provider_name: str
    url: str = field(repr=False)
    field_mapping: dict[str, str] | None
    state: str
    state_reason: str | None
    failure_count: int
    failing_since: datetime | None
    waiting_count: int
    is_rotating: bool
    created_at: datetime


_COLUMNS: LiteralString = """
    a.id::text as endpoint_id, p.id::text as provider_id, p.name as provider_name, a.url, a.field_mapping, a.state,
    a.state_reason, a.failure_count, a.failing_since,
    (select count(*) from notifications n where n.webhook_endpoint_id = a.id and n.state = 'queued') as waiting_count,
    a.previous_secret is not null as is_rotating, a.created_at"""

_JOINS: LiteralString = "join providers p on p.id = a.provider_id"


def endpoint_page(
    conn: Connection, state: str | None, provider_id: str | None, after: Place | None, limit: int
) -> KeysetPage[WatchedEndpoint, Place]:
    """The next endpoints (in that state, of that provider), the newest first, after the one that was seen last."""
    index_filter, row_filter = Conditions(), Conditions()
    index_filter.add_given("a.provider_id = %s", provider_id)
    if after is not None:
        index_filter.add("(a.created_at, a.id) < (%s, %s::uuid)", *after)
    row_filter.add("a.deleted_at is null")
    row_filter.add_given("a.state = %s", state)
    keyset = KeysetQuery(
        "webhook_endpoints", "a.created_at desc, a.id desc", "a.created_at, a.id::text", index_filter, row_filter
    )
    return keyset.page(conn, items_of(WatchedEndpoint), _COLUMNS, _JOINS, limit)


def watched_endpoint(conn: Connection, endpoint_id: str) -> WatchedEndpoint | None:
    """The living endpoint with this id; None without one."""
    return one_row(
        conn,
        WatchedEndpoint,
        f"select {_COLUMNS} from webhook_endpoints a {_JOINS} where a.id = %s and a.deleted_at is null",  # noqa: S608
        (endpoint_id,),
    )
