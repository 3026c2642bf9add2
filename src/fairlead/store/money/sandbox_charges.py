"""What was chosen on the test gateway's page: the only memory that gateway has."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import one_row


@dataclass(frozen=True, slots=True)
class SandboxChargeRow:
    """What was chosen for a request; `is_due` once the gateway says so."""

    answer: str
    amount_cents: int
    currency: str
    is_due: bool


def sandbox_charge(conn: Connection, request_id: str, now: datetime) -> SandboxChargeRow | None:
    """What was chosen for the request; None: nothing yet."""
    return one_row(
        conn,
        SandboxChargeRow,
        """
        select answer, amount_cents, currency, answers_at <= %s as is_due
        from sandbox_charges where request_id = %s
        """,
        (now, request_id),
    )


def insert_sandbox_charge(
    conn: Connection,
    request_id: str,
    provider_id: str,
    answer: str,
    amount_cents: int,
    currency: str,
    answers_at: datetime,
) -> bool:
    """This is what was chosen for the request. False, and nothing is changed, where it was chosen before."""
    done = conn.execute(
        """
        insert into sandbox_charges (request_id, provider_id, answer, amount_cents, currency, answers_at)
        values (%s, %s, %s, %s, %s, %s) on conflict do nothing
        """,
        (request_id, provider_id, answer, amount_cents, currency, answers_at),
    )
    return done.rowcount == 1
