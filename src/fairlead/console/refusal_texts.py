"""Why slots stay open and subscriptions receive less, in the words that pages have for it."""

from collections.abc import Mapping

from jinja2 import pass_context
from jinja2.runtime import Context

from fairlead.console.formats import moment_text, money_text, number_text
from fairlead.console.texts import noted, translated
from fairlead.console.viewer import Viewer
from fairlead.core.gates import REGISTRY
from fairlead.core.messages import MORE, Names, TranslatableMessage, Wording, written
from fairlead.core.own_standing import LEVEL_INACTIVE, NOT_LOOKED_AT, NOT_SUBSCRIBED, NOT_TOLD_APART
from fairlead.core.refusals import Refusal

_MORE_REASONS: Mapping[str, str] = {
    NOT_SUBSCRIBED: noted("not subscribed at that time"),
    LEVEL_INACTIVE: noted("level not open"),
    NOT_TOLD_APART: noted("filter asks for what people typed: not told one by one"),
    NOT_LOOKED_AT: noted("too many changes since: not looked up"),
    "no_other_subscription": noted("no other subscription at the level"),
    "in_line": noted("eligible, others stood before it"),
}
"""Those that are no gate's."""


def summary_text(reason: str) -> str:
    """A heading for many refusals of this reason, also for what is no gate's; the reason itself without one."""
    gate = REGISTRY.by_reason.get(reason)
    heading = _MORE_REASONS.get(reason) if gate is None else gate.summary
    return reason.replace("_", " ") if heading is None else translated(heading)


def reason_text(reason: str) -> str:
    """The same where it begins a line."""
    text = summary_text(reason)
    return text[:1].upper() + text[1:]


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
        lambda moment: moment_text(moment, viewer),
        translated("\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}"),
    )
    return written(message, translated(message.template), names, wording)


@pass_context
def sentence_of(context: Context, refusal: Refusal, names: Names) -> str:
    """The same, for templates."""
    return refusal_sentence(refusal, names, context["viewer"])
