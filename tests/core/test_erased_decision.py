"""Of a decision on an erased lead all is taken again that its answers did not decide, and a change of that is found."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fairlead.core.canonical import canonical_json
from fairlead.core.journal import Entry, JournalEntryKind, entry_hash
from fairlead.core.replay import Replay
from tests.core.history import History
from tests.core.markets import busy_history


@pytest.fixture(scope="module")
def history() -> History:
    """Every outcome is in it, and deactivations."""
    return busy_history(seed=7, providers=9, leads=25)


def replayed(entries: list[Entry]) -> tuple[Replay, list[str]]:
    """The whole journal, every lead of it erased."""
    replay, differences = Replay(entries[0].niche_id), list[str]()
    for entry in entries:
        differences += replay.step(entry, None, None, is_erased=entry.kind is JournalEntryKind.DECISION)
    return replay, differences + replay.end()


def test_a_journal_whose_leads_were_all_erased_is_followed_to_its_end(history: History) -> None:
    replay, differences = replayed(history.entries)
    whole, _ = history.replayed()
    assert differences == []
    assert (replay.decision_count, replay.erased_count) == (0, whole.decision_count)
    assert replay.pick_count == whole.pick_count
    assert replay.roster.head == whole.roster.head


def changed(history: History, change: Callable[[dict[str, Any]], bool]) -> list[Entry]:
    """The journal with the first decision changed that can be, and every hash after it made anew."""
    entries, hash_before, is_done = list[Entry](), bytes(32), False
    for entry in history.entries:
        payload: dict[str, Any] = json.loads(canonical_json(entry.payload))
        if entry.kind is JournalEntryKind.DECISION and not is_done:
            is_done = change(payload)
        canonical = canonical_json(payload)
        own = entry_hash(hash_before, entry.niche_id, entry.seq, entry.kind.value, canonical, entry.recorded_at)
        entries.append(replace(entry, payload=payload, prev_hash=hash_before, hash=own))
        hash_before = own
    assert is_done
    return entries


def levels_with(payload: dict[str, Any], what: str, least: int = 1) -> list[dict[str, Any]]:
    return [level for level in payload["levels"] if len(level[what]) >= least]


def price(payload: dict[str, Any]) -> bool:
    for level in levels_with(payload, "recipients"):
        level["recipients"][0]["price_cents"] += 1
        return True
    return False


def order(payload: dict[str, Any]) -> bool:
    for level in levels_with(payload, "recipients", 2):
        level["recipients"].reverse()
        return True
    return False


def start(payload: dict[str, Any]) -> bool:
    payload["start_order_position"] = 999
    return True


def outcome(payload: dict[str, Any]) -> bool:
    payload["outcome"] = "partial" if payload["outcome"] == "success" else "success"
    return True


def counts(payload: dict[str, Any]) -> bool:
    for level in levels_with(payload, "counts"):
        reason = next(iter(level["counts"]))
        level["counts"][reason] += 1
        return True
    return False


def recipient_left_out(payload: dict[str, Any]) -> bool:
    for level in levels_with(payload, "recipients"):
        level["recipients"].pop()
        return True
    return False


@pytest.mark.parametrize("change", [price, order, start, outcome, counts, recipient_left_out])
def test_what_was_changed_afterwards_is_found(change: Callable[[dict[str, Any]], bool], history: History) -> None:
    _, differences = replayed(changed(history, change))
    assert differences, change.__name__
