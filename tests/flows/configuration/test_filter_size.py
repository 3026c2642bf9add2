"""A filter has a size in all, at every door; what was written before there was one goes on."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.configuration.filter_preview import preview_filter, preview_filter_at_level
from fairlead.flows.configuration.form_schemas import change_form_schema
from fairlead.flows.configuration.subscriptions import pause_subscription, resume_subscription, set_filter, subscribe
from fairlead.flows.configuration.versions import InvalidDocument
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.configuration.market import head, journal, open_market
from tests.flows.marketplaces import declare, everything
from tests.flows.sales import query

LARGEST = 262_144
FORM = {
    "version": 1,
    "fields": [
        {"key": "cores", "type": "number"},
        {"key": "region", "type": "select", "options": ["north", "south"]},
        {"key": "note", "type": "text"},
    ],
}


def size(filter_rules: object) -> int:
    return len(json.dumps(filter_rules, separators=(",", ":"), ensure_ascii=False).encode())


def filter_of(size_bytes: int, letter: str = "x") -> dict[str, Any]:
    """A filter of exactly so many bytes, of rules that each may be."""
    width = len(letter.encode())
    rules: list[dict[str, Any]] = [{"field_key": "note", "operator": "contains", "value": letter * 4_000}]
    while size_bytes - size({"version": 1, "rules": rules}) > 4_200 * width:
        rules.append({"field_key": "note", "operator": "contains", "value": letter * 4_000})
    missing = size_bytes - size({"version": 1, "rules": rules})
    rules[0]["value"] += letter * (missing // width) + "x" * (missing % width)
    assert len(rules) <= 100
    assert size({"version": 1, "rules": rules}) == size_bytes
    return {"version": 1, "rules": rules}


@pytest.mark.parametrize("letter", ["x", "ä", "家"])
def test_the_last_byte_is_taken_and_not_one_more_at_any_door(database: Database, letter: str) -> None:
    market = open_market(database)
    change_form_schema(database, market.niche, FORM, OPERATOR)
    gold = market.subscriptions["bowline gold"]
    largest, larger = filter_of(LARGEST, letter), filter_of(LARGEST + 1, letter)
    doors: dict[str, Callable[[Any], object]] = {
        "set": lambda rules: set_filter(database, gold, rules, OPERATOR, of_provider_id=None),
        "subscribe": lambda rules: subscribe(database, market.bowline, market.gold, OPERATOR, filter_rules=rules),
        "preview": lambda rules: preview_filter(database, market.niche, rules),
        "preview at a level": lambda rules: preview_filter_at_level(database, market.gold, rules),
    }
    before = everything(database)
    for name, door in doors.items():
        with pytest.raises(InvalidDocument) as caught:
            door(larger)
        [problem] = caught.value.details
        assert (problem.path, problem.code) == ("rules", "filter_too_large"), name
        assert problem.message == (
            "a filter takes at most 262,144 bytes, written without spaces; this one takes 262,145"
        )
    assert everything(database) == before
    for door in doors.values():
        door(largest)


def declared(rules: dict[str, Any]) -> str:
    written = ", ".join(
        f'{{ field_key = "note", operator = "contains", value = "{rule["value"]}" }}' for rule in rules["rules"]
    )
    gold = f'{{ niche = "hosting", level = "gold", filter = [{written}] }}'
    return f'[[provider]]\nemail = "bowline@example.com"\nsubscription = [{gold}]\n'


def test_a_marketplace_file_is_told_the_place(database: Database) -> None:
    market = open_market(database)
    change_form_schema(database, market.niche, FORM, OPERATOR)
    before = everything(database)
    with pytest.raises(BadInput) as caught:
        declare(database, declared(filter_of(LARGEST + 1)))
    [problem] = caught.value.problems
    assert problem.startswith("provider[0].subscription[0].filter: a filter takes at most 262,144 bytes")
    assert everything(database) == before
    assert len(declare(database, declared(filter_of(LARGEST))).changes) == 1


def test_a_large_filter_costs_the_journal_nothing_until_it_changes(database: Database) -> None:
    market = open_market(database)
    change_form_schema(database, market.niche, FORM, OPERATOR)
    gold = market.subscriptions["anchor gold"]
    set_filter(database, gold, filter_of(LARGEST), OPERATOR, of_provider_id=None)
    at = head(database)
    pause_subscription(database, gold, OPERATOR, of_provider_id=None)
    resume_subscription(database, gold, OPERATOR, of_provider_id=None)
    assert [size(payload) < 400 for _, payload in journal(database, at)] == [True, True]
    assert query(database, "select filter_rules from subscriptions where id = %s", gold) == [(filter_of(LARGEST),)]


def test_a_larger_one_from_before_goes_on(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    market = open_market(database)
    change_form_schema(database, market.niche, FORM, OPERATOR)
    gold = market.subscriptions["anchor gold"]
    with monkeypatch.context() as earlier:
        earlier.setattr("fairlead.core.filters.filter.MAX_FILTER_BYTES", 2**20)
        set_filter(database, gold, filter_of(300_000), OPERATOR, of_provider_id=None)
    pause_subscription(database, gold, OPERATOR, of_provider_id=None)
    assert resume_subscription(database, gold, OPERATOR, of_provider_id=None).row.subscription.is_active
    more = {"key": "rooms", "type": "number"}
    changed = change_form_schema(database, market.niche, {**FORM, "fields": [*FORM["fields"], more]}, OPERATOR)  # type: ignore[misc]
    assert changed.invalidated == ()
