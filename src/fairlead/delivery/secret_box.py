"""Secrets at rest: what has to be read again, such as the secret that signs a provider's webhooks, is kept sealed."""

import hashlib
import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fairlead.core.errors import FairleadError
from fairlead.settings import Settings, SettingsError

_KEY_BYTES = 32
_VERSION = b"\x01"
_KEY_ID_BYTES = 8
_NONCE_BYTES = 12
HEAD_BYTES = len(_VERSION) + _KEY_ID_BYTES
"""So many bytes at the beginning of a sealed secret say which key sealed it."""
_TAG_BYTES = 16
_VARIABLE = "FAIRLEAD_ENCRYPTION_KEYS"


class SecretUnreadable(FairleadError):
    """A sealed secret cannot be opened: its key is not at hand, or it is not what was sealed for this owner."""


class SecretBox:
    """Seals secrets with the first of its keys and opens what any of them sealed, so that keys can be exchanged.

    A sealed secret is: version (1 byte), id of the key (8), nonce (12), AES-256-GCM ciphertext and tag. The id is a
    hash of the key and says which one to take; version, id and owner are authenticated with the text. Nonces are
    random, which is safe for four thousand million secrets to a key.
    """

    __slots__ = ("_ciphers", "_first_id")

    def __init__(self, keys: Sequence[bytes]) -> None:
        """`keys`: at least one, 32 bytes each, no two alike; else `ValueError`."""
        if not keys or any(len(key) != _KEY_BYTES for key in keys) or len({*keys}) != len(keys):
            raise ValueError(f"a secret box needs different keys of {_KEY_BYTES} bytes each, at least one")
        self._first_id = _key_id(keys[0])
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}

    def seal(self, secret: str, owner: str) -> bytes:
        """The secret, encrypted for `owner`: what it belongs to, such as an endpoint's id. Never the same bytes twice.

        It can be opened for that owner only, so it cannot be put into another row and have it used there.
        """
        head = _VERSION + self._first_id
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return head + nonce + self._ciphers[self._first_id].encrypt(nonce, secret.encode(), _bound(head, owner))

    def open(self, sealed: bytes, owner: str) -> str:
        """The secret that was sealed for `owner`. `SecretUnreadable` for any other bytes, owner or key."""
        if len(sealed) < HEAD_BYTES + _NONCE_BYTES + _TAG_BYTES or sealed[:1] != _VERSION:
            raise SecretUnreadable("a stored secret is not in a form that this release knows")
        head, nonce = sealed[:HEAD_BYTES], sealed[HEAD_BYTES : HEAD_BYTES + _NONCE_BYTES]
        cipher = self._ciphers.get(head[len(_VERSION) :])
        if cipher is None:
            raise SecretUnreadable(f"a stored secret was sealed with a key that is not among {_VARIABLE}")
        try:
            return cipher.decrypt(nonce, sealed[HEAD_BYTES + _NONCE_BYTES :], _bound(head, owner)).decode()
        except InvalidTag:
            raise SecretUnreadable("a stored secret was changed, or belongs to something else") from None

    def has_key_of(self, head: bytes) -> bool:
        """Whether one of the keys sealed what begins like this (`HEAD_BYTES`)."""
        return head[: len(_VERSION)] == _VERSION and head[len(_VERSION) : HEAD_BYTES] in self._ciphers

    def is_current(self, sealed: bytes) -> bool:
        """Whether the first key sealed it. While one is not, the key that did must stay among the keys."""
        return sealed[:HEAD_BYTES] == _VERSION + self._first_id


def secret_box(settings: Settings) -> SecretBox:
    """The box with the keys of FAIRLEAD_ENCRYPTION_KEYS.

    Raises SettingsError when there are none or one is malformed: one line, which never repeats a value.
    """
    if settings.encryption_keys is None:
        raise SettingsError(f"{_VARIABLE}: must hold at least one key, the base64 of {_KEY_BYTES} random bytes")
    return SecretBox(keys_in(settings.encryption_keys.get_secret_value(), _VARIABLE))


def keys_in(text: str, where: str) -> list[bytes]:
    """The keys of the text, separated by commas; `where` it stands is what an error names.

    Raises SettingsError when one is malformed or there twice: one line, which never repeats a value.
    """
    keys: list[bytes] = []
    for number, part in enumerate(text.split(","), start=1):
        key = _key_from_text(part.strip())
        if key is None:
            raise SettingsError(f"{where}: key {number} is not the base64 of {_KEY_BYTES} bytes")
        if key in keys:
            raise SettingsError(f"{where}: key {number} is there already")
        keys.append(key)
    return keys


def new_secret_key() -> str:
    """A new random key as FAIRLEAD_ENCRYPTION_KEYS takes it: 44 characters of base64.

    >>> len(new_secret_key()), new_secret_key() == new_secret_key()
    (44, False)
    """
    return b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def _key_from_text(text: str) -> bytes | None:
    try:
        key = b64decode(text, validate=True)
    except ValueError:
        return None
    return key if len(key) == _KEY_BYTES else None


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"fairlead secret key id\x00" + key).digest()[:_KEY_ID_BYTES]


def _bound(head: bytes, owner: str) -> bytes:
    return head + owner.encode()
