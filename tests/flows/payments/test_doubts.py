"""An operator resolves a payment in doubt: once, and what came is credited at most once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.core.money.payments import ReportKind
from fairlead.flows.payments.doubts import close_doubt, credit_doubt
from fairlead.flows.payments.take_report import take_report
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.marketplaces import activity
from tests.flows.payments.paying import GATEWAY, MEMO, Asked, ask, balance, doubts, state_of
from tests.flows.sales import audited, query


def doubted(database: Database, **other: object) -> tuple[Asked, str]:
    """A payment that came otherwise than it was asked for, and the doubt's id."""
    asked = ask(database)
    take_report(database, GATEWAY, asked.reported(**other))
    [(doubt_id,)] = query(database, "select id::text from payment_doubts")
    return asked, doubt_id


def refusal(attempt: object) -> str:
    assert callable(attempt)
    with pytest.raises(Refused) as caught:
        attempt()
    return caught.value.code


def test_what_came_is_credited_as_a_payment_of_its_own(database: Database) -> None:
    asked, doubt_id = doubted(database, amount_cents=1500)
    done = credit_doubt(database, doubt_id, MEMO, OPERATOR)
    assert (done.balance_after_cents, done.provider_id) == (2100, asked.bowline_id)
    assert (balance(database, asked.bowline_id), state_of(database, asked)) == (2100, ("failed", "other_amount"))
    assert activity(database)["bowline gold"] == "active", "R9, as any deposit does"
    assert doubts(database) == [("other_amount", "credited")]
    # The gateway repeats itself: the charge is known.
    take_report(database, GATEWAY, asked.reported(amount_cents=1500))
    assert (balance(database, asked.bowline_id), state_of(database, asked)) == (2100, ("failed", "other_amount"))
    for again in (credit_doubt, close_doubt):
        assert refusal(lambda verb=again: verb(database, doubt_id, MEMO, OPERATOR)) == "payment_doubt_resolved"
    assert audited(database, "payment_doubt.resolved") != []


def test_an_unknown_payment_goes_to_the_provider_that_is_named(database: Database) -> None:
    asked, doubt_id = doubted(database, request_id=None)
    assert refusal(lambda: credit_doubt(database, doubt_id, MEMO, OPERATOR)) == "payment_not_creditable"
    credit_doubt(database, doubt_id, MEMO, OPERATOR, provider_id=asked.anchor_id)
    assert (balance(database, asked.anchor_id), balance(database, asked.bowline_id)) == (6400, 600)
    # Then the gateway says whose it was, too late: it is credited to no other provider.
    take_report(database, GATEWAY, asked.paid)
    assert balance(database, asked.bowline_id) == 600
    assert ("not_creditable", None) in doubts(database)


def test_a_closed_doubt_moves_nothing(database: Database) -> None:
    asked, doubt_id = doubted(database, currency="USD")
    assert refusal(lambda: credit_doubt(database, doubt_id, MEMO, OPERATOR)) == "payment_not_creditable"
    close_doubt(database, doubt_id, MEMO, OPERATOR)
    assert (balance(database, asked.bowline_id), state_of(database, asked)) == (600, ("failed", "other_currency"))


@pytest.mark.parametrize("kind", [ReportKind.REFUNDED, ReportKind.DISPUTED])
def test_what_was_given_back_is_not_credited(database: Database, kind: ReportKind) -> None:
    asked, doubt_id = doubted(database, kind=kind)
    assert refusal(lambda: credit_doubt(database, doubt_id, MEMO, OPERATOR)) == "payment_not_creditable"
    close_doubt(database, doubt_id, MEMO, OPERATOR)
    assert state_of(database, asked) == ("pending", None), "the payment itself goes on"


def test_a_reason_is_needed_and_the_doubt_has_to_be_there(database: Database) -> None:
    asked, doubt_id = doubted(database, amount_cents=1500)
    for verb in (credit_doubt, close_doubt):
        with pytest.raises(BadInput):
            verb(database, doubt_id, "short", OPERATOR)
        assert refusal(lambda each=verb: each(database, asked.bowline_id, MEMO, OPERATOR)) == "payment_doubt_unknown"


def test_many_who_resolve_one_at_once_credit_once(database: Database) -> None:
    asked, doubt_id = doubted(database, amount_cents=1500)

    def attempt(number: int) -> str:
        verb = credit_doubt if number % 2 else close_doubt
        try:
            return verb(database, doubt_id, MEMO, OPERATOR).resolution
        except Refused as refused:
            return refused.code

    with ThreadPoolExecutor(8) as pool:
        said = sorted(pool.map(attempt, range(8)))
    assert len(said) - said.count("payment_doubt_resolved") == 1
    assert balance(database, asked.bowline_id) == (2100 if "credited" in said else 600)
