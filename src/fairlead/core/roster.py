"""A niche's subscriptions in memory, as of one `seq` of its journal.

A roster is a fold of the journal: brought up to the head under the niche's lock, it is exactly what the tables say.
It answers one question fast: which subscriptions pass the static gates for a lead, in R5's order.

Every subscription holds a slot. A changed filter takes a fresh slot, because the filter index is append-only; the
roster is rebuilt when dead slots outnumber the living.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from fairlead.core.eligibility import static_refusal
from fairlead.core.fairness import in_served_order, served_rank
from fairlead.core.filter_index import FilterIndex
from fairlead.core.filters import compile_filter
from fairlead.core.form import FormSchema, parse_form_schema
from fairlead.core.journal import (
    Entry,
    EntryKind,
    level_from_payload,
    recorded_decision,
    subscription_from_payload,
)
from fairlead.core.model import Level, Reason, Subscription
from fairlead.core.traversal import active_levels_by_position

DEAD_SLOTS_TOLERATED = 4096


class JournalGap(ValueError):
    """An entry that does not follow the roster's own `seq`: it was not brought up to date in order."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a niche stands: the journal's head, the rotation pointer (R2) and the served counter (R5)."""

    seq: int
    hash: bytes
    next_start_order_position: int
    last_served_seq: int


class Roster:
    """One niche's levels and living subscriptions at `head.seq`."""

    def __init__(self, niche_id: str) -> None:
        self.niche_id = niche_id
        self.head = Head(0, bytes(32), 1, 0)
        self.is_active = True
        self.schema = FormSchema(())
        self.active_levels: tuple[Level, ...] = ()
        self._levels: dict[str, Level] = {}
        self._level_numbers: dict[str, int] = {}
        self._provider_status: dict[str, str] = {}
        self._served_seq: dict[str, int] = {}
        self._static_counts: dict[str, dict[Reason, int]] = {}
        self._living_counts: dict[str, int] = {}
        self._undo: list[tuple[str, Subscription | int | None]] | None = None
        self._head_at_checkpoint = self.head
        self._clear_slots()

    # Reading --------------------------------------------------------------------------------------------------

    @property
    def levels(self) -> Mapping[str, Level]:
        """The living levels by id, active or not."""
        return self._levels

    @property
    def subscriptions(self) -> Mapping[str, Subscription]:
        """The living subscriptions by id."""
        return {subscription_id: self._subscriptions[slot] for subscription_id, slot in self._slot_of.items()}

    def subscription(self, subscription_id: str) -> Subscription | None:
        """The living subscription of that id."""
        slot = self._slot_of.get(subscription_id)
        return None if slot is None else self._subscriptions[slot]

    def served_seq(self, subscription_id: str) -> int | None:
        """When a subscription was last served by the niche's counter, also while it is deleted (R12)."""
        return self._served_seq.get(subscription_id)

    def provider_status(self, provider_id: str) -> str | None:
        """A provider's status in this niche's journal; None when it never subscribed here."""
        return self._provider_status.get(provider_id)

    def subscriptions_of(self, provider_id: str) -> list[Subscription]:
        """The provider's living subscriptions in this niche, by subscription id."""
        slots = self._slots_of_provider.get(provider_id, {})
        return [self._subscriptions[slot] for _, slot in sorted(slots.items())]

    def static_counts(self, level_id: str) -> Mapping[Reason, int]:
        """How many living subscriptions of the level can receive no lead at all, by the gate that refuses them."""
        return self._static_counts.get(level_id, {})

    def living_count(self, level_id: str) -> int:
        """How many living subscriptions the level has."""
        return self._living_counts.get(level_id, 0)

    def matching(self, attributes: Mapping[str, object]) -> "Candidates":
        """The subscriptions, of every level, that pass all static gates for a lead with these attributes."""
        slots = self._index.matching(attributes, self._open).astype(np.int64, copy=False)
        return Candidates(self, slots)

    def walk(self, slots: NDArray[np.int64]) -> Iterator[Subscription]:
        """The subscriptions in these slots in R5's order, lazily."""
        for slot in in_served_order(slots, self._ranks, self._provider_ids):
            yield self._subscriptions[slot]

    @property
    def level_numbers(self) -> NDArray[np.int32]:
        """By slot, the number that `number_of` gives its level."""
        return self._level_of

    def number_of(self, level: Level) -> int:
        """The roster's own small number for a level."""
        return self._level_numbers[level.level_id]

    def slots_of(self, provider_id: str, level: Level) -> list[int]:
        """The slots of the provider's living subscriptions to the level, in no particular order."""
        slots = self._slots_of_provider.get(provider_id, {}).values()
        return [slot for slot in slots if self._subscriptions[slot].level_id == level.level_id]

    def __len__(self) -> int:
        return len(self._slot_of)

    # Following the journal ------------------------------------------------------------------------------------

    def fold(self, entry: Entry) -> None:
        """The roster stands at `entry.seq`. Raises `JournalGap` unless the entry is the next one."""
        if entry.niche_id != self.niche_id or entry.seq != self.head.seq + 1:
            raise JournalGap(f"entry {entry.seq} does not follow {self.head.seq} in niche {self.niche_id}")
        payload = cast("Mapping[str, Any]", entry.payload)
        pointer, served = self.head.next_start_order_position, self.head.last_served_seq
        match entry.kind:
            case EntryKind.NICHE:
                self.set_niche(payload["is_active"], payload["form_schema"])
            case EntryKind.LEVEL:
                self.set_level(*level_from_payload(payload))
            case EntryKind.PROVIDER:
                self.set_provider(payload["provider_id"], payload["status"])
            case EntryKind.SUBSCRIPTION:
                self.set_subscription(*subscription_from_payload(payload))
            case EntryKind.DECISION:
                decision = recorded_decision(payload)
                pointer = decision.next_start_order_position
                for subscription_id, served_seq in decision.served:
                    self.set_served(subscription_id, served_seq)
                    served = served_seq
        self.head = Head(entry.seq, entry.hash, pointer, served)

    def set_niche(self, is_active: bool, form_schema: object) -> None:
        """The niche's form schema and activity are these; every filter is read anew against the schema."""
        self.is_active = is_active
        schema = parse_form_schema(form_schema)
        if schema != self.schema:
            self.schema = schema
            self._rebuild()

    def set_level(self, level: Level, is_deleted: bool) -> None:
        """The level is as given, or gone."""
        self._levels.pop(level.level_id, None)
        if not is_deleted:
            self._levels[level.level_id] = level
        self._level_numbers.setdefault(level.level_id, len(self._level_numbers))
        self.active_levels = active_levels_by_position(self._levels.values())

    def set_provider(self, provider_id: str, status: str) -> None:
        """The provider's status is this one, for each of its subscriptions."""
        self._provider_status[provider_id] = status
        for slot in self._slots_of_provider.get(provider_id, {}).values():
            self._set_gate(slot, static_refusal(self._subscriptions[slot], status))

    def set_subscription(self, subscription: Subscription, is_deleted: bool) -> None:
        """The subscription is as given, or gone. Its place in the order stays what it was (R12)."""
        slot = self._slot_of.get(subscription.subscription_id)
        if self._undo is not None:
            self._remember_activity(slot, subscription, is_deleted)
        if slot is not None:
            before = self._subscriptions[slot]
            if not is_deleted and before.has_filter_of(subscription):
                self._subscriptions[slot] = subscription
                self._set_gate(slot, self._gate_of(subscription))
                return
            self._vacate(slot, before)
        if not is_deleted:
            self._occupy(subscription)

    def set_served(self, subscription_id: str, served_seq: int) -> None:
        """The subscription was served last at `served_seq`: it stands behind everybody served before (R5)."""
        if self._undo is not None:
            self._undo.append((subscription_id, self._served_seq.get(subscription_id)))
        self._served_seq[subscription_id] = served_seq
        slot = self._slot_of.get(subscription_id)
        if slot is not None:
            self._ranks[slot] = served_seq

    # Trying decisions out -------------------------------------------------------------------------------------

    def checkpoint(self) -> None:
        """From here on, decisions and deactivations can be taken back by `roll_back`, until `keep`."""
        self._undo = []
        self._head_at_checkpoint = self.head

    def roll_back(self) -> None:
        """The roster is as it was at the checkpoint, which stays set."""
        if self._undo is None:
            raise JournalGap("there is no checkpoint to roll back to")
        undo, self._undo = self._undo, None
        for subscription_id, before in reversed(undo):
            if isinstance(before, Subscription):
                self.set_subscription(before, is_deleted=False)
            elif before is None:
                self._forget_served(subscription_id)
            else:
                self.set_served(subscription_id, before)
        self.head = self._head_at_checkpoint
        self._undo = []

    def abandon(self) -> None:
        """A checkpoint that was never kept is rolled back and gone; without one, nothing changes."""
        if self._undo is not None:
            self.roll_back()
            self._undo = None

    def keep(self) -> None:
        """What happened since the checkpoint stands."""
        self._undo = None

    def _remember_activity(self, slot: int | None, after: Subscription, is_deleted: bool) -> None:
        if slot is None or is_deleted or not self._subscriptions[slot].has_filter_of(after):
            raise JournalGap("only activity may change between a checkpoint and its end")
        assert self._undo is not None
        self._undo.append((after.subscription_id, self._subscriptions[slot]))

    def _forget_served(self, subscription_id: str) -> None:
        del self._served_seq[subscription_id]
        slot = self._slot_of.get(subscription_id)
        if slot is not None:
            self._ranks[slot] = served_rank(None, self._subscriptions[slot].provider_id)

    # Slots ----------------------------------------------------------------------------------------------------

    def _clear_slots(self) -> None:
        self._index = FilterIndex()
        self._open = BitMap()
        self._subscriptions: list[Subscription] = []
        self._provider_ids: list[str] = []
        self._gates: list[Reason | None] = []
        self._slot_of: dict[str, int] = {}
        self._slots_of_provider: dict[str, dict[str, int]] = {}
        self._ranks: NDArray[np.int64] = np.zeros(64, np.int64)
        self._level_of: NDArray[np.int32] = np.zeros(64, np.int32)
        self._static_counts.clear()
        self._living_counts.clear()

    def _rebuild(self) -> None:
        living = list(self.subscriptions.values())
        self._clear_slots()
        for subscription in living:
            self._occupy(subscription)

    def _occupy(self, subscription: Subscription) -> None:
        if len(self._subscriptions) > 2 * len(self._slot_of) + DEAD_SLOTS_TOLERATED:
            self._rebuild()
        slot = len(self._subscriptions)
        if slot == len(self._ranks):
            self._ranks = np.concatenate([self._ranks, np.zeros_like(self._ranks)])
            self._level_of = np.concatenate([self._level_of, np.zeros_like(self._level_of)])
        self._subscriptions.append(subscription)
        self._provider_ids.append(subscription.provider_id)
        self._gates.append(None)
        self._slot_of[subscription.subscription_id] = slot
        self._slots_of_provider.setdefault(subscription.provider_id, {})[subscription.subscription_id] = slot
        self._ranks[slot] = served_rank(self._served_seq.get(subscription.subscription_id), subscription.provider_id)
        self._level_of[slot] = self._level_numbers[subscription.level_id]
        self._index.put(slot, compile_filter(subscription.filter_rules, self.schema))
        self._living_counts[subscription.level_id] = self.living_count(subscription.level_id) + 1
        self._set_gate(slot, self._gate_of(subscription))

    def _vacate(self, slot: int, subscription: Subscription) -> None:
        self._set_gate(slot, None)
        self._open.discard(slot)
        self._living_counts[subscription.level_id] -= 1
        del self._slot_of[subscription.subscription_id]
        del self._slots_of_provider[subscription.provider_id][subscription.subscription_id]

    def _gate_of(self, subscription: Subscription) -> Reason | None:
        return static_refusal(subscription, self._provider_status.get(subscription.provider_id, "unknown"))

    def _set_gate(self, slot: int, gate: Reason | None) -> None:
        counts = self._static_counts.setdefault(self._subscriptions[slot].level_id, {})
        before = self._gates[slot]
        if before is not None:
            counts[before] -= 1
        if gate is None:
            self._open.add(slot)
        else:
            counts[gate] = counts.get(gate, 0) + 1
            self._open.discard(slot)
        self._gates[slot] = gate


@dataclass(frozen=True, slots=True)
class Candidates:
    """The subscriptions that pass the static gates for one lead. Valid until the roster changes."""

    roster: Roster
    slots: NDArray[np.int64]

    def at(self, level: Level) -> tuple[int, Iterator[Subscription]]:
        """How many candidates the level has, and a lazy walk over them in R5's order."""
        own = self.slots[self.roster.level_numbers[self.slots] == self.roster.number_of(level)]
        return len(own), self.roster.walk(own)

    def count_of_providers(self, provider_ids: Sequence[str], level: Level) -> int:
        """How many of these providers have a candidate at the level, without walking to it."""
        slots = [slot for provider_id in provider_ids for slot in self.roster.slots_of(provider_id, level)]
        return sum(self._holds(slot) for slot in slots)

    def _holds(self, slot: int) -> bool:
        at = int(self.slots.searchsorted(slot))
        return at < len(self.slots) and int(self.slots[at]) == slot
