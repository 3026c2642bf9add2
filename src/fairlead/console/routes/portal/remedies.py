"""What a provider can do so that fewer leads pass it by, for each reason that they did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fairlead.console.refusal_texts import reason_text
from fairlead.console.texts import noted, translated
from fairlead.core import own_standing, refusals
from fairlead.core.filters.mismatch import FilterMismatch
from fairlead.core.gates import REGISTRY


@dataclass(frozen=True, slots=True)
class _Remedy:
    text: str
    address: str | None = None


_REMEDIES: Mapping[str, _Remedy] = {
    refusals.SubscriptionInactive.reason: _Remedy(noted("Resume it, or pay in"), "/portal/balance"),
    refusals.FilterInvalid.reason: _Remedy(noted("Mend the filter"), "/portal/subscriptions/{subscription}"),
    FilterMismatch.reason: _Remedy(noted("Try a wider filter"), "/portal/subscriptions/{subscription}"),
    refusals.OutsideSchedule.reason: _Remedy(noted("Open more hours"), "/portal/subscriptions/{subscription}#schedule"),
    refusals.CapReached.reason: _Remedy(noted("Raise the limit"), "/portal/subscriptions/{subscription}#limits"),
    own_standing.NOT_TOLD_APART: _Remedy(noted("Try a wider filter"), "/portal/subscriptions/{subscription}"),
    refusals.InsufficientBalance.reason: _Remedy(noted("Keep a higher balance"), "/portal/balance"),
    refusals.LeadFull.reason: _Remedy(noted("Your turn comes: leads go to a limited number of providers")),
    refusals.LevelFull.reason: _Remedy(noted("Your turn comes; another level adds turns")),
}

_OWN_WORDS: Mapping[str, str] = {
    refusals.ProviderInactive.reason: noted("Your account was not active"),
    refusals.PriceAboveLimit.reason: noted("Price above the most that you pay"),
    refusals.OutsideSchedule.reason: noted("Outside of your hours"),
    refusals.CapReached.reason: noted("Your limit of leads or spending was reached"),
    refusals.AlreadyRecipient.reason: noted("You have the lead from another level"),
    refusals.LeadFull.reason: noted("Lead had its recipients before your turn"),
    refusals.LevelFull.reason: noted("Level was full before your turn"),
}
"""Where the words for operators speak of the provider."""

_PRECEDENCE = (
    own_standing.NOT_LOOKED_AT,
    own_standing.NOT_SUBSCRIBED,
    own_standing.LEVEL_INACTIVE,
    *(each.reason for each in REGISTRY.refusals),
    own_standing.NOT_TOLD_APART,
)


@dataclass(frozen=True, slots=True)
class PassedBy:
    """So many leads passed a subscription by for one reason; what would help, None for nothing, and where."""

    reason: str
    text: str
    count: int
    help: str | None
    address: str | None


def passed_by(refused: Mapping[str, int], subscription_id: str) -> Sequence[PassedBy]:
    """The reasons that there were, in R4's precedence."""
    return [_passed_by(each, refused[each], subscription_id) for each in _PRECEDENCE if refused.get(each)]


def _passed_by(reason: str, count: int, subscription_id: str) -> PassedBy:
    remedy = _REMEDIES.get(reason)
    address = None if remedy is None else remedy.address
    return PassedBy(
        reason,
        translated(_OWN_WORDS[reason]) if reason in _OWN_WORDS else reason_text(reason),
        count,
        None if remedy is None else translated(remedy.text),
        None if address is None else address.replace("{subscription}", subscription_id),
    )
