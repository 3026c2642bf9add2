"""Money moved by hand: what the ledger, the subscriptions, the provider and the audit log then say."""

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.flows.money.adjust_balance import Adjusted, Direction, adjust_balance
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.marketplaces import HOSTING, activity, declare, everything, notices, provider_id
from tests.flows.sales import ANCHOR, BOWLINE, MEMO, audited, balances, query, told
from tests.lost_answers import answers_lost

UNKNOWN = "01900000-0000-7000-8000-000000000000"


def adjust(database: Database, email: str, direction: Direction, cents: int) -> Adjusted:
    return adjust_balance(database, provider_id(database, email), direction, cents, f"  {MEMO} ", OPERATOR)


def test_a_credit_brings_back_what_it_can_pay_for(database: Database) -> None:
    declare(database, HOSTING)
    short = adjust(database, BOWLINE, "credit", 1399)
    assert (short.amount_cents, short.ledger_seq, short.balance_after_cents) == (1399, 2, 1999)
    assert (short.reactivated_subscription_ids, short.deactivated_subscription_ids) == ((), ())
    enough = adjust(database, BOWLINE, "credit", 1)
    assert len(enough.reactivated_subscription_ids) == 1
    assert activity(database)["bowline gold"] == "active"
    assert adjust(database, BOWLINE, "debit", 1).deactivated_subscription_ids == enough.reactivated_subscription_ids
    assert adjust(database, BOWLINE, "credit", 1).reactivated_subscription_ids == enough.reactivated_subscription_ids
    assert notices(database) == ["subscription_deactivated bowline gold", "subscription_reactivated bowline gold"]
    entries = query(database, "select kind, amount_cents, actor, memo from ledger_entries where memo is not null")
    assert sorted(entries) == [
        *[("manual_credit", 1, "operator", MEMO)] * 2,
        ("manual_credit", 1399, "operator", MEMO),
        ("manual_debit", -1, "operator", MEMO),
    ]
    [_, (entity, _, new, memo, actor), _] = audited(database, "balance.credited")
    assert (entity, memo, actor) == (provider_id(database, BOWLINE), MEMO, "operator")
    assert new == {"amount_cents": 1, "balance_after_cents": 2000, "currency": "EUR", "ledger_seq": 3}


def test_a_debit_stops_what_it_makes_unaffordable_in_every_niche(database: Database) -> None:
    declare(database, HOSTING)
    declare(database, HOSTING.replace('"hosting"', '"storage"'))
    done = adjust(database, ANCHOR, "debit", 3001)
    assert (done.amount_cents, done.balance_after_cents) == (-3001, 1999)
    assert len(done.deactivated_subscription_ids) == 2
    stopped = query(
        database,
        "select n.slug, l.name from subscriptions s join niches n on n.id = s.niche_id "
        "join competition_levels l on l.id = s.competition_level_id where s.id = any(%s::uuid[]) order by 1",
        list(done.deactivated_subscription_ids),
    )
    assert stopped == [("hosting", "gold"), ("storage", "gold")]
    assert notices(database)[-2:] == ["subscription_deactivated anchor gold"] * 2
    assert audited(database, "balance.debited")[0][2]["amount_cents"] == -3001


def test_a_debit_takes_the_last_cent_and_not_one_more(database: Database) -> None:
    declare(database, HOSTING)
    before = everything(database)
    with pytest.raises(Refused, match="5001 cents cannot be taken: only 5000 are there") as caught:
        adjust(database, ANCHOR, "debit", 5001)
    assert caught.value.code == "insufficient_balance"
    assert everything(database) == before
    assert adjust(database, ANCHOR, "debit", 5000).balance_after_cents == 0


def test_credit_is_not_there_to_be_debited(database: Database) -> None:
    declare(database, HOSTING)
    declare(database, f'[[provider]]\nemail = "{BOWLINE}"\ncredit_limit_cents = 10000\n')
    with pytest.raises(Refused, match="only 600 are there"):
        adjust(database, BOWLINE, "debit", 601)
    assert adjust(database, BOWLINE, "debit", 600).deactivated_subscription_ids == ()
    assert activity(database)["bowline gold"] == "active"  # by credit
    with pytest.raises(Refused, match="only 0 are there"):
        adjust(database, BOWLINE, "debit", 1)


