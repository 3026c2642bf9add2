"""What a provider sees and changes of itself."""

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.configuration.own_provider import OwnProfileChange, change_own_profile, read_own_profile
from fairlead.flows.configuration.versions import preferences_version
from fairlead.flows.notifications.preferences import notification_preferences, set_notification_preferences
from fairlead.store.connection import Database
from tests.flows.configuration.market import PORTAL, UNKNOWN, changes_nothing, events, open_market, refusal
from tests.flows.sales import query


def test_a_provider_says_below_which_balance_it_is_told(database: Database) -> None:
    market = open_market(database)
    seen, logged = read_own_profile(database, market.anchor), len(events(database))
    assert (seen.row.name, seen.row.balance.balance_cents, seen.currency) == ("Anchor", 5000, "EUR")
    change = OwnProfileChange(low_balance_threshold_cents=1500)
    done = change_own_profile(database, market.anchor, change, PORTAL, expected_version=seen.version)
    assert done.took_effect
    assert done.version == read_own_profile(database, market.anchor).version != seen.version
    thresholds = dict(query(database, "select name, low_balance_threshold_cents from providers"))
    assert thresholds == {"Anchor": 1500, "Bowline": None}
    old, new = {"low_balance_threshold_cents": None}, {"changed": ["low_balance_threshold_cents"]}
    assert events(database, logged) == [("provider.changed", old, {**new, "low_balance_threshold_cents": 1500}, None)]
    again = changes_nothing(
        database, lambda: change_own_profile(database, market.anchor, change, PORTAL, expected_version=seen.version)
    )
    assert not again.took_effect
    change_own_profile(database, market.anchor, OwnProfileChange(low_balance_threshold_cents=None), PORTAL)
    assert read_own_profile(database, market.anchor).row.low_balance_threshold_cents is None


def test_a_change_of_oneself_names_what_was_seen(database: Database) -> None:
    market = open_market(database)
    seen = read_own_profile(database, market.anchor).version
    change_own_profile(database, market.anchor, OwnProfileChange(low_balance_threshold_cents=1), PORTAL)

    def change(provider_id: str, cents: int) -> object:
        wanted = OwnProfileChange(low_balance_threshold_cents=cents)
        return change_own_profile(database, provider_id, wanted, PORTAL, expected_version=seen)

    assert changes_nothing(database, lambda: refusal(lambda: change(market.anchor, 2))) == "version_conflict"
    assert refusal(lambda: change(UNKNOWN, 2)) == "provider_unknown"
    assert refusal(lambda: read_own_profile(database, UNKNOWN)) == "provider_unknown"
    with pytest.raises(BadInput, match="low_balance_threshold_cents: must be greater"):
        change(market.anchor, -1)


def test_a_change_of_preferences_needs_their_last_version(database: Database) -> None:
    market = open_market(database)
    assert notification_preferences(database, market.anchor) == {}
    seen = preferences_version(market.anchor, {})
    quiet = {"low_balance": {"email": False}}
    set_notification_preferences(database, market.anchor, quiet, PORTAL, expected_version=seen)
    assert notification_preferences(database, market.anchor) == quiet
    assert notification_preferences(database, market.bowline) == {}

    def change(preferences: object) -> object:
        return set_notification_preferences(database, market.anchor, preferences, PORTAL, expected_version=seen)

    assert changes_nothing(database, lambda: refusal(lambda: change({}))) == "version_conflict"
    assert changes_nothing(database, lambda: change(quiet)) == quiet
    assert refusal(lambda: notification_preferences(database, UNKNOWN)) == "provider_unknown"
