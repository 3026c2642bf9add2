"""Postcode tables: what a distance comes to is written down with the filter, and decides from then on."""

from typing import Any

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.configuration.filter_preview import preview_filter
from fairlead.flows.configuration.form_schemas import change_form_schema
from fairlead.flows.configuration.postcode_tables import list_postcode_tables, load_postcode_table
from fairlead.flows.configuration.subscriptions import set_filter
from fairlead.flows.declaring.export_marketplace import export_marketplace
from fairlead.flows.distributor import Distributor
from fairlead.flows.proving.verify import verify
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.marketplaces import declare
from tests.flows.sales import query

MARKET = """
[[niche]]
slug = "solar"
name = "Solar"
field = [{ key = "zip", label = "Postcode", type = "text" }]
level = [{ name = "gold", price_cents = 100, max_recipients = 3, order_position = 1 }]

[[provider]]
email = "anchor@example.com"
name = "Anchor"
deposit = [{ external_id = "p1", amount_cents = 5000 }]
subscription = [{ niche = "solar", level = "gold" }]
"""
FIRST = "zip;lat;lon\n10115;52.5337;13.3872\n14467;52.3988;13.0657\n80331;48.1372;11.5755\n"


def near(km: float, **others: object) -> dict[str, Any]:
    value = {"table": "de", "postcode": "10 115", "km": km, **others}
    return {"version": 2, "rules": [{"field_key": "zip", "operator": "within_km", "value": value}]}


def test_a_filter_goes_on_with_the_version_that_it_was_written_with(database: Database) -> None:
    declare(database, MARKET)
    first = load_postcode_table(database, "de", FIRST, OPERATOR)
    assert (first.row.version, first.row.postcode_count, first.took_effect) == (1, 3, True)
    assert not load_postcode_table(database, "de", FIRST.replace(";", ","), OPERATOR).took_effect
    [(subscription_id,)] = query(database, "select id::text from subscriptions")
    changed = set_filter(database, subscription_id, near(30), OPERATOR, of_provider_id=None)
    assert changed.filter_summary == "Postcode within 30 km of 10115"
    stored: Any = changed.row.subscription.filter_rules["rules"]
    assert (stored[0]["value"]["version"], stored[0]["value"]["postcodes"]) == (1, ["10115", "14467"])
    load_postcode_table(database, "de", "10115,52.5337,13.3872", OPERATOR)
    assert [each.version for each in list_postcode_tables(database)] == [2, 1]
    [(niche_id,)] = query(database, "select id::text from niches")
    for code in ("14 467", "80331"):
        submit_leads(database, "solar", [{"zip": code}], OPERATOR, approve=True)
    Distributor(database).distribute_waiting(niche_id)
    sold = "select l.attributes ->> 'zip' from assignments a join leads l on l.id = a.lead_id"
    assert query(database, sold) == [("14 467",)]
    assert preview_filter(database, niche_id, near(30)).matched_count == 0, "a new one asks the newest version"
    assert preview_filter(database, niche_id, near(30, version=1)).matched_count == 1
    file = export_marketplace(database, OPERATOR)
    assert declare(database, file.text).changes == ()
    assert verify(database).holds


def test_a_form_that_changes_needs_no_table(database: Database) -> None:
    declare(database, MARKET)
    load_postcode_table(database, "de", FIRST, OPERATOR)
    [(subscription_id,)] = query(database, "select id::text from subscriptions")
    set_filter(database, subscription_id, near(30), OPERATOR, of_provider_id=None)
    [(niche_id,)] = query(database, "select id::text from niches")
    fields = [{"key": "zip", "label": "Post code", "type": "text"}, {"key": "age", "type": "number"}]
    change_form_schema(database, niche_id, {"version": 1, "fields": fields}, OPERATOR)
    assert query(database, "select filter_is_valid from subscriptions") == [(True,)]


def test_each_line_that_is_wrong_is_told_and_nothing_is_loaded(database: Database) -> None:
    text = "10115,52.5,13.4\n???,1,2\n10-115,52.5,13.4\n14467,91,2\n14469\n"
    with pytest.raises(BadInput) as refused:
        load_postcode_table(database, "de", text, OPERATOR)
    assert [problem.split(":")[0] for problem in refused.value.problems] == ["line 2", "line 3", "line 4", "line 5"]
    for name, lines in (("De", FIRST), ("de", ""), ("de", "zip,lat,lon")):
        with pytest.raises(BadInput):
            load_postcode_table(database, name, lines, OPERATOR)
    assert list_postcode_tables(database) == []
