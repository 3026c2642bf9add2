"""What a webhook says, in our names or in the receiver's."""

import json
import re
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.delivery.webhook_body import (
    SOURCES,
    LeadAssigned,
    check_field_mapping,
    endpoint_test_body,
    lead_assigned_body,
    lead_withdrawn_body,
)

ASSIGNED_AT = datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC)
FACTS = LeadAssigned(
    assignment_id="01900000-0000-7000-8000-00000000000a",
    lead_id="01900000-0000-7000-8000-00000000000b",
    provider_id="01900000-0000-7000-8000-00000000000c",
    niche_slug="vps-hosting",
    niche_name="VPS hosting",
    level_name="gold",
    price_cents=4500,
    currency="EUR",
    assigned_at=ASSIGNED_AT,
    attributes={"cores": 4, "systems": ["debian", "bsd"], "note": "Grüße", "a.b-c": 1.5},
    contact_name="Lead Contact",
    contact_email="lead@example.com",
    utm_source="search",
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=10,
)
printable = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=64)
sources = st.sampled_from(SOURCES) | st.sampled_from([*FACTS.attributes]).map("attributes.{}".format)
mappings = st.dictionaries(printable, sources | printable.map("attributes.{}".format), min_size=1, max_size=100)


def test_a_lead_in_our_names() -> None:
    assert json.loads(lead_assigned_body(FACTS, None)) == {
        "type": "lead.assigned",
        "timestamp": "2026-03-04T05:06:07.000089Z",
        "data": {
            "assignment_id": "01900000-0000-7000-8000-00000000000a",
            "lead_id": "01900000-0000-7000-8000-00000000000b",
            "provider_id": "01900000-0000-7000-8000-00000000000c",
            "niche_slug": "vps-hosting",
            "niche_name": "VPS hosting",
            "level_name": "gold",
            "price_cents": 4500,
            "currency": "EUR",
            "assigned_at": "2026-03-04T05:06:07.000089Z",
            "attributes": {"cores": 4, "systems": ["debian", "bsd"], "note": "Grüße", "a.b-c": 1.5},
            "contact_name": "Lead Contact",
            "contact_email": "lead@example.com",
            "contact_phone": None,
            "utm_source": "search",
            "utm_medium": None,
            "utm_campaign": None,
            "referrer": None,
        },
    }


def test_every_fact_is_told_and_can_be_mapped() -> None:
    assert {field.name for field in fields(LeadAssigned)} == {*SOURCES}
    assert len(SOURCES) == len({*SOURCES})


def test_a_lead_in_the_receivers_names() -> None:
    mapping = {
        "email": "contact_email",
        "Telefon": "contact_phone",
        "cores": "attributes.cores",
        "dotted": "attributes.a.b-c",
        "missing": "attributes.ram",
        "all": "attributes",
        "at": "assigned_at",
    }
    assert check_field_mapping(mapping) == []
    assert json.loads(lead_assigned_body(FACTS, mapping)) == {
        "type": "lead.assigned",
        "timestamp": "2026-03-04T05:06:07.000089Z",
        "data": {
            "email": "lead@example.com",
            "Telefon": None,
            "cores": 4,
            "dotted": 1.5,
            "missing": None,
            "all": {"cores": 4, "systems": ["debian", "bsd"], "note": "Grüße", "a.b-c": 1.5},
            "at": "2026-03-04T05:06:07.000089Z",
        },
    }


def test_the_same_facts_are_the_same_bytes() -> None:
    again = replace(
        FACTS,
        attributes=MappingProxyType({"a.b-c": 1.5, "note": "Grüße", "systems": ("debian", "bsd"), "cores": 4.0}),
        assigned_at=ASSIGNED_AT.astimezone(timezone(timedelta(hours=-7))),
    )
    assert lead_assigned_body(again, None) == lead_assigned_body(FACTS, None)
    mapping = {"b": "contact_email", "a": "attributes"}
    turned = dict(reversed(mapping.items()))
    assert lead_assigned_body(again, turned) == lead_assigned_body(FACTS, mapping)


@settings(deadline=None)
@given(mapping=mappings)
def test_a_mapping_decides_names_and_nothing_else(mapping: dict[str, str]) -> None:
    assert check_field_mapping(mapping) == []
    ours = json.loads(lead_assigned_body(FACTS, None))
    body = json.loads(lead_assigned_body(FACTS, mapping))
    assert (body["type"], body["timestamp"]) == (ours["type"], ours["timestamp"])
    assert {*body["data"]} == {*mapping}
    for name, source in mapping.items():
        known = ours["data"]["attributes"].get(source[11:]) if "." in source else ours["data"][source]
        assert body["data"][name] == known
        assert type(body["data"][name]) is type(known)


