"""The audit log: who did what, when, from what to what; hash-chained, append-only.

Decisions and configuration are in the niche journals and are not stored twice: the view `audit_events` unites both.
Its head is one row for the marketplace, so it is locked last and briefly, and distribution never touches it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fairlead.core.canonical import canonical_json, chain_hash, timestamp_text
from fairlead.store.connection import Connection


@dataclass(frozen=True, slots=True)
class Actor:
    """On whose behalf something is done. `request_id` leads from the request to its jobs and their deliveries."""

    name: str
    role: str
    request_id: str | None = None


SYSTEM = Actor("fairlead", "system")
OPERATOR = Actor("operator", "admin")
"""A person who may run commands on the machine."""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One thing that was done. `old` and `new` hold no personal data."""

    actor: Actor
    action: str
    entity: str
    entity_id: str
    old: Mapping[str, object] | None = None
    new: Mapping[str, object] | None = None
    memo: str | None = None


def append_audit(conn: Connection, events: Sequence[AuditEvent], now: datetime) -> None:
    """The events are the log's newest entries. Locks the log's head until the transaction ends: call it last."""
    if not events:
        return
    row = conn.execute("select seq, hash from audit_head for no key update").fetchone()
    assert row is not None, "the migration wrote the head"
    seq, head = int(row[0]), bytes(row[1])
    hashes = [head]
    for number, event in enumerate(events, start=seq + 1):
        hashes.append(chain_hash(hashes[-1], audit_content(number, event, now)))
    conn.execute(
        """
        insert into audit_log (seq, actor, actor_role, action, entity, entity_id, old, new, memo, request_id,
                               created_at, prev_hash, hash)
        select %s + number, actor, actor_role, action, entity, entity_id, old, new, memo, request_id, %s,
               prev_hash, hash
        from unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::jsonb[], %b::jsonb[], %b::text[],
                    %b::text[], %b::bytea[], %b::bytea[])
             with ordinality
             as event (actor, actor_role, action, entity, entity_id, old, new, memo, request_id, prev_hash, hash,
                       number)
        """,
        (
            seq,
            now,
            [event.actor.name for event in events],
            [event.actor.role for event in events],
            [event.action for event in events],
            [event.entity for event in events],
            [event.entity_id for event in events],
            [_json(event.old) for event in events],
            [_json(event.new) for event in events],
            [event.memo for event in events],
            [event.actor.request_id for event in events],
            hashes[:-1],
            hashes[1:],
        ),
    )
    conn.execute("update audit_head set seq = %s, hash = %s", (seq + len(events), hashes[-1]))


def audit_content(seq: int, event: AuditEvent, created_at: datetime) -> dict[str, object]:
    """What the hash of an audit entry covers: every column of it."""
    return {
        "seq": seq,
        "actor": event.actor.name,
        "actor_role": event.actor.role,
        "action": event.action,
        "entity": event.entity,
        "entity_id": event.entity_id,
        "old": event.old,
        "new": event.new,
        "memo": event.memo,
        "ip": None,
        "request_id": event.actor.request_id,
        "created_at": timestamp_text(created_at),
    }


def _json(value: Mapping[str, object] | None) -> str | None:
    return None if value is None else canonical_json(value).decode()
