"""A consumer erases its own request, by the link in its messages."""

from dataclasses import dataclass

from fairlead.core.errors import Refused
from fairlead.flows.access.principal import Client
from fairlead.flows.erasure.erase import ErasureCause, erase_locked
from fairlead.flows.idempotency import IdempotencyKey, run_idempotent
from fairlead.flows.intake.own_request import find_lead_of_link
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.erasure import lock_for_erasure


@dataclass(frozen=True, slots=True)
class ErasedRequest:
    """A request that is erased. With `was_passed_on` so many companies had it, and are told to erase it, too."""

    was_passed_on: bool
    told_count: int


def erase_request(
    database: Database, token: str, client: Client, idempotency_key: IdempotencyKey | None = None
) -> ErasedRequest:
    """Nothing personal of the request that the link leads to is left, and the link leads nowhere any more.

    As `erase_lead` does it. What is no link is counted as an attempt. With a key the same request has the same answer
    again, although the link is gone.

    Raises `Throttled`, and `Refused`: `token_refused`, `idempotency_key_reused`.
    """
    lead_id = find_lead_of_link(database, token, client)
    cause = ErasureCause(Actor("consumer", "system", client.request_id), "consumer", "consumer_request")

    def work(conn: Connection) -> ErasedRequest:
        erased = [] if lead_id is None else erase_locked(conn, lock_for_erasure(conn, [lead_id]), cause)
        if not erased or erased[0].was_already:
            raise Refused("token_refused", "the link has expired, or it never was a link")
        return ErasedRequest(erased[0].told_count > 0, erased[0].told_count)

    return database.run(lambda conn: run_idempotent(conn, idempotency_key, ErasedRequest, lambda: work(conn)))
