"""Posting: what a ledger entry says, and the balance after it.

While a batch is tried out, `Balance.charged` follows the same arithmetic; a property test holds the two equal.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from fairlead.core.errors import Refused
from fairlead.core.model import MAX_BALANCE_CENTS, Balance


class LedgerEntryKind(StrEnum):
    """What moved a balance; the sign of its amount follows from it."""

    DEPOSIT = "deposit"
    LEAD_PURCHASE = "lead_purchase"
    REFUND = "refund"
    MANUAL_CREDIT = "manual_credit"
    MANUAL_DEBIT = "manual_debit"


DEBITS = frozenset({LedgerEntryKind.LEAD_PURCHASE, LedgerEntryKind.MANUAL_DEBIT})


class PostingRefused(ValueError):
    """A posting that would break the books: an amount that is not positive, or a balance below its floor."""


class BalanceTooLarge(Refused):
    """A posting that would lead to more than a balance can hold."""

    def __init__(self, balance: Balance, cents: int) -> None:
        super().__init__(
            "balance_too_large",
            f"{cents} cents on top of {balance.balance_cents} are more than the {MAX_BALANCE_CENTS} "
            "that a balance holds",
        )


@dataclass(frozen=True, slots=True)
class Posting:
    """One ledger entry to be: its place in the provider's ledger, its signed amount, and the balance after it."""

    seq: int
    kind: LedgerEntryKind
    amount_cents: int
    balance_after_cents: int


def takeable_cents(balance: Balance, kind: LedgerEntryKind) -> int:
    """How much a debit of this kind may take.

    A purchase may go down to minus the credit limit (R8). A manual debit stops at zero, also where credit is granted:
    that is for buying leads, and a manual debit never puts a provider into debt.

    >>> granted = Balance(balance_cents=300, credit_limit_cents=1000, ledger_seq=4)
    >>> takeable_cents(granted, LedgerEntryKind.LEAD_PURCHASE), takeable_cents(granted, LedgerEntryKind.MANUAL_DEBIT)
    (1300, 300)
    """
    return max(0, balance.balance_cents) if kind is LedgerEntryKind.MANUAL_DEBIT else balance.available_cents


def post(balance: Balance, kind: LedgerEntryKind, cents: int) -> tuple[Posting, Balance]:
    """The entry that moves `cents` (positive) in the direction of `kind`, and the balance after it (R8).

    Raises `PostingRefused` when `cents` is not positive or a debit takes more than `takeable_cents`, and
    `BalanceTooLarge`, which is a refusal that the caller is told.

    >>> post(Balance(5000, 0, 3), LedgerEntryKind.LEAD_PURCHASE, 2000)[0]
    Posting(seq=4, kind=<LedgerEntryKind.LEAD_PURCHASE: 'lead_purchase'>, amount_cents=-2000, balance_after_cents=3000)
    >>> post(Balance(1999, 0, 3), LedgerEntryKind.LEAD_PURCHASE, 2000)
    Traceback (most recent call last):
        ...
    fairlead.core.ledger.PostingRefused: 2000 cents cannot be taken: only 1999 are available
    """
    if cents <= 0:
        raise PostingRefused(f"an amount must be positive, not {cents} cents")
    amount_cents = -cents if kind in DEBITS else cents
    if amount_cents < 0 and (takeable := takeable_cents(balance, kind)) < cents:
        raise PostingRefused(f"{cents} cents cannot be taken: only {takeable} are available")
    if balance.balance_cents + amount_cents > MAX_BALANCE_CENTS:
        raise BalanceTooLarge(balance, cents)
    after = Balance(balance.balance_cents + amount_cents, balance.credit_limit_cents, balance.ledger_seq + 1)
    return Posting(after.ledger_seq, kind, amount_cents, after.balance_cents), after


@dataclass(frozen=True, slots=True)
class LowBalance:
    """Below which balance a provider is told that it is low (None: never), and whether it was told of this fall.

    And below which it is topped up by itself (None: never); `core/money/top_ups` says when that is.
    """

    threshold_cents: int | None = None
    was_told: bool = False
    top_up_below_cents: int | None = None

    def after(self, balance_cents: int, *, is_debited: bool) -> "LowBalance":
        """The same once the balance is this much, a debit having been among what moved it, or not.

        Only a debit is a fall, and a fall is told once: until the balance has reached the threshold again. A credit
        that leaves the balance low is told to no provider.

        >>> watched = LowBalance(threshold_cents=500)
        >>> fallen = watched.after(499, is_debited=True)
        >>> watched.was_told, fallen.was_told, fallen.after(499, is_debited=False) == fallen
        (False, True, True)
        >>> fallen.after(500, is_debited=False).was_told, watched.after(300, is_debited=False).was_told
        (False, False)
        """
        is_low = self.threshold_cents is not None and balance_cents < self.threshold_cents
        was_told = is_low and (self.was_told or is_debited)
        return self if was_told == self.was_told else replace(self, was_told=was_told)
