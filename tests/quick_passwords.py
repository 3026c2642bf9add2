"""Passwords that cost next to nothing, for tests whose subject is something else.

A real hash takes some 40 ms of a processor and a real rating some 30, on purpose; nearly every test over HTTP begins
with a user who has a password. What they are worth, and how long they take, is `tests/flows/access/test_passwords.py`'s
to test: there, and in the processes that tests start, they are real.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
from argon2 import PasswordHasher
from zxcvbn import zxcvbn

from fairlead.flows.access import passwords

_hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, hash_len=32, salt_len=16)


def use_quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes are of the same kind, with the least parameters; the same password of the same user is rated once."""
    monkeypatch.setattr(passwords, "_MEMORY_KIB", _hasher.memory_cost)
    monkeypatch.setattr(passwords, "_PASSES", _hasher.time_cost)
    monkeypatch.setattr(passwords, "_hasher", _hasher)
    monkeypatch.setattr(passwords, "zxcvbn", _rated_once)


def _rated_once(text: str, user_inputs: Sequence[str]) -> dict[str, Any]:
    return _rated(text, tuple(user_inputs))


@cache
def _rated(text: str, user_inputs: tuple[str, ...]) -> dict[str, Any]:
    return {**zxcvbn(text, user_inputs=list(user_inputs))}
