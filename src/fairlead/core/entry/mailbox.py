"""Email addresses: the one form that is stored and sent to, and the one by which two are the same mailbox.

The same function decides on the way in and before sending, so that nothing is taken that no mail can reach.
"""

from dataclasses import dataclass
from typing import Final

import email_validator
from email_validator import EmailNotValidError, validate_email

from fairlead.core.entry.refusal import EntryRefused
from fairlead.core.entry.text import comparable

LONGEST_EMAIL = 254

# Reserved names that a server of one's own may know: whether mail gets there is for the mail server to say. This is the
# way in which the library is told so; the others (invalid, localhost, onion, arpa) stay refused.
_OWN_NETWORKS: Final = ("local", "test")
for _name in _OWN_NETWORKS:
    if _name in email_validator.SPECIAL_USE_DOMAIN_NAMES:
        email_validator.SPECIAL_USE_DOMAIN_NAMES.remove(_name)

_COPIED_ALONG = "\ufeff\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox. `address` is sent to and stored: the case of what stands before the @ is kept.

    `ascii_domain` is the domain as mail servers know it. `key` is equal for two writings of one mailbox, and is
    compared only: nothing is sent there.
    """

    address: str
    ascii_domain: str
    key: str

    @property
    def local_part(self) -> str:
        """What stands before the @, as it is sent to."""
        return self.address.rpartition("@")[0]

    @property
    def owner_key(self) -> str:
        """Whose mailbox it is, as far as an outsider can tell: what stands behind a `+` leads to the same one.

        >>> canonical_mailbox("Ann+1@Example.COM").owner_key
        'ann@example.com'
        """
        local, at, domain = self.key.rpartition("@")
        return f"{local.partition('+')[0] or local}{at}{domain}"


def canonical_mailbox(text: str) -> Mailbox:
    r"""The mailbox that the text names; spaces and unseen marks around it are dropped.

    The domain is in small letters and in letters of its own where it has some, however it was written. Raises
    `EntryRefused` unless the text is one address and nothing else, in a form that every mail system takes: no name, no
    quotes, no comment, no `mailto:`, nothing behind it, a domain with a dot.

    >>> canonical_mailbox(" Ann.B@EXAMPLE.com\u00a0")
    Mailbox(address='Ann.B@example.com', ascii_domain='example.com', key='ann.b@example.com')
    >>> canonical_mailbox("a@xn--mller-kva.de") == canonical_mailbox("a@Mu\u0308ller.de")
    True
    >>> canonical_mailbox("sales@harbour.example,")
    Traceback (most recent call last):
    fairlead.core.entry.refusal.EntryRefused: must be an email address, without punctuation behind it
    """
    found = text.strip().strip(_COPIED_ALONG).strip()
    if len(found) > LONGEST_EMAIL:
        raise EntryRefused("not_a_mailbox", f"must be an email address of at most {LONGEST_EMAIL} characters")
    try:
        valid = validate_email(
            found,
            allow_smtputf8=True,
            allow_empty_local=False,
            allow_quoted_local=False,
            allow_domain_literal=False,
            allow_display_name=False,
            check_deliverability=False,
            test_environment=False,
            globally_deliverable=True,
        )
    # Some malformed domains end in errors of the libraries below.
    except (EmailNotValidError, UnicodeError):
        raise EntryRefused("not_a_mailbox", f"must be an email address{_hint(found)}") from None
    address, ascii_domain = valid.normalized, valid.ascii_domain
    if len(address) > LONGEST_EMAIL or len(address.encode()) > LONGEST_EMAIL:
        raise EntryRefused("not_a_mailbox", f"must be an email address of at most {LONGEST_EMAIL} characters")
    return Mailbox(address, ascii_domain, f"{comparable(valid.local_part)}@{ascii_domain}")


def mailbox_key(text: str) -> str:
    """By what the address is compared: `Mailbox.key`, or the folded text where it is none, as in rows of long ago.

    >>> mailbox_key("Ann@EXAMPLE.com"), mailbox_key(" Not an Address ")
    ('ann@example.com', 'not an address')
    """
    try:
        return canonical_mailbox(text).key
    except EntryRefused:
        return comparable(text)


def mailbox_search_keys(text: str) -> tuple[str, ...]:
    """The keys under which leads with this address may be stored: its own, and what older rows had instead of one.

    >>> mailbox_search_keys("Ann@EXAMPLE.com")
    ('ann@example.com',)
    """
    return tuple(dict.fromkeys((mailbox_key(text), comparable(text), text.strip().lower())))


def _hint(text: str) -> str:
    """What the reader should mend, where it can be told."""
    if text.casefold().startswith("mailto:"):
        return ", without mailto:"
    if "<" in text:
        return " alone, without a name beside it"
    if text.endswith((".", ",", ";", ":")):
        return ", without punctuation behind it"
    if '"' in text or "(" in text or "\\" in text:
        return " without quotes and comments"
    if text.count("@") > 1:
        return ", and only one"
    return " such as ada@example.com"
