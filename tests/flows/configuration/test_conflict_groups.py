"""Conflict groups, exclusive levels and recipients per lead: set by verbs and files, and kept by decisions."""

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.configuration import conflict_groups
from fairlead.flows.configuration.conflict_groups import (
    create_conflict_group,
    read_conflict_groups,
    remove_conflict_group,
    rename_conflict_group,
    set_conflict_group,
)
from fairlead.flows.configuration.levels import LevelChange, change_level, create_level
from fairlead.flows.configuration.niches import NicheChange, change_niche
from fairlead.flows.configuration.provider_status import suspend_provider
from fairlead.flows.configuration.providers import ProviderChange, change_provider
from fairlead.flows.configuration.subscriptions import subscribe
from fairlead.flows.explaining.explain import explain_provider
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
from tests.flows.marketplaces import HOSTING, declare
from tests.flows.sales import query

LEAD: dict[str, object] = {"cores": 8, "region": "north"}


def test_a_group_is_created_renamed_and_deleted_with_its_history(database: Database) -> None:
    created = create_conflict_group(database, "One owner", OPERATOR, memo="asked for")
    again = changes_nothing(database, lambda: create_conflict_group(database, "One owner", OPERATOR))
    assert (again.took_effect, again.row) == (False, created.row)
    group_id = created.row.group_id
    create_conflict_group(database, "Other", OPERATOR)
    assert refusal(lambda: rename_conflict_group(database, group_id, "Other", OPERATOR)) == "conflict_group_exists"
    stale = created.version
    renamed = rename_conflict_group(database, group_id, "Anchor and Bowline", OPERATOR, expected_version=stale)
    assert [each.row.name for each in read_conflict_groups(database)] == ["Anchor and Bowline", "Other"]
    assert (
        refusal(lambda: rename_conflict_group(database, group_id, "Third", OPERATOR, expected_version=stale))
        == "version_conflict"
    )
    assert (
        refusal(lambda: remove_conflict_group(database, group_id, OPERATOR, expected_version=stale))
        == "version_conflict"
    )
    remove_conflict_group(database, group_id, OPERATOR, expected_version=renamed.version)
    assert refusal(lambda: remove_conflict_group(database, group_id, OPERATOR)) == "conflict_group_unknown"
    told = [(action, old, new) for action, old, new, _ in events(database) if "One owner" in str((old, new))]
    assert told == [
        ("conflict_group.created", None, {"name": "One owner"}),
        ("conflict_group.renamed", {"name": "One owner"}, {"name": "Anchor and Bowline"}),
    ]


def test_each_niche_that_a_provider_ever_subscribed_in_is_told_of_its_group(database: Database) -> None:
    market = open_market(database)
    group_id = create_conflict_group(database, "One owner", OPERATOR).row.group_id
    before = head(database)
    done = set_conflict_group(database, market.anchor, group_id, OPERATOR, memo="one owner")
    assert done.took_effect
    assert journal(database, before) == [
        ("provider", {"provider_id": market.anchor, "status": "active", "conflict_group_id": group_id})
    ]
    assert not changes_nothing(
        database, lambda: set_conflict_group(database, market.anchor, group_id, OPERATOR)
    ).took_effect
    assert refusal(lambda: remove_conflict_group(database, group_id, OPERATOR)) == "conflict_group_in_use"
    for wrong, code in ((UNKNOWN, "conflict_group_unknown"),):
        assert refusal(lambda wrong=wrong: set_conflict_group(database, market.anchor, wrong, OPERATOR)) == code
    suspend_provider(database, market.anchor, OPERATOR)
    assert journal(database)[-1][1]["conflict_group_id"] == group_id, "the whole state is told"
    before = head(database)
    change_provider(database, market.anchor, ProviderChange(timezone="Asia/Kolkata"), OPERATOR)
    assert head(database) == before, "no provider's limits go by its clocks"
    set_conflict_group(database, market.anchor, None, OPERATOR)
    assert "conflict_group_id" not in journal(database)[-1][1]


