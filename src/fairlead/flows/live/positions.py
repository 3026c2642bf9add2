"""Where a client stands in the feed, as text: what a message carries as `id`, and `last_id` brings back."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from fairlead.core.errors import BadInput

WHOLE = 1_000_000
"""Beyond the number of any message of an entry."""

_OF_OPERATORS = re.compile(r"(0|[1-9][0-9]{0,17})(?:-(0|[1-9][0-9]{0,4}))?")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """After this message of this entry; by default after all of them."""

    entry_id: int
    number: int = WHOLE

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the entry is left to send."""
        return self.number == WHOLE


def operator_id(position: Position) -> str:
    """The position as operators see it: `<entry>-<number of the message>`, or `<entry>` after all of it.

    >>> operator_id(Position(123, 4)), operator_id(Position(123))
    ('123-4', '123')
    """
    return str(position.entry_id) if position.is_whole else f"{position.entry_id}-{position.number}"


def operator_position(text: str) -> Position:
    """The position that `operator_id` wrote. Raises `BadInput`.

    >>> operator_position("123-4"), operator_position("123").is_whole
    (Position(entry_id=123, number=4), True)
    """
    found = _OF_OPERATORS.fullmatch(text)
    if found is None:
        raise _no_id()
    return Position(int(found[1]), WHOLE if found[2] is None else int(found[2]))


def provider_id_text(position: Position, provider_id: str, secret: bytes) -> str:
    """The position as this provider sees it. An entry has one message at most for a provider, so it is always whole.

    Sealed: the number of an entry would tell how much happens in the marketplace, which is no provider's business.
    """
    sealed = AESSIV(secret).encrypt(position.entry_id.to_bytes(8, "big"), [UUID(provider_id).bytes])
    return urlsafe_b64encode(sealed).decode()


def provider_position(text: str, provider_id: str, secret: bytes) -> Position:
    """The position that `provider_id_text` wrote for this provider. Raises `BadInput`, also for another provider's.

    >>> own, other = "01900000-0000-7000-8000-000000000001", "01900000-0000-7000-8000-000000000002"
    >>> text = provider_id_text(Position(123), own, bytes(32))
    >>> provider_position(text, own, bytes(32)).entry_id
    123
    >>> provider_position(text, other, bytes(32))
    Traceback (most recent call last):
        ...
    fairlead.core.errors.BadInput: last_id: is no id of this feed
    """
    try:
        opened = AESSIV(secret).decrypt(urlsafe_b64decode(text), [UUID(provider_id).bytes])
    except (ValueError, InvalidTag):
        raise _no_id() from None
    return Position(int.from_bytes(opened, "big"))


def _no_id() -> BadInput:
    return BadInput(["last_id: is no id of this feed"])
