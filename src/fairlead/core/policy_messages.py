"""What a niche does on its own, as sentences: which leads are the same, what becomes of approved and unsold ones."""

from collections.abc import Mapping

from fairlead.core.duplicates import DuplicateRule
from fairlead.core.messages import TranslatableMessage

TEMPLATES: Mapping[str, str] = {
    "approved_at_once": "Approved leads are distributed at once.",
    "approved_wait": "Approved leads wait until an operator or a program has them distributed.",
    "unsold_stay": "Unsold leads stay unsold.",
    "unsold_again": (
        "Unsold leads are offered again every {every_minutes} minutes, at most {max_times} times, for {max_hours} "
        "hours after approval."
    ),
    "phones_by_digits": "Telephone numbers that are given without a country are compared by their digits.",
    "phones_of_region": "Telephone numbers that are given without a country are of {phone_region}.",
    "recipients_of_levels": "A lead goes to as many providers as its levels take.",
    "recipients_limited": "A lead goes to at most {max_recipients} providers, over all levels.",
    "recipients_one": "A lead goes to one provider, over all levels.",
    "duplicates_ignored": "Duplicates are not looked for.",
    "refuse_niche_ever": "A lead that agrees in {groups} with any earlier lead of the niche is refused.",
    "flag_niche_ever": "A lead that agrees in {groups} with any earlier lead of the niche is flagged.",
    "refuse_niche": "A lead that agrees in {groups} with a lead of the niche of the last {days} days is refused.",
    "flag_niche": "A lead that agrees in {groups} with a lead of the niche of the last {days} days is flagged.",
    "refuse_marketplace_ever": "A lead that agrees in {groups} with any earlier lead of any niche is refused.",
    "flag_marketplace_ever": "A lead that agrees in {groups} with any earlier lead of any niche is flagged.",
    "refuse_marketplace": "A lead that agrees in {groups} with a lead of any niche of the last {days} days is refused.",
    "flag_marketplace": "A lead that agrees in {groups} with a lead of any niche of the last {days} days is flagged.",
}
"""The English sentence of each message."""


def approval_message(*, auto_distribute: bool) -> TranslatableMessage:
    """What becomes of an approved lead."""
    return _message("approved_at_once" if auto_distribute else "approved_wait")


def unsold_message(every_minutes: int, max_times: int, max_hours: int) -> TranslatableMessage:
    """When unsold leads are offered again."""
    return _message("unsold_again", every_minutes=every_minutes, max_times=max_times, max_hours=max_hours)


def unsold_stay_message() -> TranslatableMessage:
    """Unsold leads are not offered again."""
    return _message("unsold_stay")


def phone_message(phone_region: str | None) -> TranslatableMessage:
    """How telephone numbers without a country are read."""
    return (
        _message("phones_by_digits")
        if phone_region is None
        else _message("phones_of_region", phone_region=phone_region)
    )


def duplicates_message(rule: DuplicateRule | None) -> TranslatableMessage:
    """Which leads count as ones that came before, and what becomes of them.

    >>> rule = DuplicateRule((("contact_email",), ("contact_name", "contact_phone")), 90, "niche", "refuse")
    >>> duplicates_message(rule).message_id, duplicates_message(rule).values["groups"]
    ('refuse_niche', ('contact_email', 'contact_name + contact_phone'))
    """
    if rule is None:
        return _message("duplicates_ignored")
    name, groups = f"{rule.action}_{rule.scope}", tuple(" + ".join(group) for group in rule.any_of)
    if rule.duplicate_window_days is None:
        return _message(f"{name}_ever", groups=groups)
    return _message(name, groups=groups, days=rule.duplicate_window_days)


def recipients_message(max_recipients: int | None) -> TranslatableMessage:
    """To how many providers a lead goes, over all levels (R16)."""
    if max_recipients is None:
        return _message("recipients_of_levels")
    return (
        _message("recipients_one")
        if max_recipients == 1
        else _message("recipients_limited", max_recipients=max_recipients)
    )


def _message(message_id: str, **values: int | str | tuple[str, ...]) -> TranslatableMessage:
    return TranslatableMessage(message_id, TEMPLATES[message_id], values)