def test_a_fall_below_the_threshold_is_told_once_until_it_is_over(database: Database) -> None:
    declare(database, HOSTING)
    declare(database, f'[[provider]]\nemail = "{ANCHOR}"\nlow_balance_threshold_cents = 4000\n')
    adjust(database, ANCHOR, "debit", 1000)
    assert told(database, "low_balance") == []
    adjust(database, ANCHOR, "debit", 1)
    adjust(database, ANCHOR, "debit", 1)
    assert told(database, "low_balance") == [("Anchor", {"balance_cents": 3999, "threshold_cents": 4000})]
    adjust(database, ANCHOR, "credit", 1)
    assert query(database, "select count(*) from providers where low_balance_alerted_at is not null") == [(1,)]
    adjust(database, ANCHOR, "credit", 1)
    assert query(database, "select count(*) from providers where low_balance_alerted_at is not null") == [(0,)]
    adjust(database, ANCHOR, "debit", 7)
    assert len(told(database, "low_balance")) == 2
    assert query(database, "select count(*) > 0 from jobs where task = 'dispatch_notifications'")


def test_a_credit_that_leaves_the_balance_low_is_not_told(database: Database) -> None:
    declare(database, HOSTING)
    declare(database, f'[[provider]]\nemail = "{BOWLINE}"\nlow_balance_threshold_cents = 4000\n')
    adjust(database, BOWLINE, "credit", 1)
    assert told(database, "low_balance") == []


def test_a_paused_subscription_stays_paused(database: Database) -> None:
    declare(database, HOSTING)
    gold = 'subscription = [{ niche = "hosting", level = "gold", active = false }]'
    declare(database, f'[[provider]]\nemail = "{BOWLINE}"\n{gold}')
    assert adjust(database, BOWLINE, "credit", 9000).reactivated_subscription_ids == ()
    assert adjust(database, BOWLINE, "debit", 9000).deactivated_subscription_ids == ()
    assert activity(database)["bowline gold"] == "paused"


def test_two_calls_without_a_key_are_two_movements(database: Database) -> None:
    declare(database, HOSTING)
    adjust(database, ANCHOR, "credit", 5)
    adjust(database, ANCHOR, "credit", 5)
    assert balances(database)["Anchor"] == 5010


def test_a_movement_whose_answer_was_lost_is_made_once(database: Database) -> None:
    declare(database, HOSTING)
    with answers_lost() as lost:
        done = adjust(database, ANCHOR, "credit", 5)
    assert (len(lost), done.balance_after_cents) == (1, 5005)
    assert balances(database)["Anchor"] == 5005


@pytest.mark.parametrize("memo", ["too short", "x" * 501, "          ", "two\nlines of a memo", "a bell \a in a memo"])
def test_a_memo_is_one_line_of_10_to_500_characters(memo: str, database: Database) -> None:
    with pytest.raises(BadInput, match="memo: must be one line of 10 to 500 characters"):
        adjust_balance(database, UNKNOWN, "credit", 1, memo, OPERATOR)


@pytest.mark.parametrize("cents", [0, -1, 10**12 + 1])
def test_an_amount_is_positive_and_bounded(cents: int, database: Database) -> None:
    with pytest.raises(BadInput, match="amount_cents"):
        adjust_balance(database, UNKNOWN, "debit", cents, MEMO, OPERATOR)


def test_an_unknown_provider_is_not_credited(database: Database) -> None:
    with pytest.raises(Refused) as caught:
        adjust_balance(database, UNKNOWN, "credit", 1, MEMO, OPERATOR)
    assert caught.value.code == "provider_unknown"
    assert query(database, "select count(*) from idempotency_keys") == [(0,)]
    with pytest.raises(BadInput, match="is no provider id"):
        adjust_balance(database, "anchor", "credit", 1, MEMO, OPERATOR)
