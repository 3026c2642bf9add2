"""Who asks and where they came from: the one check of a lead's details, whichever way it comes in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fairlead.core.document import DocumentProblem
from fairlead.core.entry.mailbox import canonical_mailbox
from fairlead.core.entry.name_words import name_words
from fairlead.core.entry.phone import canonical_phone
from fairlead.core.entry.refusal import EntryRefused
from fairlead.core.entry.text import LONGEST_NAME, canonical_line, is_error_value, shortened_line

CONTACT_DETAILS = ("contact_name", "contact_email", "contact_phone")
TRACKING_DETAILS = ("utm_source", "utm_medium", "utm_campaign", "referrer")
LEAD_DETAILS = CONTACT_DETAILS + TRACKING_DETAILS
"""What a lead has beside the answers to its form."""

LONGEST_TRACKING = 200
LONGEST_REFERRER = 2_000


@dataclass(frozen=True, slots=True)
class CheckedDetails:
    """A lead's details as they are stored, by the names of `LEAD_DETAILS`, none empty; and what is wrong with others.

    `email_key` and `phone_key` are what is compared and searched for, `name_words` what a name is found by. Each
    problem's path is the detail's name.
    """

    values: Mapping[str, str] = field(repr=False)
    problems: tuple[DocumentProblem, ...] = ()
    email_key: str | None = field(repr=False, default=None)
    phone_key: str | None = field(repr=False, default=None)
    name_words: tuple[str, ...] = field(repr=False, default=())


def checked_details(details: Mapping[str, str | None], region: str | None) -> CheckedDetails:
    """The details in the form in which they are stored; `region` is whose telephone numbers need no country.

    What is empty counts as not given. Of a name, an email address and a telephone number that cannot be one there is a
    problem each; what only serves statistics is shortened, never a reason to refuse a lead.

    >>> checked_details({"contact_email": " Ann@EXAMPLE.com ", "utm_source": "x" * 300}, None).values["contact_email"]
    'Ann@example.com'
    >>> checked_details({"contact_phone": "#NUM!"}, None).problems[0].message
    'is an error value of a spreadsheet, and no telephone number'
    """
    values: dict[str, str] = {}
    keys: dict[str, str] = {}
    problems: list[DocumentProblem] = []
    for name, text in details.items():
        if name not in LEAD_DETAILS:
            known = ", ".join(LEAD_DETAILS)
            problems.append(DocumentProblem(name[:64], "unknown_detail", f"has no meaning here; there are {known}"))
        elif text is not None and text.strip():
            try:
                values[name] = _canonical(name, text, region, keys)
            except EntryRefused as refused:
                problems.append(DocumentProblem(name, refused.code, refused.message))
    kept = {name: text for name, text in values.items() if text}
    words = name_words(kept.get("contact_name", ""))
    return CheckedDetails(kept, tuple(problems), keys.get("contact_email"), keys.get("contact_phone"), words)


def _canonical(name: str, text: str, region: str | None, keys: dict[str, str]) -> str:
    if name == "contact_email":
        mailbox = canonical_mailbox(text)
        keys[name] = mailbox.key
        return mailbox.address
    if name == "contact_phone":
        phone = canonical_phone(text, region)
        keys[name] = phone.key
        return phone.written
    if name == "contact_name":
        if is_error_value(text):
            raise EntryRefused("spreadsheet_error", "is an error value of a spreadsheet, and no name")
        return canonical_line(text, LONGEST_NAME)
    return shortened_line(text, LONGEST_REFERRER if name == "referrer" else LONGEST_TRACKING)
