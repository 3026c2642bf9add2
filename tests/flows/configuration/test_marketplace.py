"""The marketplace's own settings: its currency, and for how long the leads of a niche can be reported."""

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.configuration.bad_lead_window import change_bad_lead_window, read_bad_lead_window
from fairlead.flows.configuration.marketplace import change_marketplace, read_marketplace
from fairlead.flows.configuration.niches import create_niche
from fairlead.flows.money.bad_leads import report_bad_lead
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.by_hand import LAST_RECEIVED, RECIPIENTS, TOLD_OF_SALES, rows_by_hand
from tests.flows.configuration.market import (
    UNKNOWN,
    changes_nothing,
    distribute,
    events,
    head,
    open_market,
    refusal,
)
from tests.flows.sales import query


def test_the_currency_is_another_one_as_long_as_no_money_was_moved(database: Database) -> None:
    create_niche(database, "hosting", "Hosting", OPERATOR)
    seen, before = read_marketplace(database), len(events(database))
    assert seen.currency == "EUR"
    done = change_marketplace(database, "CHF", OPERATOR, memo="we are Swiss", expected_version=seen.version)
    assert (done.currency, done.took_effect) == ("CHF", True)
    assert query(database, "select currency from marketplace") == [("CHF",)]
    assert events(database, before) == [
        ("marketplace.changed", {"currency": "EUR"}, {"currency": "CHF"}, "we are Swiss")
    ]
    assert read_marketplace(database).version == done.version != seen.version
    again = changes_nothing(database, lambda: change_marketplace(database, "CHF", OPERATOR))
    assert not again.took_effect


def test_the_currency_of_money_that_was_moved_stays(database: Database) -> None:
    open_market(database)
    attempt = lambda: refusal(lambda: change_marketplace(database, "CHF", OPERATOR))  # noqa: E731
    assert changes_nothing(database, attempt) == "currency_in_use"


def test_a_currency_that_was_changed_meanwhile_is_looked_at_again(database: Database) -> None:
    change_marketplace(database, "CHF", OPERATOR)
    seen = read_marketplace(database)
    change_marketplace(database, "GBP", OPERATOR)
    attempt = lambda: refusal(  # noqa: E731
        lambda: change_marketplace(database, "USD", OPERATOR, expected_version=seen.version)
    )
    assert changes_nothing(database, attempt) == "version_conflict"


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "€", "EUR\n"])
def test_what_is_no_currency_is_refused(database: Database, currency: str) -> None:
    with pytest.raises(BadInput, match="currency: must be a currency code"):
        change_marketplace(database, currency, OPERATOR)


@rows_by_hand(LAST_RECEIVED, RECIPIENTS, TOLD_OF_SALES)
def test_the_window_holds_also_for_leads_that_were_assigned_before(database: Database) -> None:
    market = open_market(database)
    distribute(database, market, [{"cores": 8, "region": "north"}])
    with database.transaction() as conn:
        conn.execute("set local session_replication_role = replica")
        conn.execute("update assignments set assigned_at = assigned_at - interval '3 days'")
    seen, journal_length, audit_length = (
        read_bad_lead_window(database, market.niche),
        head(database),
        len(events(database)),
    )
    assert seen.bad_lead_window_days == 14
    done = change_bad_lead_window(database, market.niche, 2, OPERATOR, memo="too long", expected_version=seen.version)
    assert done.took_effect
    assert read_bad_lead_window(database, market.niche) == type(done)(market.niche, 2, done.version)
    assert head(database) == journal_length
    assert events(database, audit_length) == [
        (
            "niche.bad_lead_window_changed",
            {"bad_lead_window_days": 14},
            {"bad_lead_window_days": 2},
            "too long",
        )
    ]
    [(assignment_id, provider_id)] = query(
        database, "select id::text, provider_id::text from assignments where provider_id = %s", market.anchor
    )
    report = lambda: report_bad_lead(database, provider_id, assignment_id, "spam", None, OPERATOR)  # noqa: E731
    assert refusal(report) == "bad_lead_window_over"
    change_bad_lead_window(database, market.niche, 4, OPERATOR)
    assert refusal(report) == "not refused"


def test_the_window_is_refused_and_repeated_without_effect(database: Database) -> None:
    market = open_market(database)
    stale = read_bad_lead_window(database, market.niche).version
    change_bad_lead_window(database, market.niche, 30, OPERATOR)
    assert not changes_nothing(
        database, lambda: change_bad_lead_window(database, market.niche, 30, OPERATOR, expected_version=stale)
    ).took_effect
    assert (
        refusal(lambda: change_bad_lead_window(database, market.niche, 31, OPERATOR, expected_version=stale))
        == "version_conflict"
    )
    assert refusal(lambda: change_bad_lead_window(database, UNKNOWN, 31, OPERATOR)) == "niche_unknown"
    assert refusal(lambda: read_bad_lead_window(database, UNKNOWN)) == "niche_unknown"
    for days in (0, 366):
        with pytest.raises(BadInput, match="bad_lead_window_days"):
            change_bad_lead_window(database, market.niche, days, OPERATOR)
