"""Providers are told that a subscription stopped, and that it runs again; not of what never ran for lack of money."""

import pytest

from fairlead.flows.configuration.providers import create_provider
from fairlead.flows.configuration.subscriptions import (
    pause_subscription,
    resume_subscription,
    subscribe,
    unsubscribe,
)
from fairlead.flows.money.adjust_balance import Direction, adjust_balance
from fairlead.flows.money.deposit import deposit
from fairlead.flows.proving.verify import verify
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.by_hand import TOLD_OF_SUBSCRIPTIONS
from tests.flows.configuration.market import open_market
from tests.flows.marketplaces import HOSTING, activity, declare, notices
from tests.flows.sales import query

STOPPED = ["subscription_deactivated cleat gold", "subscription_deactivated cleat silver"]
RUNNING = ["subscription_reactivated cleat gold", "subscription_reactivated cleat silver"]


def set_up_two(database: Database) -> tuple[str, list[str]]:
    """Cleat has subscriptions to gold and silver, and no money."""
    market = open_market(database)
    cleat = create_provider(database, "cleat@example.com", "Cleat", OPERATOR).row.provider_id
    made = [subscribe(database, cleat, level, OPERATOR).row for level in (market.gold, market.silver)]
    assert [each.subscription.deactivation_reason for each in made] == ["insufficient_funds"] * 2
    return cleat, [each.subscription.subscription_id for each in made]


def pay(database: Database, provider_id: str, cents: int) -> tuple[str, ...]:
    return deposit(database, provider_id, cents, "bank", f"{cents}", OPERATOR).reactivated_subscription_ids


def adjust(database: Database, provider_id: str, direction: Direction, cents: int) -> None:
    adjust_balance(database, provider_id, direction, cents, "a correction", OPERATOR)


def told_at_set_up(database: Database, subscription_ids: list[str]) -> None:
    """As an earlier release did, the provider was told that these stopped when they were set up."""
    with database.transaction() as conn:
        conn.execute(
            """
            insert into notifications (id, kind, channel, provider_id, subscription_id, created_at)
            select gen_random_uuid(), 'subscription_deactivated', 'email', s.provider_id, s.id, min(j.recorded_at)
            from subscriptions s join niche_journal j on j.kind = 'subscription'
                 and j.payload ->> 'subscription_id' = s.id::text
            where s.id = any(%s::uuid[]) group by s.id
            """,
            (subscription_ids,),
        )


def test_set_up_and_then_paid_for_is_no_news(database: Database) -> None:
    cleat, subscription_ids = set_up_two(database)
    assert pay(database, cleat, 1999) == (subscription_ids[1],)
    assert pay(database, cleat, 1) == (subscription_ids[0],)
    assert notices(database) == []


def test_what_stops_afterwards_is_told_and_so_is_its_return(database: Database) -> None:
    cleat, _ = set_up_two(database)
    pay(database, cleat, 2000)
    adjust(database, cleat, "debit", 1600)
    assert sorted(notices(database)) == STOPPED
    adjust(database, cleat, "credit", 200)
    adjust(database, cleat, "credit", 1400)
    assert sorted(notices(database)) == STOPPED + RUNNING
    adjust(database, cleat, "debit", 1)
    assert notices(database)[-1] == STOPPED[0]


def test_resuming_without_money_is_answered_and_not_mailed(database: Database) -> None:
    cleat, subscription_ids = set_up_two(database)
    for each in subscription_ids:
        pause_subscription(database, each, OPERATOR, of_provider_id=None)
        done = resume_subscription(database, each, OPERATOR, of_provider_id=None)
        assert done.row.subscription.deactivation_reason == "insufficient_funds"
    pay(database, cleat, 2000)
    assert notices(database) == []


def test_who_leaves_while_it_stands_still_and_returns_is_told_once(database: Database) -> None:
    cleat, (gold, _) = set_up_two(database)
    level_id = query(database, "select competition_level_id::text from subscriptions where id = %s", gold)[0][0]
    pay(database, cleat, 2000)
    adjust(database, cleat, "debit", 1)
    unsubscribe(database, gold, OPERATOR, of_provider_id=None)
    assert subscribe(database, cleat, level_id, OPERATOR).row.subscription.subscription_id == gold
    assert notices(database) == STOPPED[:1]
    adjust(database, cleat, "credit", 1)
    assert notices(database) == [STOPPED[0], RUNNING[0]]


def test_a_file_that_declares_subscriptions_before_deposits_mails_nothing(database: Database) -> None:
    poor = HOSTING.replace('deposit = [{ external_id = "opening-anchor", amount_cents = 5000 }]', "")
    declare(database, poor)
    assert {*activity(database).values()} == {"insufficient_funds", "active"}
    declare(database, HOSTING)
    assert activity(database)["anchor gold"] == activity(database)["anchor silver"] == "active"
    assert notices(database) == []


def test_what_an_earlier_release_told_verifies_and_is_taken_back(database: Database) -> None:
    cleat, (gold, _) = set_up_two(database)
    every = query(database, "select id::text from subscriptions where deactivation_reason = 'insufficient_funds'")
    told_at_set_up(database, [row[0] for row in every])
    pay(database, cleat, 2000)
    assert [each for each in notices(database) if "cleat" in each] == STOPPED + RUNNING
    assert activity(database)["cleat gold"] == "active"
    assert verify(database, allow_empty=True).holds
    assert gold in {row[0] for row in every}


@pytest.mark.parametrize("forged", [[1], [0, 1]])
def test_a_message_that_no_release_wrote_is_found(damaged_database: Database, forged: list[int]) -> None:
    _, subscription_ids = set_up_two(damaged_database)  # Bowline's was the first that was set up without money
    assert verify(damaged_database, allow_empty=True).holds
    told_at_set_up(damaged_database, [subscription_ids[number] for number in forged])
    result = verify(damaged_database, allow_empty=True)
    assert [check.name for check in result.checks if not check.holds] == [TOLD_OF_SUBSCRIPTIONS]
