"""A frozen journal of a niche with limits, hours, prices, groups and erased leads replays byte for byte.

A day of the machine of tests/model wrote it on PostgreSQL, from the evening before clocks were put back in Berlin.
"""

from collections import Counter

import pytest

from fairlead.core.journal import JournalEntryKind
from tests.core.frozen_journals import assert_snapshots_go_on, frozen_lines, replayed, resealed


def test_it_replays_byte_for_byte() -> None:
    told = frozen_lines("with_everything")
    replay, differences = replayed(told)
    assert differences == []
    decisions = [line for line in told if line["kind"] == "decision"]
    erased = sum(line.get("is_erased", False) for line in decisions)
    assert (replay.decision_count, replay.erased_count) == (len(decisions) - erased, erased)
    assert replay.roster.head.hash.hex() == told[-1]["hash"]


def test_it_has_everything() -> None:
    """So that no later journal has to be compared for the sake of one of these."""
    told = frozen_lines("with_everything")
    of = {kind: [line["payload"] for line in told if line["kind"] == kind] for kind in JournalEntryKind}
    assert any("max_recipients_per_lead" in each for each in of[JournalEntryKind.NICHE])
    assert {key for each in of[JournalEntryKind.LEVEL] for key in each} >= {"is_exclusive", "price_rules"}
    providers = {key for each in of[JournalEntryKind.PROVIDER] for key in each}
    assert providers >= {"limits", "timezone", "conflict_group_id"}
    subscriptions = {key for each in of[JournalEntryKind.SUBSCRIPTION] for key in each}
    assert subscriptions >= {"limits", "schedule", "max_price_cents"}
    versions = {
        each["filter_rules"]["version"] for each in of[JournalEntryKind.SUBSCRIPTION] if each.get("filter_rules")
    }
    assert versions == {1, 2}
    assert any(each.get("turn") for each in of[JournalEntryKind.RETURN])
    assert any("opened" in each for each in of[JournalEntryKind.RETURN])
    levels = [level for each in of[JournalEntryKind.DECISION] for level in each["levels"]]
    assert any("price_rule" in level for level in levels)
    reasons = Counter(each["reason"] for level in levels for each in level["refused"])
    reasons += Counter(reason for level in levels for reason in level["counts"])
    assert reasons.keys() >= {
        *("outside_schedule", "cap_reached", "already_recipient", "conflict_group", "lead_full", "level_full"),
        *("filter_mismatch", "price_above_limit"),
    }
    assert 3 <= sum(line.get("is_erased", False) for line in told) < len(of[JournalEntryKind.DECISION])


def test_a_snapshot_taken_anywhere_goes_on_as_the_journal_does() -> None:
    assert_snapshots_go_on(frozen_lines("with_everything"), every=3)


@pytest.mark.parametrize("key", ["limits", "schedule", "conflict_group_id", "price_rules", "max_recipients_per_lead"])
def test_without_what_made_it_so_a_decision_is_found_to_be_another(key: str) -> None:
    told = frozen_lines("with_everything")
    changed = [line for line in told if line["payload"].pop(key, None) is not None]
    assert changed
    assert replayed(resealed(told))[1] != []
