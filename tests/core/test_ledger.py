"""R8: posting is the only arithmetic of money, and it never passes the floor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.ledger import DEBITS, BalanceTooLarge, LedgerEntryKind, PostingRefused, post
from fairlead.core.model import Balance

MONEY = st.integers(0, 10**15)


@st.composite
def balances(draw: st.DrawFn) -> Balance:
    credit_limit_cents = draw(st.sampled_from([0, 1, 500]) | MONEY)
    available = draw(st.sampled_from([0, 1, 100]) | MONEY)
    return Balance(available - credit_limit_cents, credit_limit_cents, draw(st.integers(0, 10**6)))


@given(balances(), st.sampled_from(LedgerEntryKind), st.integers(1, 10**12) | st.sampled_from([1, 100, 101]))
def test_a_posting_moves_the_balance_by_its_amount_in_its_direction(
    balance: Balance, kind: LedgerEntryKind, cents: int
) -> None:
    floor_cents = 0 if kind == "manual_debit" else -balance.credit_limit_cents
    if kind in DEBITS and balance.balance_cents - cents < floor_cents:
        with pytest.raises(PostingRefused):
            post(balance, kind, cents)
        return
    posting, after = post(balance, kind, cents)
    assert posting.amount_cents == (-cents if kind in ("lead_purchase", "manual_debit") else cents)
    assert posting.kind is kind
    assert (posting.balance_after_cents, posting.seq) == (after.balance_cents, after.ledger_seq)
    assert after == Balance(
        balance.balance_cents + posting.amount_cents, balance.credit_limit_cents, balance.ledger_seq + 1
    )
    assert after.available_cents >= 0


@given(balances())
def test_the_last_cent_above_the_floor_can_be_spent_and_not_one_more(balance: Balance) -> None:
    with pytest.raises(PostingRefused):
        post(balance, LedgerEntryKind.LEAD_PURCHASE, balance.available_cents + 1)
    if balance.available_cents:
        _, after = post(balance, LedgerEntryKind.LEAD_PURCHASE, balance.available_cents)
        assert after.balance_cents == -balance.credit_limit_cents


@given(st.integers(-(10**12), 2**53 - 1), st.sampled_from(sorted({*LedgerEntryKind} - DEBITS)), st.integers(1, 10**12))
def test_a_balance_ends_where_numbers_are_not_exact_any_more(balance: int, kind: LedgerEntryKind, cents: int) -> None:
    room = 2**53 - 1 - balance
    _, full = post(Balance(balance, 0, 3), kind, room) if room else (None, Balance(balance, 0, 3))
    assert full.balance_cents == 2**53 - 1
    with pytest.raises(BalanceTooLarge, match=f"^{cents} cents on top of {2**53 - 1} are more than") as caught:
        post(full, kind, cents)
    assert caught.value.code == "balance_too_large"


@given(balances(), st.sampled_from(LedgerEntryKind), st.integers(-(10**6), 0))
def test_an_amount_that_is_not_positive_is_refused(balance: Balance, kind: LedgerEntryKind, cents: int) -> None:
    with pytest.raises(PostingRefused):
        post(balance, kind, cents)


@given(balances(), st.lists(st.tuples(st.sampled_from(LedgerEntryKind), st.integers(1, 10**14)), max_size=20))
def test_a_ledger_is_contiguous_and_sums_up_to_its_balance(
    balance: Balance, moves: list[tuple[LedgerEntryKind, int]]
) -> None:
    at, postings = balance, []
    for kind, cents in moves:
        try:
            posting, at = post(at, kind, cents)
        except PostingRefused:
            continue
        postings.append(posting)
    assert [each.seq for each in postings] == [balance.ledger_seq + 1 + number for number in range(len(postings))]
    assert at.balance_cents == balance.balance_cents + sum(each.amount_cents for each in postings)


@given(balances(), st.integers(1, 10**6))
def test_a_balance_that_was_charged_is_the_balance_after_the_purchase(balance: Balance, cents: int) -> None:
    if cents <= balance.available_cents:
        assert balance.charged(cents) == post(balance, LedgerEntryKind.LEAD_PURCHASE, cents)[1]
