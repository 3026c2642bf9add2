"""Opening, changing and deleting a niche's competition levels. Their order is changed in `level_order`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fairlead.core.canonical import JsonObject
from fairlead.core.configuration_entries import level_payload
from fairlead.core.errors import BadInput, Refused
from fairlead.core.journal import JournalEntryKind
from fairlead.core.model import LEAST_RECENTLY_SERVED, Level
from fairlead.core.prices import lowest_price_cents
from fairlead.core.subscription import funded
from fairlead.flows.changes import Change, difference
from fairlead.flows.configuration.left_out import left_out_at, told_of_left_out
from fairlead.flows.configuration.niches import locked_niche
from fairlead.flows.configuration.versions import (
    UNCHANGED,
    Changed,
    Unchanged,
    given,
    level_version,
    moved,
    require_version,
)
from fairlead.flows.declaring.plan_niches import exclusive_problem, level_document
from fairlead.flows.funding import Move, record_moves
from fairlead.flows.input_types import canonical_memo, canonical_values
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.lookups import is_level_used, level_row
from fairlead.store.configuration.rows import (
    LevelRow,
    ProviderRow,
    SubscriptionRow,
    level_rows,
    lock_providers,
    providers_at_levels,
    subscription_rows,
    unlocked_providers,
)
from fairlead.store.configuration.writes import write_levels
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.journal import LockedNiche, lock_niches
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id
from fairlead.store.notifications.outbox import notify


@dataclass(frozen=True, slots=True)
class LevelChange:
    """What is to be different about a level."""

    name: str | Unchanged = UNCHANGED
    price_cents: int | Unchanged = UNCHANGED
    max_recipients: int | Unchanged = UNCHANGED
    is_active: bool | Unchanged = UNCHANGED
    is_exclusive: bool | Unchanged = UNCHANGED
    order: str | Unchanged = UNCHANGED


@dataclass(frozen=True, slots=True)
class LevelMoves:
    """The level as a change would have it; of its living subscriptions, those that would stop, and would start.

    `active_count` are active before it. `left_out` are those whose provider pays at most less than the level would ask.
    """

    level: LevelRow
    subscription_count: int
    active_count: int
    stopping: tuple[Move, ...]
    starting: tuple[Move, ...]
    left_out: tuple[SubscriptionRow, ...]


def create_level(
    database: Database,
    niche_id: str,
    name: str,
    price_cents: int,
    max_recipients: int,
    actor: Actor,
    *,
    order_position: int | None = None,
    is_active: bool = True,
    is_exclusive: bool = False,
    order: str = LEAST_RECENTLY_SERVED,
    memo: str | None = None,
) -> Changed[LevelRow]:
    """The niche has the level, at this position, by default after all others.

    Recognised by its name in the niche: asked for again with the same values nothing is changed. Locks the niche.
    Raises `BadInput`, also for an exclusive level of several recipients, and `Refused`: `niche_unknown`, `level_exists`
    when the name has another level, `position_taken`.
    """
    checked, level_id = checked_id(niche_id, "niche"), new_id(database)
    values: dict[str, object] = {"name": name, "price_cents": price_cents, "max_recipients": max_recipients}
    values |= {"is_active": is_active, "is_exclusive": is_exclusive, "order": order, "memo": memo}
    canonical = canonical_values(values if order_position is None else values | {"order_position": order_position})
    name, memo = canonical["name"], canonical["memo"]

    def work(conn: Connection, _: Sequence[str]) -> Changed[LevelRow]:
        locked, _row = locked_niche(conn, checked)
        living = level_rows(conn, [checked])
        namesake = next((row for row in living if row.level.name == name), None)
        after_all = max((row.level.order_position for row in living), default=0) + 1
        own = None if namesake is None else namesake.level.order_position
        position = order_position or own or after_all
        level = Level(level_id, name, price_cents, max_recipients, position, is_active, is_exclusive, order=order)
        _require_sold_alone(level)
        asked = LevelRow(checked, level)
        if namesake is not None:
            if level_document(namesake.level) != level_document(asked.level):
                raise Refused("level_exists", f"the niche has a level {name!r} already")
            return Changed(namesake, level_version(namesake), namesake.level.level_id == level_id)
        canonical_values({"order_position": position})
        _require_free(living, asked.level)
        change = difference("level", name, None, level_document(asked.level))
        return write_level(conn, locked, asked, [], change, "level.created", actor, memo)

    return with_niche_locks(database, work)


def change_level(
    database: Database,
    level_id: str,
    change: LevelChange,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> Changed[LevelRow]:
    """The level is as the change says; what the change does not mention is as it was.

    A new price or order takes effect with the next decision; where a level becomes weighted, all of its subscriptions
    are even then (R12, R15). Subscriptions that it makes too dear are deactivated at once, those
    that can be paid for again come back, and their providers are told (R9); told are those, too, who pay at most less
    than the level asks now. Leads pass an inactive level by. Locks the niche, and, where the price changes, the level's
    providers. Raises `BadInput` and `Refused`: `level_unknown`, `level_deleted`, `level_exists` when another level has
    the name, `version_conflict`.
    """
    checked, wanted = checked_id(level_id, "level"), canonical_values({**given(change), "memo": memo})
    memo = wanted.pop("memo")

    def work(conn: Connection, _: Sequence[str]) -> Changed[LevelRow]:
        locked, before = locked_level(conn, checked)
        require_living(before)
        after = before.as_level(replace(before.level, **wanted))
        _require_sold_alone(after.level)
        differing = difference("level", before.level.name, _document(before.level), _document(after.level))
        if differing is None:
            return Changed(before, level_version(before), took_effect=False)
        require_version(expected_version, level_version(before), f"the level {before.level.name!r}")
        others = [row for row in level_rows(conn, [before.niche_id]) if row.level.level_id != checked]
        _require_free(others, after.level)
        is_repriced = lowest_price_cents(before.level) != lowest_price_cents(after.level)
        providers = lock_providers(conn, providers_at_levels(conn, [after])) if is_repriced else {}
        moves = moves_at_price(conn, after, providers) if is_repriced else []
        return write_level(conn, locked, after, moves, differing, "level.changed", actor, memo, before)

    return with_niche_locks(database, work)


def preview_level_change(database: Database, level_id: str, change: LevelChange) -> LevelMoves:
    """What `change_level` would do to subscriptions now, by the balances of this moment. Nothing is locked or changed.

    Raises `BadInput` and `Refused`: `level_unknown`, `level_deleted`.
    """
    checked, wanted = checked_id(level_id, "level"), canonical_values(given(change))

    def work(conn: Connection) -> LevelMoves:
        before = living_level(conn, checked)
        return level_moves(conn, before, replace(before, level=replace(before.level, **wanted)))

    return database.read(work)


def level_moves(conn: Connection, before: LevelRow, after: LevelRow) -> LevelMoves:
    """What the change of the level would do to its subscriptions, by the balances of now. Nothing is locked."""
    moves = moves_at_price(conn, after, unlocked_providers(conn, providers_at_levels(conn, [after])))
    living = [row for row in subscription_rows(conn, [], [], [after]) if not row.is_deleted]
    return LevelMoves(
        after,
        len(living),
        sum(row.subscription.is_active for row in living),
        tuple(each for each in moves if not each[1].subscription.is_active),
        tuple(each for each in moves if each[1].subscription.is_active),
        tuple(left_out_at(conn, before, after)),
    )


def delete_level(
    database: Database,
    level_id: str,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> Changed[LevelRow]:
    """The level is gone, and its name and position are free. One that was ever used can only be made inactive.

    Locks the niche. Raises `Refused`: `level_unknown`, `version_conflict`, `level_in_use` when a provider subscribes to
    it or a lead was sold at it.
    """
    checked = checked_id(level_id, "level")
    memo = canonical_memo(memo)

    def work(conn: Connection, _: Sequence[str]) -> Changed[LevelRow]:
        locked, before = locked_level(conn, checked)
        if before.is_deleted:
            return Changed(before, level_version(before), took_effect=False)
        require_version(expected_version, level_version(before), f"the level {before.level.name!r}")
        if is_level_used(conn, before):
            raise Refused(
                "level_in_use",
                f"the level {before.level.name!r} has subscriptions or sales; make it inactive instead",
            )
        change = difference("level", before.level.name, level_document(before.level), None)
        return write_level(conn, locked, replace(before, is_deleted=True), [], change, "level.deleted", actor, memo)

    return with_niche_locks(database, work)


def _require_sold_alone(level: Level) -> None:
    if (problem := exclusive_problem(level)) is not None:
        raise BadInput([f"max_recipients: {problem}"])


def level_entry(row: LevelRow) -> tuple[JournalEntryKind, JsonObject]:
    """What the journal says of the level."""
    return JournalEntryKind.LEVEL, level_payload(row.level, is_deleted=row.is_deleted)


def locked_level(conn: Connection, level_id: str) -> tuple[LockedNiche, LevelRow]:
    """The level's niche, locked, and the level as it is under the lock. Raises `Refused`: `level_unknown`."""
    seen = level_row(conn, level_id)
    if seen is None:
        raise Refused("level_unknown", f"there is no level {level_id}")
    locked = lock_niches(conn, [seen.niche_id])[seen.niche_id]
    row = level_row(conn, level_id)
    assert row is not None, "levels are never removed from the table"
    return locked, row


