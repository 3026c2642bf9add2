"""A deposit is credited once, and brings back what it can pay for."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.flows.money.deposit import Deposited, deposit
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.marketplaces import HOSTING, activity, count, declare, everything, notices, provider_id

UNKNOWN = "01900000-0000-7000-8000-000000000000"


def pay(database: Database, email: str, amount_cents: int, external_id: str) -> Deposited:
    return deposit(database, provider_id(database, email), amount_cents, "bank", external_id, OPERATOR)


def test_a_deposit_brings_back_what_it_can_pay_for(database: Database) -> None:
    declare(database, HOSTING)
    short = pay(database, "bowline@example.com", 1399, "one")
    assert (short.ledger_seq, short.balance_after_cents, short.was_recorded) == (2, 1999, False)
    assert short.reactivated_subscription_ids == ()
    enough = pay(database, "bowline@example.com", 1, "two")
    assert len(enough.reactivated_subscription_ids) == 1
    assert activity(database)["bowline gold"] == "active"
    assert notices(database) == [], "it never ran before"


def test_a_paused_subscription_stays_paused(database: Database) -> None:
    declare(database, HOSTING)
    gold = 'subscription = [{ niche = "hosting", level = "gold", active = false }]'
    declare(database, '[[provider]]\nemail = "bowline@example.com"\n' + gold)
    assert pay(database, "bowline@example.com", 5000, "one").reactivated_subscription_ids == ()
    assert activity(database)["bowline gold"] == "paused"


def test_every_niche_concerned_is_told(database: Database) -> None:
    declare(database, HOSTING)
    declare(database, HOSTING.replace('"hosting"', '"storage"'))
    assert len(pay(database, "bowline@example.com", 5000, "one").reactivated_subscription_ids) == 2


def test_the_same_deposit_at_once_is_credited_once(database: Database) -> None:
    declare(database, HOSTING)
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(pay, database, "bowline@example.com", 1400, "one") for _ in range(8)]
        results = [call.result() for call in calls]
    assert sorted(result.was_recorded for result in results) == [False] + [True] * 7
    assert {(result.payment_id, result.balance_after_cents) for result in results} == {(results[0].payment_id, 2000)}
    assert count(database, "payments") == 3
    assert sum(len(result.reactivated_subscription_ids) for result in results) == 1


def test_deposits_of_one_id_to_two_providers_at_once_credit_one(database: Database) -> None:
    declare(database, HOSTING)

    def attempt(email: str) -> str:
        try:
            return str(pay(database, email, 700, "one").was_recorded)
        except Refused as refused:
            return refused.code

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, ["anchor@example.com", "bowline@example.com"] * 4))
    assert sorted(outcomes) == ["False"] + ["True"] * 3 + ["deposit_conflict"] * 4
    assert count(database, "ledger_entries") == 3


def test_a_repetition_that_says_otherwise_is_refused(database: Database) -> None:
    declare(database, HOSTING)
    pay(database, "bowline@example.com", 100, "one")
    before = everything(database)
    with pytest.raises(Refused, match="was credited with 100 cents before, not 200") as caught:
        pay(database, "bowline@example.com", 200, "one")
    assert caught.value.code == "deposit_conflict"
    with pytest.raises(Refused, match="was credited to another provider before"):
        pay(database, "anchor@example.com", 100, "one")
    assert everything(database) == before


def test_what_cannot_be_a_deposit(database: Database) -> None:
    with pytest.raises(BadInput) as caught:
        deposit(database, UNKNOWN, 0, "", "x" * 201, OPERATOR)
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["amount_cents", "gateway", "external_id"]
    with pytest.raises(BadInput, match="is no provider id"):
        deposit(database, "bowline", 1, "bank", "x", OPERATOR)
    with pytest.raises(Refused, match="there is no provider"):
        deposit(database, UNKNOWN, 1, "bank", "x", OPERATOR)


def test_money_meets_configuration(database: Database) -> None:
    """Deposits and price changes at once: nothing stays deadlocked, and every cent is accounted for."""
    declare(database, HOSTING)

    def deposits(number: int) -> None:
        pay(database, ("anchor@example.com", "bowline@example.com")[number % 2], 10, f"d{number}")

    def prices(number: int) -> None:
        level = f'level = [{{ name = "gold", price_cents = {600 + 20 * number} }}]'
        declare(database, f'[[niche]]\nslug = "hosting"\n{level}')

    with ThreadPoolExecutor(6) as pool:
        running = [pool.submit(work, number) for number in range(12) for work in (deposits, prices)]
        for call in running:
            call.result()
    assert count(database, "ledger_entries") == 2 + 12
