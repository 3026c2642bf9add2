"""What is kept of limits, and what a sale records of them: the end of the text that is kept, where that is the same."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.calendar.counter_records import counters_record, recorded_counters
from fairlead.core.calendar.limits import CAPS, Counters, counters_of, reached_cap, windows_at
from fairlead.core.calendar.stored_counters import StoredCounters, stored_counters
from fairlead.core.calendar.time_rules import CountedRules
from fairlead.core.canonical import canonical_json
from fairlead.core.model import ProviderTerms, Subscription
from fairlead.core.subscription import EVERY_LEAD

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
SECONDS = int(NOON.timestamp())
LIMITS = st.dictionaries(st.sampled_from([cap.name for cap in CAPS]), st.integers(1, 12), min_size=1).map(
    lambda document: canonical_json(document).decode()
)
USED = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=5, max_size=5)


def counters(text: str, used: list[tuple[int, int]], last_at: int = SECONDS) -> Counters:
    windows = windows_at(text, "Asia/Kolkata", NOON)
    return counters_of("provider", "p", windows, used[: len(windows.periods)], last_at)


def read_again(own: Counters, text: str, at: datetime) -> Counters | None:
    """What another process reads of the text."""
    return StoredCounters(text).at("provider", "p", windows_at(own.windows.text, "Asia/Kolkata", at))


@given(LIMITS, USED, st.integers(0, 12))
def test_a_lead_has_room_where_no_cap_is_overshot(text: str, used: list[tuple[int, int]], price_cents: int) -> None:
    own = counters(text, used)
    after = own.with_lead(price_cents, SECONDS)
    assert after.used == tuple((leads + 1, cents + price_cents) for leads, cents in own.used)
    holds = all(after.used[number][int(cap.is_of_money)] <= limit for number, cap, limit in own.windows.caps)
    assert own.holds_lead_at(price_cents) is holds
    if all(own.used[number][int(cap.is_of_money)] <= limit for number, cap, limit in own.windows.caps):
        assert (reached_cap([own], price_cents) is None) is holds


@given(LIMITS, USED)
def test_what_is_recorded_is_the_same_before_and_after_it_was_kept(text: str, used: list[tuple[int, int]]) -> None:
    own = counters(text, used)
    record = counters_record([own])
    kept = stored_counters(own)
    assert own.kept == kept.text == f"{SECONDS};{record['provider_counters']}"
    read = read_again(own, kept.text, NOON)
    assert read is not None
    assert (read, read.kept, read.last_at) == (own, kept.text, SECONDS)
    assert counters_record([read]) == record
    assert [each.used for each in recorded_counters({**record, "provider_id": "p"})] == [own.used]


def test_of_a_window_that_is_over_nothing_is_recorded() -> None:
    own = counters('{"leads_per_day":5}', [(3, 1500)] * 5)
    text = stored_counters(own).text
    tomorrow = read_again(own, text, NOON + timedelta(days=1))
    assert tomorrow is not None
    assert tomorrow.kept is None
    [record] = counters_record([tomorrow]).values()
    assert str(record).endswith(":0:0:5:")


@pytest.mark.parametrize(
    ("kept", "recorded"),
    [
        (":3:1500:5:", ":3:1500:5:"),
        (":03:1500:5:", ":3:1500:5:"),
        (":3:1500:9:", ":3:1500:5:"),
        (":3:1500:5:9", ":3:1500:5:"),
        (":3:1500", None),
        (f":3:{1 << 70}:5:", None),
    ],
)
def test_what_is_recorded_is_as_it_is_written_where_what_is_kept_is_not(kept: str, recorded: str | None) -> None:
    own = counters('{"leads_per_day":5}', [(3, 1500)] * 5)
    text = stored_counters(own).text.replace(":3:1500:5:", kept)
    read = read_again(own, text, NOON)
    assert (None if read is None else read.recorded[-len(":3:1500:5:") :]) == recorded


def test_a_batch_goes_by_what_was_expected_when_it_asked_first() -> None:
    """Another niche may move what this process expects of a provider while the batch is decided."""
    limits = '{"leads_per_day":5}'
    terms = ProviderTerms("Asia/Kolkata", limits)
    subscription = Subscription("s", "p", "level", True, None, EVERY_LEAD, filter_is_valid=True)
    expected = {"p": stored_counters(counters(limits, [(3, 1500)] * 5))}
    rules = CountedRules(NOON, {}, expected)
    [first] = rules.counters(subscription, terms)
    expected["p"] = stored_counters(counters(limits, [(4, 2000)] * 5))
    [second] = rules.counters(subscription, terms)
    assert second is first
    assert rules.asked == {"p": ("p", first)}
    rules.count([second], 500)
    [third] = rules.counters(subscription, terms)
    assert (third.used, rules.counted) == (((4, 2000),), {"p": (second, 500)})
