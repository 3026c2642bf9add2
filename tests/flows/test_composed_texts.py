"""Canonically equal text is equal everywhere: in answers, options, filters and files, and in rules of long ago."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fairlead.core.filters import filter as filters
from fairlead.flows.configuration import niches
from fairlead.flows.configuration.form_schemas import change_form_schema
from fairlead.flows.configuration.subscriptions import set_filter
from fairlead.flows.create_lead import EnteredLead, create_lead
from fairlead.flows.distributor import Distributor
from fairlead.flows.importing.import_leads import ImportOptions, import_leads
from fairlead.flows.maintenance.compose_filters import compose_filters
from fairlead.flows.proving.verify import verify
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.configuration.market import Market, open_market
from tests.flows.maintenance.workers import maintenance_of
from tests.flows.niches import stored_leads

COMPOSED, DECOMPOSED = "K\u00f6ln S\u00fcd", "Ko\u0308ln Su\u0308d"
CITY = {"composed": "K\u00f6ln", "decomposed": "Ko\u0308ln"}


def form(city: str) -> dict[str, Any]:
    fields = [
        {"key": "city", "type": "select", "options": [city, "Bonn"]},
        {"key": "tags", "type": "multi-select", "options": [city, "Bonn"]},
        {"key": "place", "type": "text"},
    ]
    return {"version": 1, "fields": fields}


def rules(*each: tuple[str, str, Any]) -> dict[str, Any]:
    named = [{"field_key": key, "operator": operator, "value": value} for key, operator, value in each]
    return {"version": 1, "rules": named}


def sold_count(database: Database, market: Market) -> int:
    Distributor(database).distribute_waiting(market.niche)
    with database.snapshot() as conn:
        return conn.execute("select count(*) from assignments").fetchall()[0][0]


def uncomposed(raw: object) -> object:
    """As texts were taken before they were composed."""
    return raw


def unspelt(raw: object, *_: object) -> tuple[object, tuple[()]]:
    """As filters were taken before."""
    return raw, ()


def filter_all(database: Database, market: Market, wanted: dict[str, Any]) -> None:
    for subscription_id in market.subscriptions.values():
        set_filter(database, subscription_id, wanted, OPERATOR, of_provider_id=None)


def enter(database: Database, tmp_path: Path, attributes: dict[str, Any]) -> None:
    create_lead(database, EnteredLead("hosting", attributes), OPERATOR, approve=True)


def submit(database: Database, tmp_path: Path, attributes: dict[str, Any]) -> None:
    submit_leads(database, "hosting", [attributes], OPERATOR, approve=True)


@pytest.mark.parametrize("of_form", ["composed", "decomposed"])
@pytest.mark.parametrize("of_filter", ["composed", "decomposed"])
@pytest.mark.parametrize("of_lead", ["composed", "decomposed"])
@pytest.mark.parametrize("write", [enter, submit])
def test_every_writing_of_a_text_meets_every_other(
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    of_form: str,
    of_filter: str,
    of_lead: str,
    write: Callable[[Database, Path, dict[str, Any]], None],
) -> None:
    market = open_market(database)
    with monkeypatch.context() as before:  # a form of long ago
        before.setattr(niches, "composed_texts", uncomposed)
        change_form_schema(database, market.niche, form(CITY[of_form]), OPERATOR)
    place = {"composed": COMPOSED, "decomposed": DECOMPOSED}
    city = CITY[of_filter]
    wanted = rules(("city", "eq", city), ("tags", "in", [city]), ("place", "contains", place[of_filter].lower()))
    filter_all(database, market, wanted)
    write(database, tmp_path, {"city": CITY[of_lead], "tags": [CITY[of_lead]], "place": f"in {place[of_lead]}"})
    assert sold_count(database, market) > 0
    # Declared or sent again in either writing, the form is the one that filters and leads know.
    for again in CITY.values():
        changed = change_form_schema(database, market.niche, form(again), OPERATOR)
        assert not changed.took_effect
    assert verify(database).holds


def test_a_rule_of_long_ago_is_composed_and_what_it_decided_can_be_replayed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = open_market(database)
    change_form_schema(database, market.niche, form(CITY["composed"]), OPERATOR)
    with monkeypatch.context() as before:
        before.setattr(filters, "spelt_filter", unspelt)
        filter_all(database, market, rules(("place", "eq", DECOMPOSED)))
    create_lead(database, EnteredLead("hosting", {"place": COMPOSED}), OPERATOR, approve=True)
    assert sold_count(database, market) == 0  # decided by the rule as it was
    assert compose_filters(maintenance_of(database))["composed"] == len(market.subscriptions)
    assert compose_filters(maintenance_of(database))["composed"] == 0
    create_lead(database, EnteredLead("hosting", {"place": DECOMPOSED}), OPERATOR, approve=True)
    assert sold_count(database, market) > 0
    assert verify(database).holds


def test_a_file_in_decomposed_text_holds_what_the_form_names(database: Database, tmp_path: Path) -> None:
    market = open_market(database)
    change_form_schema(database, market.niche, form(CITY["composed"]), OPERATOR)
    file = tmp_path / "leads.csv"
    file.write_text(f"city,tags,place\n{CITY['decomposed']},{CITY['decomposed']}|Bonn,{DECOMPOSED}\n", encoding="utf-8")
    import_leads(database, file, ImportOptions("hosting"), OPERATOR)
    [attributes] = stored_leads(database)
    assert json.loads(json.dumps(attributes)) == {
        "city": CITY["composed"],
        "tags": [CITY["composed"], "Bonn"],
        "place": COMPOSED,
    }