def test_of_a_group_one_receives_the_lead_and_the_other_is_told_why(database: Database) -> None:
    market = open_market(database)
    group_id = create_conflict_group(database, "One owner", OPERATOR).row.group_id
    for provider_id in (market.anchor, market.bowline):
        set_conflict_group(database, provider_id, group_id, OPERATOR)
    [[sold_to]] = distribute(database, market, [LEAD])
    [(lead_id,)] = query(database, "select id::text from leads")
    other = ({market.anchor, market.bowline} - {sold_to}).pop()
    story = explain_provider(database, lead_id, other)
    refusals = [standing.refusal for _, standing in story.standings if standing.refusal is not None]
    assert "conflict_group" in [each.reason for each in refusals]
    names = dict(query(database, "select id::text, name from providers"))
    told = [each.sentence(story.names) for each in refusals if each.reason == "conflict_group"]
    assert told[0] == f"The lead goes to another provider of the conflict group: `{names[sold_to]}`."


def test_a_new_subscriber_brings_its_group_along(database: Database) -> None:
    market = open_market(database)
    declare(database, '[[provider]]\nemail = "cleat@example.com"\nname = "Cleat"\nconflict_group = "One owner"\n')
    [(cleat, group_id)] = query(
        database, "select id::text, conflict_group_id::text from providers where name = 'Cleat'"
    )
    before = head(database)
    subscribe(database, cleat, market.silver, OPERATOR)
    assert journal(database, before)[0] == (
        "provider",
        {"provider_id": cleat, "status": "active", "conflict_group_id": group_id},
    )


def test_a_group_has_so_many_providers_at_most(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    market = open_market(database)
    monkeypatch.setattr(conflict_groups, "MOST_MEMBERS", 1)
    group_id = create_conflict_group(database, "One owner", OPERATOR).row.group_id
    set_conflict_group(database, market.anchor, group_id, OPERATOR)
    assert refusal(lambda: set_conflict_group(database, market.bowline, group_id, OPERATOR)) == "conflict_group_full"


def test_a_file_declares_all_of_it_once(database: Database) -> None:
    declare(database, HOSTING)
    [(slug,)] = query(database, "select slug from niches")
    text = f"""
[[niche]]
slug = "{slug}"
max_recipients_per_lead = 2
level = [{{ name = "alone", price_cents = 5000, max_recipients = 1, order_position = 9, exclusive = true }}]

[[provider]]
email = "anchor@example.com"
conflict_group = "One owner"
"""
    first = declare(database, text)
    assert {(change.kind, change.entity) for change in first.changes} == {
        ("change", "niche"),
        ("create", "level"),
        ("create", "conflict_group"),
        ("change", "provider"),
    }
    assert "conflict_group none -> One owner" in " ".join(change.line for change in first.changes)
    assert not changes_nothing(database, lambda: declare(database, text)).changes
    assert query(database, "select max_recipients_per_lead from niches") == [(2,)]
    gone = text.replace("= 2\n", "= 0\n").replace('"One owner"', '""').replace("exclusive = true", "exclusive = false")
    declare(database, gone)
    assert query(database, "select max_recipients_per_lead from niches") == [(None,)]
    assert query(database, "select count(*) from providers where conflict_group_id is not null") == [(0,)]
    with pytest.raises(BadInput, match=r"level\[0\].max_recipients: must be 1, since the level is exclusive"):
        declare(database, text.replace("max_recipients = 1", "max_recipients = 2"))


def test_an_exclusive_level_has_one_recipient_and_a_niche_a_limit(database: Database) -> None:
    market = open_market(database)
    with pytest.raises(BadInput, match="max_recipients: must be 1, since the level is exclusive"):
        create_level(database, market.niche, "alone", 5000, 2, OPERATOR, is_exclusive=True)
    create_level(database, market.niche, "alone", 5000, 1, OPERATOR, is_exclusive=True)
    assert journal(database)[-1][1]["is_exclusive"] is True
    change_level(database, market.gold, LevelChange(max_recipients=1, is_exclusive=True), OPERATOR)
    with pytest.raises(BadInput):
        change_level(database, market.gold, LevelChange(max_recipients=2), OPERATOR)
    change_niche(database, market.niche, NicheChange(max_recipients_per_lead=1), OPERATOR)
    assert journal(database)[-1][1]["max_recipients_per_lead"] == 1
    with pytest.raises(BadInput, match="max_recipients_per_lead"):
        change_niche(database, market.niche, NicheChange(max_recipients_per_lead=0), OPERATOR)
    assert [len(each) for each in distribute(database, market, [LEAD])] == [1]
