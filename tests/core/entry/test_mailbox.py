"""Email addresses: one canonical mailbox for all its writings, and refused what no mail reaches."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.entry.mailbox import LONGEST_EMAIL, canonical_mailbox, mailbox_key
from fairlead.core.entry.refusal import EntryRefused


@pytest.mark.parametrize(
    ("text", "address", "key"),
    [
        ("Fred.Bloggs@Bloggsco.example", "Fred.Bloggs@bloggsco.example", "fred.bloggs@bloggsco.example"),
        (" ann@example.com\u00a0", "ann@example.com", "ann@example.com"),
        ("\u202aann@example.com\u202c", "ann@example.com", "ann@example.com"),
        ("ann@\uff45\uff58\uff41\uff4d\uff50\uff4c\uff45.com", "ann@example.com", "ann@example.com"),
        ("ann@example。com", "ann@example.com", "ann@example.com"),
        ("a@MU\u0308LLER.de", "a@müller.de", "a@xn--mller-kva.de"),
        ("a@xn--mller-kva.de", "a@müller.de", "a@xn--mller-kva.de"),
        ("a@faß.de", "a@faß.de", "a@xn--fa-hia.de"),
        ("Jo\u0308rg@example.com", "Jörg@example.com", "jörg@example.com"),
        ("\uff21\uff2e\uff2e@example.com", "\uff21\uff2e\uff2e@example.com", "ann@example.com"),
        ("İ@example.com", "İ@example.com", "i̇@example.com"),
        ("a@market.test", "a@market.test", "a@market.test"),
        ("pump@corp.local", "pump@corp.local", "pump@corp.local"),
        ("o'neil+x%y@example.org", "o'neil+x%y@example.org", "o'neil+x%y@example.org"),
    ],
)
def test_one_form_to_send_to_and_one_to_compare(text: str, address: str, key: str) -> None:
    mailbox = canonical_mailbox(text)
    assert (mailbox.address, mailbox.key) == (address, key)
    assert mailbox_key(text) == key


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("sales@harbour.example,", "without punctuation behind it"),
        ("sales@inlet.example.", "without punctuation behind it"),
        ("mailto:sales@jetty.example", "without mailto:"),
        ("Ann <ann@example.com>", "alone, without a name"),
        ("a@example.com, b@example.com", "only one"),
        ("a@example.com;b@example.com", "only one"),
        ('"victim"@example.com', "without quotes and comments"),
        ('"v\\ictim"@example.com', "without quotes and comments"),
        ("(1)victim@example.com", "without quotes and comments"),
        ("victim@example.com(1)", "without quotes and comments"),
        ("not an address", "such as ada@example.com"),
        ("ann@localhost", "such as"),
        ("ann@gmail", "such as"),
        ("a@[127.0.0.1]", "such as"),
        ("a@b.invalid", "such as"),
        ("a..b@example.com", "such as"),
        ("a b@example.com", "such as"),
        ("ann@exa\u202emple.com", "such as"),
        ("ann@example.com\nBcc: eve@example.com", "only one"),
        ("ann\ud800@example.com", "such as"),
        ("a@xn--zzzzzzzzzzzz99999999.de", "such as"),
        ("a@" + "x" * 300 + ".de", "at most 254 characters"),
        ("x" * 5_000, "at most 254 characters"),
        ("", "such as"),
    ],
)
def test_what_is_not_one_reachable_address_is_refused_with_a_hint(text: str, hint: str) -> None:
    with pytest.raises(EntryRefused, match=hint) as refused:
        canonical_mailbox(text)
    assert refused.value.code == "not_a_mailbox"
    assert text == "" or text not in refused.value.message


def test_what_stands_behind_a_plus_is_the_same_owner() -> None:
    assert canonical_mailbox("Ann+1@Example.COM").owner_key == canonical_mailbox("ann@example.com").owner_key
    assert canonical_mailbox("+1@example.com").owner_key == "+1@example.com"


parts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=40)


@given(st.one_of(st.text(), st.builds("{}@{}.{}".format, parts, parts, st.sampled_from(["de", "example", "한국"]))))
def test_the_canonical_form_is_its_own_and_that_of_every_equal_text(text: str) -> None:
    try:
        mailbox = canonical_mailbox(text)
    except EntryRefused:
        assert mailbox_key(text) is not None
        return
    assert canonical_mailbox(mailbox.address) == mailbox
    assert canonical_mailbox(f"{mailbox.local_part}@{mailbox.ascii_domain}") == mailbox
    assert canonical_mailbox(unicodedata.normalize("NFD", text)) == mailbox
    assert len(mailbox.address.encode()) <= LONGEST_EMAIL
    assert mailbox.ascii_domain.isascii()
