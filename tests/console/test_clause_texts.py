"""Filters and price rules in words are in the language of the page; the API says them in English."""

import pytest
from starlette.testclient import TestClient

from fairlead.console.clause_texts import clause_in_language
from fairlead.console.texts import writing_in
from fairlead.core.clauses import clause_text
from fairlead.core.filters.filter import filter_clause
from fairlead.core.form import parse_form_schema
from fairlead.core.price_rule_words import worded_price_rules
from fairlead.flows.configuration.price_rules import set_price_rules
from fairlead.flows.configuration.subscriptions import set_filter
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.portal import level, subscription
from tests.console.portal_pages import shown, visit_portal

FORM = parse_form_schema(
    {
        "version": 1,
        "fields": [
            {"key": "age", "label": "Alter {n}", "type": "number"},
            {"key": "zip", "label": "PLZ", "type": "text"},
            {"key": "owner", "label": "Eigentum", "type": "boolean"},
            {"key": "roof", "label": "Dach", "type": "multi-select", "options": ["flat", "steep"]},
        ],
    }
)
POINT = {"point": [52.52, 13.405], "km": 25}


def _rule(key: str, operator: str, value: object) -> dict[str, object]:
    return {"field_key": key, "operator": operator, "value": value}


@pytest.mark.parametrize(
    ("rules", "german"),
    [
        ([], "jeder Lead"),
        ([_rule("age", "between", [30, 50])], "Alter {n} zwischen 30 und 50"),
        ([_rule("age", "not_between", [30, 50])], "Alter {n} nicht zwischen 30 und 50"),
        ([_rule("age", "gte", 4), _rule("owner", "eq", True)], "Alter {n} mindestens 4; Eigentum ist ja"),
        ([_rule("zip", "in", ["a", "b", "c"])], 'PLZ ist "a", "b" oder "c"'),
        ([_rule("zip", "contains", "{field}")], "PLZ enthält „{field}“"),
        (
            [_rule("zip", "postcode_in", [str(each) for each in range(101, 111)])],
            "PLZ ist 101, 102, 103, 104, 105, 106, 107, 108 oder 2 weitere",
        ),
        ([_rule("zip", "postcode_between", ["101", "199"])], "PLZ von 101 bis 199"),
        ([_rule("zip", "postcode_not_starts_with", ["1"])], "PLZ beginnt nicht mit 1"),
        ([_rule("zip", "within_km", POINT)], "PLZ höchstens 25 km von 52.52, 13.405 entfernt"),
        ([_rule("zip", "beyond_km", POINT)], "PLZ mehr als 25 km von 52.52, 13.405 entfernt"),
        ([_rule("zip", "exists", False)], "PLZ ist nicht angegeben"),
        ([_rule("roof", "not_in", ["flat"])], "Dach enthält nicht flat"),
        (
            [
                {
                    "not": {
                        "any": [_rule("age", "lt", 25), {"all": [_rule("age", "gt", 60), _rule("owner", "eq", False)]}]
                    }
                }
            ],
            "nicht (Alter {n} unter 25 oder (Alter {n} über 60 und Eigentum ist nein))",
        ),
    ],
)
def test_a_filter_is_said_in_german(rules: list[object], german: str) -> None:
    clause = filter_clause({"version": 2, "rules": rules}, FORM)
    with writing_in("de"):
        assert clause_in_language(clause) == german
        assert clause_text(clause) != german, "without a language it stays English"


def test_price_rules_are_said_in_german() -> None:
    text = (
        '{"version":1,"timezone":"Europe/Berlin","rules":[{"name":"Nachts","price_cents":400,'
        '"hours":[{"days":["mon","sun"],"opens":"18:00","closes":"24:00"}],'
        '"lead_age_minutes":{"from":60,"below":2880}}]}'
    )
    [rule] = worded_price_rules(text, FORM)
    assert (
        rule.when == "Mon Sun 18:00 to 24:00 (Europe/Berlin); the lead is at least 1 hour old and less than 2 days old"
    )
    with writing_in("de"):
        assert clause_in_language(rule.when_clause) == (
            "Mo So 18:00 bis 24:00 (Europe/Berlin); der Lead ist mindestens 1 Stunde alt und weniger als 2 Tage alt"
        )


def test_pages_say_it_in_the_viewers_language_and_the_api_in_english(database: Database, ann: TestClient) -> None:
    portal = visit_portal(database)
    gold, silver = subscription(database, portal.sale.anchor_id, "gold"), level(database, "silver")
    wanted = {"version": 2, "rules": [_rule("cores", "not_between", [1, 2])]}
    set_filter(database, gold, wanted, OPERATOR, of_provider_id=None)
    old = {"name": "Old", "price_cents": 300, "lead_age_minutes": {"from": 120}}
    set_price_rules(database, silver, {"version": 1, "rules": [old]}, OPERATOR)
    own = f"/providers/{portal.sale.anchor_id}"
    pages = [(ann, own), (ann, f"{own}/subscriptions/{gold}")]
    pages += [(portal.sam, "/portal/subscriptions"), (portal.sam, "/portal/more")]
    for client, page in pages:
        assert "not between 1 and 2" in shown(client, page), page
    for client in (ann, portal.sam):
        client.cookies.set("language", "de", domain="leads.example.com")
    for client, page in pages:
        words = shown(client, page)
        assert "nicht zwischen 1 und 2" in words, page
        assert "not between" not in words, page
    assert "der Lead ist mindestens 2 Stunden alt" in shown(portal.sam, f"/portal/levels/{silver}")
    said = portal.sam.get(f"/api/v1/provider/subscriptions/{gold}").json()
    assert said["filter_summary"].endswith("not between 1 and 2")
