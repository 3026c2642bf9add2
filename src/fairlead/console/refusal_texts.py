"""Why slots stay open and subscriptions receive less, in the words that pages have for it."""

from collections.abc import Mapping

from fairlead.console.texts import noted, translated

_REASONS: Mapping[str, str] = {
    "insufficient_balance": noted("Not enough money"),
    "already_recipient": noted("Has the lead from another level"),
    "filter_mismatch": noted("Filter does not want the lead"),
    "filter_invalid": noted("Filter does not fit the form"),
    "subscription_inactive": noted("Switched off: paused or out of money"),
    "provider_inactive": noted("Provider not active"),
    "level_full": noted("Level was full before their turn"),
    "no_other_subscription": noted("No other subscription at the level"),
}

_WHY: Mapping[str, str] = {
    "provider_not_active": noted("provider not active"),
    "out_of_money": noted("out of money"),
    "paused": noted("paused"),
    "refused_for_money": noted("refused for money"),
    "filter": noted("has a filter"),
    "new": noted("subscribed during these days"),
    "its_turn_comes": noted("nothing known: its turn comes"),
}


def reason_text(reason: str) -> str:
    """Why a slot stayed open; the reason itself where there are no words for it."""
    return translated(_REASONS[reason]) if reason in _REASONS else reason.replace("_", " ")


def why_text(why: str) -> str:
    """Why a subscription received less than an equal share."""
    return translated(_WHY[why])
