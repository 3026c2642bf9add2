"""Auto top-up of providers: its terms, whether it is on, and when the balance is looked at next."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import LiteralString

from fairlead.core.money.top_ups import TopUpTerms
from fairlead.store.arrays import array_text
from fairlead.store.connection import Connection
from fairlead.store.row_counts import change_rows
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class AutoTopUp:
    """A provider's auto top-up as it stands. `off_reason` is a gateway's, where it went off by itself."""

    provider_id: str
    threshold_cents: int
    amount_cents: int
    monthly_limit_cents: int
    is_on: bool
    off_reason: str | None = None
    refusal_count: int = 0
    due_at: datetime | None = None

    @property
    def terms(self) -> TopUpTerms:
        """When how much is charged."""
        return TopUpTerms(self.threshold_cents, self.amount_cents, self.monthly_limit_cents)


_ROWS: LiteralString = """
    select provider_id::text, threshold_cents, amount_cents, monthly_limit_cents, is_on, off_reason, refusal_count,
           due_at
    from auto_top_ups where provider_id = any(%s::uuid[])"""


def auto_top_up(conn: Connection, provider_id: str) -> AutoTopUp | None:
    """The provider's; None where none was set yet. Final only under the provider's lock, under which all change it."""
    return auto_top_ups_of(conn, [provider_id]).get(provider_id)


def auto_top_ups_of(conn: Connection, provider_ids: Sequence[str]) -> dict[str, AutoTopUp]:
    """By provider id, those that were set. Final only under the providers' locks."""
    return {row.provider_id: row for row in all_rows(conn, AutoTopUp, _ROWS, (array_text(provider_ids),))}


def write_auto_top_up(conn: Connection, row: AutoTopUp) -> None:
    """The provider's auto top-up is like this, and its row says below which balance it is due. Needs its lock."""
    write_auto_top_ups(conn, [row])


def write_auto_top_ups(conn: Connection, rows: Sequence[AutoTopUp]) -> None:
    """As for one, for any number of providers. Needs the locks of all."""
    if not rows:
        return
    thresholds = [row.threshold_cents if row.is_on else None for row in rows]
    change_rows(
        conn,
        "providers_with_an_auto_top_up_are_there",
        len(rows),
        """
        update providers p set top_up_below_cents = t.below_cents
        from unnest(%s::uuid[], %s::bigint[]) as t(id, below_cents) where p.id = t.id
        """,
        (array_text(row.provider_id for row in rows), thresholds),
    )
    conn.execute(
        """
        insert into auto_top_ups (provider_id, threshold_cents, amount_cents, monthly_limit_cents, is_on, off_reason,
                                  refusal_count, due_at)
        select * from unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::boolean[], %s::text[],
                             %s::integer[], %s::timestamptz[])
        on conflict (provider_id) do update
        set threshold_cents = excluded.threshold_cents, amount_cents = excluded.amount_cents,
            monthly_limit_cents = excluded.monthly_limit_cents, is_on = excluded.is_on,
            off_reason = excluded.off_reason, refusal_count = excluded.refusal_count, due_at = excluded.due_at
        """,
        [[getattr(row, each.name) for row in rows] for each in fields(AutoTopUp)],
    )


def make_due(conn: Connection, provider_ids: Sequence[str], now: datetime) -> None:
    """Those that are on, and not due yet, are looked at now. Needs the locks of the providers."""
    conn.execute(
        "update auto_top_ups set due_at = %s where provider_id = any(%s::uuid[]) and is_on and due_at is null",
        (now, array_text(provider_ids)),
    )


def due_provider_ids(conn: Connection, now: datetime, limit: int) -> list[str]:
    """The providers whose balance is to be looked at now, the longest due first. Locks nothing."""
    rows = conn.execute(
        "select provider_id::text from auto_top_ups where due_at <= %s order by due_at, provider_id limit %s",
        (now, limit),
    ).fetchall()
    return [row[0] for row in rows]


def charged_since(conn: Connection, provider_id: str, since: datetime) -> int:
    """How much was, or is being, charged to the provider by itself since then. Final only under its lock."""
    return conn.execute(
        """
        select coalesce(sum(amount_cents), 0)::bigint from payment_requests
        where provider_id = %s and created_at >= %s and method_reference is not null and state <> 'failed'
        """,
        (provider_id, since),
    ).fetchall()[0][0]


def is_charge_open(conn: Connection, provider_id: str) -> bool:
    """Whether a charge to the provider's saved method is under way, or waits for an operator."""
    return conn.execute(
        """
        select exists (select from payment_requests
                       where provider_id = %s and method_reference is not null and state in ('pending', 'in_review'))
        """,
        (provider_id,),
    ).fetchall()[0][0]


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """An auto top-up that a refused charge switched off: when and why, and what its provider has now."""

    provider_id: str
    provider_name: str
    balance_cents: int
    threshold_cents: int
    amount_cents: int
    off_reason: str
    refused_at: datetime | None


def switched_off_top_ups(conn: Connection, limit: int) -> list[SwitchedOff]:
    """Those that a refused charge switched off, and that were not set anew since, by the provider's name."""
    return all_rows(
        conn,
        SwitchedOff,
        """
        select a.provider_id::text, p.name as provider_name, p.balance_cents, a.threshold_cents, a.amount_cents,
               a.off_reason, (select max(r.settled_at) from payment_requests r
                              where r.provider_id = a.provider_id and r.method_reference is not null
                                and r.state = 'failed') as refused_at
        from auto_top_ups a join providers p on p.id = a.provider_id
        where a.off_reason is not null order by p.name, a.provider_id limit %s
        """,
        (limit,),
    )
