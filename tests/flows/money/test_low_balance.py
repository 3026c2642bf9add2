"""A low balance is told by one rule, whatever moved it: a batch of purchases, a debit, a deposit, a refund."""

from fairlead.core.ledger import LowBalance
from fairlead.flows.distribute import LastKnownBalances, distribute
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.money.deposit import deposit
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.distribution.rosters import RosterCache
from tests.flows.marketplaces import HOSTING, declare, provider_id
from tests.flows.sales import ANCHOR, MEMO, balances, query, told


def watch(database: Database, cents: int) -> None:
    declare(database, f'[[provider]]\nemail = "{ANCHOR}"\nlow_balance_threshold_cents = {cents}\n')


def sell(database: Database, leads: int) -> None:
    """So many leads are sold, in one transaction."""
    submit_leads(database, "hosting", [{"cores": 8, "region": "south"}] * leads, OPERATOR, approve=True)
    [(niche_id,)] = query(database, "select id::text from niches")
    batch = distribute(database, RosterCache(), LastKnownBalances(), niche_id, leads)
    assert batch is not None
    assert len(batch.decisions) == leads


def remembered(database: Database) -> bool:
    [(count,)] = query(database, "select count(*) from providers where low_balance_alerted_at is not null")
    return count == 1


def test_a_batch_that_charges_a_provider_more_than_once_tells_it_once(database: Database) -> None:
    declare(database, HOSTING)
    watch(database, 4000)
    sell(database, 2)
    entries = "select count(*) from ledger_entries where provider_id = %s and kind = 'lead_purchase'"
    assert query(database, entries, provider_id(database, ANCHOR)) == [(2,)]
    left = balances(database)["Anchor"]
    assert left < 4000
    assert told(database, "low_balance") == [("Anchor", {"balance_cents": left, "threshold_cents": 4000})]
    assert remembered(database)
    sell(database, 1)
    assert len(told(database, "low_balance")) == 1, "it is told once of a fall, until that is over"


def test_a_purchase_that_ends_at_the_threshold_is_no_fall(database: Database) -> None:
    declare(database, HOSTING)
    watch(database, 3000)
    sell(database, 1)
    assert balances(database)["Anchor"] == 3000
    assert told(database, "low_balance") == []
    assert not remembered(database)


def test_money_that_comes_in_ends_a_fall_and_begins_none(database: Database) -> None:
    declare(database, HOSTING)
    watch(database, 6000)
    anchor = provider_id(database, ANCHOR)
    deposit(database, anchor, 500, "bank", "1", OPERATOR)
    assert (told(database, "low_balance"), remembered(database)) == ([], False)
    sell(database, 1)
    assert (len(told(database, "low_balance")), remembered(database)) == (1, True)
    [(assignment_id,)] = query(database, "select id::text from assignments where provider_id = %s", anchor)
    refund_assignment(database, assignment_id, MEMO, OPERATOR)
    assert (len(told(database, "low_balance")), remembered(database)) == (1, True), "5500 is below 6000"
    deposit(database, anchor, 500, "bank", "2", OPERATOR)
    assert not remembered(database)
    adjust_balance(database, anchor, "debit", 1, MEMO, OPERATOR)
    assert (len(told(database, "low_balance")), remembered(database)) == (2, True)


def test_a_provider_without_a_threshold_is_told_of_no_balance() -> None:
    assert LowBalance().after(-(10**9), is_debited=True) == LowBalance()
    assert LowBalance(None, was_told=True).after(0, is_debited=True) == LowBalance(), "the threshold was taken away"