def living_level(conn: Connection, level_id: str) -> LevelRow:
    """The level as it is now; nothing is locked. Raises `Refused`: `level_unknown`, `level_deleted`."""
    row = level_row(conn, level_id)
    if row is None:
        raise Refused("level_unknown", f"there is no level {level_id}")
    require_living(row)
    return row


def require_living(row: LevelRow) -> None:
    """Raises `Refused`, `level_deleted`, for a level that was deleted."""
    if row.is_deleted:
        raise Refused("level_deleted", f"the level {row.level.name!r} was deleted")


def _require_free(others: Sequence[LevelRow], level: Level) -> None:
    if any(row.level.name == level.name for row in others):
        raise Refused("level_exists", f"the niche has a level {level.name!r} already")
    holder = next((row.level.name for row in others if row.level.order_position == level.order_position), None)
    if holder is not None:
        raise Refused("position_taken", f"the level {holder!r} has the position {level.order_position} already")


def moves_at_price(conn: Connection, level: LevelRow, providers: Mapping[str, ProviderRow]) -> list[Move]:
    """What the level's lowest price makes of its subscriptions (R9), by the balances of its providers."""
    moves: list[Move] = []
    for row in subscription_rows(conn, [], [], [level]):
        available_cents = providers[row.subscription.provider_id].balance.available_cents
        after = funded(row.subscription, lowest_price_cents(level.level), available_cents)
        if after is not row.subscription and after != row.subscription:
            moves.append((row, replace(row, subscription=after)))
    return moves


