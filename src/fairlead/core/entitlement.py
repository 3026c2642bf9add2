"""What each subscription could have had: its part of the slots that were filled for leads that it was eligible for.

A subscription is *eligible* for a lead at its level if no gate refused it there: it was active, its filter took the
lead, no schedule or limit was in the way, its provider did not have the lead from another level, and, where it was
asked for money, it had that. Those behind the last pick were not asked, and count as eligible. The slots that a
decision filled at a level are shared equally among all that were eligible, or by their weights where the level was
weighted (R15): that sum is a subscription's *entitlement*, in millionths of a slot. `docs/fairness.md` says what
follows from it and what does not.

Counts are added up in pieces, in the order of the journal: `EntitlementPiece.followed_by` gives what counting both as
one would have given.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fairlead.core.canonical import timestamp_from_text
from fairlead.core.filters.mismatch import FilterMismatch
from fairlead.core.gates import REGISTRY
from fairlead.core.model import WEIGHTED
from fairlead.core.refusals import AlreadyRecipient, LevelFull, PriceAboveLimit
from fairlead.core.roster import Roster
from fairlead.core.weighted import parts_of

MILLIONTHS = 1_000_000
RECEIVED, ELIGIBLE, ENTITLED, LEAD, TAIL, LONGEST = range(6)
_COUNTS = ("received", "eligible", "entitled", "lead", "tail", "longest")
REASONS = tuple(each.reason for each in REGISTRY.refusals)
"""Why a decision did not give it the lead: of those that were eligible and missed it, `level_full`."""
_COLUMNS = (*_COUNTS, *REASONS)
NO_COUNTS: Sequence[int] = (0,) * len(_COLUMNS)
"""The row of a subscription that no decision had to do with."""
_COLUMN_OF = {name: number for number, name in enumerate(_COLUMNS)}
_ADDED = [RECEIVED, ELIGIBLE, ENTITLED, *range(len(_COUNTS), len(_COLUMNS))]
_OPEN = -1
_BEFORE_PRICE = {_COLUMN_OF[reason] for reason in REASONS[: REASONS.index(PriceAboveLimit.reason)]}

Matrix = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LevelSlots:
    """A level over some decisions: how many it had a part in, and the slots that it offered and filled.

    `least_slots` is the fewest that it offered to one lead. In `weighted` of the decisions it went by weights (R15).
    """

    decisions: int
    offered: int
    filled: int
    least_slots: int
    weighted: int = 0

    def followed_by(self, later: "LevelSlots") -> "LevelSlots":
        """Both as one."""
        return LevelSlots(
            self.decisions + later.decisions,
            self.offered + later.offered,
            self.filled + later.filled,
            min(self.least_slots, later.least_slots),
            self.weighted + later.weighted,
        )


@dataclass(frozen=True, slots=True)
class EntitlementPiece:
    """What some decisions in a row gave and could have given, by level and by subscription (ids as 32 hex digits).

    `uncounted` are decisions whose lead's answers are gone, so that its filters cannot be asked any more. `matrix` has
    a row for each of `subscription_ids`, the subscriptions of levels that had a part in them. Of a row, `tail` is how
    many leads that it was eligible for went to others since the last one that it received; `lead` how many before the
    first; `longest` the most between two of its own.
    """

    decisions: int = 0
    uncounted: int = 0
    levels: Mapping[str, LevelSlots] = field(default_factory=dict[str, LevelSlots])
    subscription_ids: Sequence[str] = ()
    matrix: Matrix = field(default_factory=lambda: np.zeros((0, len(_COLUMNS)), np.int64))

    def followed_by(self, later: "EntitlementPiece") -> "EntitlementPiece":
        """Both as one: `later` holds the decisions that came after."""
        return added_up((self, later))

    def rows(self) -> Mapping[str, Sequence[int]]:
        """The counts of each subscription, in the order of the columns above, then of `REASONS`."""
        return dict(zip(map(_id_of, self.subscription_ids), self.matrix.tolist(), strict=True))

    def packed(self) -> bytes:
        """The piece as bytes; `unpacked` reads them. Equal pieces give equal bytes."""
        order = sorted(range(len(self.subscription_ids)), key=lambda number: self.subscription_ids[number])
        head = {
            "columns": _COLUMNS,
            "decisions": self.decisions,
            "uncounted": self.uncounted,
            "subscriptions": len(order),
            "levels": {
                level_id: [
                    own.decisions,
                    own.offered,
                    own.filled,
                    own.least_slots,
                    *([own.weighted] * (own.weighted > 0)),
                ]
                for level_id, own in sorted(self.levels.items())
            },
        }
        ids = bytes.fromhex("".join(self.subscription_ids[number] for number in order))
        cells = self.matrix[order].T.astype("<i8").tobytes()
        return json.dumps(head).encode() + b"\n" + ids + cells

    @classmethod
    def unpacked(cls, packed: bytes) -> Self:
        """The piece that `packed` wrote. A count that is no more is left out."""
        head_text, _, rest = packed.partition(b"\n")
        head = json.loads(head_text)
        count = head["subscriptions"]
        digits = rest[: 16 * count].hex()
        ids = tuple(digits[at : at + 32] for at in range(0, len(digits), 32))
        cells = np.frombuffer(rest, "<i8", offset=16 * count).reshape(len(head["columns"]), count)
        matrix = np.zeros((count, len(_COLUMNS)), np.int64)
        for name, column in zip(head["columns"], cells, strict=True):
            if name in _COLUMN_OF:
                matrix[:, _COLUMN_OF[name]] = column
        levels = {level_id: LevelSlots(*own) for level_id, own in head["levels"].items()}
        return cls(head["decisions"], head["uncounted"], levels, ids, matrix)


def _digits(subscription_id: str) -> str:
    return subscription_id.replace("-", "")


def _id_of(digits: str) -> str:
    """The id with these digits.

    >>> _id_of("0190000000007000800000000000000a")
    '01900000-0000-7000-8000-00000000000a'
    """
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def added_up(pieces: Iterable[EntitlementPiece]) -> EntitlementPiece:
    """Pieces that follow one upon the other, as one."""
    decisions = uncounted = 0
    levels: dict[str, LevelSlots] = {}
    row_of: dict[str, int] = {}
    sums: Matrix = np.zeros((64, len(_COLUMNS)), np.int64)
    for piece in pieces:
        decisions, uncounted = decisions + piece.decisions, uncounted + piece.uncounted
        for level_id, own in piece.levels.items():
            levels[level_id] = levels[level_id].followed_by(own) if level_id in levels else own
        rows = np.fromiter((row_of.setdefault(each, len(row_of)) for each in piece.subscription_ids), np.int64)
        while len(row_of) > len(sums):
            sums = np.concatenate([sums, np.zeros_like(sums)])
        sums[rows] = _joined(sums[rows], piece.matrix)
    return EntitlementPiece(decisions, uncounted, levels, tuple(row_of), sums[: len(row_of)])


def _joined(before: Matrix, after: Matrix) -> Matrix:
    had, has = before[:, RECEIVED] > 0, after[:, RECEIVED] > 0
    joined = np.zeros_like(before)
    joined[:, _ADDED] = before[:, _ADDED] + after[:, _ADDED]
    up_to_first = np.where(has, after[:, LEAD], after[:, TAIL])
    run = before[:, TAIL] + up_to_first
    joined[:, LEAD] = np.where(had, before[:, LEAD], np.where(has, run, 0))
    joined[:, TAIL] = np.where(has, after[:, TAIL], run)
    between = np.where(had & has, run, 0)
    joined[:, LONGEST] = np.maximum(np.maximum(before[:, LONGEST], after[:, LONGEST]), between)
    return joined


def longest_wait(row: Sequence[int]) -> int:
    """The most leads in a row that the subscription was eligible for and that went to others."""
    return max(row[LEAD], row[TAIL], row[LONGEST])


def wait_bound(subscriptions: int, least_slots: int) -> int:
    """The longest wait that the order within a level allows, in leads that a subscription is eligible for.

    Each such lead fills all slots with others that stood before it, and each of those stands behind it from then on.
    That is so where the level is not weighted.

    >>> wait_bound(7, 2), wait_bound(7, 3), wait_bound(1, 1), wait_bound(0, 1)
    (3, 2, 0, 0)
    """
    return max(0, subscriptions - 1) // max(1, least_slots)


class EntitlementCounter:
    """Counts decisions, each before its entry is folded into the roster that it was taken on."""

    def __init__(self) -> None:
        self._seen: Roster | None = None
        self._members: dict[str, _Members] = {}
        self._gates: NDArray[np.int8] = np.zeros(0, np.int8)
        self.start()

    def start(self) -> None:
        """Nothing is counted yet."""
        self._decisions = self._uncounted = 0
        self._levels: dict[str, LevelSlots] = {}
        self._row_of: dict[str, int] = {}
        self._rows: Matrix = np.zeros((64, len(_COLUMNS)), np.int64)
        self.forget_roster()

    def forget_roster(self) -> None:
        """Subscriptions, levels or providers are others now than at the last decision."""
        self._seen = None

    def take(self) -> EntitlementPiece:
        """What was counted since the start; counting starts anew."""
        counted, ids = self._rows[: len(self._row_of)], tuple(self._row_of)
        had_a_part = np.flatnonzero(counted.any(axis=1))
        own_ids = tuple(ids[number] for number in had_a_part)
        piece = EntitlementPiece(self._decisions, self._uncounted, self._levels, own_ids, counted[had_a_part])
        self.start()
        return piece

    def count(self, roster: Roster, payload: Mapping[str, Any], attributes: Mapping[str, object] | None) -> None:
        """The decision that is the next entry: `roster` stands right before it, `attributes` are its lead's."""
        self._decisions += 1
        if attributes is None:
            self._uncounted += 1
            return
        self._look_at(roster)
        standings = self._standings(roster, payload, attributes)
        receivers: list[str] = []
        for level in payload["levels"]:
            self._count_level(level, standings, receivers)
            receivers.extend(each["provider_id"] for each in level["recipients"])

    def _look_at(self, roster: Roster) -> None:
        if self._seen is roster:
            return
        self._seen = roster
        self._members = {}
        by_slot: dict[int, int] = {}
        for slot, subscription, gate in roster.by_slot():
            by_slot[slot] = _OPEN if gate is None else _COLUMN_OF[gate]
            own = self._members.setdefault(subscription.level_id, _Members())
            own.slots.append(slot)
            own.rows.append(self._row_of.setdefault(_digits(subscription.subscription_id), len(self._row_of)))
            own.weights.append(subscription.weight)
            own.place_of[subscription.subscription_id] = len(own.slots) - 1
            if subscription.max_price_cents is not None:
                own.price_limits.append((len(own.slots) - 1, subscription.max_price_cents))
            own.places_of_provider.setdefault(subscription.provider_id, []).append(len(own.slots) - 1)
        while len(self._row_of) > len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._gates = np.full(max(by_slot, default=-1) + 1, _OPEN, np.int8)
        self._gates[list(by_slot)] = list(by_slot.values())

    def _standings(
        self, roster: Roster, payload: Mapping[str, Any], attributes: Mapping[str, object]
    ) -> NDArray[np.int8]:
        """By slot the column of what refuses it whatever was decided before; `_OPEN` for a candidate."""
        found = np.where(self._gates == _OPEN, np.int8(_COLUMN_OF[FilterMismatch.reason]), self._gates)
        candidates = roster.matching(attributes, timestamp_from_text(payload["decided_at"]))
        found[candidates.slots] = _OPEN
        for slot, reason in candidates.shut_by_slot():
            found[slot] = _COLUMN_OF[reason]
        return found

    def _count_level(self, level: Mapping[str, Any], standings: NDArray[np.int8], receivers: Sequence[str]) -> None:
        recipients, most = level["recipients"], level["max_recipients"]
        is_weighted = level.get("order") == WEIGHTED
        slots = LevelSlots(1, most, len(recipients), most, int(is_weighted))
        known = self._levels.get(level["level_id"])
        self._levels[level["level_id"]] = slots if known is None else known.followed_by(slots)
        own = self._members.get(level["level_id"])
        if own is None:
            return
        found, rows = standings[own.slots], np.array(own.rows)
        self._price_out(found, own, level["price_cents"])
        for provider_id in receivers:
            for place in own.places_of_provider.get(provider_id, ()):
                if found[place] == _OPEN:
                    found[place] = _COLUMN_OF[AlreadyRecipient.reason]
        for each in level["refused"]:
            if (place := own.place_of.get(each["subscription_id"])) is not None:
                found[place] = _COLUMN_OF[each["reason"]]
        chosen = [own.place_of[each["subscription_id"]] for each in recipients]
        missed = found == _OPEN
        missed[chosen] = False
        refused = (found != _OPEN) & ~np.isin(np.arange(len(found)), chosen)
        if len(recipients) < most:
            # A slot stayed open: what kept these out is something of the lead, which the level only counts.
            found[missed] = _COLUMN_OF[_counted_reason(level["counts"])]
            refused |= missed
            missed = np.zeros_like(missed)
        self._rows[rows[refused], found[refused]] += 1
        self._share(rows, chosen, missed, np.array(own.weights) if is_weighted else None)

    def _price_out(self, found: NDArray[np.int8], own: "_Members", price_cents: int) -> None:
        """Those that pass the filter, but pay less than the level asked, are refused by that, shut or not (R4)."""
        for place, limit_cents in own.price_limits:
            if limit_cents < price_cents and found[place] not in _BEFORE_PRICE:
                found[place] = _COLUMN_OF[PriceAboveLimit.reason]

    def _share(
        self, rows: Matrix, chosen: Sequence[int], missed: NDArray[np.bool_], weights: NDArray[np.int64] | None
    ) -> None:
        """The slots go to the chosen; all that were eligible are entitled to equal parts of them, or by weights."""
        waits, got = rows[missed], rows[list(chosen)]
        eligible = np.concatenate([waits, got])
        self._rows[eligible, ELIGIBLE] += 1
        if weights is None:
            self._rows[eligible, ENTITLED] += len(got) * MILLIONTHS // max(1, len(eligible))
        else:
            own_weights = np.concatenate([weights[missed], weights[list(chosen)]])
            self._rows[eligible, ENTITLED] += parts_of(own_weights, len(got), MILLIONTHS)
        self._rows[waits, _COLUMN_OF[LevelFull.reason]] += 1
        self._rows[waits, TAIL] += 1
        before = self._rows[got, TAIL]
        is_first = self._rows[got, RECEIVED] == 0
        self._rows[got, LEAD] = np.where(is_first, before, self._rows[got, LEAD])
        longest = self._rows[got, LONGEST]
        self._rows[got, LONGEST] = np.where(is_first, longest, np.maximum(longest, before))
        self._rows[got, TAIL] = 0
        self._rows[got, RECEIVED] += 1


def _counted_reason(counts: Mapping[str, int]) -> str:
    """Of what a level counted, the last reason that depends on the decision."""
    known = [each.refusal.reason for each in REGISTRY.decision if each.refusal.reason in counts]
    return known[-1] if known else LevelFull.reason


@dataclass(slots=True)
class _Members:
    """A level's living subscriptions: their slots, their rows, and where each stands among them."""

    slots: list[int] = field(default_factory=list[int])
    rows: list[int] = field(default_factory=list[int])
    weights: list[int] = field(default_factory=list[int])
    place_of: dict[str, int] = field(default_factory=dict[str, int])
    price_limits: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    places_of_provider: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
