"""Niches are opened and changed by verbs."""

from typing import Any

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.configuration.niches import NicheChange, change_niche, create_niche
from fairlead.flows.configuration.reading import read_niche
from fairlead.flows.configuration.versions import InvalidDocument
from fairlead.store.audit.log import OPERATOR
from fairlead.store.configuration.rows import NichePolicy, ReofferPolicy
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
from tests.flows.marketplaces import count
from tests.flows.sales import query

FORM = {"version": 1, "fields": [{"key": "rooms", "type": "number"}]}
HOURLY = ReofferPolicy(every_minutes=60, max_times=5, max_hours=48)


def test_a_niche_is_created_once(database: Database) -> None:
    def create(name: str = "Moving") -> Any:
        return create_niche(
            database, "moving", name, OPERATOR, form_schema=FORM, policy=NichePolicy(False, HOURLY), memo="opened"
        )

    created = create()
    [(kind, payload)] = journal(database)
    assert (kind, payload["slug"], payload["name"], payload["is_active"]) == ("niche", "moving", "Moving", True)
    assert payload["form_schema"]["fields"] == [{"key": "rooms", "label": "rooms", "type": "number", "required": False}]
    [(action, old, new, memo)] = events(database)
    assert (action, old, memo) == ("niche.created", None, "opened")
    hourly = {"every_minutes": 60, "max_times": 5, "max_hours": 48}
    policy_told = {"auto_distribute": False, "reoffer": hourly, "phone_region": None}
    named = {"slug": "moving", "name": "Moving", "active": True, "field_count": 1, "journal_seq": 1}
    named["max_recipients_per_lead"] = None
    assert new == {**named, **policy_told}
    policy = "select auto_distribute, reoffer_every_minutes, reoffer_max_times, reoffer_max_hours from niches"
    assert query(database, policy) == [(False, 60, 5, 48)]
    assert query(database, "select version, created_by, memo from form_schema_versions") == [(1, "operator", "opened")]

    again = changes_nothing(database, create)
    assert (created.took_effect, again.took_effect) == (True, False)
    assert (again.row, again.version) == (created.row, created.version)
    assert changes_nothing(database, lambda: refusal(lambda: create("Removals"))) == "niche_exists"


def test_the_first_niche_finds_a_currency(database: Database) -> None:
    create_niche(database, "moving", "Moving", OPERATOR)
    assert query(database, "select currency from marketplace") == [("EUR",)]


def test_what_a_niche_cannot_be(database: Database) -> None:
    with pytest.raises(BadInput) as caught:
        create_niche(
            database, "Moving!", "", OPERATOR, policy=NichePolicy(True, ReofferPolicy(0, 5, 48)), memo="two\nlines"
        )
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["slug", "name", "memo", "every_minutes"]
    with pytest.raises(InvalidDocument) as invalid:
        create_niche(database, "moving", "Moving", OPERATOR, form_schema={"version": 2})
    assert [(detail.path, detail.code) for detail in invalid.value.details] == [("version", "unknown_version")]
    assert count(database, "niches") == 0


def test_a_niche_is_renamed_and_switched_off_and_on(database: Database) -> None:
    market = open_market(database)
    seen, at = read_niche(database, market.niche), head(database)
    logged = len(events(database))
    change = NicheChange(name="Servers", is_active=False)
    done = change_niche(database, market.niche, change, OPERATOR, memo="holiday", expected_version=seen.version)
    assert (done.took_effect, done.row.name, done.row.is_active) == (True, "Servers", False)
    [(kind, payload)] = journal(database, at)
    assert (kind, payload["name"], payload["is_active"]) == ("niche", "Servers", False)
    assert events(database, logged) == [
        (
            "niche.changed",
            {"name": "Hosting", "active": True},
            {"name": "Servers", "active": False, "journal_seq": at + 1},
            "holiday",
        )
    ]
    assert read_niche(database, market.niche).version == done.version != seen.version
    assert read_niche(database, market.niche).form_version == seen.form_version

    assert refusal(lambda: distribute(database, market, [{"cores": 8, "region": "north"}])) == "niche_inactive"
    change_niche(database, market.niche, NicheChange(is_active=True), OPERATOR)
    assert distribute(database, market, [{"cores": 4, "region": "north"}]) != []


def test_a_policy_is_audited_and_not_in_the_journal(database: Database) -> None:
    market = open_market(database)
    at, logged = head(database), len(events(database))
    change_niche(database, market.niche, NicheChange(reoffer=HOURLY), OPERATOR)
    done = change_niche(database, market.niche, NicheChange(auto_distribute=False), OPERATOR)
    assert done.row.policy == NichePolicy(False, HOURLY)
    assert head(database) == at
    on = {"every_minutes": 60, "max_times": 5, "max_hours": 48}
    assert events(database, logged) == [
        (
            "niche.policy_changed",
            {"auto_distribute": True, "reoffer": None, "phone_region": None},
            {"auto_distribute": True, "reoffer": on, "phone_region": None},
            None,
        ),
        (
            "niche.policy_changed",
            {"auto_distribute": True, "reoffer": on, "phone_region": None},
            {"auto_distribute": False, "reoffer": on, "phone_region": None},
            None,
        ),
    ]
    assert change_niche(database, market.niche, NicheChange(reoffer=None), OPERATOR).row.policy.reoffer is None


def test_a_change_that_was_overtaken_is_refused_unless_it_is_done_already(database: Database) -> None:
    market = open_market(database)
    seen = read_niche(database, market.niche).version
    change_niche(database, market.niche, NicheChange(name="Servers"), OPERATOR, expected_version=seen)

    def rename(name: str) -> Any:
        return change_niche(database, market.niche, NicheChange(name=name), OPERATOR, expected_version=seen)

    assert changes_nothing(database, lambda: refusal(lambda: rename("Machines"))) == "version_conflict"
    assert changes_nothing(database, lambda: rename("Servers").took_effect) is False


def test_what_cannot_be_changed(database: Database) -> None:
    market = open_market(database)
    assert refusal(lambda: change_niche(database, UNKNOWN, NicheChange(), OPERATOR)) == "niche_unknown"
    for change, name in (
        (NicheChange(name="two\nlines"), "name"),
        (NicheChange(reoffer=ReofferPolicy(60, 0, 1)), "max_times"),
    ):
        with pytest.raises(BadInput, match=f"^{name}: "):
            change_niche(database, market.niche, change, OPERATOR)
    with pytest.raises(BadInput, match="is_active: must be true or false"):
        change_niche(database, market.niche, NicheChange(is_active="no"), OPERATOR)  # pyright: ignore
