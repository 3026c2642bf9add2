"""Putting all levels of a niche into another order at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fairlead.core.errors import Refused
from fairlead.flows.configuration.levels import level_entry
from fairlead.flows.configuration.niches import locked_niche
from fairlead.flows.configuration.versions import order_version, require_version
from fairlead.flows.funding import record_moves
from fairlead.flows.input_types import canonical_memo
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.rows import LevelRow, level_rows
from fairlead.store.configuration.writes import write_levels
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id


@dataclass(frozen=True, slots=True)
class Reordered:
    """The niche's living levels in their order, its opaque version, and whether it was another one before."""

    levels: tuple[LevelRow, ...]
    version: str
    took_effect: bool


def reorder_levels(
    database: Database,
    niche_id: str,
    level_ids: Sequence[str],
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> Reordered:
    """The niche's living levels stand in this order; `level_ids` names each of them once, active or not.

    The levels share out the positions that they had, so that the rotation goes on at the position where it stands
    (R2). Names, prices and subscriptions stay. Locks the niche. Raises `BadInput` and `Refused`: `niche_unknown`,
    `levels_incomplete` when the ids are not exactly those of the living levels, `version_conflict`.
    """
    checked = checked_id(niche_id, "niche")
    wanted = [checked_id(level_id, "level") for level_id in level_ids]
    memo = canonical_memo(memo)

    def work(conn: Connection, _: Sequence[str]) -> Reordered:
        locked, niche = locked_niche(conn, checked)
        before = {row.level.level_id: row for row in level_rows(conn, [checked])}
        if sorted(wanted) != sorted(before):
            raise Refused("levels_incomplete", f"name each living level of the niche {niche.slug!r} once")
        positions = sorted(row.level.order_position for row in before.values())
        after = [
            replace(before[level_id], level=replace(before[level_id].level, order_position=position))
            for level_id, position in zip(wanted, positions, strict=True)
        ]
        done = Reordered(tuple(after), order_version(checked, after), took_effect=True)
        changed = [row for row in after if row != before[row.level.level_id]]
        if not changed:
            return replace(done, took_effect=False)
        require_version(expected_version, order_version(checked, list(before.values())), "the order of the levels")
        now = clock(conn)
        write_levels(conn, changed, now)
        record_moves(conn, {checked: locked}, {checked: [level_entry(row) for row in changed]}, [], now)
        old = {"positions": {row.level.level_id: before[row.level.level_id].level.order_position for row in changed}}
        new = {
            "positions": {row.level.level_id: row.level.order_position for row in changed},
            "journal_seq": locked.journal_seq + 1,
        }
        append_audit(conn, [AuditEvent(actor, "levels.reordered", "niche", checked, old, new, memo)], now)
        return done

    return with_niche_locks(database, work)
