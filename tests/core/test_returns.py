"""Entries of refunds that give back: a frozen journal of them replays byte for byte, and no wrong one is followed."""

import pytest

from fairlead.core.canonical import JsonObject
from tests.core.frozen_journals import assert_snapshots_go_on, frozen_lines, replayed, resealed


def test_a_journal_with_returns_replays_byte_for_byte() -> None:
    told = frozen_lines("with_returns")
    replay, differences = replayed(told)
    assert differences == []
    returns = [line["payload"] for line in told if line["kind"] == "return"]
    assert [payload["turn"]["served_seq"] for payload in returns] == [4, 7, 9, 8]
    assert [len(payload["opened"]) for payload in returns] == [1, 1, 0, 1]
    assert replay.decision_count == sum(line["kind"] == "decision" for line in told) > 10


def test_a_snapshot_taken_anywhere_goes_on_as_the_journal_does() -> None:
    assert_snapshots_go_on(frozen_lines("with_returns"))


WRONG: dict[str, JsonObject] = {
    "a place that it never had": {"turn": {"served_seq": 99}},
    "a subscription without a turn": {"turn": {"subscription_id": "01a2297d-7a46-7066-95d1-757276eb45db"}},
    "an opened subscription that is not there": {"opened": ["01a2297d-7a46-7066-95d1-757276eb45db"]},
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_what_was_not_had_is_not_given_back(change: JsonObject) -> None:
    told = frozen_lines("with_returns")
    payload = next(line["payload"] for line in told if line["kind"] == "return")
    for member, value in change.items():
        payload[member] = {**payload[member], **value} if isinstance(value, dict) else value
    _, differences = replayed(resealed(told))
    assert len(differences) == 1
    assert "can be followed: it " in differences[0]


def test_an_entry_that_gives_nothing_back_is_none() -> None:
    told = frozen_lines("with_returns")
    payload = next(line["payload"] for line in told if line["kind"] == "return")
    del payload["turn"], payload["opened"]
    [difference] = replayed(resealed(told))[1]
    assert "it gives nothing back" in difference