def write_level(
    conn: Connection,
    locked: LockedNiche,
    after: LevelRow,
    moves: Sequence[Move],
    change: Change | None,
    action: str,
    actor: Actor,
    memo: str | None,
    before: LevelRow | None = None,
) -> Changed[LevelRow]:
    """The level is as given, its subscriptions are as moved; the journal, the audit log and providers say so.

    `before` is the level before a change that may leave subscriptions out. Needs the niche's lock, and those of the
    providers of the moves.
    """
    now = clock(conn)
    write_levels(conn, [after], now)
    record_moves(conn, {after.niche_id: locked}, {after.niche_id: [level_entry(after)]}, moves, now)
    place = {"niche_id": after.niche_id, "journal_seq": locked.journal_seq + 1}
    old, new = (None, {}) if change is None else (change.old, change.new or {})
    left_out = [] if before is None else left_out_at(conn, before, after)
    notify(conn, told_of_left_out(left_out, after.level), now)
    event = AuditEvent(actor, action, "level", after.level.level_id, old, {**new, **place}, memo)
    append_audit(conn, [event], now)
    ids = tuple(row.subscription.subscription_id for row in left_out)
    return replace(moved(after, level_version(after), moves), left_out_subscription_ids=ids)


def _document(level: Level) -> JsonObject:
    return {"name": level.name, **level_document(level)}