@settings(deadline=None)
@given(value=json_values | st.dictionaries(st.text(), sources | st.text(), max_size=5))
def test_no_mapping_is_too_strange(value: object) -> None:
    problems = check_field_mapping(value)
    assert all(problem.startswith("field_mapping") and problem.isprintable() for problem in problems)
    if not problems:
        assert isinstance(value, dict)
        assert {*json.loads(lead_assigned_body(FACTS, value))["data"]} == {*value}


@pytest.mark.parametrize(
    ("mapping", "problem"),
    [
        (None, "must be an object"),
        ([], "must be an object"),
        ("email", "must be an object"),
        ({}, "must have 1 to 100 members, not 0"),
        ({f"n{number}": "lead_id" for number in range(101)}, "must have 1 to 100 members, not 101"),
        ({"": "lead_id"}, "name 1 must be 1 to 100 printable"),
        ({"ok": "lead_id", "x" * 101: "lead_id"}, "name 2 must be 1 to 100 printable"),
        ({"a\nb": "lead_id"}, "name 1 must be 1 to 100 printable"),
        ({"\ud800": "lead_id"}, "name 1 must be 1 to 100 printable"),
        ({"email": "email"}, "field_mapping.email: must be attributes.<key> or one of assignment_id, lead_id,"),
        ({"email": "attributes."}, "field_mapping.email: must be"),
        ({"email": "attributes." + "x" * 65}, "field_mapping.email: must be"),
        ({"email": "attributes.\n"}, "field_mapping.email: must be"),
        ({"email": "contact.email"}, "field_mapping.email: must be"),
        ({"email": "__class__"}, "field_mapping.email: must be"),
        ({"email": None}, "field_mapping.email: must be"),
        ({"email": ["lead_id"]}, "field_mapping.email: must be"),
    ],
)
def test_what_is_no_mapping(mapping: object, problem: str) -> None:
    problems = check_field_mapping(mapping)
    assert len(problems) == 1
    assert problem in problems[0]


def test_all_mistakes_are_told_at_once() -> None:
    assert len(check_field_mapping({"a": "x", "b": 1, "": "lead_id", "fine": "lead_id"})) == 3


def test_the_bounds_themselves_are_fine() -> None:
    assert check_field_mapping({f"n{number}": "lead_id" for number in range(100)}) == []
    assert check_field_mapping({"x" * 100: "attributes." + "y" * 64}) == []


def test_a_source_that_could_not_be_registered_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        lead_assigned_body(FACTS, {"email": "email"})


def test_a_withdrawal_repeats_nothing_that_the_consumer_said_and_is_found_by_the_receivers_names() -> None:
    mapping = {"ref": "assignment_id", "mail": "contact_email", "Cores": "attributes.cores", "from": "utm_source"}
    body = json.loads(lead_withdrawn_body(FACTS, ASSIGNED_AT, mapping))
    assert (body["type"], body["timestamp"]) == ("lead.withdrawn", "2026-03-04T05:06:07.000089Z")
    assert body["data"]["ref"] == body["data"]["assignment_id"] == FACTS.assignment_id
    plain = json.loads(lead_withdrawn_body(FACTS, ASSIGNED_AT, None))
    assert {*body["data"]} == {*plain["data"], "ref"}
    for personal in ("Lead Contact", "lead@example.com", "debian", "search"):
        assert personal not in json.dumps([body, plain])


def test_a_test_delivery_is_shaped_like_a_real_one_and_is_none() -> None:
    plain = json.loads(endpoint_test_body(FACTS.provider_id, "EUR", ASSIGNED_AT, None))
    assert (plain["type"], plain["timestamp"]) == ("endpoint.test", "2026-03-04T05:06:07.000089Z")
    assert {*plain["data"]} == {*json.loads(lead_assigned_body(FACTS, None))["data"]}
    assert plain["data"]["provider_id"] == FACTS.provider_id
    assert re.fullmatch("[0-]+", plain["data"]["lead_id"] + plain["data"]["assignment_id"])
    mapped = json.loads(
        endpoint_test_body(FACTS.provider_id, "EUR", ASSIGNED_AT, {"id": "lead_id", "ram": "attributes.ram"})
    )
    assert mapped["data"] == {"id": plain["data"]["lead_id"], "ram": None}


def test_nothing_personal_shows_in_a_repr() -> None:
    shown = repr(replace(FACTS, contact_phone="+4930123456", referrer="https://example.com/?q=lead@example.com"))
    for personal in ("Lead Contact", "lead@example.com", "+4930123456", "Grüße", "search"):
        assert personal not in shown
    assert FACTS.assignment_id in shown
