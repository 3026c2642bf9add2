"""Requests that have one effect however often they are sent: `Idempotency-Key`, in the effect's own transaction."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from fairlead.core.canonical import canonical_json
from fairlead.core.errors import BadInput, Refused
from fairlead.store.connection import Connection
from fairlead.store.idempotency import claim_key, keep_result

Result = TypeVar("Result")

LONGEST_KEY = 255


def _unnoticed() -> None:
    """For a caller that does not tell a repetition from the first."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A request that may be sent again: whose it is, its key, where it went to, and a digest of what it asks.

    Keys of different actors never meet. `actor_id` is that of the log-in or API key that sent the request.
    `on_replay` is called when the result is that of an earlier request.
    """

    actor_id: str
    key: str
    route: str
    fingerprint: str
    on_replay: Callable[[], None] = field(default=_unnoticed, compare=False, repr=False)


def idempotency_key_for(actor_id: str, key: str, route: str, asked: object) -> IdempotencyKey:
    """The request with this key that asks for `asked`, a value as JSON has it, whatever the order of its members.

    Raises `BadInput` for what is no key: it has 1 to 255 printable characters of ASCII.

    >>> first = idempotency_key_for("operator", "k-1", "POST /refunds", {"memo": "wrong number", "cents": 5})
    >>> first == idempotency_key_for("operator", "k-1", "POST /refunds", {"cents": 5, "memo": "wrong number"})
    True
    """
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise BadInput([f"Idempotency-Key: must be 1 to {LONGEST_KEY} printable ASCII characters"])
    return IdempotencyKey(actor_id, key, route, hashlib.sha256(canonical_json({"asked": asked})).hexdigest())


def run_idempotent(
    conn: Connection, idempotency_key: IdempotencyKey | None, result: type[Result], work: Callable[[], Result]
) -> Result:
    """What `work` returns, done in this transaction; or, where the key was used before, what it returned then.

    To be the first thing that its transaction does: one that is sent twice at once waits here for the other. The
    result, a dataclass, is stored as JSON and read back as it was, so it must hold nothing personal. What `work`
    raises leaves the key free. Without a request the work is simply done.

    Raises `Refused`: `idempotency_key_reused` when the key was used for something else, `idempotency_answer_lost` when
    a release stored the result that had another shape for it.
    """
    if idempotency_key is None:
        return work()
    stored = stored_body(conn, idempotency_key)
    adapter = TypeAdapter(result)
    if stored is None:
        done = work()
        keep_result(conn, idempotency_key.actor_id, idempotency_key.key, adapter.dump_python(done, mode="json"))
        return done
    idempotency_key.on_replay()
    try:
        return adapter.validate_python(stored)
    except ValidationError:
        raise answer_lost() from None


def stored_body(conn: Connection, idempotency_key: IdempotencyKey) -> dict[str, Any] | None:
    """What the request led to; None: it never was, and its key is this transaction's until it ends.

    To be the first thing that its transaction does: one that is sent twice at once waits here for the other. Raises
    `Refused`: `idempotency_key_reused` when the key was used for something else.
    """
    stored = claim_key(
        conn, idempotency_key.actor_id, idempotency_key.key, idempotency_key.route, idempotency_key.fingerprint
    )
    if stored is not None and (stored.route, stored.fingerprint) != (
        idempotency_key.route,
        idempotency_key.fingerprint,
    ):
        raise Refused("idempotency_key_reused", "the idempotency key was used for another request before")
    return None if stored is None else stored.body


def answer_lost() -> Refused:
    """Why a request that was carried out is not answered again."""
    return Refused(
        "idempotency_answer_lost",
        "the request with this idempotency key was carried out, but its answer cannot be read any more",
    )
