"""Who set the limits or the schedule that a subscription or a provider has: the audit log's newest word of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from fairlead.core.canonical import JsonObject
from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows

TimedMember = Literal["limits", "schedule"]


@dataclass(frozen=True, slots=True)
class SetBy:
    """Who set it, when and why, and what it was set to."""

    actor: str
    actor_role: str
    memo: str | None
    set_at: datetime
    document: JsonObject | None


def subscription_set_by(conn: Connection, subscription_id: str, member: TimedMember) -> SetBy | None:
    """The newest change of the subscription's own limits or schedule by a person; None where none was made."""
    return _newest(conn, "subscription", subscription_id, [f"subscription.{member}_changed"], member, is_told=False)


def provider_set_by(conn: Connection, provider_id: str, member: TimedMember) -> SetBy | None:
    """The same of a provider, whose events tell of what changed alone."""
    return _newest(conn, "provider", provider_id, ["provider.changed", "provider.created"], member, is_told=True)


def _newest(
    conn: Connection, entity: str, entity_id: str, actions: list[str], member: TimedMember, *, is_told: bool
) -> SetBy | None:
    found = all_rows(
        conn,
        SetBy,
        """
        select actor, actor_role, memo, created_at as set_at, nullif(new -> %(member)s, 'null') as document
        from audit_log
        where entity = %(entity)s and entity_id = %(id)s and action = any(%(actions)s)
          and (new ? %(member)s or not %(is_told)s)
        order by created_at desc, seq desc limit 1
        """,
        {"entity": entity, "id": entity_id, "actions": actions, "member": member, "is_told": is_told},
    )
    return found[0] if found else None
