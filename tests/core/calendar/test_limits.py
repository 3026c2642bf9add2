"""Limits and schedules in decisions: what they refuse, what is counted without a visit, and what is decided again."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.calendar import time_rules
from fairlead.core.calendar.limits import CAPS, limits_problems, windows_at, windows_between
from fairlead.core.configuration_entries import level_payload, provider_payload
from fairlead.core.decision import Outcome
from fairlead.core.explanation import standing_of
from fairlead.core.journal import JournalEntryKind
from fairlead.core.model import Balance, Level, ProviderTerms
from fairlead.core.refusals import CapReached, OutsideSchedule
from fairlead.core.replay import Replay
from fairlead.core.roster import Roster
from fairlead.core.roster_state import RosterState
from tests.core.history import BEGINNING, id_of, state_of
from tests.core.limited import LimitedHistory, limited

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CLOSED = json.dumps({"paused_until": "2026-03-01T12:00:00Z"})
PER_DAY = '{"leads_per_day":2}'


def received(own: LimitedHistory, count: int = 1) -> list[int]:
    """How many recipients each of the next leads has, decided in one batch."""
    return [len(each.recipients) for each in own.distribute(count)]


def assert_proven(own: LimitedHistory) -> None:
    """The journal decides itself again, and a roster and a state that fold it are the one that decided."""
    _, differences = own.history.replayed()
    assert differences == []
    roster, state = Roster(own.history.roster.niche_id), RosterState(own.history.roster.niche_id)
    for entry in own.history.entries:
        roster.fold(entry)
        state.fold(entry)
    assert state_of(roster) == state_of(own.history.roster)
    read = RosterState.from_document(json.loads(json.dumps(state.document())))
    assert read.document() == state.document()
    assert state_of(read.roster()) == state_of(roster)


@pytest.mark.parametrize("document", [{"leads_per_day": "5"}, {"leads_per_day": True}, {"spend_cents_total": 5}, []])
def test_what_is_no_limit_is_refused(document: Any) -> None:
    assert limits_problems(document)


def test_every_cap_has_a_sentence() -> None:
    assert {f"cap_reached.{cap.name}" for cap in CAPS} <= {*CapReached.sentences}


@pytest.mark.parametrize("batch", [1, 7])
def test_a_window_holds_no_more_than_its_limit_and_the_next_begins_empty(batch: int) -> None:
    own = limited((PER_DAY, None))
    assert sum(sum(received(own, batch)) for _ in range(7 // batch)) == 2
    own.now += 15 * HOUR  # midnight, where the provider is
    assert sum(received(own, 7)) == 2
    assert_proven(own)


def test_windows_are_those_of_the_providers_clocks() -> None:
    own = limited((PER_DAY, None), terms={1: ProviderTerms("Asia/Kolkata")})
    assert received(own, 3) == [1, 1, 0]
    own.now = BEGINNING.replace(hour=18, minute=29)
    assert received(own) == [0]
    own.now = BEGINNING.replace(hour=18, minute=30)
    assert received(own) == [1]
    assert_proven(own)


@pytest.mark.parametrize(
    ("document", "most"),
    [({"spend_cents_per_day": 250}, 2), ({"spend_cents_per_day": 200}, 2), ({"leads_total": 3}, 3), (
        {"leads_per_hour": 4, "leads_per_day": 3, "spend_cents_per_month": 1000}, 3)],
)  # fmt: skip
def test_the_first_limit_that_would_be_overshot_refuses(document: dict[str, int], most: int) -> None:
    own = limited((json.dumps(document), None))
    assert sum(received(own, 6)) == most
    assert_proven(own)


def test_a_providers_limit_counts_all_of_its_subscriptions() -> None:
    own = limited((None, None), terms={1: ProviderTerms("UTC", PER_DAY)}, levels=2)
    own.sales.append((own.now - HOUR, id_of("provider", 1), id_of("subscription", 9999), 100))  # in another niche
    assert received(own, 3) == [1, 0, 0]
    assert_proven(own)


def test_the_outcome_says_that_a_slot_stayed_open_for_a_limit_or_a_schedule() -> None:
    own = limited((PER_DAY, None), (None, None), max_recipients=2)
    assert [each.outcome for each in own.distribute(3)] == [Outcome.SUCCESS, Outcome.SUCCESS, Outcome.PARTIAL]
    assert own.distribute()[0].outcome is Outcome.PARTIAL, "counted, it says so too"
    own = limited((None, CLOSED), (None, None), max_recipients=2)
    assert own.distribute()[0].outcome is Outcome.PARTIAL
    own = limited((None, CLOSED), (None, None))
    assert own.distribute()[0].outcome is Outcome.SUCCESS, "no slot stayed open"


def test_who_is_known_to_be_closed_is_counted_and_not_visited() -> None:
    own = limited(*[(None, CLOSED)] * 50, (None, None))
    first, second = own.distribute(2)
    [result] = first.levels
    assert [type(each.refusal) for each in result.refused] == [OutsideSchedule] * 50
    [result] = second.levels
    assert (result.refused, result.counts) == ((), {"outside_schedule": 50})
    own.now = BEGINNING + 3 * HOUR - timedelta(microseconds=1)
    assert own.distribute()[0].levels[0].counts["outside_schedule"] == 50
    own.now = BEGINNING + 3 * HOUR
    assert own.distribute()[0].recipients[0].provider_id == id_of("provider", 1), "it opens to the instant"
    assert_proven(own)


def test_a_clock_that_was_set_back_changes_nothing_that_was_decided() -> None:
    own = limited((PER_DAY, None), (None, CLOSED))
    for step in (0, 4, 2, 30, 1, 26):
        own.now = BEGINNING + step * HOUR
        own.distribute(3)
    assert_proven(own)


@pytest.mark.parametrize("what", ["subscription", "provider", "level"])
def test_what_is_changed_is_asked_again(what: str) -> None:
    own = limited((PER_DAY, None))
    assert received(own, 3) == [1, 1, 0]
    subscription = own.history.roster.subscription(id_of("subscription", 101))
    assert subscription is not None
    assert own.history.roster.shut_by(subscription.subscription_id) is not None
    if what == "subscription":
        own.subscribe(replace(subscription, limits_text='{"leads_per_day":3}'))
        assert received(own, 2) == [1, 0]
    elif what == "provider":
        own.agree(subscription.provider_id, ProviderTerms("Asia/Tokyo"))
        own.now = BEGINNING + 6 * HOUR
        assert received(own) == [1], "in Tokyo it is tomorrow"
    else:
        [level] = own.history.roster.active_levels
        own.history.write((JournalEntryKind.LEVEL, level_payload(replace(level, price_cents=50), is_deleted=False)))
        assert own.history.roster.shut_by(subscription.subscription_id) is None
        assert own.distribute()[0].levels[0].refused[0].refusal.reason == "cap_reached"
    assert_proven(own)


def test_a_dearer_level_is_refused_by_a_limit_of_money_and_a_cheaper_one_is_not() -> None:
    own = limited(('{"spend_cents_per_day":150}', None), levels=2)
    [_, second] = own.history.roster.active_levels
    cheap = Level(second.level_id, "cheap", 50, 1, 2, True)
    own.history.write((JournalEntryKind.LEVEL, level_payload(cheap, is_deleted=False)))
    # Each subscription has its own limit: 100 at the first, and three times 50 at the second.
    assert [each.recipients[0].price_cents if each.recipients else 0 for each in own.distribute(6)] == [
        100, 50, 50, 50, 0, 0
    ]  # fmt: skip
    assert_proven(own)


@pytest.mark.parametrize("document", ['{"leads_per_year":5}', '{"leads_per_day":0}'])
def test_limits_that_cannot_be_read_refuse_and_stop_no_lead(document: str) -> None:
    own = limited((document, None), (None, None))
    [decision] = own.distribute()
    assert [each.refusal.message().message_id for each in decision.levels[0].refused] == ["cap_reached.unreadable"]
    assert [each.provider_id for each in decision.recipients] == [id_of("provider", 2)]
    assert_proven(own)


@pytest.mark.parametrize("terms", [ProviderTerms("Mars/Olympus", None, CLOSED), ProviderTerms("UTC", None, '{"x":1}')])
def test_a_schedule_that_cannot_be_read_refuses_and_stops_no_lead(terms: ProviderTerms) -> None:
    own = limited((None, None), (None, None), terms={1: terms})
    [decision] = own.distribute()
    assert decision.levels[0].refused[0].refusal == OutsideSchedule(None)
    assert len(decision.recipients) == 1
    assert_proven(own)


def test_a_subscription_with_a_schedule_of_its_own_goes_by_that() -> None:
    always = json.dumps({"holidays": {"country": "DE"}})
    own = limited((None, always), (None, None), terms={1: ProviderTerms("UTC", None, CLOSED)}, max_recipients=2)
    assert len(own.distribute()[0].recipients) == 2


def test_an_unsold_lead_knows_when_the_first_limit_or_schedule_opens() -> None:
    own = limited((PER_DAY, None), (None, CLOSED))
    decisions = own.distribute(4)
    assert [each.reopens_at for each in decisions] == [None, None, BEGINNING + 3 * HOUR, BEGINNING + 3 * HOUR]
    own = limited(('{"leads_total":1}', None))
    assert [each.reopens_at for each in own.distribute(2)] == [None, None], "no moment opens it"


# Precedence: of two gates that refuse, the first of R4 is the reason --------------------------------------------------

GATES = ["outside_schedule", "cap_reached", "already_recipient", "insufficient_balance"]
AHEAD = {"provider_inactive", "subscription_inactive", "filter_invalid", "filter_mismatch"}


@pytest.mark.parametrize("first", [*sorted(AHEAD), *GATES])
@pytest.mark.parametrize("second", ["outside_schedule", "cap_reached"])
@pytest.mark.parametrize("asked", ["anew", "known"])
def test_of_two_gates_the_first_is_the_reason(first: str, second: str, asked: str) -> None:
    both = {first, second}
    schedule = CLOSED if "outside_schedule" in both else None
    own = limited(
        ('{"leads_total":1}' if "cap_reached" in both else None, schedule),
        max_recipients=2,
        levels=2 if "already_recipient" in both else 1,
    )
    subscription = own.history.roster.subscriptions_of(id_of("provider", 1))[-1]
    if "cap_reached" in both:
        own.sales.append((own.now - HOUR, subscription.provider_id, subscription.subscription_id, 100))
    if asked == "known":
        own.distribute()
    if "already_recipient" in both:
        # Only the second level's subscription is held back: from the first its provider receives the lead.
        other = own.history.roster.subscriptions_of(id_of("provider", 1))[0]
        own.subscribe(replace(other, limits_text=None, schedule_text=None))
    if "insufficient_balance" in both:
        own.history.balances[subscription.provider_id] = Balance(
            99, 0, own.history.balances[subscription.provider_id].ledger_seq
        )
    changes: dict[str, Any] = {
        "subscription_inactive": {"is_active": False, "deactivation_reason": "paused"},
        "filter_invalid": {"filter_is_valid": False},
        "filter_mismatch": {"filter_text": '{"rules":[{"field_key":"age","operator":"gte","value":9}],"version":1}'},
    }
    if first in changes:
        own.subscribe(replace(subscription, **changes[first]))
    if first == "provider_inactive":
        own.history.write((JournalEntryKind.PROVIDER, provider_payload(subscription.provider_id, "suspended")))
    roster_before = RosterState(own.history.roster.niche_id)
    for entry in own.history.entries:
        roster_before.fold(entry)
    [decision] = own.distribute()
    result = next(each for each in decision.levels if each.level.level_id == subscription.level_id)
    in_order = [*sorted(AHEAD), *GATES]
    wanted = first if first in AHEAD else min(first, second, key=in_order.index)
    reasons = {*result.counts, *(each.refusal.reason for each in result.refused)}
    assert reasons == {wanted}
    lead = own.history.lead({})
    past_lead = replace(lead, lead_id=decision.lead_id)
    standing = standing_of(roster_before, past_lead, decision, result, subscription.provider_id)
    assert standing is not None
    assert standing.refusal is not None
    assert standing.refusal.reason == wanted
    assert_proven(own)


# Any history ----------------------------------------------------------------------------------------------------------

LIMITS = st.sampled_from(
    [None, None, PER_DAY, '{"leads_per_hour":1}', '{"spend_cents_per_day":150}', '{"leads_total":4}']
)
SCHEDULES = st.sampled_from(
    [
        None,
        None,
        None,
        CLOSED,
        '{"weekly":[{"closes":"17:00","days":["mon","tue","sun"],"opens":"09:30"}]}',
        '{"weekly":[{"closes":"02:00","days":["sat","sun"],"opens":"23:00"}]}',
    ]
)
ZONES = st.sampled_from(["UTC", "Asia/Kolkata", "Australia/Lord_Howe", "America/New_York"])
TERMS = st.builds(ProviderTerms, ZONES, LIMITS, SCHEDULES)


@given(
    st.lists(st.tuples(LIMITS, SCHEDULES), min_size=1, max_size=5),
    st.dictionaries(st.integers(1, 5), TERMS, max_size=3),
    st.lists(st.tuples(st.integers(-2, 30), st.integers(1, 4)), min_size=1, max_size=6),
    st.integers(1, 2),
)
def test_any_history_holds_its_limits_and_decides_itself_again(
    subscriptions: list[Any], terms: dict[int, ProviderTerms], steps: list[tuple[int, int]], levels: int
) -> None:
    known = {number: each for number, each in terms.items() if number <= len(subscriptions)}
    own = limited(*subscriptions, terms=known, levels=levels, max_recipients=2)
    for hours, leads in steps:
        own.now += hours * HOUR
        own.distribute(leads)
    assert_proven(own)


def test_another_edition_of_the_calendars_changes_nothing_that_was_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    own = limited((PER_DAY, None), (None, CLOSED))
    own.distribute(3)
    assert_proven(own)
    # Now that day began at noon, and the second provider was never closed.
    noon = BEGINNING.replace(hour=12)

    def moved(*arguments: Any) -> Any:
        windows = windows_at(*arguments)
        return windows_between(windows.text, tuple((noon, closes_at) for _, closes_at in windows.edges))

    with monkeypatch.context() as patched:
        patched.setattr(time_rules, "windows_at", moved)
        patched.setattr(time_rules, "opens_at", lambda *_: None)
        assert any("deciding it again gives another decision" in each for each in own.history.replayed()[1])
        patched.setattr(time_rules, "CALENDARS", {"time_zones": "2031a", "holidays": "2"})
        assert own.history.replayed()[1] == []


def test_a_window_that_does_not_hold_the_moment_of_its_decision_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    own = limited((PER_DAY, None))
    own.distribute()
    monkeypatch.setattr(time_rules, "CALENDARS", {"time_zones": "2031a", "holidays": "2"})
    *before, last = own.history.entries
    midnight = int(BEGINNING.replace(hour=0).timestamp())
    payload = json.loads(json.dumps(last.payload).replace(f"day:{midnight}:", f"day:{midnight + 36_000}:"))
    attributes, salt = own.history.leads[payload["lead_id"]]
    replay = Replay(own.history.roster.niche_id)
    for entry in before:
        replay.step(entry, None, None)
    assert any(
        "does not hold its moment" in each for each in replay.step(replace(last, payload=payload), attributes, salt)
    )
