"""R5: least recently served, never served first, ties by provider; also across the looks of a long walk."""

import random
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.fairness import FIRST_LOOK, GROWTH, in_served_order, served_rank

SECOND_LOOK = FIRST_LOOK * (GROWTH + 1)
AROUND_LOOKS = [
    0,
    1,
    2,
    FIRST_LOOK - 1,
    FIRST_LOOK,
    FIRST_LOOK + 1,
    SECOND_LOOK - 1,
    SECOND_LOOK,
    SECOND_LOOK + 1,
    2600,
]


def providers(dice: random.Random, count: int, spread: int) -> list[str]:
    """Distinct ids, of which about `count / spread` at a time agree in all but their last digits."""
    heads = [dice.getrandbits(64) for _ in range(max(1, count // spread))]
    ids = {str(UUID(int=(dice.choice(heads) << 64) | dice.getrandbits(64))) for _ in range(count)}
    return dice.sample(sorted(ids), len(ids))


@given(
    count=st.sampled_from(AROUND_LOOKS) | st.integers(0, 400),
    spread=st.sampled_from([1, 2, 40, 5000]),
    never_served=st.sampled_from([0.0, 0.05, 0.5, 1.0]),
    seed=st.integers(0, 2**32),
)
def test_the_walk_is_the_naive_order_for_any_size(count: int, spread: int, never_served: float, seed: int) -> None:
    dice = random.Random(seed)
    ids = providers(dice, count, spread)
    places = dice.sample(range(1, 10 * count + 2), len(ids))
    served = [None if dice.random() < never_served else place for place in places]
    ranks = np.array([served_rank(*each) for each in zip(served, ids, strict=True)], dtype=np.int64)
    slots = dice.sample(range(len(ids)), dice.randint(0, len(ids)))
    naive = sorted(slots, key=lambda slot: (served[slot] is not None, served[slot] or 0, ids[slot]))
    assert list(in_served_order(np.array(slots, dtype=np.int64), ranks, ids)) == naive


@pytest.mark.parametrize("count", AROUND_LOOKS[1:])
def test_ties_are_never_cut_in_two_by_a_look(count: int) -> None:
    """All never served, all ids alike in the part that the rank holds: only the whole id can order them."""
    ids = [str(UUID(int=(7 << 64) | (count - number))) for number in range(count)]
    ranks = np.array([served_rank(None, provider_id) for provider_id in ids], dtype=np.int64)
    assert len(set(ranks.tolist())) == 1
    assert list(in_served_order(np.arange(count), ranks, ids)) == list(range(count))[::-1]


@given(st.uuids(), st.uuids(), st.integers(1, 2**62))
def test_never_served_comes_before_any_served(one: UUID, other: UUID, served_seq: int) -> None:
    assert served_rank(None, str(one)) < served_rank(served_seq, str(other))


@given(st.uuids(), st.uuids())
def test_the_rank_never_contradicts_the_order_of_ids(one: UUID, other: UUID) -> None:
    low, high = sorted([str(one), str(other)])
    assert served_rank(None, low) <= served_rank(None, high)


def test_a_walk_that_stops_early_has_not_ordered_the_rest() -> None:
    asked: list[int] = []

    class Ids(list[str]):
        def __getitem__(self, slot: int) -> str:  # type: ignore[override]
            asked.append(slot)
            return super().__getitem__(slot)

    ids = Ids(str(UUID(int=number << 64)) for number in range(10_000))
    walk = in_served_order(np.arange(10_000), np.arange(10_000) // 2 - 10_000, ids)
    assert [next(walk), next(walk)] == [0, 1]
    assert 2 <= len(asked) <= FIRST_LOOK
