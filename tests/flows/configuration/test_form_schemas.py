"""A niche's form changes in versions, and every filter is read against it."""

from typing import Any

import pytest

from fairlead.flows.configuration.form_schemas import change_form_schema, form_schema_versions, restore_form_schema
from fairlead.flows.configuration.reading import read_niche
from fairlead.flows.configuration.subscriptions import unsubscribe
from fairlead.flows.configuration.versions import InvalidDocument
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.configuration.market import (
    UNKNOWN,
    changes_nothing,
    distribute,
    events,
    head,
    journal,
    open_market,
    refusal,
)
from tests.flows.marketplaces import declare, notices
from tests.flows.niches import add_niche
from tests.flows.sales import query

CORES: dict[str, Any] = {"key": "cores", "label": "Cores", "type": "number"}
REGION: dict[str, Any] = {"key": "region", "label": "Region", "type": "select", "options": ["north", "south"]}
# Anchor's filter for gold asks for cores, Bowline's for silver for the north.
WITHOUT_NORTH = {"version": 1, "fields": [CORES, {**REGION, "options": ["south", "east"]}]}
WITHOUT_CORES = {"version": 1, "fields": [REGION]}


def valid(database: Database) -> dict[str, bool]:
    return dict(query(database, "select id::text, filter_is_valid from subscriptions"))


def test_filters_that_do_not_fit_any_more_are_marked_and_told(database: Database) -> None:
    market = open_market(database)
    bowline_silver, at = market.subscriptions["bowline silver"], head(database)
    logged = len(events(database))
    tried = change_form_schema(database, market.niche, WITHOUT_NORTH, OPERATOR, memo="moved south")
    assert (tried.took_effect, tried.is_dry_run, tried.number) == (True, False, 2)
    [unfit] = tried.invalidated
    assert (unfit.subscription_id, unfit.provider_id, unfit.level_id) == (bowline_silver, market.bowline, market.silver)
    assert unfit.problem == "rules[0].value[0]: 'north' is not an option of Region: south, east"
    assert [kind for kind, _ in journal(database, at)] == ["niche", "subscription"]
    assert events(database, logged) == [
        (
            "niche.form_changed",
            {"version": 1},
            {"version": 2, "journal_seq": at + 1, "invalidated_count": 1, "validated_count": 0},
            "moved south",
        )
    ]
    assert {sid for sid, is_valid in valid(database).items() if not is_valid} == {bowline_silver}
    assert notices(database) == ["filter_invalidated bowline silver"]
    assert distribute(database, market, [{"cores": 8, "region": "east"}]) == [[market.anchor]]


def test_what_fits_again_counts_again(database: Database) -> None:
    market = open_market(database)
    change_form_schema(database, market.niche, WITHOUT_NORTH, OPERATOR)
    back = restore_form_schema(database, market.niche, 1, OPERATOR)
    assert (back.number, back.invalidated) == (3, ())
    assert back.validated_subscription_ids == (market.subscriptions["bowline silver"],)
    assert all(valid(database).values())
    versions = form_schema_versions(database, market.niche)
    assert [(each.version, each.memo) for each in versions][:2] == [(3, "restored version 1"), (2, None)]
    assert versions[2].memo is not None
    assert versions[2].memo.startswith("marketplace file ")
    assert versions[0].form_schema == versions[2].form_schema != versions[1].form_schema
    [bought] = distribute(database, market, [{"cores": 8, "region": "north"}])
    assert sorted(bought) == sorted([market.anchor, market.bowline])


def test_a_preview_says_the_same_and_changes_nothing(database: Database) -> None:
    market = open_market(database)
    tried = changes_nothing(
        database, lambda: change_form_schema(database, market.niche, WITHOUT_CORES, OPERATOR, dry_run=True)
    )
    done = change_form_schema(database, market.niche, WITHOUT_CORES, OPERATOR)
    assert tried.is_dry_run
    assert tried.invalidated == done.invalidated
    assert [unfit.provider_id for unfit in done.invalidated] == [market.anchor]
    assert (tried.row, tried.version, tried.number) == (done.row, done.version, 1)


def test_who_left_is_not_told(database: Database) -> None:
    market = open_market(database)
    unsubscribe(database, market.subscriptions["bowline silver"], OPERATOR, of_provider_id=None)
    assert change_form_schema(database, market.niche, WITHOUT_NORTH, OPERATOR).invalidated == ()
    assert notices(database) == []


def test_the_same_form_makes_no_version(database: Database) -> None:
    market = open_market(database)
    seen = read_niche(database, market.niche)
    form = {"version": 1, "fields": [CORES, {**REGION, "required": False}]}
    same = changes_nothing(database, lambda: change_form_schema(database, market.niche, form, OPERATOR))
    assert (same.took_effect, same.number, same.version) == (False, 1, seen.form_version)


def test_a_form_that_was_changed_meanwhile(database: Database) -> None:
    market = open_market(database)
    seen = read_niche(database, market.niche).form_version
    change_form_schema(database, market.niche, WITHOUT_CORES, OPERATOR, expected_version=seen)

    def change(dry_run: bool) -> Any:
        return change_form_schema(
            database, market.niche, WITHOUT_NORTH, OPERATOR, expected_version=seen, dry_run=dry_run
        )

    for dry_run in (False, True):
        assert changes_nothing(database, lambda d=dry_run: refusal(lambda: change(d))) == "version_conflict"
    again = change_form_schema(database, market.niche, WITHOUT_CORES, OPERATOR, expected_version=seen)
    assert not again.took_effect


def test_a_file_makes_versions_too(database: Database) -> None:
    market = open_market(database)
    declare(database, '[[niche]]\nslug = "hosting"\nfield = [{ key = "cores", type = "number" }]')
    declare(database, '[[niche]]\nslug = "hosting"\nname = "Servers"')
    versions = form_schema_versions(database, market.niche)
    assert [(each.version, len(each.form_schema["fields"])) for each in versions] == [(2, 1), (1, 2)]  # pyright: ignore


def test_a_form_without_versions_gets_its_past_with_its_first_change(database: Database) -> None:
    niche = add_niche(database)
    done = change_form_schema(database, niche, WITHOUT_CORES, OPERATOR, memo="anew")
    assert done.number == 2
    versions = [(each.version, each.created_by, each.memo) for each in form_schema_versions(database, niche)]
    assert versions == [(2, "operator", "anew"), (1, "fairlead", None)]
    assert len(form_schema_versions(database, niche)[1].form_schema["fields"]) == 5  # pyright: ignore


def test_what_is_refused(database: Database) -> None:
    market = open_market(database)
    with pytest.raises(InvalidDocument) as caught:
        change_form_schema(database, market.niche, {"version": 1, "fields": [{"key": "a"}]}, OPERATOR)
    assert [(each.path, each.code) for each in caught.value.details] == [("fields[0].type", "missing_key")]
    for dry_run in (False, True):
        unknown = refusal(lambda d=dry_run: change_form_schema(database, UNKNOWN, WITHOUT_CORES, OPERATOR, dry_run=d))
        assert unknown == "niche_unknown"
    assert refusal(lambda: restore_form_schema(database, market.niche, 9, OPERATOR)) == "form_version_unknown"
    assert refusal(lambda: form_schema_versions(database, UNKNOWN)) == "niche_unknown"
