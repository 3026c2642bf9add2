"""The books as double-entry plain text, in the syntax of beancount: each ledger entry as one balanced transaction.

What a provider has is a liability of the marketplace (its wallet), what it owes, where credit is used, a receivable:
an entry that crosses zero is divided between the two, so neither ever has the other's sign.

Amounts contain their tax. It falls due with the deposit, as its receipt says: a liability, and an expense on the other
side, so that wallets stay what the ledgers say. A credit note takes both back.
"""

from dataclasses import dataclass
from datetime import date

from fairlead.core.money.currency import decimal_text

CREDITS, DEBITS, EARLIER = "Expenses:Manual-credits", "Income:Manual-debits", "Equity:Earlier"
TAX, TAX_EXPENSE = "Liabilities:Tax", "Expenses:Tax"


@dataclass(frozen=True, slots=True)
class Movement:
    """A ledger entry, for the books. `niche` is the slug where a lead is concerned, `gateway` of a deposit.

    Of a deposit `receipt_number` and `tax_cents` are what its receipt says.
    """

    provider_id: str
    seq: int
    kind: str
    amount_cents: int
    balance_after_cents: int
    day: date
    niche: str | None = None
    gateway: str | None = None
    assignment_id: str | None = None
    payment_id: str | None = None
    receipt_number: int | None = None
    tax_cents: int = 0

    @property
    def wallet_cents(self) -> int:
        """By how much the wallet rises."""
        return max(self.balance_after_cents, 0) - max(self.balance_after_cents - self.amount_cents, 0)

    @property
    def receivable_cents(self) -> int:
        """By how much the receivable rises.

        >>> used = Movement("p", 4, "lead_purchase", -500, -200, date(2026, 1, 1))
        >>> used.wallet_cents, used.receivable_cents
        (-300, 200)
        """
        return self.wallet_cents - self.amount_cents

    @property
    def counter_account(self) -> str:
        """The account on the other side."""
        if self.kind == "deposit":
            return clearing_account(self.gateway or "unknown")
        if self.kind == "manual_credit":
            return CREDITS
        return DEBITS if self.kind == "manual_debit" else revenue_account(self.niche or "unknown")


def wallet_account(provider_id: str) -> str:
    """What the marketplace owes the provider."""
    return f"Liabilities:Wallets:P{provider_id}"


def receivable_account(provider_id: str) -> str:
    """What the provider owes the marketplace: credit that it used."""
    return f"Assets:Receivables:P{provider_id}"


def clearing_account(gateway: str) -> str:
    """What a gateway took in for the marketplace.

    >>> clearing_account("bank_transfer")
    'Assets:Clearing:Bank-transfer'
    """
    return f"Assets:Clearing:{_component(gateway)}"


def revenue_account(niche: str) -> str:
    """What leads of the niche brought in, without what was refunded."""
    return f"Income:Leads:{_component(niche)}"


def transaction(movement: Movement, currency: str) -> str:
    """The movement as a transaction, with a line for each side.

    >>> print(transaction(Movement("1", 2, "deposit", 500, 300, date(2026, 1, 31), gateway="manual"), "EUR"))
    2026-01-31 * "deposit"
      entry: "1/2"
      Liabilities:Wallets:P1  -3.00 EUR
      Assets:Receivables:P1  -2.00 EUR
      Assets:Clearing:Manual  5.00 EUR
    """
    lines = [f'{movement.day.isoformat()} * "{movement.kind}"', f'  entry: "{movement.provider_id}/{movement.seq}"']
    if movement.assignment_id is not None:
        lines.append(f'  assignment: "{movement.assignment_id}"')
    if movement.payment_id is not None:
        lines.append(f'  payment: "{movement.payment_id}"')
    if movement.receipt_number is not None:
        lines.append(f'  receipt: "{movement.receipt_number}"')
    sides = [
        (wallet_account(movement.provider_id), -movement.wallet_cents),
        (receivable_account(movement.provider_id), movement.receivable_cents),
        (movement.counter_account, movement.amount_cents),
        (TAX, -movement.tax_cents),
        (TAX_EXPENSE, movement.tax_cents),
    ]
    lines += [posting(account, cents, currency) for account, cents in sides if cents]
    return "\n".join(lines)


def credit_note(day: date, number: int, corrects_number: int, tax_cents: int, currency: str) -> str:
    """What a credit note does to the books: the tax of the receipt that it takes back is not due.

    >>> print(credit_note(date(2026, 1, 31), 7, 3, 19, "EUR"))
    2026-01-31 * "credit_note"
      receipt: "7"
      corrects: "3"
      Liabilities:Tax  0.19 EUR
      Expenses:Tax  -0.19 EUR
    """
    lines = [f'{day.isoformat()} * "credit_note"', f'  receipt: "{number}"', f'  corrects: "{corrects_number}"']
    return "\n".join([*lines, posting(TAX, tax_cents, currency), posting(TAX_EXPENSE, -tax_cents, currency)])


def posting(account: str, cents: int, currency: str) -> str:
    """One side of a transaction."""
    return f"  {account}  {decimal_text(cents, currency)} {currency}"


def balance(day: date, account: str, cents: int, currency: str) -> str:
    """What an account must hold when the day begins; beancount refuses books in which it does not."""
    return f"{day.isoformat()} balance {account}  {decimal_text(cents, currency)} {currency}"


def opening(day: date, account: str, currency: str) -> str:
    """The account is there from that day on."""
    return f"{day.isoformat()} open {account} {currency}"


def _component(name: str) -> str:
    """A name as a part of an account's: letters, digits and hyphens, beginning with a capital or a digit."""
    text = "".join(each if each.isascii() and each.isalnum() else "-" for each in name)
    return (text[0].upper() if text[0] != "-" else "X-") + text[1:]
