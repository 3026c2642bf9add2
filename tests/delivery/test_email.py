"""A message holds exactly what it was given, and nothing in it can become a header or a recipient."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, message_from_string, policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import getaddresses
from typing import cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fairlead.delivery.email import (
    CORRELATION_HEADER,
    Email,
    address_of,
    mailbox,
    message_id_of,
    mime_message,
    sender_of,
)
from fairlead.delivery.plain_text import for_a_screen, one_line

NOW = datetime(2026, 3, 1, 13, 5, tzinfo=UTC)
# The library decodes encoded words in what it is given, and then writes the line break that was hidden in them.
HIDDEN_BREAK = "=?utf-8?q?x=0D=0ABcc:_eve@example.net?="
HEADERS = {
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", CORRELATION_HEADER, "MIME-Version", "Content-Type",
}  # fmt: skip
ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=300)


def _parsed(email: Email) -> EmailMessage:
    recipient = address_of(email.to)
    assert recipient is not None
    content = mime_message(email, sender_of("Leads <leads@example.com>"), recipient, NOW)
    assert content.isascii()
    assert max(len(line) for line in content.split(b"\r\n")) <= 998
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", content)
    return cast(EmailMessage, message_from_bytes(content, policy=policy.default))


@settings(deadline=None)
@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT)
@example(HIDDEN_BREAK, HIDDEN_BREAK, HIDDEN_BREAK, "x", "x")
@example("a\r\nBcc: eve@example.net", 'x" <eve@example.net>, "', "b\n\nbody", "x", "x")
@example("", "", "", "", "")
def test_any_values_come_out_as_they_went_in(subject: str, name: str, correlation: str, html: str, text: str) -> None:
    recipient_text = mailbox(name, "ann@example.com")
    email = Email("<m@example.com>", recipient_text, subject, html, text, {CORRELATION_HEADER: correlation})
    message = _parsed(email)

    assert set(message.keys()) == HEADERS
    assert len(message.keys()) == len(HEADERS)
    [recipient] = message["To"].addresses
    assert recipient.addr_spec == "ann@example.com"
    # How a reader joins encoded words differs between versions of the library; the letters do not.
    assert _letters(recipient.display_name) == _letters(_header(name))
    assert _letters(message["Subject"]) == _letters(_header(subject))
    assert message["Date"].datetime == NOW
    plain, rich = cast(list[EmailMessage], list(message.iter_parts()))
    assert _lines(plain.get_content()) == _lines(text)
    assert _lines(rich.get_content()) == _lines(html)


# Specials of RFC 5322, words of usual length, and letters: what a folded name was taken apart at.
NAME = st.lists(
    st.sampled_from(
        ["Muster", "GmbH & Co. KG,", "<eve@example.net>,", "a:b;", "(x", "x)", '"', "\\", "=?utf-8?q?x?=", "=", "@"]
    )
    | st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), max_size=40)
    | st.sampled_from(["Größe,", "株式会社:", "مرحبا", "👩\u200d🔧", "é" * 90]),
    max_size=25,
).map(" ".join)


@settings(deadline=None)
@given(NAME, NAME)
@example(
    "Muster Handels GmbH & Co. KG, Niederlassung Berlin, Einkauf: Solar <Dach>, Wärmepumpen, Speicher", "Leads, all"
)
@example("Muster Handels GmbH & Co. KG, Niederlassung Berlin, Abteilung Einkauf, eve@example.net, Halle 7", "x" * 2_000)
@example("a, " * 60 + "<eve@example.net>", "Leads: one; two <eve@example.net>, " * 5)
@example("x," * 900, "Ü, " * 60)
def test_recipient_and_sender_read_back_as_the_one_mailbox_that_was_meant(name: str, sender_name: str) -> None:
    """By two independent readers of the library; the name to the letter, where it is all in ASCII to the blank."""
    for address in ("ann@example.com", '"ann eve"@example.com', f"{'a' * 64}@{'b' * 60}.{'c' * 60}.example"):
        recipient, sender = Address(name, addr_spec=address), Address(sender_name, addr_spec="leads@example.com")
        content = mime_message(Email("<m@example.com>", "", "x", "x", "x"), sender, recipient, NOW)
        headers = content.split(b"\r\n\r\n", 1)[0]
        assert max(len(line) for line in headers.split(b"\r\n")) <= 998
        modern = cast(EmailMessage, message_from_bytes(content, policy=policy.default))
        legacy = message_from_bytes(content, policy=policy.compat32)
        for header, meant in (("To", recipient), ("From", sender)):
            [read] = modern[header].addresses
            assert (read.addr_spec, _letters(read.display_name)) == (
                meant.addr_spec,
                _letters(_header(meant.display_name)),
            )
            if len(one_line(meant.display_name)) < 400 and meant.display_name.isascii():
                assert read.display_name == _header(meant.display_name)
            [(_, plain)] = getaddresses([legacy[header]])
            assert plain == meant.addr_spec


def test_a_name_beside_an_address_beyond_ascii() -> None:
    recipient = address_of(
        mailbox("Muster Handels GmbH & Co. KG, Niederlassung Berlin, Einkauf, Dächer", "jörg@example.com")
    )
    assert recipient is not None
    email = Email("<m@example.com>", "", "Grüße", "x", "x")
    content = mime_message(email, sender_of("Leads <leads@example.com>"), recipient, NOW)
    [read] = cast(EmailMessage, message_from_string(content.decode(), policy=policy.default))["To"].addresses
    assert read.addr_spec == "jörg@example.com"


def _header(text: str) -> str:
    return one_line(text).replace("=?", "= ?")


def _letters(text: str) -> str:
    return "".join(text.split())


def _lines(text: str) -> list[str]:
    return re.split("\r\n|\r|\n", text.removesuffix("\n").removesuffix("\r"))


def test_a_lone_surrogate_is_no_outage() -> None:
    message = _parsed(Email("<m@example.com>", "ann@example.com", "a\udc80b", "<p>\udc80</p>", "\udc80"))
    assert message["Subject"] == "ab"


def test_the_message_id_is_the_same_at_every_attempt_and_survives_any_length() -> None:
    identity = message_id_of("0198c0de-0000-7000-8000-000000000001", f"Leads <leads@{'sub.' * 40}example.com>")
    assert identity == message_id_of("0198c0de-0000-7000-8000-000000000001", f"x@{'sub.' * 40}example.com")
    assert _parsed(Email(identity, "ann@example.com", "x", "x", "x"))["Message-ID"] == identity


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "@example.com",
        "ann@",
        "a b@example.com",
        "ann@example.com eve@example.com",
        "ann@example.com, eve@example.com",
        "friends: ann@example.com;",
        "ann@example.com\nBcc: eve@example.com",
        "ann@example.com\x00",
        "ann@" + "ü" * 80 + ".com",
    ],
)
def test_what_is_no_single_address(text: str) -> None:
    assert address_of(text) is None


def test_a_line_break_that_hides_in_an_encoded_word_is_no_address() -> None:
    assert address_of(f"{HIDDEN_BREAK} <ann@example.com>") is None
    assert address_of("=?utf-8?q?J=C3=B6rg?= <ann@example.com>") == Address("Jörg", "ann", "example.com")


@settings(deadline=None)
@given(st.text(st.sampled_from('a@.,;:<>()[]\\"= ?é\r\n\x00\u202e'), max_size=30) | st.text(max_size=30))
def test_any_text_is_one_address_or_none(text: str) -> None:
    address = address_of(text)
    if address is not None:
        assert address.username
        assert address.domain.isascii()
        assert one_line(str(address)) == str(address)


def test_a_sender_that_not_every_server_accepts_is_refused() -> None:
    with pytest.raises(ValueError, match="must be one address"):
        sender_of("jörg@example.com")
    assert sender_of("x@exämple.com").domain == "xn--exmple-cua.com"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (" a\r\nb\x0bc\x1cd\x85e\u2028f ", "a b c d e f"),
        ("a\x00b\x1b[2Jc\x7f\udc80", "ab[2Jc"),
        ("abc\u202ecod.exe\u200b\ufeff", "abccod.exe"),
        ("\u0645\u06cc\u200c\u062e 👩\u200d🔧", "\u0645\u06cc\u200c\u062e 👩\u200d🔧"),
    ],
)
def test_what_cannot_be_seen_is_gone_and_what_shapes_letters_stays(text: str, line: str) -> None:
    assert one_line(text) == line


@settings(deadline=None)
@given(st.text(max_size=300))
def test_one_line_is_one_line(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert line.encode("utf-8").decode("utf-8") == line
    assert one_line(line) == line


@settings(deadline=None)
@given(st.text(max_size=300))
def test_nothing_steers_the_screen(text: str) -> None:
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", for_a_screen(text))
