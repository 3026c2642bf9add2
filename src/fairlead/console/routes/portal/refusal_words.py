"""The reasons for which a subscription did not receive a lead, as its provider is told them, and what would help."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fairlead.console.texts import noted
from fairlead.core import refusals
from fairlead.core.filter_mismatch import FilterMismatch
from fairlead.core.own_standing import LEVEL_INACTIVE, NOT_SUBSCRIBED


@dataclass(frozen=True, slots=True)
class RefusalWords:
    """What happened, what would have helped ("" for nothing), and where that is done."""

    text: str
    help: str
    address: str = ""

    def address_for(self, subscription_id: str) -> str:
        """Where it is done for this subscription."""
        return self.address.replace("{subscription}", subscription_id)


REFUSALS: Mapping[str, RefusalWords] = {
    NOT_SUBSCRIBED: RefusalWords(noted("You did not subscribe at that time"), ""),
    LEVEL_INACTIVE: RefusalWords(noted("The level was not open"), ""),
    refusals.ProviderInactive.reason: RefusalWords(noted("Your account was not active"), ""),
    refusals.SubscriptionInactive.reason: RefusalWords(
        noted("The subscription was off: paused, or out of money"), noted("Resume it, or pay in"), "/portal/balance"
    ),
    refusals.FilterInvalid.reason: RefusalWords(
        noted("Your filter did not fit the form"), noted("Mend the filter"), "/portal/subscriptions/{subscription}"
    ),
    FilterMismatch.reason: RefusalWords(
        noted("Outside your filter"), noted("Try a wider filter"), "/portal/subscriptions/{subscription}"
    ),
    refusals.AlreadyRecipient.reason: RefusalWords(noted("You received it at another level"), ""),
    refusals.InsufficientBalance.reason: RefusalWords(
        noted("Your balance did not cover the price"), noted("Keep a higher balance"), "/portal/balance"
    ),
    refusals.LevelFull.reason: RefusalWords(
        noted("The level was full before your turn"), noted("Your turn comes; another level adds turns"), ""
    ),
}
"""In R4's precedence."""


def in_precedence(refused: Mapping[str, int]) -> Sequence[tuple[RefusalWords, int]]:
    """The reasons that there were, with their counts, in R4's precedence."""
    return [(words, refused[reason]) for reason, words in REFUSALS.items() if refused.get(reason)]
