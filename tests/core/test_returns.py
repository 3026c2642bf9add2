"""Entries of refunds that give back: a frozen journal of them replays byte for byte, and no wrong one is followed."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from fairlead.core.canonical import JsonObject, timestamp_from_text
from fairlead.core.journal import Entry, JournalEntryKind, seal
from fairlead.core.replay import Replay
from fairlead.core.roster_state import RosterState

FROZEN = Path(__file__).with_name("journal_with_returns.jsonl")


def lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in FROZEN.read_text().splitlines()]


def entry_of(line: dict[str, Any]) -> Entry:
    return Entry(
        line["niche_id"],
        line["seq"],
        JournalEntryKind(line["kind"]),
        line["payload"],
        timestamp_from_text(line["recorded_at"]),
        bytes.fromhex(line["prev_hash"]),
        bytes.fromhex(line["hash"]),
    )


def replayed(told: list[dict[str, Any]]) -> tuple[Replay, list[str]]:
    replay = Replay(told[0]["niche_id"])
    differences: list[str] = []
    for line in told:
        salt = bytes.fromhex(line["salt"]) if "salt" in line else None
        differences += replay.step(entry_of(line), line.get("attributes"), salt)
    return replay, differences + replay.end()


def resealed(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines with hashes that fit them again."""
    fitting, head = [], bytes(32)
    for line in deepcopy(told):
        moment = timestamp_from_text(line["recorded_at"])
        content = [(JournalEntryKind(line["kind"]), line["payload"])]
        [sealed] = seal(line["niche_id"], line["seq"] - 1, head, content, moment)
        line["prev_hash"], line["hash"] = head.hex(), sealed.entry.hash.hex()
        head = sealed.entry.hash
        fitting.append(line)
    return fitting


def test_a_journal_with_returns_replays_byte_for_byte() -> None:
    told = lines()
    replay, differences = replayed(told)
    assert differences == []
    returns = [line["payload"] for line in told if line["kind"] == "return"]
    assert [payload["turn"]["served_seq"] for payload in returns] == [4, 7, 9, 8]
    assert [len(payload["opened"]) for payload in returns] == [1, 1, 0, 1]
    assert replay.decision_count == sum(line["kind"] == "decision" for line in told) > 10


def test_a_snapshot_taken_anywhere_goes_on_as_the_journal_does() -> None:
    told = lines()
    whole = RosterState(told[0]["niche_id"])
    for line in told:
        whole.fold(entry_of(line))
    for cut in range(len(told)):
        state = RosterState(told[0]["niche_id"])
        for line in told[:cut]:
            state.fold(entry_of(line))
        state = RosterState.from_document(json.loads(json.dumps(state.document())))
        for line in told[cut:]:
            state.fold(entry_of(line))
        assert state.document() == whole.document()


WRONG: dict[str, JsonObject] = {
    "a place that it never had": {"turn": {"served_seq": 99}},
    "a subscription without a turn": {"turn": {"subscription_id": "01a2297d-7a46-7066-95d1-757276eb45db"}},
    "an opened subscription that is not there": {"opened": ["01a2297d-7a46-7066-95d1-757276eb45db"]},
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_what_was_not_had_is_not_given_back(change: JsonObject) -> None:
    told = lines()
    payload = next(line["payload"] for line in told if line["kind"] == "return")
    for member, value in change.items():
        payload[member] = {**payload[member], **value} if isinstance(value, dict) else value
    _, differences = replayed(resealed(told))
    assert len(differences) == 1
    assert "can be followed: it " in differences[0]


def test_an_entry_that_gives_nothing_back_is_none() -> None:
    told = lines()
    payload = next(line["payload"] for line in told if line["kind"] == "return")
    del payload["turn"], payload["opened"]
    [difference] = replayed(resealed(told))[1]
    assert "it gives nothing back" in difference
