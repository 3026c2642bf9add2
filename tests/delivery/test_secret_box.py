"""Secrets at rest: sealed for one owner, by keys that can be exchanged, and never half-read."""

from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from fairlead.delivery.secret_box import SecretBox, SecretUnreadable, new_secret_key, secret_box
from fairlead.settings import Settings, SettingsError

OLD, NEW, OTHER = (bytes([number]) * 32 for number in (1, 2, 3))
ENDPOINT = "01900000-0000-7000-8000-000000000000"
SECRET = "whsec_c2VjcmV0"


def box_of(text: str | None) -> SecretBox:
    return secret_box(Settings(encryption_keys=None if text is None else SecretStr(text)))


@settings(deadline=None)
@given(secret=st.text(st.characters(codec="utf-8")), owner=st.text(st.characters(codec="utf-8")))
def test_what_is_sealed_can_be_opened(secret: str, owner: str) -> None:
    box = SecretBox([NEW, OLD])
    assert box.open(box.seal(secret, owner), owner) == secret


def test_the_secret_does_not_show_and_no_two_seals_are_alike() -> None:
    box = SecretBox([NEW])
    sealed = {box.seal(SECRET, ENDPOINT) for _ in range(20)}
    assert len(sealed) == 20
    assert not any(SECRET.encode() in each for each in sealed)


def test_keys_can_be_exchanged() -> None:
    sealed = SecretBox([OLD]).seal(SECRET, ENDPOINT)
    both = SecretBox([NEW, OLD])
    assert both.open(sealed, ENDPOINT) == SECRET
    assert not both.is_current(sealed)
    again = both.seal(SECRET, ENDPOINT)
    assert both.is_current(again)
    assert SecretBox([NEW]).open(again, ENDPOINT) == SECRET
    with pytest.raises(SecretUnreadable, match="not among FAIRLEAD_ENCRYPTION_KEYS"):
        SecretBox([NEW]).open(sealed, ENDPOINT)


def test_a_secret_is_of_no_use_in_another_row() -> None:
    box = SecretBox([NEW])
    with pytest.raises(SecretUnreadable, match="belongs to something else"):
        box.open(box.seal(SECRET, ENDPOINT), ENDPOINT.replace("9", "8"))


def test_every_changed_bit_is_noticed() -> None:
    box = SecretBox([NEW, OTHER])
    sealed = box.seal(SECRET, ENDPOINT)
    for position in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[position // 8] ^= 1 << position % 8
        with pytest.raises(SecretUnreadable):
            box.open(bytes(changed), ENDPOINT)


def test_every_truncation_is_noticed() -> None:
    box = SecretBox([NEW])
    sealed = box.seal("", ENDPOINT)
    assert box.open(sealed, ENDPOINT) == ""
    for length in range(len(sealed)):
        with pytest.raises(SecretUnreadable):
            box.open(sealed[:length], ENDPOINT)
    with pytest.raises(SecretUnreadable):
        box.open(sealed + b"\x00", ENDPOINT)


def test_no_complaint_repeats_a_secret() -> None:
    box = SecretBox([NEW])
    with pytest.raises(SecretUnreadable) as caught:
        box.open(SECRET.encode() * 4, ENDPOINT)
    assert SECRET not in str(caught.value)
    assert NEW.hex() not in repr(box) + str(vars(type(box)))


@pytest.mark.parametrize("keys", [[], [b"short"], [NEW, b""], [NEW, NEW], [NEW + b"\x00"]])
def test_what_cannot_be_a_box(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="different keys of 32 bytes"):
        SecretBox(keys)


def test_the_keys_come_from_the_settings_in_their_order() -> None:
    texts = [b64encode(key).decode() for key in (NEW, OLD)]
    box = box_of(f" {texts[0]} ,\n{texts[1]}")
    assert box.open(SecretBox([OLD]).seal(SECRET, ENDPOINT), ENDPOINT) == SECRET
    assert box.is_current(SecretBox([NEW]).seal(SECRET, ENDPOINT))


def test_a_new_key_is_one_that_the_settings_take() -> None:
    text = new_secret_key()
    assert box_of(text).open(box_of(text).seal(SECRET, ENDPOINT), ENDPOINT) == SECRET


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "must hold at least one key"),
        ("not base64 at all!", "key 1 is not the base64 of 32 bytes"),
        ("c2hvcnQ=", "key 1 is not"),
        (b64encode(NEW).decode().replace("A", "A!", 1), "key 1 is not"),
        (b64encode(NEW).decode() + ",", "key 2 is not"),
        (b64encode(NEW).decode() + ",ключ", "key 2 is not"),
        (b64encode(NEW).decode()[:-1], "key 1 is not"),
        (b64encode(NEW + b"\x00").decode(), "key 1 is not"),
        (b64encode(NEW).decode() + "," + b64encode(NEW).decode(), "key 2 is there already"),
    ],
)
def test_bad_keys_are_one_line_that_names_the_variable_and_keeps_the_value(text: str | None, complaint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        box_of(text)
    message = str(caught.value)
    assert message.startswith("FAIRLEAD_ENCRYPTION_KEYS: ")
    assert complaint in message
    assert "\n" not in message
    assert not any(part and part in message for part in (text or "").split(","))
    assert caught.value.__cause__ is None
