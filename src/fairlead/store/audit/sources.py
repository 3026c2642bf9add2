"""Where the events of an audit are looked for: which part of the log, and which kinds of journal entries."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fairlead.store.audit.log import SYSTEM
from fairlead.store.connection import Connection
from fairlead.store.keyset import Conditions

_ENTITIES_OF_DECISIONS = {
    "distribution.completed": "lead",
    "distribution.started": "lead",
    "assignment.created": "assignment",
    "distribution.skipped_provider": "provider",
}
"""The actions that a decision unfolds into, and what each is about."""

_RETURNED = "assignment.returned"
"""The action of an entry that says what a refund gave back; it is about the assignment."""

_KINDS = ("niche", "level", "provider", "subscription")
"""The kinds of journal entries that say what was configured; the action is `<kind>.changed`."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events are wanted; None: all. `created_from` is included, `created_before` is not.

    `entity_id` needs its `entity`. What a decision, a level or a subscription says is of its niche; the audit log's
    events are of none.
    """

    actor: str | None = None
    action_prefix: str | None = None
    entity: str | None = None
    entity_id: str | None = None
    niche_slug: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None


def log_walks_of(conn: Connection, wanted: AuditFilter) -> list[tuple[Conditions, Conditions]]:
    """The walks over the log that together meet every event that is wanted: where each starts, and what it keeps."""
    if wanted.niche_slug is not None:
        return []
    if wanted.action_prefix is None or wanted.entity_id is not None or wanted.actor is not None:
        return [_log_walk(wanted, None)]
    return [_log_walk(wanted, action) for action in _actions(conn, wanted.action_prefix)]


def log_conditions(wanted: AuditFilter) -> Conditions | None:
    """What the log's events that are wanted fulfil; None where none is."""
    if wanted.niche_slug is not None:
        return None
    index_filter, row_filter = _log_walk(wanted, None)
    return Conditions([*index_filter.texts, *row_filter.texts], [*index_filter.values, *row_filter.values])


def _log_walk(wanted: AuditFilter, action: str | None) -> tuple[Conditions, Conditions]:
    index_filter, row_filter = Conditions(), Conditions()
    index_filter.add_given("a.created_at >= %s", wanted.created_from)
    index_filter.add_given("a.created_at < %s", wanted.created_before)
    if wanted.entity_id is not None:
        index_filter.add("a.entity = %s and a.entity_id = %s", wanted.entity, wanted.entity_id)
        row_filter.add_given("a.actor = %s", wanted.actor)
    else:
        row_filter.add_given("a.entity = %s", wanted.entity)
        index_filter.add_given("a.actor = %s", wanted.actor)
    if action is not None:
        index_filter.add("a.action = %s", action)
    else:
        row_filter.add_given("starts_with(a.action, %s)", wanted.action_prefix)
    return index_filter, row_filter


def _actions(conn: Connection, prefix: str) -> list[str]:
    """The log's actions that begin so: one step into an index for each of all that there are."""
    rows = conn.execute(
        """
        with recursive known as (
            (select action from audit_log order by action limit 1)
            union all
            select (select l.action from audit_log l where l.action > known.action order by l.action limit 1)
            from known where known.action is not null
        )
        select action from known where starts_with(action, %s) order by action
        """,
        (prefix,),
    ).fetchall()
    return [row[0] for row in rows]


def looked_for_kinds(wanted: AuditFilter) -> list[str]:
    """The kinds of journal entries that may say something that is wanted."""
    if wanted.actor not in (None, SYSTEM.name):
        return []
    prefix = wanted.action_prefix or ""
    kinds = [kind for kind in _KINDS if f"{kind}.changed".startswith(prefix) and wanted.entity in (None, kind)]
    if _RETURNED.startswith(prefix) and wanted.entity in (None, "assignment"):
        kinds.append("return")
    decides = any(
        action.startswith(prefix) and wanted.entity in (None, entity)
        for action, entity in _ENTITIES_OF_DECISIONS.items()
    )
    return [*kinds, "decision"] if decides else kinds


def add_journal_range(index_filter: Conditions, wanted: AuditFilter, kind: str) -> None:
    """The journal entries `a` of this kind in the time and niche that are wanted, found by what they are about."""
    index_filter.add("a.kind = %s", kind)
    index_filter.add_given("a.niche_id = (select id from niches where slug = %s)", wanted.niche_slug)
    index_filter.add_given("a.recorded_at >= %s", wanted.created_from)
    index_filter.add_given("a.recorded_at < %s", wanted.created_before)
    if wanted.entity_id is None:
        return
    if kind == "decision" and wanted.entity == "lead":
        index_filter.add("a.kind = 'decision' and a.payload ->> 'lead_id' = %s", wanted.entity_id)
    elif kind == "decision" and wanted.entity == "assignment":
        index_filter.add(
            "(a.niche_id, a.seq) in (select s.niche_id, s.journal_seq from assignments s where s.id = %s)",
            _id_or_none(wanted.entity_id),
        )
    elif kind == "decision":
        # Only where it ever subscribed can a provider have been passed over.
        index_filter.add(
            "a.niche_id = any(array(select s.niche_id from subscriptions s where s.provider_id = %s))",
            _id_or_none(wanted.entity_id),
        )
    elif kind == "return":
        index_filter.add("a.kind = 'return' and a.payload ->> 'assignment_id' = %s", wanted.entity_id)
    elif kind == "subscription":
        index_filter.add("a.kind = 'subscription' and a.payload ->> 'subscription_id' = %s", wanted.entity_id)


def add_event_filter(events: Conditions, wanted: AuditFilter) -> None:
    """The events `e` that journal entries unfold into are of the action and about the entity that are wanted."""
    events.add_given("starts_with(e.action, %s)", wanted.action_prefix)
    events.add_given("e.entity = %s", wanted.entity)
    events.add_given("e.entity_id = %s", wanted.entity_id)


def _id_or_none(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None
