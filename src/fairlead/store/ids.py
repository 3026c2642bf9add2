"""Where ids come from."""

import secrets

from uuid_utils import uuid7


def new_id() -> str:
    """A version 7 UUID, as text: rising with time, so that rows written together lie together."""
    return str(uuid7())


def new_salt() -> bytes:
    """16 random bytes for a commitment."""
    return secrets.token_bytes(16)
