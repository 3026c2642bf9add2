"""Whose leads are meant by an email address or a telephone number, however it was written."""

from dataclasses import dataclass, field

from fairlead.core.entry.mailbox import mailbox_search_keys
from fairlead.core.entry.phone import phone_search_keys
from fairlead.core.entry.refusal import EntryRefused
from fairlead.core.entry.text import canonical_line
from fairlead.core.errors import BadInput
from fairlead.store.connection import Connection
from fairlead.store.leads.intake import phone_regions

_FEWEST_DIGITS = 5
_LONGEST = 320


@dataclass(frozen=True, slots=True)
class PersonKeys:
    """By what the leads of a person are found: canonical addresses, or canonical numbers. Personal."""

    emails: tuple[str, ...] = field(default=(), repr=False)
    phones: tuple[str, ...] = field(default=(), repr=False)


def keys_of_person(conn: Connection, person: str) -> PersonKeys:
    """The keys of what was typed: an email address, or a telephone number, of which any niche's region may be meant.

    Raises `BadInput` for what is neither; it does not repeat it.
    """
    refused = BadInput(["person: should be a whole email address or telephone number"])
    try:
        text = canonical_line(person, _LONGEST)
    except EntryRefused:
        raise refused from None
    if "@" in text.strip("@"):
        return PersonKeys(emails=mailbox_search_keys(text))
    if sum(each.isdigit() for each in text) >= _FEWEST_DIGITS:
        return PersonKeys(phones=phone_search_keys(text, phone_regions(conn)))
    raise refused
