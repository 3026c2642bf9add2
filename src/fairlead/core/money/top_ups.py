"""Auto top-up: when a provider's saved payment method is charged, how much, and what follows where it is refused."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

RETRIED_AFTER = (timedelta(days=1), timedelta(days=3))
"""After the first refusal in a row, and after the second; with the next one it is switched off."""

CHARGED_FOR_CERTAIN = timedelta(hours=12)
"""For so long a charge whose answer was lost is asked for again with its key: a gateway knows keys for a day."""

Advice = str
"""What the gateway advises after it refused: a code of its own, of which those in `NOT_AGAIN` are known here."""

AUTHENTICATION_REQUIRED = "authentication_required"
NOT_AGAIN = frozenset({"do_not_try_again", "confirm_card_data", AUTHENTICATION_REQUIRED})
"""Advice, or a reason, after which the same charge would be refused again."""


class NoCharge(StrEnum):
    """Why nothing is charged although it is due."""

    ENOUGH = "enough"
    MONTHLY_LIMIT = "monthly_limit"


class TopUpOutcome(StrEnum):
    """What became of a charge, once it was settled."""

    CHARGED = "charged"
    REFUSED = "refused"
    SWITCHED_OFF = "switched_off"
    """Refused, and for that the auto top-up is off."""
    IN_DOUBT = "in_doubt"


@dataclass(frozen=True, slots=True)
class TopUpTerms:
    """Below which balance so much is charged, and how much in a month at the most (by the marketplace's calendar)."""

    threshold_cents: int
    amount_cents: int
    monthly_limit_cents: int

    def charge(self, balance_cents: int, charged_cents: int) -> NoCharge | None:
        """Why the amount is not charged with this balance, when so much was charged this month; None: it is.

        >>> terms = TopUpTerms(threshold_cents=2000, amount_cents=5000, monthly_limit_cents=10_000)
        >>> terms.charge(1999, 5000), terms.charge(2000, 0), terms.charge(1999, 5001)
        (None, <NoCharge.ENOUGH: 'enough'>, <NoCharge.MONTHLY_LIMIT: 'monthly_limit'>)
        """
        if balance_cents >= self.threshold_cents:
            return NoCharge.ENOUGH
        return NoCharge.MONTHLY_LIMIT if charged_cents + self.amount_cents > self.monthly_limit_cents else None


def falls_below(threshold_cents: int | None, before_cents: int, after_cents: int) -> bool:
    """Whether a balance that went from one to the other fell below the threshold; None: there is none.

    >>> falls_below(500, 500, 499), falls_below(500, 499, 300), falls_below(500, 300, 500), falls_below(None, 9, 0)
    (True, False, False, False)
    """
    return threshold_cents is not None and before_cents >= threshold_cents > after_cents


def retried_after(refusals: int, reason: str | None, advice: Advice | None) -> timedelta | None:
    """How long after the latest of so many refusals in a row it is charged again; None: not, and it is switched off.

    >>> retried_after(1, "insufficient_funds", "try_again_later")
    datetime.timedelta(days=1)
    >>> retried_after(1, "lost_card", "do_not_try_again"), retried_after(1, "authentication_required", None)
    (None, None)
    >>> retried_after(2, "card_declined", None), retried_after(3, "card_declined", None)
    (datetime.timedelta(days=3), None)
    """
    if advice in NOT_AGAIN or reason in NOT_AGAIN or refusals > len(RETRIED_AFTER):
        return None
    return RETRIED_AFTER[refusals - 1]
