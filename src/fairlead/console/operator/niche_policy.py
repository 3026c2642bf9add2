"""What a niche does on its own, in words, and its duplicate rule as its form has it."""

from dataclasses import dataclass

from fairlead.console.refusal_texts import message_text
from fairlead.console.viewer import Viewer
from fairlead.core import policy_messages
from fairlead.core.duplicates import CONTACT_FIELDS, LONGEST_DUPLICATE_WINDOW_DAYS, DuplicateRule, parse_duplicate_rule
from fairlead.core.form_field import FormSchema
from fairlead.core.messages import Names
from fairlead.store.configuration.rows import NicheRow
from fairlead.store.leads.intake import IntakePolicy

LONGEST_WINDOW_DAYS = LONGEST_DUPLICATE_WINDOW_DAYS


@dataclass(frozen=True, slots=True)
class PolicyWords:
    """The sentences of a niche's policy."""

    approved: str
    unsold: str
    phones: str
    duplicates: str
    recipients: str


def policy_words(niche: NicheRow, intake: IntakePolicy, viewer: Viewer) -> PolicyWords:
    """What becomes of leads, how numbers are read, which leads are the same, and how many providers get one."""
    policy = niche.policy
    reoffer = policy.reoffer
    unsold = (
        policy_messages.unsold_stay_message()
        if reoffer is None
        else policy_messages.unsold_message(reoffer.every_minutes, reoffer.max_times, reoffer.max_hours)
    )
    messages = (
        policy_messages.approval_message(auto_distribute=policy.auto_distribute),
        unsold,
        policy_messages.phone_message(policy.phone_region),
        policy_messages.duplicates_message(duplicate_rule(intake)),
        policy_messages.recipients_message(niche.max_recipients_per_lead),
    )
    return PolicyWords(*(message_text(each, Names({}, ""), viewer) for each in messages))


def duplicate_rule(intake: IntakePolicy) -> DuplicateRule | None:
    """The rule that is stored, None for none."""
    return None if intake.duplicate_rule is None else parse_duplicate_rule(intake.duplicate_rule)


def comparable_fields(form: FormSchema | None, rule: DuplicateRule | None) -> list[tuple[str, str | None]]:
    """The fields that leads can be compared by, each with its label in the form; None for a contact field.

    Also those of the rule that the form has lost: they stand there until they are taken out.
    """
    of_form = [] if form is None else [(f"attributes.{each.key}", each.label) for each in form.fields]
    found: list[tuple[str, str | None]] = [*((each, None) for each in CONTACT_FIELDS), *of_form]
    known = {name for name, _ in found}
    lost = [] if rule is None else [name for group in rule.any_of for name in group if name not in known]
    return [*found, *((name, name) for name in dict.fromkeys(lost))]
