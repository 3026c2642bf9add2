"""A recorded decision on a lead whose answers were erased: what can still be said of it.

Which subscriptions had a filter that the lead fitted cannot be found out any more. Those that the record names did, and
no other was reached: with them as the candidates, the decision comes out as it did. So all is taken again that the
answers alone did not decide: the start and the traversal (R2, R3), the order within a level (R5), every gate but the
filter, prices, balances and limits, the outcome, and the deactivations that follow (R9). Of the numbers of those that
were never reached, the ones that follow from the rest of the journal are compared, and the sum.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fairlead.core import gates
from fairlead.core.canonical import JsonObject
from fairlead.core.decide import outcome_of
from fairlead.core.decision import Decision
from fairlead.core.decision_entries import decision_payload, decision_version
from fairlead.core.refusals import LevelFull
from fairlead.core.roster import Roster


def matched_by_record(recorded: Mapping[str, Any]) -> frozenset[str]:
    """The subscriptions that the recorded decision names: each had a filter that its lead fitted.

    >>> sorted(matched_by_record({"levels": [{"recipients": [{"subscription_id": "a"}],
    ...                                       "refused": [{"subscription_id": "b"}]}]}))
    ['a', 'b']
    """
    return frozenset(
        each["subscription_id"] for level in recorded["levels"] for each in [*level["recipients"], *level["refused"]]
    )


def decided_but_for_answers(again: Decision, recorded: Mapping[str, Any]) -> JsonObject:
    """The payload of the decision that was taken again, with what the erased answers decided as it is on record."""
    levels = tuple(
        replace(result, counts=record["counts"])
        for result, record in zip(again.levels, recorded["levels"], strict=False)
    )
    known = replace(again, levels=levels, outcome=outcome_of(levels), calendars=recorded.get("calendars"))
    return decision_payload(known, decision_version(recorded))


def count_differences(roster: Roster, again: Decision, recorded: Mapping[str, Any]) -> list[str]:
    """Where the recorded numbers of those that were not reached cannot be, in words. The roster is right before it."""
    standing = [gate.refusal.reason for gate in gates.REGISTRY.standing]
    found: list[str] = []
    for result, record in zip(again.levels, recorded["levels"], strict=False):
        level, counts = result.level, record["counts"]
        told = len(record["recipients"]) + len(record["refused"]) + sum(counts.values())
        if (
            any(counts.get(reason) != result.counts.get(reason) for reason in standing)
            or any(count < 1 for count in counts.values())
            or told != roster.living_count(level.level_id)
            or (LevelFull.reason in counts and len(record["recipients"]) < level.max_recipients)
        ):
            found.append(f"its numbers of those that level {level.level_id} did not reach cannot be")
    return found
