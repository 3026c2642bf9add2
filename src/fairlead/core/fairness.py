"""Who is next within a level: least recently served (R5).

The order is: never served first, then the lowest `served_seq`, then the provider's id. `served_seq` comes from the
niche's own counter, so it has no ties; ids decide among those never served.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

FIRST_LOOK = 32
"""How many candidates are ordered before the walk has asked for more: a level of few recipients needs no more."""

GROWTH = 8
"""By how much each further look is wider than the one before."""


def served_rank(served_seq: int | None, provider_id: str) -> int:
    """A 64-bit number that sorts in R5's order, up to ties that only the whole provider id can break.

    Served: the `served_seq` itself (at least 1). Never served: below zero, by the first 63 bits of the provider id;
    ids that agree in those are told apart by `in_served_order`.

    >>> served_rank(7, "ffffffff-ffff-7fff-bfff-ffffffffffff")
    7
    >>> a = served_rank(None, "01900000-0000-7000-8000-000000000000")
    >>> b = served_rank(None, "01900000-0000-7002-8000-000000000000")
    >>> a < b < 0
    True
    """
    if served_seq is not None:
        return served_seq
    first_64_bits = int(provider_id[0:8] + provider_id[9:13] + provider_id[14:18], 16)
    return (first_64_bits >> 1) - (1 << 63)


def in_served_order(slots: NDArray[np.int64], ranks: NDArray[np.int64], provider_ids: Sequence[str]) -> Iterator[int]:
    """The slots in R5's order, lazily: a walk that stops early never orders the rest.

    `slots` are candidates, `ranks` the niche's ranks by slot, `provider_ids` the providers by slot. The candidates
    must not change while the iterator is in use.

    >>> providers = ["b", "a", "c", "d"]
    >>> ranks = np.array([5, 3, -1, -1])
    >>> list(in_served_order(np.array([0, 1, 2, 3]), ranks, providers))
    [2, 3, 1, 0]
    """
    look = FIRST_LOOK
    while len(slots) > look:
        own_ranks = ranks[slots]
        # Everything up to the look's last rank, ties included: a tie cut in two would be ordered by accident.
        within = own_ranks <= np.partition(own_ranks, look - 1)[look - 1]
        yield from _ordered(slots[within], ranks, provider_ids)
        slots = slots[~within]
        look *= GROWTH
    yield from _ordered(slots, ranks, provider_ids)


def in_weighted_order(
    slots: NDArray[np.int64], passes: NDArray[np.int64], ranks: NDArray[np.int64], provider_ids: Sequence[str]
) -> Iterator[int]:
    """The slots by their passes, equal ones in R5's order, lazily as `in_served_order`. `passes` are those of `slots`.

    >>> ranks = np.array([5, 3, 4, 7])
    >>> list(in_weighted_order(np.array([0, 1, 2, 3]), np.array([20, 20, 10, 90]), ranks, ["b", "a", "c", "d"]))
    [2, 1, 0, 3]
    """
    look = FIRST_LOOK
    while len(slots):
        border = np.partition(passes, look - 1)[look - 1] if len(slots) > look else passes.max()
        below = passes < border
        places = zip(passes[below].tolist(), ranks[slots[below]].tolist(), slots[below].tolist(), strict=True)
        yield from (at for *_, at in sorted((own, rank, provider_ids[at], at) for own, rank, at in places))
        yield from in_served_order(slots[passes == border], ranks, provider_ids)
        behind = passes > border
        slots, passes = slots[behind], passes[behind]
        look *= GROWTH


def _ordered(slots: NDArray[np.int64], ranks: NDArray[np.int64], provider_ids: Sequence[str]) -> list[int]:
    order = np.argsort(ranks[slots])
    slots = slots[order]
    in_order = ranks[slots]
    own = slots.tolist()
    if bool((in_order[1:] == in_order[:-1]).any()):
        own = [
            slot for _, _, slot in sorted(zip(in_order.tolist(), map(provider_ids.__getitem__, own), own, strict=True))
        ]
    return own
