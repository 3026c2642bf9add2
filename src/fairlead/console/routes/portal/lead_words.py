"""How a bought lead is told to its provider: whom it names, what it answered, and what happened to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from fairlead.console.formats import number_text
from fairlead.console.texts import noted, translated
from fairlead.console.viewer import Viewer
from fairlead.core.form_field import FormSchema
from fairlead.store.portal.inbox import InboxItem

EVENTS: Mapping[str, str] = {
    "assigned": noted("You received it"),
    "viewed": noted("First opened"),
    "accepted": noted("Accepted"),
    "rejected": noted("Rejected"),
    "reported": noted("Reported as bad"),
    "report_accepted": noted("Report accepted"),
    "report_rejected": noted("Report rejected"),
    "refunded": noted("Refunded"),
    "withdrawn": noted("Withdrawn by the consumer"),
    "erased": noted("Personal data erased"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A question of the form by its label, and what the lead answered, in words."""

    label: str
    text: str


def lead_name(lead: InboxItem) -> str:
    """What to call the lead by: a person, else an address or a number, else "" where it has no contact."""
    return lead.contact_name or lead.contact_email or lead.contact_phone or ""


def answers(attributes: Mapping[str, Any], form: FormSchema | None, viewer: Viewer) -> list[Answer]:
    """The lead's answers in the order of the form; those to questions that the form has no more come last."""
    fields = () if form is None else form.fields
    known = [(each.label, attributes[each.key]) for each in fields if each.key in attributes]
    asked = {each.key for each in fields}
    gone = [(key, value) for key, value in attributes.items() if key not in asked]
    return [Answer(label, _words(value, viewer)) for label, value in (*known, *gone) if value not in (None, "", [])]


def _words(value: object, viewer: Viewer) -> str:
    if isinstance(value, bool):
        return translated("yes") if value else translated("no")
    if isinstance(value, int | float):
        return number_text(value, viewer)
    if isinstance(value, list):
        return ", ".join(map(str, cast("Sequence[object]", value)))
    return str(value)
