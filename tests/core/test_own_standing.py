"""Why one subscription did or did not receive a lead, as its provider is told."""

from collections.abc import Mapping

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
    own_refusal,
)

FORM = parse_form_schema(
    {
        "version": 1,
        "fields": [
            {"key": "wishes", "label": "Wishes", "type": "text"},
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
    lead = {"region": region, "wishes": "keep my canary warm"}
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


def test_without_words_the_reason_is_the_engines() -> None:
    assert told(past(SOUTH)) == "level_full"
    assert told(past(SOUTH), refused={"s": "insufficient_balance"}) == "insufficient_balance"
    assert told(past(SOUTH), region="north") == "filter_mismatch"


def test_what_lies_before_the_states_that_were_looked_up_is_said_to_be_not_known() -> None:
    assert told(past(SOUTH), seq=4) == NOT_SUBSCRIBED
    assert told(past(SOUTH, known_from_seq=5), seq=4) == NOT_LOOKED_AT
    assert told(past(SOUTH, known_from_seq=5), seq=6) == "level_full"
