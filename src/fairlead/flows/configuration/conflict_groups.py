"""Conflict groups (R16): opening, renaming and deleting one, and putting providers into it.

A change takes effect with the next decision of each niche that the provider ever subscribed in. What was sold before
stays sold.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fairlead.core.canonical import JsonObject
from fairlead.core.errors import Refused
from fairlead.flows.configuration.provider_terms import contents_of_terms
from fairlead.flows.configuration.providers import locked_provider
from fairlead.flows.configuration.versions import (
    Changed,
    conflict_group_version,
    provider_version,
    require_version,
)
from fairlead.flows.declaring.provider_events import provider_events
from fairlead.flows.funding import record_moves
from fairlead.flows.input_types import canonical_memo, canonical_values
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.conflict_groups import (
    ConflictGroupRow,
    GroupMember,
    add_conflict_groups,
    conflict_group,
    conflict_groups,
    delete_conflict_group,
    group_members,
    lock_conflict_group,
    write_name,
)
from fairlead.store.configuration.lookups import niche_ids_subscribed
from fairlead.store.configuration.rows import ProviderRow
from fairlead.store.configuration.writes import write_providers
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.journal import lock_niches
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id

MOST_MEMBERS = 100
"""So many providers a group has at most: a decision looks at all of those of its recipients' groups."""


@dataclass(frozen=True, slots=True)
class SeenConflictGroup:
    """A group, its version, and its providers by name."""

    row: ConflictGroupRow
    version: str
    members: tuple[GroupMember, ...]


def read_conflict_groups(database: Database) -> tuple[SeenConflictGroup, ...]:
    """Every group, by name."""
    with database.snapshot() as conn:
        members = group_members(conn)
        return tuple(_seen(row, members) for row in conflict_groups(conn))


def read_conflict_group(database: Database, group_id: str) -> SeenConflictGroup:
    """The group. Raises `Refused`: `conflict_group_unknown`."""
    checked = checked_id(group_id, "conflict group")
    with database.snapshot() as conn:
        return _seen(_known(conflict_group(conn, checked), checked), group_members(conn, checked))


def create_conflict_group(
    database: Database, name: str, actor: Actor, *, memo: str | None = None
) -> Changed[ConflictGroupRow]:
    """The group is there, without providers. Recognised by its name: asked for again nothing is changed.

    Raises `BadInput`.
    """
    canonical = canonical_values({"name": name, "memo": memo})
    asked = ConflictGroupRow(new_id(database), canonical["name"])

    def work(conn: Connection, _: Sequence[str]) -> Changed[ConflictGroupRow]:
        for found in conflict_groups(conn):
            if found.name == asked.name:
                return Changed(found, conflict_group_version(found), found.group_id == asked.group_id)
        now = clock(conn)
        add_conflict_groups(conn, [asked], now)
        new = {"name": asked.name}
        append_audit(conn, [_event(actor, "created", asked, None, new, canonical["memo"])], now)
        return Changed(asked, conflict_group_version(asked), took_effect=True)

    return with_niche_locks(database, work)


def rename_conflict_group(
    database: Database,
    group_id: str,
    name: str,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> Changed[ConflictGroupRow]:
    """The group has this name. Locks it. Raises `BadInput` and `Refused`: `conflict_group_unknown`,
    `conflict_group_exists` when another has the name, `version_conflict`.
    """
    checked = checked_id(group_id, "conflict group")
    canonical = canonical_values({"name": name, "memo": memo})

    def work(conn: Connection, _: Sequence[str]) -> Changed[ConflictGroupRow]:
        before = _known(lock_conflict_group(conn, checked), checked)
        after = replace(before, name=canonical["name"])
        if after == before:
            return Changed(before, conflict_group_version(before), took_effect=False)
        require_version(expected_version, conflict_group_version(before), f"the conflict group {before.name!r}")
        if any(row.name == after.name for row in conflict_groups(conn)):
            raise Refused("conflict_group_exists", f"there is a conflict group {after.name!r} already")
        now = clock(conn)
        write_name(conn, after)
        old, new = {"name": before.name}, {"name": after.name}
        append_audit(conn, [_event(actor, "renamed", after, old, new, canonical["memo"])], now)
        return Changed(after, conflict_group_version(after), took_effect=True)

    return with_niche_locks(database, work)


def remove_conflict_group(
    database: Database,
    group_id: str,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> None:
    """The group is gone. Locks it. Raises `Refused`: `conflict_group_unknown`, `conflict_group_in_use` while a provider
    is in it, `version_conflict`.
    """
    checked, memo = checked_id(group_id, "conflict group"), canonical_memo(memo)

    def work(conn: Connection, _: Sequence[str]) -> None:
        before = _known(lock_conflict_group(conn, checked), checked)
        require_version(expected_version, conflict_group_version(before), f"the conflict group {before.name!r}")
        if group_members(conn, checked):
            raise Refused("conflict_group_in_use", f"the conflict group {before.name!r} has providers")
        now = clock(conn)
        delete_conflict_group(conn, checked)
        append_audit(conn, [_event(actor, "deleted", before, {"name": before.name}, {}, memo)], now)

    with_niche_locks(database, work)


def set_conflict_group(
    database: Database,
    provider_id: str,
    group_id: str | None,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> Changed[ProviderRow]:
    """The provider is of this group, and of no other; None: of none.

    Every niche that it ever subscribed in is told. Locks the group, those niches, then the provider. Raises `BadInput`
    and `Refused`: `provider_unknown`, `conflict_group_unknown`, `conflict_group_full`, `version_conflict`.
    """
    checked, memo = checked_id(provider_id, "provider"), canonical_memo(memo)
    wanted = None if group_id is None else checked_id(group_id, "conflict group")

    def work(conn: Connection, also: Sequence[str]) -> Changed[ProviderRow]:
        group = None if wanted is None else _known(lock_conflict_group(conn, wanted), wanted)
        locked = lock_niches(conn, sorted({*niche_ids_subscribed(conn, checked), *also}))
        before = locked_provider(conn, checked)
        after = replace(before, conflict_group_id=wanted)
        if after == before:
            return Changed(before, provider_version(before), took_effect=False)
        require_version(expected_version, provider_version(before), "the provider")
        if group is not None and len(group_members(conn, wanted)) >= MOST_MEMBERS:
            raise Refused("conflict_group_full", f"the conflict group {group.name!r} has {MOST_MEMBERS} providers")
        now = clock(conn)
        contents = contents_of_terms(conn, locked, before, after)
        write_providers(conn, [after], now)
        record_moves(conn, locked, contents, [], now)
        append_audit(conn, provider_events(actor, before, after, memo), now)
        return Changed(after, provider_version(after), took_effect=True)

    return with_niche_locks(database, work)


def _seen(row: ConflictGroupRow, members: Sequence[GroupMember]) -> SeenConflictGroup:
    own = tuple(each for each in members if each.group_id == row.group_id)
    return SeenConflictGroup(row, conflict_group_version(row), own)


def _known(row: ConflictGroupRow | None, group_id: str) -> ConflictGroupRow:
    if row is None:
        raise Refused("conflict_group_unknown", f"there is no conflict group {group_id}")
    return row


def _event(
    actor: Actor,
    verb: str,
    row: ConflictGroupRow,
    old: JsonObject | None,
    new: JsonObject,
    memo: str | None,
) -> AuditEvent:
    return AuditEvent(actor, f"conflict_group.{verb}", "conflict_group", row.group_id, old, new, memo)
