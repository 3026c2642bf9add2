"""Filters by an older version of a postcode table are renewed to its newest one, and each niche's journal says so."""

from typing import Any

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.configuration.filter_renewals import RenewalOfFilters, renew_filters
from fairlead.flows.configuration.postcode_tables import load_postcode_table
from fairlead.flows.configuration.subscription_history import subscription_history
from fairlead.flows.configuration.subscriptions import set_filter, unsubscribe
from fairlead.flows.distributor import Distributor
from fairlead.flows.proving.verify import verify
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR, Actor
from fairlead.store.connection import Database
from tests.flows.access.people import refusal
from tests.flows.configuration.test_postcode_tables import FIRST, MARKET, near
from tests.flows.marketplaces import declare
from tests.flows.sales import query

OTHERS = """
[[niche]]
slug = "roofs"
name = "Roofs"
field = [{ key = "zip", label = "Postcode", type = "text" }]
level = [{ name = "tin", price_cents = 100, max_recipients = 3, order_position = 1 }]

[[provider]]
email = "bowline@example.com"
name = "Bowline"
deposit = [{ external_id = "p2", amount_cents = 5000 }]
subscription = [{ niche = "roofs", level = "tin" }, { niche = "solar", level = "gold" }]
"""
SECOND = FIRST + "14469;52.42;13.03\n"
ANN = Actor("user:ann", "admin")


def _subscriptions(database: Database) -> dict[tuple[str, str], str]:
    rows = query(
        database,
        "select p.name, l.name, s.id::text from subscriptions s join providers p on p.id = s.provider_id "
        "join competition_levels l on l.id = s.competition_level_id",
    )
    return {(provider, level): subscription_id for provider, level, subscription_id in rows}


def _filters(database: Database) -> dict[str, Any]:
    return dict(query(database, "select id::text, filter_rules from subscriptions"))


def _value(filter_rules: Any) -> dict[str, Any]:
    return filter_rules["rules"][0]["value"]


def _market(database: Database) -> dict[tuple[str, str], str]:
    """All three subscriptions have a filter by version 1 of the table; the newest is 2, with a postcode more."""
    declare(database, MARKET + OTHERS)
    load_postcode_table(database, "de", FIRST, OPERATOR)
    found = _subscriptions(database)
    for subscription_id in found.values():
        set_filter(database, subscription_id, near(30), OPERATOR, of_provider_id=None)
    load_postcode_table(database, "de", SECOND, OPERATOR)
    return found


def test_filters_of_all_niches_go_by_the_newest_version_from_then_on(database: Database) -> None:
    found = _market(database)
    submit_leads(database, "roofs", [{"zip": "14469"}], OPERATOR, approve=True)
    niches = [niche for (niche,) in query(database, "select id::text from niches order by id")]
    for niche in niches:
        Distributor(database).distribute_waiting(niche)
    assert query(database, "select count(*) from assignments") == [(0,)]
    heads = query(database, "select journal_seq from niches order by id")
    assert renew_filters(database, "de", ANN) == RenewalOfFilters("de", 2, 3, ())
    for filter_rules in _filters(database).values():
        value = _value(filter_rules)
        assert (value["version"], value["postcodes"]) == (2, ["10115", "14467", "14469"])
    seqs = query(database, "select journal_seq from niches order by id")
    moved = [after - before for (after,), (before,) in zip(seqs, heads, strict=True)]
    assert sorted(moved) == [1, 2], "an entry for each subscription, in its niche's journal"
    submit_leads(database, "roofs", [{"zip": "14469"}], OPERATOR, approve=True)
    for niche in niches:
        Distributor(database).distribute_waiting(niche)
    assert query(database, "select count(*) from assignments") == [(1,)], "it counts from the next decision on"
    newest = subscription_history(database, found["Bowline", "tin"], of_provider_id=None)[0]
    assert (newest.action, newest.actor, newest.memo) == (
        "subscription.filter_changed",
        "user:ann",
        "postcode table de, version 2",
    )
    assert renew_filters(database, "de", ANN) == RenewalOfFilters("de", 2, 0, ()), "again it changes nothing"
    assert verify(database).holds


def test_a_filter_that_has_no_place_in_the_newest_version_stays_and_is_named(database: Database) -> None:
    found = _market(database)
    gone, nested, by_point = found["Anchor", "gold"], found["Bowline", "gold"], found["Bowline", "tin"]
    unanswered = {"field_key": "zip", "operator": "exists", "value": False}
    rules = {"version": 2, "rules": [{"any": [unanswered, near(30)["rules"][0]]}]}
    set_filter(database, nested, rules, OPERATOR, of_provider_id=None)
    point = {"table": "de", "point": [52.4, 13.06], "km": 30, "version": 1}
    rules = {"version": 2, "rules": [{"field_key": "zip", "operator": "within_km", "value": point}]}
    set_filter(database, by_point, rules, OPERATOR, of_provider_id=None)
    load_postcode_table(database, "de", "14467;52.3988;13.0657\n14469;52.42;13.03\n", OPERATOR)
    before = _filters(database)
    done = renew_filters(database, "de", ANN, memo="places moved")
    assert (done.version, done.renewed_count) == (3, 1)
    after = _filters(database)
    assert _value(after[by_point])["postcodes"] == ["14467", "14469"]
    assert {each.subscription_id: (each.provider_name, each.detail) for each in done.not_renewed} == {
        gone: ("Anchor", "rules[0].value.postcode: the table 'de' has no postcode 10115"),
        nested: ("Bowline", "rules[0].any[1].value.postcode: the table 'de' has no postcode 10115"),
    }
    assert {each: after[each] for each in (gone, nested)} == {each: before[each] for each in (gone, nested)}


def test_other_tables_and_those_that_left_are_not_touched(database: Database) -> None:
    found = _market(database)
    load_postcode_table(database, "at", FIRST, OPERATOR)
    circle = {"table": "at", "postcode": "10115", "km": 30}
    of_austria = {"version": 2, "rules": [{"field_key": "zip", "operator": "within_km", "value": circle}]}
    set_filter(database, found["Anchor", "gold"], of_austria, OPERATOR, of_provider_id=None)
    load_postcode_table(database, "at", SECOND, OPERATOR)
    unsubscribe(database, found["Bowline", "tin"], OPERATOR, of_provider_id=None)
    assert renew_filters(database, "de", ANN).renewed_count == 1
    assert _value(_filters(database)[found["Anchor", "gold"]])["version"] == 1
    assert _value(_filters(database)[found["Bowline", "tin"]])["version"] == 1
    assert renew_filters(database, "at", ANN).renewed_count == 1


def test_a_table_that_is_not_there_is_refused(database: Database) -> None:
    for name in ("de", "De", "d\x00"):
        assert refusal(renew_filters, database, name, ANN) == "postcode_table_unknown"
    with pytest.raises(BadInput):
        renew_filters(database, "de", ANN, memo="\x07")


def test_the_filters_that_go_by_a_table_are_found_by_their_own_index(database: Database) -> None:
    _market(database)
    statement = (
        "explain select s.id from subscriptions s "
        "where s.deleted_at is null and s.filter_rules @? '$.rules.**.value.table'"
    )
    with database.transaction() as conn:
        conn.execute("set local enable_seqscan = off")
        plan = " ".join(row[0] for row in conn.execute(statement.encode()).fetchall())
    assert "subscriptions_by_postcode_table" in plan
