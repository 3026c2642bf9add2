"""Payments in doubt: what a gateway reported that no rule settles, each told once, until an operator resolves it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, LiteralString

from fairlead.core.money.payments import DoubtKind
from fairlead.store.connection import Connection
from fairlead.store.row_counts import change_rows
from fairlead.store.typed_rows import all_rows

Resolution = Literal["credited", "closed"]


@dataclass(frozen=True, slots=True)
class NewDoubt:
    """A doubt as it is noticed. `subject` is what it is about, as the gateway names it."""

    doubt_id: str
    kind: DoubtKind
    gateway: str
    subject: str
    request_id: str | None
    charge_reference: str | None
    amount_cents: int | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class PaymentDoubt:
    """A payment in doubt, with the provider and the amount that were asked for, where a request of ours is known.

    `payment_id` is the payment that the charge was credited as, if it was.
    """

    doubt_id: str
    kind: str
    gateway: str
    request_id: str | None
    provider_id: str | None
    provider_name: str | None
    requested_cents: int | None
    requested_currency: str | None
    charge_reference: str | None
    amount_cents: int | None
    currency: str | None
    noticed_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: Resolution | None
    memo: str | None
    payment_id: str | None


_DOUBTS: LiteralString = """
    select d.id::text as doubt_id, d.kind, d.gateway, d.request_id::text, r.provider_id::text, o.name as provider_name,
           r.amount_cents as requested_cents, r.currency as requested_currency, d.charge_reference, d.amount_cents,
           d.currency, d.noticed_at, d.resolved_at, d.resolved_by, d.resolution, d.memo, p.id::text as payment_id
    from payment_doubts d
    left join payment_requests r on r.id = d.request_id
    left join providers o on o.id = r.provider_id
    left join payments p on p.gateway = d.gateway and p.external_id = d.charge_reference"""


def insert_doubt(conn: Connection, doubt: NewDoubt, now: datetime) -> bool:
    """The doubt waits for an operator. False, and nothing is changed, where it was noticed before."""
    done = conn.execute(
        """
        insert into payment_doubts (id, kind, gateway, subject, request_id, charge_reference, amount_cents, currency,
                                    noticed_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (gateway, kind, subject) do nothing
        """,
        (
            doubt.doubt_id,
            doubt.kind.value,
            doubt.gateway,
            doubt.subject,
            doubt.request_id,
            doubt.charge_reference,
            doubt.amount_cents,
            doubt.currency,
            now,
        ),
    )
    return done.rowcount == 1


def is_in_doubt(conn: Connection, gateway: str, subject: str, kinds: Collection[DoubtKind]) -> bool:
    """Whether what the gateway calls this is, or was, in doubt for one of these reasons."""
    return conn.execute(
        """
        select exists (select from payment_doubts where gateway = %s and kind = any(%s::text[]) and subject = %s)
        """,
        (gateway, sorted(kind.value for kind in kinds), subject),
    ).fetchall()[0][0]


def lock_doubt(conn: Connection, doubt_id: str) -> PaymentDoubt | None:
    """The doubt, locked until the transaction ends; None when there is none. Comes before payment requests."""
    locked = conn.execute("select from payment_doubts where id = %s for no key update", (doubt_id,)).rowcount
    return payment_doubt(conn, doubt_id) if locked else None


def payment_doubt(conn: Connection, doubt_id: str) -> PaymentDoubt | None:
    """The doubt; None when there is none. Locks nothing."""
    found = all_rows(conn, PaymentDoubt, _DOUBTS + " where d.id = %s", (doubt_id,))
    return found[0] if found else None


def resolve_doubt(
    conn: Connection, doubt_id: str, resolution: Resolution, resolved_by: str, memo: str, now: datetime
) -> None:
    """The open doubt, which is locked, is resolved."""
    change_rows(
        conn,
        "payment_doubts_resolved_were_open",
        1,
        """
        update payment_doubts set resolved_at = %s, resolved_by = %s, resolution = %s, memo = %s
        where id = %s and resolved_at is null
        """,
        (now, resolved_by, resolution, memo, doubt_id),
    )


def doubts_of_request(conn: Connection, request_id: str) -> Sequence[PaymentDoubt]:
    """Every doubt about a payment that was asked for, resolved ones too, the oldest first."""
    return all_rows(conn, PaymentDoubt, _DOUBTS + " where d.request_id = %s order by d.noticed_at, d.id", (request_id,))


def open_doubts(conn: Connection, after: tuple[datetime, str] | None, limit: int) -> Sequence[PaymentDoubt]:
    """The next doubts that wait for an operator, the oldest first, after the given time and id."""
    later: LiteralString = "" if after is None else " and (d.noticed_at, d.id) > (%s, %s::uuid)"
    return all_rows(
        conn,
        PaymentDoubt,
        _DOUBTS + " where d.resolved_at is null" + later + " order by d.noticed_at, d.id limit %s",
        (*(after or ()), limit),
    )
