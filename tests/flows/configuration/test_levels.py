"""Levels are opened, changed, put into another order and deleted by verbs."""

from typing import Any

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.configuration.level_order import reorder_levels
from fairlead.flows.configuration.levels import LevelChange, change_level, create_level, delete_level
from fairlead.flows.configuration.reading import read_level, read_niche
from fairlead.flows.configuration.subscriptions import unsubscribe
from fairlead.store.audit.log import OPERATOR
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
from tests.flows.marketplaces import activity, declare, notices
from tests.flows.sales import query

LEAD: dict[str, object] = {"cores": 8, "region": "north"}


def places(database: Database) -> dict[str, int]:
    return dict(query(database, "select name, order_position from competition_levels where deleted_at is null"))


def test_a_level_is_created_once_and_last(database: Database) -> None:
    market = open_market(database)
    at, logged = head(database), len(events(database))

    def create(price_cents: int = 300) -> Any:
        return create_level(database, market.niche, "bronze", price_cents, 5, OPERATOR, memo="a cheap one")

    created = create()
    assert places(database) == {"gold": 1, "silver": 2, "bronze": 3}
    [(kind, payload)] = journal(database, at)
    assert (kind, payload["name"], payload["price_cents"], payload["is_deleted"]) == ("level", "bronze", 300, False)
    new = {"price_cents": 300, "max_recipients": 5, "order_position": 3, "active": True, "exclusive": False}
    new |= {"niche_id": market.niche, "journal_seq": at + 1, "price_rules": None}
    new["order"] = "least_recently_served"
    assert events(database, logged) == [("level.created", None, new, "a cheap one")]

    again = changes_nothing(database, create)
    assert (again.took_effect, again.version) == (False, created.version)
    assert changes_nothing(database, lambda: refusal(lambda: create(301))) == "level_exists"


def test_what_a_level_cannot_be(database: Database) -> None:
    market = open_market(database)
    with pytest.raises(BadInput) as caught:
        create_level(database, market.niche, "", 0, 101, OPERATOR, order_position=0)
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "name",
        "price_cents",
        "max_recipients",
        "order_position",
    ]
    assert refusal(lambda: create_level(database, UNKNOWN, "bronze", 1, 1, OPERATOR)) == "niche_unknown"
    taken = refusal(lambda: create_level(database, market.niche, "bronze", 1, 1, OPERATOR, order_position=2))
    assert taken == "position_taken"


def test_a_price_moves_subscriptions_at_once(database: Database) -> None:
    market = open_market(database)
    logged = len(events(database))
    dear = change_level(database, market.gold, LevelChange(price_cents=5001), OPERATOR)
    assert dear.deactivated_subscription_ids == (market.subscriptions["anchor gold"],)
    assert activity(database)["anchor gold"] == "insufficient_funds"
    cheap = change_level(database, market.gold, LevelChange(price_cents=600), OPERATOR, memo="a sale")
    both = sorted([market.subscriptions["anchor gold"], market.subscriptions["bowline gold"]])
    assert sorted(cheap.reactivated_subscription_ids) == both
    assert activity(database)["anchor silver"] == "active"
    told = ["deactivated anchor", "reactivated anchor"]
    assert notices(database) == [f"subscription_{one} gold" for one in told]
    (_, second) = events(database, logged)
    assert (second[0], second[1], second[2]["price_cents"], second[3]) == (
        "level.changed",
        {"price_cents": 5001},
        600,
        "a sale",
    )
    [[buyer, *others]] = distribute(database, market, [LEAD])
    assert buyer in (market.anchor, market.bowline)
    assert len(others) == 1


def test_a_level_is_renamed_resized_and_switched_off(database: Database) -> None:
    market = open_market(database)
    seen, at = read_level(database, market.gold), head(database)
    change = LevelChange(name="platinum", max_recipients=2, is_active=False)
    done = change_level(database, market.gold, change, OPERATOR, expected_version=seen.version)
    assert (done.row.level.name, done.row.level.price_cents, done.row.level.is_active) == ("platinum", 2000, False)
    assert [kind for kind, _ in journal(database, at)] == ["level"]
    assert read_level(database, market.gold).version == done.version != seen.version
    assert (done.deactivated_subscription_ids, done.reactivated_subscription_ids) == ((), ())
    [bought] = distribute(database, market, [LEAD])
    assert sorted(bought) == sorted([market.anchor, market.bowline])
    assert query(database, "select distinct price_cents from assignments") == [(500,)]


def test_a_level_that_was_changed_meanwhile(database: Database) -> None:
    market = open_market(database)
    seen = read_level(database, market.gold).version
    change_level(database, market.gold, LevelChange(price_cents=2100), OPERATOR, expected_version=seen)

    def price(price_cents: int) -> Any:
        return change_level(
            database, market.gold, LevelChange(price_cents=price_cents), OPERATOR, expected_version=seen
        )

    assert changes_nothing(database, lambda: refusal(lambda: price(2200))) == "version_conflict"
    assert changes_nothing(database, lambda: price(2100).took_effect) is False
    conflict = refusal(lambda: delete_level(database, market.gold, OPERATOR, expected_version=seen))
    assert conflict == "version_conflict"


