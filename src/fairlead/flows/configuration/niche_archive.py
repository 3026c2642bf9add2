"""Archiving a niche that is over, and restoring it."""

from collections.abc import Sequence
from dataclasses import replace

from fairlead.core.errors import Refused
from fairlead.flows.configuration.niches import locked_niche, record_niche
from fairlead.flows.configuration.versions import Changed, niche_version, require_version
from fairlead.flows.input_types import canonical_memo
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.niche_archive import WhatAnArchiveStops, set_archived, what_an_archive_stops
from fairlead.store.configuration.rows import NicheRow
from fairlead.store.configuration.writes import write_niches
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id


def preview_archive(database: Database, niche_id: str) -> WhatAnArchiveStops:
    """What archiving the niche would stop now. Locks nothing. Raises `BadInput`, and `Refused`: `niche_unknown`."""
    checked = checked_id(niche_id, "niche")
    found = database.read(lambda conn: what_an_archive_stops(conn, checked))
    if found is None:
        raise Refused("niche_unknown", f"there is no niche {checked}")
    return found


def archive_niche(
    database: Database, niche_id: str, actor: Actor, *, memo: str | None = None, expected_version: str | None = None
) -> Changed[NicheRow]:
    """The niche is archived, and so inactive: it takes in no lead and decides none, is not offered to providers, and
    stays so until it is restored. Its leads, subscriptions and places in queues are kept as they are.

    If it was active, the journal says that it is not any more. Audited; again it changes nothing. Locks the niche.
    Raises `BadInput` and `Refused`: `niche_unknown`, `version_conflict`.
    """
    return _mark(database, niche_id, actor, memo, expected_version, is_archived=True)


def restore_niche(
    database: Database, niche_id: str, actor: Actor, *, memo: str | None = None, expected_version: str | None = None
) -> Changed[NicheRow]:
    """The niche is not archived any more. It is inactive until it is made active (`change_niche`).

    Audited; again it changes nothing. Locks the niche. Raises as `archive_niche`.
    """
    return _mark(database, niche_id, actor, memo, expected_version, is_archived=False)


def _mark(
    database: Database,
    niche_id: str,
    actor: Actor,
    memo: str | None,
    expected_version: str | None,
    *,
    is_archived: bool,
) -> Changed[NicheRow]:
    checked, words = checked_id(niche_id, "niche"), canonical_memo(memo)

    def work(conn: Connection, _: Sequence[str]) -> Changed[NicheRow]:
        locked, before = locked_niche(conn, checked)
        if before.is_archived == is_archived:
            return Changed(before, niche_version(before), took_effect=False)
        require_version(expected_version, niche_version(before), f"the niche {before.slug!r}")
        now, after = clock(conn), replace(before, is_active=False, is_archived=is_archived)
        events: list[AuditEvent] = []
        if before.is_active:
            write_niches(conn, [after], now)
            events.append(record_niche(conn, locked, (before, after), actor, words, now))
        set_archived(conn, checked, is_archived=is_archived)
        action = "niche.archived" if is_archived else "niche.restored"
        old, new = {"is_archived": before.is_archived}, {"is_archived": is_archived}
        append_audit(conn, [*events, AuditEvent(actor, action, "niche", checked, old, new, words)], now)
        return Changed(after, niche_version(after), took_effect=True)

    return with_niche_locks(database, work)
