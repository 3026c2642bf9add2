"""What a lead's page says beside its decision: answers by their labels, where it came from, what happened, money."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fairlead.console.formats import number_text
from fairlead.console.operator.audit_words import actor_words
from fairlead.console.texts import noted, translated, translated_count
from fairlead.console.viewer import Viewer
from fairlead.core.form import FormSchema
from fairlead.store.leads.timeline import LeadEvent
from fairlead.store.leads.views import LeadAssignment, LeadInFull


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and what is known under it; `href` leads to what it names."""

    name: str
    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline. `tone`: plain, or what it means for the sale."""

    at: datetime
    text: str
    tone: str = "off"
    href: str = ""


def answers_of(lead: LeadInFull, form: FormSchema, viewer: Viewer) -> list[Fact]:
    """The answers in the order of the form, by their labels; then those that the form does not ask for any more."""
    labels = {each.key: each.label for each in form.fields}
    keys = [each for each in labels if each in lead.attributes]
    keys += [each for each in lead.attributes if each not in labels]
    return [Fact(labels.get(each, each), answer_text(lead.attributes[each], viewer)) for each in keys]


def answer_text(value: object, viewer: Viewer) -> str:
    """An answer as a person writes it."""
    if isinstance(value, bool):
        return translated("yes") if value else translated("no")
    if isinstance(value, list | tuple):
        return ", ".join(str(each) for each in value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if isinstance(value, int | float):
        return number_text(value, viewer)
    return str(value)


def name_of(lead_id: str, contact_name: str | None) -> str:
    """What a lead is called: its consumer, or the beginning of its id where that is not known."""
    return contact_name or translated("Lead %(start)s") % {"start": lead_id[:8]}


def time_to_sale(lead: LeadInFull, decided_at: datetime | None) -> timedelta | None:
    """From the approval to the decision."""
    if lead.approved_at is None or decided_at is None or decided_at < lead.approved_at:
        return None
    return decided_at - lead.approved_at


@dataclass(frozen=True, slots=True)
class LeadMoney:
    """What a lead brought (cents): what was charged, what was given back, and to how many that would still be."""

    charged_cents: int
    refunded_cents: int
    refundable_count: int

    @property
    def net_cents(self) -> int:
        """What is left of it."""
        return self.charged_cents - self.refunded_cents


def money_of(assignments: Sequence[LeadAssignment]) -> LeadMoney:
    """The totals of a lead's assignments."""
    refunded = [each for each in assignments if each.status == "refunded"]
    return LeadMoney(
        sum(each.price_cents for each in assignments),
        sum(each.price_cents for each in refunded),
        len(assignments) - len(refunded),
    )


_PLAIN_EVENTS = {
    "lead.taken_in": (noted("Received from outside"), "", "off"),
    "lead.asked_to_confirm": (noted("Its consumer was asked to confirm it"), "", "off"),
    "distribution.triggered": (
        noted("Distribution asked for again"),
        noted("Distribution asked for by %(actor)s"),
        "off",
    ),
    "distribution.reoffered": (noted("Offered again by the niche's policy"), "", "off"),
    "lead.created": (noted("Received"), noted("Entered by %(actor)s"), "off"),
    "lead.confirmed": (noted("Confirmed by the consumer"), "", "off"),
    "lead.withdrawn": (noted("Withdrawn by the consumer"), "", "bad"),
    "lead.erased": (noted("Personal data erased"), noted("Personal data erased by %(actor)s"), "bad"),
    "lead.approved": (noted("Approved"), noted("Approved by %(actor)s"), "off"),
    "lead.rejected": (noted("Rejected"), noted("Rejected by %(actor)s"), "bad"),
    "lead.marked_bad": (noted("Marked bad"), noted("Marked bad by %(actor)s"), "bad"),
    "distribution.failed": (noted("A run of its distribution failed"), "", "bad"),
    "assignment.viewed": (noted("Viewed by %(provider)s"), "", "off"),
    "assignment.accepted": (noted("Accepted by %(provider)s"), "", "ok"),
    "assignment.rejected": (noted("Rejected by %(provider)s"), "", "wait"),
    "bad_lead.reported": (noted("Reported as bad by %(provider)s"), "", "wait"),
    "bad_lead.rejected": (noted("Report of %(provider)s rejected"), "", "off"),
}


_MESSAGES = {
    "messages": (noted("Emails sent: %(sent)s of %(all)s"), noted("Webhooks taken: %(sent)s of %(all)s")),
    "messages.refunds": (
        noted("Emails about refunds sent: %(sent)s of %(all)s"),
        noted("Webhooks about refunds taken: %(sent)s of %(all)s"),
    ),
    "messages.erased": (
        noted("Emails asking to erase it sent: %(sent)s of %(all)s"),
        noted("Webhooks asking to erase it taken: %(sent)s of %(all)s"),
    ),
}
"""By email, by webhook."""


def moments_of(
    events: Iterable[LeadEvent], actors: Mapping[str, str], money: Mapping[int, str], lead_id: str
) -> list[Moment]:
    """The timeline in words. `money` has the text of every amount that the events name."""
    return [_moment(each, actors, money, lead_id) for each in events]


def _moment(event: LeadEvent, actors: Mapping[str, str], money: Mapping[int, str], lead_id: str) -> Moment:
    names = {
        "actor": actor_words(event.actor or "", actors),
        "provider": event.provider_name or "",
        "amount": money.get(event.amount_cents or 0, ""),
    }
    if event.kind == "decision.recorded":
        return _decision(event, names, lead_id)
    if event.kind.startswith("messages"):
        return _messages(event)
    if event.kind == "assignment.refunded":
        return Moment(event.at, translated("%(amount)s refunded to %(provider)s") % names, "wait")
    plain, with_actor, tone = _PLAIN_EVENTS[event.kind]
    return Moment(event.at, translated(with_actor if with_actor and event.actor else plain) % names, tone)


def _decision(event: LeadEvent, names: Mapping[str, str], lead_id: str) -> Moment:
    count, href = event.count or 0, f"/leads/{lead_id}?entry={event.journal_seq}"
    if not count:
        return Moment(event.at, translated("Decided: no provider received it"), "wait", href)
    text = translated_count("Sold to one provider for %(amount)s", "Sold to %(count)s providers for %(amount)s", count)
    return Moment(event.at, text % {**names, "count": count}, "ok", href)


def _messages(event: LeadEvent) -> Moment:
    numbers = {"sent": event.count or 0, "all": event.of_count or 0}
    by_email, by_webhook = _MESSAGES[event.kind]
    text = translated(by_webhook if event.channel == "webhook" else by_email)
    return Moment(event.at, text % numbers, "off" if numbers["sent"] == numbers["all"] else "wait")
