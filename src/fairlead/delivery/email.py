"""An email as a value, and the bytes that it becomes."""

import re
from binascii import b2a_qp
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import NonASCIILocalPartDefect
from email.header import Header
from email.headerregistry import Address, AddressHeader, HeaderRegistry
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from functools import lru_cache
from secrets import token_hex
from typing import cast

from fairlead.core.entry.mailbox import canonical_mailbox
from fairlead.core.entry.refusal import EntryRefused
from fairlead.delivery.plain_text import one_line

CORRELATION_HEADER = "X-Fairlead-Correlation"

# What a line may have, and what it had better not exceed (RFC 5322, 2.1.1).
_MOST_IN_A_LINE, _USUAL_IN_A_LINE = 998, 78

_header_of = HeaderRegistry()


_SAFE_ID = re.compile(r"<[\w.+-]+@[\w.-]+>", re.ASCII)


@dataclass(frozen=True, slots=True)
class Email:
    """One message to one recipient. `to` is an address, or what `mailbox` made of a name and an address.

    `message_id` is what `message_id_of` gives, so that a repetition is the same message. `headers` are further ones,
    such as `CORRELATION_HEADER`.
    """

    message_id: str
    to: str
    subject: str
    html: str
    text: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def message_id_of(notification_id: str, sender: str) -> str:
    """The Message-ID of a notification (RFC 5322), the same at every attempt: receivers can recognise a repetition.

    `sender` is the setting `mail_from`. Raises ValueError when it is not one address.

    >>> message_id_of("0198c0de-0000-7000-8000-000000000001", "Leads <leads@example.com>")
    '<0198c0de-0000-7000-8000-000000000001@example.com>'
    """
    return f"<{notification_id}@{sender_of(sender).domain}>"


@lru_cache(maxsize=16)
def sender_of(mail_from: str) -> Address:
    """The setting `mail_from` as an address. Raises ValueError when it is not one that every server accepts."""
    address = address_of(mail_from)
    if address is None or not address.addr_spec.isascii():
        raise ValueError("must be one address, such as Leads <leads@example.com>")
    return address


def mailbox(name: str, address: str) -> str:
    """Name and address as a recipient, whatever characters the name holds.

    >>> mailbox("Fast, Cheap & Co", "sales@example.com")
    '"Fast, Cheap & Co" <sales@example.com>'
    """
    shown = _header_text(name)
    return f"{_quoted(shown)} <{address}>" if shown else address


@lru_cache(maxsize=4_096)
def address_of(text: str) -> Address | None:
    """The one address that the text holds, with its name if it has one; None when it holds none, or more.

    A domain in letters of its own becomes the form that mail servers know (IDNA): the same as when the address was
    taken in, which decides what is an address. Others are here only from before that was asked.

    >>> address_of("Jörg <joerg@exämple.com>")
    Address(display_name='Jörg', username='joerg', domain='xn--exmple-cua.com')
    >>> address_of("ann@example.com, eve@example.com"), address_of("ann"), address_of("")
    (None, None, None)
    """
    if text != one_line(text):
        return None
    try:
        parsed = _header_of("To", text)
    except Exception:  # the library's parser fails on some malformed texts, each in a way of its own
        return None
    header = cast(AddressHeader, parsed)
    defects = [defect for defect in parsed.defects if not isinstance(defect, NonASCIILocalPartDefect)]
    if defects or len(header.addresses) != 1 or header.groups[0].display_name is not None:
        return None
    address = header.addresses[0]
    with suppress(EntryRefused):
        taken = canonical_mailbox(address.addr_spec)
        return Address(_header_text(address.display_name), taken.local_part, taken.ascii_domain)
    try:
        domain = address.domain if address.domain.isascii() else address.domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    if not address.username or not domain:
        return None
    return Address(_header_text(address.display_name), address.username, domain)


def mime_message(email: Email, sender: Address, recipient: Address, now: datetime) -> bytes:
    """The message as every mail server takes it: HTML with a complete text beside it, both in seven-bit lines.

    Its headers hold letters beyond ASCII only where the recipient's address does (RFC 6532). No value can add a header
    or a recipient. `now` is the time in its Date; it must know its zone.

    Put together here, because the library's message objects take several times as long as all else that sending costs.
    """
    is_international = not recipient.addr_spec.isascii()
    boundary = f"=={token_hex(16)}=="  # no quoted-printable text has two equals signs in a row
    headers = [
        f"From: {_written(sender, 'From')}\r\n".encode(),
        f"To: {_written(recipient, 'To')}\r\n".encode(),
        _header("Subject", _header_text(email.subject), is_international),
        f"Date: {format_datetime(now)}\r\n".encode(),
        _message_id(email.message_id),
        b"Auto-Submitted: auto-generated\r\n",
        *(_header(name, _header_text(value), is_international) for name, value in email.headers.items()),
        f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n'.encode(),
    ]
    parts = [
        f'--{boundary}\r\nContent-Type: text/{kind}; charset="utf-8"\r\n'
        f"Content-Transfer-Encoding: quoted-printable\r\n\r\n".encode()
        + _quoted_printable(text)
        + b"\r\n"
        for kind, text in (("plain", email.text), ("html", email.html))
    ]
    return b"".join([*headers, *parts, f"--{boundary}--\r\n".encode()])


@lru_cache(maxsize=4_096)
def _header(name: str, value: str, is_international: bool) -> bytes:
    """The header's lines: the same for many messages, and slow to make."""
    policy = SMTPUTF8 if is_international else SMTP
    return policy.fold_binary(*policy.header_store_parse(name, value))


def _message_id(message_id: str) -> bytes:
    if len(message_id) <= _USUAL_IN_A_LINE and _SAFE_ID.fullmatch(message_id):
        return f"Message-ID: {message_id}\r\n".encode()
    return SMTP.fold_binary(*SMTP.header_store_parse("Message-ID", message_id))


def _quoted_printable(text: str) -> bytes:
    """Also where eight bits would do: not every relay on the way passes them on unharmed."""
    lines = text.encode("utf-8", "replace").splitlines()
    return b2a_qp(b"".join(line + b"\r\n" for line in lines or [b""]), istext=True)


def _written(address: Address, header_name: str) -> str:
    """The mailbox for a header (RFC 5322, 3.4): its name as a quoted string, or in encoded words (RFC 2047).

    It reads back as that one: the library's own folding of a long name leaves out its quotes, and its commas then part
    further recipients. The quoted string is not folded: there are readers that take the first line of one for all of
    it. Encoded words hold nothing that could part recipients.
    """
    name = _header_text(address.display_name)
    if not name:
        return address.addr_spec
    quoted = _quoted(name)
    if name.isascii() and len(header_name) + len(": ") + len(quoted) <= _MOST_IN_A_LINE:
        return f"{quoted}\r\n <{address.addr_spec}>"
    words = Header(name, "utf-8", maxlinelen=_USUAL_IN_A_LINE - 2, header_name=header_name).encode(linesep="\r\n")
    return f"{words}\r\n <{address.addr_spec}>"


def _quoted(name: str) -> str:
    escaped = name.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'


def _header_text(text: str) -> str:
    """One line, in which nothing reads as an encoded word: the library would decode it, line breaks and all."""
    return one_line(text).replace("=?", "= ?")
