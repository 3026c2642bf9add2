"""Whole requests that have one effect however often they are sent, with the answer that they had the first time.

`flows.idempotency` is for a verb that is one transaction. Here a request may be several verbs, and what is shown after
them: all of it is one transaction with the request's key and its answer, so there is no moment in which one of these is
there without the others.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fairlead.core.errors import Refused
from fairlead.delivery.secret_box import SecretBox, SecretUnreadable
from fairlead.flows.idempotency import IdempotencyKey, answer_lost, stored_body
from fairlead.store.connection import Connection, Database
from fairlead.store.idempotency import keep_result
from fairlead.store.joined import JoinedDatabase


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What was answered, as JSON has it, and the headers that belong to it. It may hold a secret."""

    body: Any = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class AnswerRetention:
    """How answers are kept: sealed with `box`, or as they are without one.

    Neither is for what `is_personal`: of that the key alone is kept, and a repetition is answered with what there is by
    then. Only for work that, done again, changes nothing.
    """

    box: SecretBox | None
    holds_secret: bool = False
    is_personal: bool = False


def run_request_idempotent(
    database: Database,
    idempotency_key: IdempotencyKey,
    keeping: AnswerRetention,
    work: Callable[[Database], KeptAnswer],
) -> KeptAnswer:
    """What `work` answers, done in one transaction with the key; or, where the key was used before, what it did then.

    `work` is handed the database that it is to use, and is run again from its start after a transient error. One that
    is sent twice at once waits for the other. The key is locked first. What `work` raises leaves the key free.

    Raises `Refused`: `idempotency_key_reused` when the key was used for something else, `encryption_keys_missing` where
    the answer holds a secret and there is no box, `idempotency_answer_lost` where it was sealed with a key that is not
    at hand any more.
    """
    if keeping.holds_secret and keeping.box is None:
        raise Refused(
            "encryption_keys_missing",
            "this answer can be kept for a repetition only where FAIRLEAD_ENCRYPTION_KEYS is set",
        )

    def whole(conn: Connection) -> KeptAnswer:
        joined = JoinedDatabase(database, conn)
        stored = stored_body(conn, idempotency_key)
        if stored is None:
            done = work(joined)
            keep_result(conn, idempotency_key.actor_id, idempotency_key.key, _kept(done, idempotency_key, keeping))
            return done
        idempotency_key.on_replay()
        return work(joined) if keeping.is_personal else _read(stored, idempotency_key, keeping)

    return database.run(whole)


def _kept(done: KeptAnswer, idempotency_key: IdempotencyKey, keeping: AnswerRetention) -> dict[str, Any]:
    if keeping.is_personal:
        return {}
    answer = {"body": done.body, "headers": dict(done.headers)}
    if keeping.box is None:
        return {"answer": answer}
    return {"sealed": b64encode(keeping.box.seal(json.dumps(answer), _owner(idempotency_key))).decode()}


def _read(stored: Mapping[str, Any], idempotency_key: IdempotencyKey, keeping: AnswerRetention) -> KeptAnswer:
    if "answer" in stored:
        return KeptAnswer(**stored["answer"])
    if keeping.box is None or "sealed" not in stored:
        raise answer_lost()
    try:
        return KeptAnswer(**json.loads(keeping.box.open(b64decode(stored["sealed"]), _owner(idempotency_key))))
    except SecretUnreadable:
        raise answer_lost() from None


def _owner(idempotency_key: IdempotencyKey) -> str:
    """What the answer is sealed for: put into another row, it cannot be read there."""
    return f"answer to {idempotency_key.actor_id} {idempotency_key.key}"
