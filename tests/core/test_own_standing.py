"""Why one subscription did or did not receive a lead, as its provider is told."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fairlead.core.canonical import canonical_json
from fairlead.core.form import parse_form_schema
from fairlead.core.model import Subscription
from fairlead.core.own_standing import (
    NOT_LOOKED_AT,
    NOT_SUBSCRIBED,
    NOT_TOLD_APART,
    OwnDecision,
    OwnFilters,
    OwnPast,
    OwnRefusal,
    own_refusal,
    told_counts,
)

FORM = parse_form_schema(
    {
        "version": 1,
        "fields": [
            {"key": "wishes", "label": "Wishes", "type": "text"},
            {"key": "cores", "label": "Cores", "type": "number"},
            {"key": "region", "label": "Region", "type": "select", "options": ["north", "south"]},
        ],
    }
)
SOUTH = {"field_key": "region", "operator": "eq", "value": "south"}


def past(*rules: Mapping[str, object], known_from_seq: int = 0) -> OwnPast:
    text = canonical_json({"version": 1, "rules": list(rules)}).decode()
    subscription = Subscription("s", "p", "l", True, None, text, True)
    return OwnPast([(5, subscription, False)], [], known_from_seq)


def told(of: OwnPast, *, region: str = "south", seq: int = 10, refused: dict[str, str] | None = None) -> str | None:
    refusal = outcome(of, region=region, seq=seq, refused=refused)
    return None if refusal is None else refusal.reason


def outcome(
    of: OwnPast, *, region: str = "south", seq: int = 10, refused: dict[str, str] | None = None, cores: int = 4
) -> OwnRefusal | None:
    lead = {"region": region, "wishes": "keep my canary warm", "cores": cores}
    return own_refusal(OwnDecision(seq, "lead", lead, ["l"], [], refused or {}), "s", "l", of, OwnFilters(FORM))


def wish(operator: str, value: object) -> dict[str, object]:
    return {"field_key": "wishes", "operator": operator, "value": value}


def test_what_became_of_a_lead_does_not_tell_whether_it_has_the_words_of_the_filter() -> None:
    asked = [
        wish("contains", "canary"),
        wish("contains", "parrot"),
        wish("neq", "keep my canary warm"),
        wish("exists", True),
        wish("exists", False),
    ]
    for each in asked:
        assert told(past(each, SOUTH)) == NOT_TOLD_APART
        assert told(past(each, SOUTH), refused={"s": "insufficient_balance"}) == NOT_TOLD_APART
        assert told(past(each, SOUTH), region="north") == "filter_mismatch", (
            "its choices did not fit, whatever it wrote"
        )


MANY_CORES = {"field_key": "cores", "operator": "gte", "value": 16}


def became(of: OwnPast, *leads: tuple[int, int]) -> dict[str, int]:
    """What is told of leads, so many with so many cores, in the south."""
    refusals = [outcome(of, cores=cores) for count, cores in leads for _ in range(count)]
    return told_counts([each for each in refusals if each is not None])


def test_what_became_of_a_lead_does_not_tell_the_number_that_it_has() -> None:
    of = past(MANY_CORES, SOUTH)
    for fitting in (0, 1, 9):
        assert became(of, (fitting, 16), (30 - fitting, 4)) == {NOT_TOLD_APART: 30}
    assert became(of, (10, 16), (20, 4)) == {"level_full": 10, NOT_TOLD_APART: 20}
    assert became(of, (19, 16), (11, 4)) == {"level_full": 10, NOT_TOLD_APART: 20}
    assert told(past(MANY_CORES, SOUTH), region="north") == "filter_mismatch", "its choices did not fit"
    small = outcome(of, cores=16, refused={"s": "insufficient_balance"})
    assert small is not None
    assert told_counts([small] * 9) == {NOT_TOLD_APART: 9}


def test_numbers_beside_words_are_not_told_at_all() -> None:
    of = past(MANY_CORES, wish("contains", "canary"), SOUTH)
    assert became(of, (20, 16), (20, 4)) == {NOT_TOLD_APART: 40}


UNTIL = datetime(2026, 3, 31, tzinfo=UTC)


def shut_at(
    days: int, *, standing: bool = True, states: Sequence[int] = (5,), named_seq: int | None = None
) -> str | None:
    """The reason for a lead of so many days from the end of the window that shuts the subscription."""
    of = past(SOUTH)
    shut = ("cap_reached", UNTIL)
    of = replace(of, states=[(seq, of.states[0][1], False) for seq in states], shut=shut if standing else None)
    decision = OwnDecision(10, "lead", {"region": "south"}, ["l"], [], {}, {}, UNTIL + timedelta(days=days))
    earlier = () if named_seq is None else (OwnDecision(named_seq, "", {}, [], [], {}, {"s": shut}, UNTIL),)
    refusal = own_refusal(decision, "s", "l", of, OwnFilters(FORM), earlier)
    return None if refusal is None else refusal.reason


def test_what_shut_it_before_the_leads_that_are_told_of_is_the_reason() -> None:
    assert shut_at(-1) == "cap_reached", "it shuts it still, and no decision that was looked at says since when"
    assert shut_at(1) == "level_full", "it is over"
    assert shut_at(-1, states=(5, 11)) == "level_full", "what shuts it was found after a change"
    assert shut_at(-1, named_seq=11) == "level_full", "a later decision found it"
    assert shut_at(-1, standing=False, named_seq=7) == "cap_reached", "a decision before all of them found it"
    assert shut_at(-1, standing=False, named_seq=7, states=(5, 8)) == "level_full", "and the change opened it"


def test_without_words_the_reason_is_the_engines() -> None:
    assert told(past(SOUTH)) == "level_full"
    assert told(past(SOUTH), refused={"s": "insufficient_balance"}) == "insufficient_balance"
    assert told(past(SOUTH), region="north") == "filter_mismatch"


def test_what_lies_before_the_states_that_were_looked_up_is_said_to_be_not_known() -> None:
    assert told(past(SOUTH), seq=4) == NOT_SUBSCRIBED
    assert told(past(SOUTH, known_from_seq=5), seq=4) == NOT_LOOKED_AT
    assert told(past(SOUTH, known_from_seq=5), seq=6) == "level_full"
