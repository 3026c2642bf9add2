"""What an erasure takes away and leaves, in words, and why it is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fairlead.console.formats import number_text
from fairlead.console.texts import noted, translated, translated_count
from fairlead.console.viewer import Viewer
from fairlead.core.erasure_terms import OPERATOR_REASONS, ErasureReason
from fairlead.core.retention import RetentionPolicy, RetentionRule, due_at
from fairlead.flows.erasure.preview import ErasurePreview
from fairlead.store.leads.messages import LeadMessage
from fairlead.store.leads.views import LeadInFull

REASONS: Mapping[ErasureReason, str] = {
    "consumer_request": noted("the consumer asked for it"),
    "consent_withdrawn": noted("the consent was withdrawn"),
    "unlawful": noted("it should not have been collected"),
    "test_data": noted("it was test data"),
    "no_longer_needed": noted("it is not needed any more"),
    "retention": noted("it was kept long enough"),
}

ORIGINS: Mapping[str, str] = {
    "operator": noted("operator"),
    "consumer": noted("consumer"),
    "retention": noted("retention"),
}

SCOPES: Mapping[str, str] = {
    "lead": noted("everything personal"),
    "answers": noted("answers"),
    "contact": noted("contact data"),
}


@dataclass(frozen=True, slots=True)
class ErasureOffered:
    """What would go and stay, in words; the reasons that may be given."""

    goes: Sequence[str]
    stays: Sequence[str]
    consequence: str
    reasons: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Notices:
    """How many messages ask providers to erase a lead, and how many of them are sent."""

    count: int
    sent: int


def reasons() -> list[tuple[str, str]]:
    """The reasons that an operator may give, with their words."""
    return [(each, translated(REASONS[each])) for each in OPERATOR_REASONS]


def notices_of(messages: Sequence[LeadMessage]) -> Notices:
    """Those among the messages about a lead."""
    own = [each for each in messages if each.kind == "lead_erased"]
    return Notices(len(own), sum(each.state == "sent" for each in own))


def offered(preview: ErasurePreview, viewer: Viewer) -> ErasureOffered:
    """The preview of one lead in words."""
    [lead] = preview.leads

    numbers = (
        (lead.answers, translated_count("one answer", "%(count)s answers", lead.answers)),
        (
            lead.contact_fields,
            translated_count(
                "one field of contact and source", "%(count)s fields of contact and source", lead.contact_fields
            ),
        ),
        (lead.consents, translated_count("its consent", "%(count)s consents", lead.consents)),
        (lead.links, translated_count("one link of its consumer", "%(count)s links of its consumer", lead.links)),
        (lead.notes, translated_count("one note", "%(count)s notes", lead.notes)),
        (
            lead.waiting_messages,
            translated_count("one message that waits", "%(count)s messages that wait", lead.waiting_messages),
        ),
        (
            preview.export_files,
            translated_count("one file of an export", "%(count)s files of exports", preview.export_files),
        ),
    )
    goes = [text % {"count": number_text(count, viewer)} for count, text in numbers if count]
    decided = translated_count("one decision", "%(count)s decisions", lead.decisions)
    stays = [decided % {"count": number_text(lead.decisions, viewer)}] if lead.decisions else []
    return ErasureOffered(
        goes,
        [*stays, translated("times, prices and payments"), translated("the audit log")],
        _consequence(len(lead.buyer_names), viewer),
        reasons(),
    )


def _consequence(buyers: int, viewer: Viewer) -> str:
    if not buyers:
        return translated("It is closed and never sold. This cannot be undone.")
    text = translated_count(
        "The provider that bought it is told to erase it, too. This cannot be undone.",
        "The %(count)s providers that bought it are told to erase it, too. This cannot be undone.",
        buyers,
    )
    return text % {"count": number_text(buyers, viewer)}


RULES: Mapping[RetentionRule, str] = {
    "answers": noted("Answers of sold leads"),
    "contact": noted("Contact data and consent of sold leads"),
    "rejected": noted("Rejected leads"),
    "unsold": noted("Unsold leads, which are closed then"),
}


def retention_fields(policy: RetentionPolicy) -> list[tuple[str, str, int | None]]:
    """The members of a niche's policy, what each is about, and its days."""
    named = [(f"{rule}_days", translated(text), policy.days_of(rule)) for rule, text in RULES.items()]
    return [*named, ("deliveries_days", translated("Answers to messages"), policy.deliveries_days)]


def due_texts(policy: RetentionPolicy, lead: LeadInFull) -> list[tuple[str, datetime]]:
    """What of the lead goes by the policy and is not gone, and from when on."""
    gone: Mapping[RetentionRule, datetime | None] = {
        "answers": lead.answers_erased_at,
        "contact": lead.contact_erased_at,
        "rejected": lead.erased_at,
        "unsold": lead.erased_at,
    }
    due = due_at(policy, lead.status, lead.created_at)
    return [(translated(RULES[rule]), at) for rule, at in due.items() if gone[rule] is None]