def test_names_stay_unique_and_unknown_levels_unknown(database: Database) -> None:
    market = open_market(database)
    taken = refusal(lambda: change_level(database, market.gold, LevelChange(name="silver"), OPERATOR))
    assert taken == "level_exists"
    assert refusal(lambda: change_level(database, UNKNOWN, LevelChange(), OPERATOR)) == "level_unknown"
    assert refusal(lambda: delete_level(database, UNKNOWN, OPERATOR)) == "level_unknown"
    with pytest.raises(BadInput, match=r"^price_cents: "):
        change_level(database, market.gold, LevelChange(price_cents=-5), OPERATOR)


def test_levels_change_places_all_at_once(database: Database) -> None:
    market = open_market(database)
    create_level(database, market.niche, "bronze", 300, 5, OPERATOR, order_position=70)
    levels = {row.level.name: row.level.level_id for row in read_niche(database, market.niche).levels}
    seen, at, logged = read_niche(database, market.niche).order_version, head(database), len(events(database))
    wanted = [levels["bronze"], levels["silver"], levels["gold"]]

    def reorder() -> Any:
        return reorder_levels(database, market.niche, wanted, OPERATOR, memo="cheap first", expected_version=seen)

    done = reorder()
    # They share out the positions that there were; silver stays where it was, and the journal says nothing of it.
    assert places(database) == {"bronze": 1, "silver": 2, "gold": 70}
    assert [(p["name"], p["order_position"]) for _, p in journal(database, at)] == [("bronze", 1), ("gold", 70)]
    [(action, old, new, memo)] = events(database, logged)
    assert (action, memo) == ("levels.reordered", "cheap first")
    assert old["positions"] == {levels["bronze"]: 70, levels["gold"]: 1}
    assert new["positions"] == {levels["bronze"]: 1, levels["gold"]: 70}
    assert read_niche(database, market.niche).order_version == done.version != seen
    assert not changes_nothing(database, reorder).took_effect

    back = refusal(
        lambda: reorder_levels(database, market.niche, list(levels.values()), OPERATOR, expected_version=seen)
    )
    assert back == "version_conflict"


def test_the_rotation_goes_on_where_it_stands(database: Database) -> None:
    market = open_market(database)
    distribute(database, market, [LEAD])
    assert query(database, "select next_start_level_order_position from niches") == [(2,)]
    reorder_levels(database, market.niche, [market.silver, market.gold], OPERATOR)
    distribute(database, market, [{"cores": 5, "region": "north"}])
    newest = "select payload ->> 'start_order_position' from niche_journal where kind = 'decision' order by seq desc"
    assert query(database, newest)[0] == ("2",)


@pytest.mark.parametrize("wanted", [[], ["gold"], ["gold", "gold"], ["gold", "silver", UNKNOWN]])
def test_an_order_names_each_level_once(database: Database, wanted: list[str]) -> None:
    market = open_market(database)
    ids = [{"gold": market.gold, "silver": market.silver}.get(name, name) for name in wanted]
    attempt = refusal(lambda: reorder_levels(database, market.niche, ids, OPERATOR))
    assert attempt == "levels_incomplete"
    assert places(database) == {"gold": 1, "silver": 2}


def test_only_an_unused_level_is_deleted(database: Database) -> None:
    market = open_market(database)
    bronze = create_level(database, market.niche, "bronze", 300, 5, OPERATOR).row.level.level_id
    assert changes_nothing(database, lambda: refusal(lambda: delete_level(database, market.gold, OPERATOR))) == (
        "level_in_use"
    )
    at = head(database)
    assert delete_level(database, bronze, OPERATOR, memo="it is not wanted").took_effect
    [(kind, payload)] = journal(database, at)
    assert (kind, payload["level_id"], payload["is_deleted"]) == ("level", bronze, True)
    assert not changes_nothing(database, lambda: delete_level(database, bronze, OPERATOR)).took_effect
    assert refusal(lambda: change_level(database, bronze, LevelChange(name="x"), OPERATOR)) == "level_deleted"
    assert create_level(database, market.niche, "bronze", 300, 5, OPERATOR).row.level.level_id != bronze
    assert read_level(database, bronze).row.is_deleted


def leave(database: Database, market: Market, *names: str) -> None:
    for name in names:
        unsubscribe(database, market.subscriptions[name], OPERATOR, of_provider_id=None)


def test_sales_keep_a_level_also_when_all_have_left(database: Database) -> None:
    market = open_market(database)
    distribute(database, market, [LEAD])
    leave(database, market, "anchor gold", "bowline gold")
    assert refusal(lambda: delete_level(database, market.gold, OPERATOR)) == "level_in_use"


def test_a_level_that_all_have_left_unserved_can_go(database: Database) -> None:
    market = open_market(database)
    leave(database, market, "anchor gold", "bowline gold")
    assert delete_level(database, market.gold, OPERATOR).took_effect
    # The name is free, also for a file.
    declare(
        database,
        '[[niche]]\nslug = "hosting"\nlevel = [{ name = "gold", price_cents = 1, max_recipients = 1,'
        " order_position = 1 }]",
    )
    assert places(database) == {"gold": 1, "silver": 2}
