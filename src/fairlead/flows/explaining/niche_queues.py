"""Whose turn is next: the level that the next lead starts at, and the head of each level's queue."""

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from fairlead.core.errors import Refused
from fairlead.core.fairness import served_rank
from fairlead.core.gates import standing_refusal
from fairlead.core.model import Level
from fairlead.core.rotation import start_position
from fairlead.core.traversal import active_levels_by_position
from fairlead.core.weighted import shares, start_pass
from fairlead.store.configuration.rows import LevelRow, level_rows
from fairlead.store.connection import Connection, Database
from fairlead.store.distribution.queues import StandingRow, leads_since_served, standing_rows
from fairlead.store.journal import read_niche
from fairlead.store.lookups import checked_id, provider_names

HEAD_LENGTH = 5


@dataclass(frozen=True, slots=True)
class QueuedSubscription:
    """A subscription in the queue. `leads_since` counts the leads decided since its last; None: it never had one.

    `share` is the part of the level's leads that it may expect; None where the level is not weighted (R15).
    """

    subscription_id: str
    provider_id: str
    provider_name: str = field(repr=False)
    leads_since: int | None
    weight: int
    share: float | None


@dataclass(frozen=True, slots=True)
class StandingQueue:
    """A level's queue from its head, for a lead that every filter takes; the others by why they are not in it."""

    level: Level
    queued_count: int
    head: tuple[QueuedSubscription, ...]
    not_queued: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class NicheQueues:
    """The living levels in their order. `next_level_id` is where the next lead starts; None: no level is active."""

    niche_id: str
    next_level_id: str | None
    levels: tuple[StandingQueue, ...]


def read_niche_queues(database: Database, niche_id: str, head_length: int = HEAD_LENGTH) -> NicheQueues:
    """Whose turn is next in the niche. Locks nothing. Raises `BadInput`, and `Refused`: `niche_unknown`."""
    checked = checked_id(niche_id, "niche")

    def work(conn: Connection) -> NicheQueues:
        niche = read_niche(conn, checked)
        if niche is None:
            raise Refused("niche_unknown", f"there is no niche {checked}")
        rows = sorted(level_rows(conn, [checked]), key=lambda row: row.level.order_position)
        levels = [row.level for row in rows]
        active = {level.order_position: level.level_id for level in active_levels_by_position(levels)}
        start = start_position([*active], niche.next_start_order_position)
        queues = _queues(conn, checked, rows, head_length)
        return NicheQueues(checked, None if start is None else active[start], queues)

    return database.read(work)


def _queues(conn: Connection, niche_id: str, rows: Sequence[LevelRow], head_length: int) -> tuple[StandingQueue, ...]:
    levels = {row.level.level_id: row for row in rows}
    queued: dict[str, list[StandingRow]] = {level_id: [] for level_id in levels}
    shut: dict[str, Counter[str]] = {level_id: Counter() for level_id in levels}
    for row in standing_rows(conn, niche_id):
        refusal = standing_refusal(row.subscription, row.provider_status)
        if refusal is None:
            queued[row.level_id].append(row)
        else:
            shut[row.level_id][refusal.reason] += 1
    heads = {
        level_id: heapq.nsmallest(head_length, own, key=partial(_place, levels[level_id]))
        for level_id, own in queued.items()
    }
    shown = [row for own in heads.values() for row in own]
    parts: dict[str, float] = {}
    for level_id, own in queued.items():
        if levels[level_id].level.is_weighted:
            weights = {row.subscription_id: row.weight for row in own}
            parts |= shares(weights, levels[level_id].level.max_recipients)
    names = provider_names(conn, sorted({row.provider_id for row in shown}))
    since = leads_since_served(conn, niche_id, [row.served_seq for row in shown if row.served_seq is not None])
    return tuple(
        StandingQueue(
            level.level,
            len(queued[level_id]),
            tuple(_queued(row, names, since, parts) for row in heads[level_id]),
            dict(sorted(shut[level_id].items())),
        )
        for level_id, level in levels.items()
    )


def _place(level: LevelRow, row: StandingRow) -> tuple[int, int, str]:
    """The order of the level (R5, R15)."""
    own_pass = start_pass(row.pass_value, row.served_seq, level.level_pass) if level.level.is_weighted else 0
    return own_pass, served_rank(row.served_seq, row.provider_id), row.provider_id


def _queued(
    row: StandingRow, names: Mapping[str, str], since: Mapping[int, int], parts: Mapping[str, float]
) -> QueuedSubscription:
    leads_since = None if row.served_seq is None else since.get(row.served_seq, 0)
    own_id = row.subscription_id
    name = names[row.provider_id]
    return QueuedSubscription(own_id, row.provider_id, name, leads_since, row.weight, parts.get(own_id))
