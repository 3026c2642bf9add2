"""Tokens: random texts that open something, of which only a hash is ever kept."""

import hashlib
import hmac
import secrets
from base64 import b32encode, urlsafe_b64encode
from dataclasses import dataclass, field

_TOKEN_BYTES = 32
_KEY_PREFIX_CHARACTERS = 12
_KEY_SECRET_CHARACTERS = 52  # 256 bits in base32


def new_token() -> str:
    """256 random bits, as 43 characters that a URL may hold."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def hash_of(token: str) -> bytes:
    """What is kept of a token. A plain hash is enough: 2^256 of them cannot be tried out.

    >>> hash_of("a") == hash_of("a"), len(hash_of("a"))
    (True, 32)
    """
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def token_from(token: str, purpose: str) -> str:
    """The token for another purpose that follows from this one, for who holds this one alone.

    >>> token_from("a", "x") == token_from("a", "x"), token_from("a", "x") == token_from("a", "y")
    (True, False)
    """
    digest = hmac.digest(token.encode("utf-8", "replace"), purpose.encode(), "sha256")
    return urlsafe_b64encode(digest).decode().rstrip("=")


def is_same(one: bytes, other: bytes) -> bool:
    """Whether two hashes are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(one, other)


@dataclass(frozen=True, slots=True)
class KeyText:
    """An API key as its holder has it: `fl_<prefix>_<secret>`. The prefix finds it, the secret proves it."""

    prefix: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """The whole key."""
        return f"fl_{self.prefix}_{self.secret}"


def new_key() -> KeyText:
    """A new key, its secret 256 random bits, in letters and digits that a double click selects whole."""
    random = b32encode(secrets.token_bytes(40)).decode().lower()
    return KeyText(random[:_KEY_PREFIX_CHARACTERS], random[_KEY_PREFIX_CHARACTERS:])


def key_of(text: str) -> KeyText | None:
    """The key that the text is; None for any other text.

    >>> key_of(new_key().text) is None, key_of("fl_x_y"), key_of("") is None
    (False, None, True)
    """
    parts = text.split("_")
    if len(parts) != 3 or parts[0] != "fl":
        return None
    if (len(parts[1]), len(parts[2])) != (_KEY_PREFIX_CHARACTERS, _KEY_SECRET_CHARACTERS):
        return None
    return KeyText(parts[1], parts[2])
