"""Why slots stay open and subscriptions receive less, in the words that pages have for it."""

from collections.abc import Mapping

from jinja2 import pass_context
from jinja2.runtime import Context

from fairlead.console.formats import money_text, number_text
from fairlead.console.texts import noted, translated
from fairlead.console.viewer import Viewer
from fairlead.core.gates import REGISTRY
from fairlead.core.messages import MORE, Names, TranslatableMessage, Wording, written
from fairlead.core.refusals import Refusal

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


def summary_text(reason: str) -> str:
    """A heading for many refusals of this reason."""
    return translated(REGISTRY.by_reason[reason].summary)


def refusal_sentence(refusal: Refusal, names: Names, viewer: Viewer) -> str:
    """What refused, in the language of the page, with amounts and numbers as the viewer has them."""
    return message_text(refusal.message(), names, viewer)


def message_text(message: TranslatableMessage, names: Names, viewer: Viewer) -> str:
    """The sentence in the language of the page, with amounts and numbers as the viewer has them."""
    wording = Wording(
        lambda cents: money_text(cents, names.currency, viewer),
        lambda number: number_text(number, viewer),
        translated("yes"),
        translated("no"),
        translated(MORE),
    )
    return written(message, translated(message.template), names, wording)


@pass_context
def sentence_of(context: Context, refusal: Refusal, names: Names) -> str:
    """The same, for templates."""
    return refusal_sentence(refusal, names, context["viewer"])


def why_text(why: str) -> str:
    """Why a subscription received less than an equal share."""
    return translated(_WHY[why])
