"""A niche that is over is archived, with what that stops told before, and restored."""

import pytest
from psycopg import errors

from fairlead.core.errors import BadInput
from fairlead.flows.configuration.niche_archive import archive_niche, preview_archive, restore_niche
from fairlead.flows.configuration.niches import NicheChange, change_niche
from fairlead.flows.configuration.reading import read_niche
from fairlead.store.audit.log import OPERATOR
from fairlead.store.configuration.pages import niches_page
from fairlead.store.connection import Database
from tests.flows.configuration.market import (
    UNKNOWN,
    Market,
    changes_nothing,
    distribute,
    events,
    head,
    journal,
    open_market,
    refusal,
)
from tests.flows.marketplaces import declare
from tests.flows.sales import query

FITS = {"cores": 8, "region": "north"}


def listed(database: Database, *, is_archived: bool) -> list[str]:
    return [each.niche_id for each in database.read(lambda conn: niches_page(conn, None, 9, is_archived=is_archived))]


def archived(database: Database) -> Market:
    market = open_market(database)
    archive_niche(database, market.niche, OPERATOR, memo="it is over")
    return market


def test_what_it_stops_is_counted_before(database: Database) -> None:
    market = open_market(database)
    distribute(database, market, [FITS])
    before = preview_archive(database, market.niche)
    [(subscriptions, providers)] = query(
        database, "select count(*), count(distinct provider_id) from subscriptions where deleted_at is null"
    )
    assert (before.subscription_count, before.provider_count) == (subscriptions, providers)
    assert (before.is_active, before.pending_count, before.waiting_count) == (True, 0, 0)
    assert refusal(lambda: preview_archive(database, UNKNOWN)) == "niche_unknown"


def test_archived_it_is_inactive_by_its_journal_and_off_the_list_until_restored(database: Database) -> None:
    market = open_market(database)
    at, logged = head(database), len(events(database))
    seen = read_niche(database, market.niche)
    done = archive_niche(database, market.niche, OPERATOR, memo="it is over", expected_version=seen.version)
    assert (done.took_effect, done.row.is_active, done.row.is_archived) == (True, False, True)
    kind, payload = journal(database)[-1]
    assert (kind, payload["is_active"]) == ("niche", False)
    assert [event[0] for event in events(database)[logged:]] == ["niche.changed", "niche.archived"]
    assert (listed(database, is_archived=True), listed(database, is_archived=False)) == ([market.niche], [])
    assert refusal(lambda: distribute(database, market, [FITS])) == "niche_inactive"
    assert not changes_nothing(database, lambda: archive_niche(database, market.niche, OPERATOR)).took_effect
    restored = restore_niche(database, market.niche, OPERATOR)
    assert (restored.took_effect, restored.row.is_active, restored.row.is_archived) == (True, False, False)
    assert head(database) != at
    change_niche(database, market.niche, NicheChange(is_active=True), OPERATOR)
    assert distribute(database, market, [FITS])


def test_it_is_not_made_active_while_it_is_archived(database: Database) -> None:
    market = archived(database)
    active = NicheChange(is_active=True)
    assert (
        changes_nothing(database, lambda: refusal(lambda: change_niche(database, market.niche, active, OPERATOR)))
        == "niche_archived"
    )
    with pytest.raises(BadInput) as caught:
        declare(database, '[[niche]]\nslug = "hosting"\nactive = true\n')
    assert [*caught.value.problems] == ["niche[0].active: the niche 'hosting' is archived: restore it first"]
    with pytest.raises(errors.CheckViolation), database.transaction() as conn:
        conn.execute("update niches set is_active = true")


def test_an_editor_that_saw_another_version_is_refused(database: Database) -> None:
    market = open_market(database)
    stale = read_niche(database, market.niche).version
    archive_niche(database, market.niche, OPERATOR)
    assert read_niche(database, market.niche).version != stale
    assert (
        refusal(lambda: restore_niche(database, market.niche, OPERATOR, expected_version=stale)) == "version_conflict"
    )
