"""Where a roster keeps its living subscriptions: a slot each, with its place in the order and the gate that shuts it.

Arrays and bitmaps by slot answer in nanoseconds per subscription what objects would answer in microseconds. The filter
index is append-only, so a slot is never used again: a changed filter takes a fresh one, and the old one is dead.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from fairlead.core.fairness import in_served_order, in_weighted_order
from fairlead.core.filters.filter import CompiledFilter
from fairlead.core.filters.index import FilterIndex
from fairlead.core.model import Level, Subscription, with_shared_texts
from fairlead.core.refusals import Refusal
from fairlead.core.weighted import NO_LEVEL_PASS, LevelPass, start_passes

_NONE: NDArray[np.int64] = np.zeros(0, np.int64)
_ANY_PRICE = np.iinfo(np.int64).max
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


class Slots:
    """Living subscriptions by slot, by id and by provider."""

    def __init__(self, level_passes: Mapping[str, LevelPass]) -> None:
        """`level_passes` says at any time where the levels stand that ever gave a lead by weight."""
        self._level_passes = level_passes
        self._index = FilterIndex()
        self._open = BitMap()
        self._subscriptions: list[Subscription] = []
        self._texts: dict[str, str] = {}
        self._provider_ids: list[str] = []
        self._gates: list[str | None] = []
        self._ranks: NDArray[np.int64] = np.zeros(64, np.int64)
        self._passes: NDArray[np.int64] = np.zeros(64, np.int64)
        self._level_of: NDArray[np.int32] = np.zeros(64, np.int32)
        self._level_numbers: dict[str, int] = {}
        self._slot_of: dict[str, int] = {}
        self._slots_of_provider: dict[str, tuple[int, ...]] = {}
        self._gate_counts: dict[str, dict[str, int]] = {}
        self._shut_until: NDArray[np.int64] = np.zeros(64, np.int64)
        self._shut_reason: NDArray[np.int8] = np.zeros(64, np.int8)
        self._reason_numbers: dict[str, int] = {}
        self._shut_by: dict[int, Refusal] = {}
        self._living_counts: dict[str, int] = {}
        self._max_prices: NDArray[np.int64] = np.full(64, _ANY_PRICE, np.int64)
        self._price_limit_counts: dict[str, int] = {}

    # Reading --------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._slot_of)

    def __contains__(self, subscription_id: str) -> bool:
        return subscription_id in self._slot_of

    @property
    def dead_count(self) -> int:
        """How many slots are empty again."""
        return len(self._subscriptions) - len(self._slot_of)

    def living(self) -> dict[str, Subscription]:
        """Every living subscription by id."""
        return {subscription_id: self._subscriptions[slot] for subscription_id, slot in self._slot_of.items()}

    def get(self, subscription_id: str) -> Subscription | None:
        """The living subscription of that id."""
        slot = self._slot_of.get(subscription_id)
        return None if slot is None else self._subscriptions[slot]

    def served_seq(self, subscription_id: str) -> int | None:
        """When the living subscription was last served, by its place in the order; None when it never was."""
        rank = int(self._ranks[self._slot_of[subscription_id]])
        return rank if rank > 0 else None

    def pass_value(self, subscription_id: str) -> int:
        """The living subscription's own pass (R15)."""
        return int(self._passes[self._slot_of[subscription_id]])

    def by_slot(self) -> Iterator[tuple[int, Subscription, str | None]]:
        """Each living subscription with its slot and the gate that shuts it, None for an open one."""
        for slot in self._slot_of.values():
            yield slot, self._subscriptions[slot], self._gates[slot]

    def of_provider(self, provider_id: str) -> list[Subscription]:
        """The provider's living subscriptions, by subscription id."""
        own = (self._subscriptions[slot] for slot in self._slots_of_provider.get(provider_id, ()))
        return sorted(own, key=lambda subscription: subscription.subscription_id)

    def gate_counts(self, level_id: str) -> Mapping[str, int]:
        """How many living subscriptions of the level are shut, by the gate that shuts them."""
        return self._gate_counts.get(level_id, {})

    def living_count(self, level_id: str) -> int:
        """How many living subscriptions the level has."""
        return self._living_counts.get(level_id, 0)

    def candidates(self, attributes: Mapping[str, object], moment: datetime | None) -> "Candidates":
        """The open subscriptions whose filter accepts these attributes, and which of them are shut at the moment."""
        return self._parted(self._index.matching(attributes, self._open).astype(np.int64, copy=False), moment)

    def _parted(self, slots: NDArray[np.int64], moment: datetime | None) -> "Candidates":
        if moment is None or not self._shut_by:
            return Candidates(self, slots, _NONE)
        is_shut = self._shut_until[slots] > _microseconds(moment)
        return Candidates(self, slots[~is_shut], slots[is_shut])

    def named(self, subscription_ids: Iterable[str], moment: datetime) -> "Candidates":
        """Those of the subscriptions that are open, whatever their filter says, and which of them are shut then."""
        open_slots = self._open & BitMap(self._slot_of[each] for each in subscription_ids if each in self._slot_of)
        return self._parted(np.asarray(open_slots.to_array()).astype(np.int64), moment)

    def shut_by(self, subscription_id: str) -> Refusal | None:
        """What shuts the living subscription, until the moment that it says; None if nothing does."""
        return self._shut_by.get(self._slot_of[subscription_id])

    def shut_reasons(self, slots: NDArray[np.int64]) -> Mapping[str, int]:
        """How many of these slots, which are shut, for which reason."""
        numbers = np.bincount(self._shut_reason[slots], minlength=len(self._reason_numbers))
        return {reason: int(numbers[number]) for reason, number in self._reason_numbers.items() if numbers[number]}

    def shut_reason_by_slot(self, slots: NDArray[np.int64]) -> Iterator[tuple[int, str]]:
        """Each of these slots, which are shut, with the reason."""
        for slot in slots.tolist():
            yield slot, self._shut_by[slot].reason

    def first_shut_until(self, slots: NDArray[np.int64]) -> datetime | None:
        """The first moment at which one of these slots, which are shut, is so no more; None for no slots."""
        if not len(slots):
            return None
        return self._shut_by[int(slots[self._shut_until[slots].argmin()])].shuts_until

    def shut_ids(self) -> list[str]:
        """The living subscriptions that something shuts or has shut."""
        return [self._subscriptions[slot].subscription_id for slot in self._shut_by]

    def in_level(self, slots: NDArray[np.int64], level: Level) -> NDArray[np.int64]:
        """Those of the slots that belong to the level."""
        return slots[self._level_of[slots] == self._level_numbers.get(level.level_id, -1)]

    def has_price_limits(self, level: Level) -> bool:
        """Whether a provider says for one of the level's living subscriptions what it pays at most."""
        return self._price_limit_counts.get(level.level_id, 0) > 0

    def taking_price(self, slots: NDArray[np.int64], level: Level) -> NDArray[np.int64]:
        """Those of the slots that take a lead at the level's price."""
        return slots[self._max_prices[slots] >= level.price_cents]

    def in_order(self, slots: NDArray[np.int64], level: Level) -> Iterator[Subscription]:
        """The subscriptions in these slots of the level, in its order (R5, R15), lazily."""
        if not level.is_weighted:
            order = in_served_order(slots, self._ranks, self._provider_ids)
        else:
            level_pass = self._level_passes.get(level.level_id, NO_LEVEL_PASS)
            passes = start_passes(self._passes[slots], self._ranks[slots], level_pass)
            order = in_weighted_order(slots, passes, self._ranks, self._provider_ids)
        for slot in order:
            yield self._subscriptions[slot]

    def held_by(self, provider_id: str, level: Level) -> list[int]:
        """The slots of the provider's living subscriptions to the level, in no particular order."""
        slots = self._slots_of_provider.get(provider_id, ())
        return [slot for slot in slots if self._subscriptions[slot].level_id == level.level_id]

    # Changing -------------------------------------------------------------------------------------------------

    def add(
        self, subscription: Subscription, compiled: CompiledFilter, rank: int, gate: str | None, pass_value: int = 0
    ) -> None:
        """The subscription, which was not living, has a slot of its own."""
        slot = len(self._subscriptions)
        if slot == len(self._ranks):
            self._ranks = np.concatenate([self._ranks, np.zeros_like(self._ranks)])
            self._passes = np.concatenate([self._passes, np.zeros_like(self._passes)])
            self._level_of = np.concatenate([self._level_of, np.zeros_like(self._level_of)])
            self._shut_until = np.concatenate([self._shut_until, np.zeros_like(self._shut_until)])
            self._shut_reason = np.concatenate([self._shut_reason, np.zeros_like(self._shut_reason)])
            self._max_prices = np.concatenate([self._max_prices, np.full_like(self._max_prices, _ANY_PRICE)])
        level_id, provider_id = subscription.level_id, subscription.provider_id
        shared = with_shared_texts(subscription, self._texts)
        self._subscriptions.append(shared)
        self._provider_ids.append(shared.provider_id)
        self._gates.append(None)
        self._ranks[slot] = rank
        self._passes[slot] = pass_value
        self._level_of[slot] = self._level_numbers.setdefault(level_id, len(self._level_numbers))
        self._slot_of[subscription.subscription_id] = slot
        self._slots_of_provider[shared.provider_id] = (*self._slots_of_provider.get(provider_id, ()), slot)
        self._index.put(slot, compiled)
        self._living_counts[level_id] = self.living_count(level_id) + 1
        self._limit_price(slot, subscription)
        self._close(slot, gate)

    def change(self, subscription: Subscription, gate: str | None) -> None:
        """The living subscription of the same id and filter is as given."""
        slot = self._slot_of[subscription.subscription_id]
        self._limit_price(slot, None)
        self._subscriptions[slot] = with_shared_texts(subscription, self._texts)
        self._limit_price(slot, subscription)
        self._close(slot, gate)

    def remove(self, subscription_id: str) -> None:
        """The subscription is not living any more; its slot is dead."""
        slot = self._slot_of.pop(subscription_id)
        subscription = self._subscriptions[slot]
        self._close(slot, None)
        self._take_shut_off(slot)
        self._limit_price(slot, None)
        self._open.discard(slot)
        self._living_counts[subscription.level_id] -= 1
        own = self._slots_of_provider.pop(subscription.provider_id)
        if len(own) > 1:
            self._slots_of_provider[subscription.provider_id] = tuple(each for each in own if each != slot)

    def move(self, subscription_id: str, rank: int) -> None:
        """The subscription, if it is living, stands at another place in the order."""
        slot = self._slot_of.get(subscription_id)
        if slot is not None:
            self._ranks[slot] = rank

    def set_pass(self, subscription_id: str, pass_value: int) -> None:
        """The living subscription has this pass of its own."""
        self._passes[self._slot_of[subscription_id]] = pass_value

    def shut(self, subscription_id: str, refusal: Refusal | None) -> None:
        """The living subscription is shut by the refusal, until the moment that it says; with None, by nothing."""
        slot = self._slot_of[subscription_id]
        if refusal is None or refusal.shuts_until is None:
            self._take_shut_off(slot)
        else:
            self._shut_by[slot] = refusal
            self._shut_until[slot] = _microseconds(refusal.shuts_until)
            self._shut_reason[slot] = self._reason_numbers.setdefault(refusal.reason, len(self._reason_numbers))

    def open_level(self, level_id: str) -> None:
        """Nothing shuts the level's subscriptions."""
        for slot in [*self._shut_by]:
            if self._subscriptions[slot].level_id == level_id:
                self._take_shut_off(slot)

    def _limit_price(self, slot: int, subscription: Subscription | None) -> None:
        """The slot takes the prices that the subscription does; with None, any."""
        level_id = self._subscriptions[slot].level_id
        limit_cents = None if subscription is None else subscription.max_price_cents
        is_limited = int(limit_cents is not None) - int(self._max_prices[slot] != _ANY_PRICE)
        self._price_limit_counts[level_id] = self._price_limit_counts.get(level_id, 0) + is_limited
        self._max_prices[slot] = _ANY_PRICE if limit_cents is None else limit_cents

    def _take_shut_off(self, slot: int) -> None:
        if self._shut_by.pop(slot, None) is not None:
            self._shut_until[slot] = 0

    def _close(self, slot: int, gate: str | None) -> None:
        counts = self._gate_counts.setdefault(self._subscriptions[slot].level_id, {})
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
    """The subscriptions that pass the standing gates and the filter for one lead. Valid until the roster changes.

    `shut_slots` are those that a limit or a schedule is known to refuse at the moment: they are counted, not visited.
    So are those of a level whose provider pays less than the level asks, which come before them (R4). A level is
    given with the price that it asks for the lead.
    """

    niche: Slots
    slots: NDArray[np.int64]
    shut_slots: NDArray[np.int64]

    @property
    def any_shut(self) -> bool:
        """Whether a limit or a schedule shuts one that would be a candidate."""
        return len(self.shut_slots) > 0

    def at(self, level: Level) -> tuple[int, Iterator[Subscription]]:
        """How many candidates the level has, and a lazy walk over them in its order (R5, R15)."""
        own = self._taking_price(self.slots, level)
        return len(own), self.niche.in_order(own, level)

    def priced_out_count(self, level: Level) -> int:
        """How many would be candidates, shut or not, but pay less than the level asks."""
        if not self.niche.has_price_limits(level):
            return 0
        own = self.niche.in_level(np.concatenate([self.slots, self.shut_slots]), level)
        return len(own) - len(self._taking_price(own, level))

    def _taking_price(self, slots: NDArray[np.int64], level: Level) -> NDArray[np.int64]:
        own = self.niche.in_level(slots, level)
        return self.niche.taking_price(own, level) if self.niche.has_price_limits(level) else own

    def shut_counts(self, level: Level) -> Mapping[str, int]:
        """How many would be candidates at the level, but are shut, by the reason for which they are."""
        if not len(self.shut_slots):
            return {}
        return self.niche.shut_reasons(self._taking_price(self.shut_slots, level))

    def shut_by_slot(self) -> Iterator[tuple[int, str]]:
        """Each that would be a candidate, but is shut, by its slot, with the reason."""
        return self.niche.shut_reason_by_slot(self.shut_slots)

    def first_shut_until(self, level: Level) -> datetime | None:
        """When the first of those opens; None where there is none."""
        return self.niche.first_shut_until(self._taking_price(self.shut_slots, level))

    def count_of_providers(self, provider_ids: Sequence[str], level: Level) -> int:
        """How many of these providers have a candidate at the level, without walking to it."""
        slots = [slot for provider_id in provider_ids for slot in self.niche.held_by(provider_id, level)]
        held = np.asarray([slot for slot in slots if self._holds(slot)], np.int64)
        return len(self._taking_price(held, level))

    def _holds(self, slot: int) -> bool:
        at = int(self.slots.searchsorted(slot))
        return at < len(self.slots) and int(self.slots[at]) == slot
