"""Passwords: which are good enough, and how they are kept (argon2id)."""

import secrets
import threading
import unicodedata
from base64 import b64encode

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from fairlead.core.errors import BadInput, Unavailable

MIN_CHARACTERS = 12
MAX_CHARACTERS = 128
MIN_GUESSES = 10**8
"""So many guesses zxcvbn must think that it takes (its score 3: holds against a slow attack on a stolen hash)."""
RATED_CHARACTERS = 72
"""Rating costs the square of the length and more; what is beyond these characters can only make it harder to guess."""

# OWASP's password storage cheat sheet: 19 MiB, two passes, one lane; some 70 ms.
_MEMORY_KIB, _PASSES, _LANES = 19_456, 2, 1
_hasher = PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES, hash_len=32, salt_len=16)

# Each takes a core and 19 MiB: so many logins at once neither starve the rest of the process nor exhaust its memory.
_AT_ONCE = 3
_PATIENCE_SECONDS = 10.0
_slots = threading.BoundedSemaphore(_AT_ONCE)
_rating = threading.Lock()


def check_password(password: str, *others: str) -> None:
    """Raises `BadInput`, which never repeats it, unless the password will do for a user with this email and name.

    12 to 128 characters of any kind: no rule says which, since such rules make passwords weaker. What an attacker tries
    first is refused: common passwords and words, names, dates and keyboard rows, the email and the name, and what is
    made of them by capitals, digits, repetition or look-alikes (D. L. Wheeler, zxcvbn, USENIX Security 2016). Takes up
    to some 30 ms.
    """
    text = _normal(password)
    if len(text) < MIN_CHARACTERS or len(password) > MAX_CHARACTERS:
        raise BadInput([f"password: must have {MIN_CHARACTERS} to {MAX_CHARACTERS} characters"])
    if text.casefold() in {_normal(other).casefold() for other in others}:
        raise BadInput(["password: must not be the email address or the name"])
    # The library keeps `user_inputs` in one dictionary of the module: beside another rating, this one would be held
    # against the other user's email and name.
    with _rating:
        rated = zxcvbn(text[:RATED_CHARACTERS], user_inputs=[_normal(other) for other in others])
    if rated["guesses"] < MIN_GUESSES:
        raise BadInput(["password: is easy to guess; take a longer one, or several words that do not belong together"])


def hash_password(password: str) -> str:
    """What is kept of the password. Takes some 70 ms: never under a lock. Raises `Unavailable` in a flood of them."""
    with _Slot():
        return _hasher.hash(_normal(password))


def is_password(password_hash: str | None, password: str) -> bool:
    """Whether the hash is of this password. Without a hash: no, after just as much work.

    Never under a lock. Raises `Unavailable` in a flood of them.
    """
    is_possible = password_hash is not None and len(password) <= MAX_CHARACTERS
    text = _normal(password[:MAX_CHARACTERS])
    with _Slot():
        try:
            return _hasher.verify(password_hash or _stand_in_hash(), text) and is_possible
        except (VerificationError, InvalidHashError):
            return False


def needs_rehash(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def _stand_in_hash() -> str:
    """A hash in today's parameters that no password has."""
    salt, tag = (b64encode(secrets.token_bytes(count)).decode().rstrip("=") for count in (16, 32))
    return f"$argon2id$v=19$m={_MEMORY_KIB},t={_PASSES},p={_LANES}${salt}${tag}"


def _normal(text: str) -> str:
    """The same text for the same keys, whichever system composed the characters (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", text)


class _Slot:
    def __enter__(self) -> None:
        if not _slots.acquire(timeout=_PATIENCE_SECONDS):
            raise Unavailable("too many passwords are being checked at once; try again")

    def __exit__(self, *_: object) -> None:
        _slots.release()
