"""A frozen journal of a niche whose levels go by weights, with refunds that give turns back, replays byte for byte.

The machine of tests/model wrote it on PostgreSQL, on the evening before clocks were put back in Berlin: weights change,
a level goes by turns for a while, a subscription leaves and comes back; with price rules, limits, schedules of a
provider and of subscriptions, and erased leads.
"""

from typing import Any

import pytest

from fairlead.core.journal import JournalEntryKind
from tests.core.frozen_journals import Line, assert_snapshots_go_on, frozen_lines, replayed, resealed


def payloads(told: list[Line], kind: JournalEntryKind) -> list[dict[str, Any]]:
    return [line["payload"] for line in told if line["kind"] == kind]


def test_it_replays_byte_for_byte() -> None:
    told = frozen_lines("with_weights")
    replay, differences = replayed(told)
    assert differences == []
    erased = sum(line.get("is_erased", False) for line in told)
    assert (replay.erased_count, replay.decision_count) == (
        erased,
        len(payloads(told, JournalEntryKind.DECISION)) - erased,
    )
    assert erased > 1
    assert replay.roster.head.hash.hex() == told[-1]["hash"]


def test_it_has_what_only_weighted_levels_have() -> None:
    told = frozen_lines("with_weights")
    levels = payloads(told, JournalEntryKind.LEVEL)
    [first, *_] = [each["level_id"] for each in levels if each.get("order") == "weighted"]
    orders = [each.get("order") for each in levels if each["level_id"] == first]
    assert orders[0] == orders[-1] == "weighted"
    assert None in orders, "for a while it goes by turns"
    assert {each.get("weight", 1) for each in payloads(told, JournalEntryKind.SUBSCRIPTION)} == {1, 2, 3, 5}
    at_levels = [level for each in payloads(told, JournalEntryKind.DECISION) for level in each["levels"]]
    charged = {recipient.get("weight") for level in at_levels for recipient in level["recipients"]}
    assert charged == {None, 1, 2, 3, 5}
    given_back = [each["turn"]["weight"] for each in payloads(told, JournalEntryKind.RETURN)]
    assert given_back == [3, 2]
    assert any("price_rule" in level for level in at_levels if level["level_id"] == first)
    reasons = {(level["level_id"] == first, each["reason"]) for level in at_levels for each in level["refused"]}
    assert reasons >= {(True, "cap_reached"), (False, "outside_schedule")}
    scheduled = {
        kind: {member for each in payloads(told, kind) for member in each.get("schedule") or {}}
        for kind in (JournalEntryKind.PROVIDER, JournalEntryKind.SUBSCRIPTION)
    }
    assert scheduled[JournalEntryKind.PROVIDER] >= {"weekly", "holidays"}
    assert scheduled[JournalEntryKind.SUBSCRIPTION] >= {"weekly", "paused_until"}


def test_a_snapshot_taken_anywhere_goes_on_as_the_journal_does() -> None:
    assert_snapshots_go_on(frozen_lines("with_weights"))


@pytest.mark.parametrize("key", ["weight", "order", "schedule"])
def test_without_what_made_it_so_a_decision_is_found_to_be_another(key: str) -> None:
    told = frozen_lines("with_weights")
    changed = [line for line in told if line["payload"].pop(key, None) is not None]
    assert changed
    assert replayed(resealed(told))[1] != []


def test_a_turn_that_gives_back_another_weight_leads_elsewhere() -> None:
    """The next leads would go to others, or the one that has the turn be charged less than nothing."""
    told = frozen_lines("with_weights")
    for payload in payloads(told, JournalEntryKind.RETURN):
        payload["turn"]["weight"] = 1
    assert replayed(resealed(told))[1] != []
