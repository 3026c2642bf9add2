"""Saved views of the list of leads: which leads, in which columns and order, for oneself or for all operators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from fairlead.core.canonical import JsonObject
from fairlead.core.entry.refusal import EntryRefused
from fairlead.core.entry.text import canonical_line
from fairlead.core.errors import BadInput, Refused
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal, require
from fairlead.flows.exporting.rows import told_filters
from fairlead.store.audit.log import AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.leads.rows import clock
from fairlead.store.leads.saved_views import (
    SavedView,
    count_views,
    delete_views,
    insert_view,
    lock_view,
    lock_view_named,
    views_of,
)
from fairlead.store.lookups import checked_id

LeadColumn: TypeAlias = Literal[
    "niche", "status", "source", "outcome", "revenue", "received", "approved", "attempts", "lead_id"
]
"""What a list can show of a lead beside its name, in the order in which it is shown."""

LEAD_COLUMNS: tuple[LeadColumn, ...] = get_args(LeadColumn)
USUAL_COLUMNS: tuple[LeadColumn, ...] = ("niche", "status", "source", "outcome", "revenue", "received")

LONGEST_VIEW_NAME = 100
MOST_VIEWS = 100
"""Of one user, and as many that are shared."""


@dataclass(frozen=True, slots=True)
class NewView:
    """A view to be saved. `filters` are by the names of the list's parameters and hold nothing personal."""

    name: str
    filters: Mapping[str, str]
    columns: tuple[LeadColumn, ...] = USUAL_COLUMNS
    is_oldest_first: bool = False
    is_shared: bool = False


def saved_views(database: Database, reader: Principal) -> Sequence[SavedView]:
    """The reader's own views by name, then those that are shared."""
    return database.read(lambda conn: views_of(conn, reader.user_id))


def save_view(database: Database, new: NewView, author: Principal) -> SavedView:
    """The view is kept under its name: of the author's own views, or of the shared ones, the one of that name is
    replaced. Idempotent.

    A shared one, and of an API key every one, takes the permission `leads:write`. A shared one is audited with what it
    was before; locks the view.
    Raises `BadInput`, and `Refused`: `permission_missing`, `session_required` for a key that is no user's,
    `too_many_lead_views`.
    """
    try:
        name = canonical_line(new.name, LONGEST_VIEW_NAME)
    except EntryRefused as refused:
        raise BadInput([f"name: {refused.message}"]) from None
    owner = _owner(author, is_shared=new.is_shared)
    columns = tuple(each for each in LEAD_COLUMNS if each in new.columns)

    def work(conn: Connection) -> SavedView:
        earlier = lock_view_named(conn, owner, name)
        if earlier is None and count_views(conn, owner) >= MOST_VIEWS:
            raise Refused("too_many_lead_views", f"there are {MOST_VIEWS} views already: delete one first")
        now = clock(conn)
        view_id = new_id(conn) if earlier is None else earlier.view_id
        view = SavedView(
            view_id, name, new.is_shared, new.filters, columns, new.is_oldest_first, now, author.actor.name
        )
        insert_view(conn, owner, view)
        if new.is_shared:
            old = None if earlier is None else _told(earlier)
            event = AuditEvent(author.actor, "lead_view.saved", "lead_view", view_id, old, _told(view))
            append_audit(conn, [event], now)
        return view

    return database.run(work)


def delete_view(database: Database, view_id: str, author: Principal) -> None:
    """The view is gone: one of the author's own, or a shared one, which is audited. It takes what saving it takes.

    Raises `BadInput`, and `Refused`: `lead_view_unknown` (also for another user's), `permission_missing`.
    """
    checked = checked_id(view_id, "view")

    def work(conn: Connection) -> None:
        found = lock_view(conn, checked)
        if found is None or found[1] not in (None, author.user_id):
            raise Refused("lead_view_unknown", f"there is no view {checked}")
        view, _ = found
        _require_for(author, is_shared=view.is_shared)
        delete_views(conn, [checked])
        if view.is_shared:
            event = AuditEvent(author.actor, "lead_view.deleted", "lead_view", checked, _told(view), None)
            append_audit(conn, [event], clock(conn))

    database.run(work)


def _require_for(author: Principal, *, is_shared: bool) -> None:
    """Raises `Refused`: a user's own views are its own to change, but not for a key that was made to read."""
    if is_shared or author.key_id is not None:
        require(author, Permission.LEADS_WRITE)


def _owner(author: Principal, *, is_shared: bool) -> str | None:
    _require_for(author, is_shared=is_shared)
    if is_shared:
        return None
    if author.user_id is None:
        raise Refused("session_required", "a view of one's own belongs to a user: this key has none")
    return author.user_id


def _told(view: SavedView) -> JsonObject:
    """For the audit log. The name is a person's words, and stays with the view."""
    return {
        "filters": told_filters(view.filters),
        "columns": list(view.columns),
        "order": "oldest" if view.is_oldest_first else "newest",
    }
