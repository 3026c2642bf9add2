"""Why one subscription did or did not receive a lead: the gates in R4's precedence, with what each of them saw."""

from dataclasses import dataclass

from fairlead.core.eligibility import static_refusal
from fairlead.core.filters import compile_filter, rule_in_words
from fairlead.core.model import (
    INSUFFICIENT_FUNDS,
    PAUSED,
    Decision,
    Lead,
    LevelResult,
    Reason,
    Recipient,
    Subscription,
)
from fairlead.core.roster import Roster
from fairlead.core.slots import Candidates


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one subscription stood in one decision.

    `recipient` is set when it received the lead, else `reason` and, in words, what refused it (`detail`).
    """

    subscription_id: str
    level_id: str
    recipient: Recipient | None
    reason: Reason | None
    detail: str


def standing_of(
    roster: Roster, lead: Lead, decision: Decision, result: LevelResult, provider_id: str
) -> Standing | None:
    """The provider's standing at one level of the decision; None when it had no living subscription there.

    The roster stands right before the decision.
    """
    subscription = next(
        (each for each in roster.subscriptions_of(provider_id) if each.level_id == result.level.level_id),
        None,
    )
    if subscription is None:
        return None
    for recipient in result.recipients:
        if recipient.subscription_id == subscription.subscription_id:
            return Standing(subscription.subscription_id, result.level.level_id, recipient, None, "received the lead")
    reason, detail = _refusal(roster, lead, decision, result, subscription)
    return Standing(subscription.subscription_id, result.level.level_id, None, reason, detail)


def _refusal(
    roster: Roster, lead: Lead, decision: Decision, result: LevelResult, subscription: Subscription
) -> tuple[Reason, str]:
    static = static_refusal(subscription, roster.provider_status(subscription.provider_id) or "unknown")
    if static is not None:
        return static, _static_detail(roster, static, subscription)
    rule = compile_filter(subscription.filter_rules, roster.schema).first_mismatch(lead.attributes)
    if rule is not None:
        return Reason.FILTER_MISMATCH, f"the filter asks for {rule_in_words(rule, roster.schema)}"
    for refusal in result.refused:
        if refusal.subscription_id == subscription.subscription_id:
            if refusal.available_cents is not None:
                return (
                    refusal.reason,
                    f"{refusal.available_cents} cents available, {result.level.price_cents} needed",
                )
            return refusal.reason, _elsewhere(roster, refusal.received_at_level_id)
    for earlier in decision.levels[: decision.levels.index(result)]:
        if any(recipient.provider_id == subscription.provider_id for recipient in earlier.recipients):
            return Reason.ALREADY_RECIPIENT, _elsewhere(roster, earlier.level.level_id)
    ahead = _count_ahead(roster.matching(lead.attributes), result, subscription)
    return (
        Reason.LEVEL_FULL,
        f"{ahead} candidates stood ahead of it, the level takes {result.level.max_recipients}",
    )


def _static_detail(roster: Roster, reason: Reason, subscription: Subscription) -> str:
    if reason is Reason.PROVIDER_INACTIVE:
        return f"the provider was {roster.provider_status(subscription.provider_id)}"
    if reason is Reason.SUBSCRIPTION_INACTIVE:
        why = {PAUSED: "it was paused", INSUFFICIENT_FUNDS: "its provider had run out of funds"}
        return why.get(subscription.deactivation_reason or "", "it was switched off")
    return "its filter does not fit the niche's form"


def _elsewhere(roster: Roster, level_id: str | None) -> str:
    level = roster.levels.get(level_id or "")
    return f"its provider received the lead at level {level.name if level else level_id}"


def _count_ahead(candidates: Candidates, result: LevelResult, subscription: Subscription) -> int:
    _, queue = candidates.at(result.level)
    ahead = 0
    for other in queue:
        if other.subscription_id == subscription.subscription_id:
            break
        ahead += 1
    return ahead
