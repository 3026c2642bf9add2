"""Second factors: codes of an authenticator app (TOTP, RFC 6238), and recovery codes."""

import secrets
from base64 import b32encode
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO

import segno
from pyotp import random_base32
from pyotp.exceptions import OTPVerificationError
from pyotp.totp import TOTP

from fairlead.flows.access.tokens import hash_of

STEP_SECONDS = 30
ISSUER = "Fairlead"
RECOVERY_CODE_COUNT = 10
# One step early or late: clocks of telephones are seldom further off, and every further step helps an attacker who
# guesses.
_STEPS_OF_SKEW = 1
_DIGITS = 6
_RECOVERY_BYTES = 15  # 120 bits: a plain hash of it is safe to keep
_GROUP = 4


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs, shown once: the seed to type, the same as a URI, and that as a QR code (SVG)."""

    seed: str = field(repr=False)
    uri: str = field(repr=False)
    qr_svg: str = field(repr=False)


def new_seed() -> str:
    """160 random bits in base32, as authenticator apps take them."""
    return random_base32()


def enrolment_of(seed: str, email: str) -> Enrolment:
    """The seed as it is shown to the user who enrols."""
    uri = TOTP(seed, digits=_DIGITS, interval=STEP_SECONDS).provisioning_uri(name=email, issuer_name=ISSUER)
    svg = BytesIO()
    # A picture of its own, not a part of a page: without its namespace no browser shows it as an image.
    segno.make(uri, error="m").save(
        svg, kind="svg", scale=5, border=4, dark="#000", light="#fff", omitsize=True, xmldecl=False, nl=False
    )
    return Enrolment(seed, uri, svg.getvalue().decode())


def step_of(seed: str, code: str, now: datetime) -> int | None:
    """The 30-second step whose code this is: the one of `now`, the one before or the one after; else None."""
    if not is_totp_code(code):
        return None
    totp = TOTP(seed, digits=_DIGITS, interval=STEP_SECONDS)
    try:
        return totp.verify_and_get_timecode(bare(code), for_time=now, valid_window=_STEPS_OF_SKEW)
    except OTPVerificationError:
        return None


def is_totp_code(code: str) -> bool:
    """Whether the text looks like a code of an app, rather than a recovery code.

    >>> is_totp_code("123 456"), is_totp_code("abcd-efgh"), is_totp_code("\N{ARABIC-INDIC DIGIT ONE}23456")
    (True, False, False)
    """
    text = bare(code)
    return len(text) == _DIGITS and text.isascii() and text.isdigit()


def new_recovery_codes() -> tuple[str, ...]:
    """Ten codes that open a login once each, without the app: six groups of four letters and digits."""
    return tuple(_grouped(b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode()) for _ in range(RECOVERY_CODE_COUNT))


def hash_of_recovery_code(code: str) -> bytes:
    """What is kept of a recovery code; the same however it is typed.

    >>> hash_of_recovery_code("ABCD-EFGH") == hash_of_recovery_code(" abcd efgh ")
    True
    """
    return hash_of("recovery code " + bare(code).upper())


def bare(code: str) -> str:
    """The code without what people put in between to read it."""
    return "".join(code[:100].replace("-", " ").split())


def _grouped(text: str) -> str:
    return "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP)).lower()
