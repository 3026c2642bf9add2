"""Payments in words: who collected one, why it failed, and what is in doubt."""

from collections.abc import Mapping

from fairlead.console.texts import noted, translated
from fairlead.core.money.receipts import PaidBy
from fairlead.store.money.receipts import ReceiptRow

GATEWAYS: Mapping[str, str] = {
    "manual": noted("Marketplace file"),
    "test_gateway": noted("Test gateway"),
    "stripe": noted("Stripe"),
    "bank_transfer": noted("Bank transfer"),
    "cash": noted("Cash"),
    "demo": noted("Demo payment"),
    "other": noted("Recorded by an operator"),
}

_PAID_BY: Mapping[PaidBy, str] = {
    "auto_top_up": noted("%(where)s, by auto top-up"),
    "recorded_by_key": noted("%(where)s, recorded by a key"),
    "recorded_by_operator": noted("%(where)s, recorded by an operator"),
}

DOUBTS: Mapping[str, tuple[str, str]] = {
    "unknown_payment": (
        noted("unknown payment"),
        noted("Money came that no payment here asked for. Credit it to its provider, or send it back at the gateway."),
    ),
    "other_amount": (
        noted("another amount"),
        noted("Another amount came than was asked for. Credit what came, or send it back at the gateway."),
    ),
    "other_currency": (
        noted("another currency"),
        noted("Money came in a currency that no balance is in. Send it back at the gateway, then close this."),
    ),
    "paid_twice": (
        noted("paid twice"),
        noted("A second charge came for a payment that is on the balance. Credit it, too, or send it back."),
    ),
    "not_creditable": (
        noted("cannot be credited"),
        noted("The balance would be too large, or the charge is on another balance already."),
    ),
    "refunded": (
        noted("refunded at the gateway"),
        noted("Money went back at the gateway. Debit the provider's balance by hand, then close this."),
    ),
    "disputed": (
        noted("disputed"),
        noted("The payer's bank disputes the charge. Answer it at the gateway; debit the balance if it is lost."),
    ),
    "no_answer": (
        noted("no answer"),
        noted("The gateway never said what became of it. Look there, then close this."),
    ),
}
"""By kind: the word, and what an operator does about it."""

_REASONS: Mapping[str, str] = {
    "card_declined": noted("the card was declined"),
    "insufficient_funds": noted("there is not enough money behind the payment method"),
    "lost_card": noted("the card was lost"),
    "authentication_required": noted("the bank wants its owner to confirm it"),
    "expired_card": noted("the card is out of date"),
    "monthly_limit": noted("the limit of the month is reached"),
    "not_begun": noted("its page was never opened"),
    "expired": noted("it was not paid in time"),
    "failed": noted("it failed at the gateway"),
    "other_amount": noted("another amount came"),
    "other_currency": noted("another currency came"),
    "paid_twice": noted("it was paid before"),
    "not_creditable": noted("it cannot be credited"),
    "no_answer": noted("the gateway gave no answer"),
}


def paid_by_words(receipt: ReceiptRow) -> str:
    """Where and how the deposit was made that the paper is about, in the language of the page."""
    place = noted("Elsewhere") if receipt.gateway == "other" else GATEWAYS.get(receipt.gateway)
    where = receipt.gateway if place is None else translated(place)
    words = _PAID_BY.get(receipt.paid_by)
    return where if words is None else translated(words) % {"where": where}


def reason_word(reason: str) -> str:
    """Why a payment failed or is in review, in the language of the page; the gateway's own code where it is unknown."""
    known = _REASONS.get(reason)
    return reason.replace("_", " ") if known is None else translated(known)
