"""An assignment's id begins with its decision's time in whole milliseconds, as the page about the journal says."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from fairlead.core.decide import assignment_id

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECONDS = st.integers(1_577_836_800_000_000, 32_000_000_000_000_000)
"""From 2020 to 2984."""


def milliseconds(moment: datetime) -> int:
    first, second, *_ = assignment_id(moment, "niche", 7, "subscription").split("-")
    return int(first + second, 16)


@given(MICROSECONDS)
@example(2149690713148000)
@example(2198967523779000)
@example(17466586940141000)
def test_the_time_is_exact_however_late(microseconds: int) -> None:
    assert milliseconds(EPOCH + timedelta(microseconds=microseconds)) == microseconds // 1000


def test_ids_up_to_2037_are_those_that_were_made_from_seconds_in_floating_point() -> None:
    """Ids of old journals were made so; below 2^31 seconds the rounding of floats never reaches a millisecond."""
    dice = random.Random(2037)
    first, last = datetime(2020, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC)
    span = (last - first) // timedelta(milliseconds=1)
    for _ in range(20_000):
        moment = first + timedelta(milliseconds=dice.randrange(span), microseconds=dice.choice([0, 0, 1, 999]))
        assert milliseconds(moment) == int(moment.timestamp() * 1000)
