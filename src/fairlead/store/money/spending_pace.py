"""What providers spent lately, from their ledgers, and the alerts that their money does not last for long."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from fairlead.core.money.spending_pace import PACE_DAYS, SpendingPace
from fairlead.store.arrays import array_text
from fairlead.store.connection import Connection
from fairlead.store.notifications.outbox import Notification, notify
from fairlead.store.row_counts import change_rows


def spending_paces(conn: Connection, provider_ids: Sequence[str], now: datetime) -> dict[str, SpendingPace]:
    """The pace of each of these providers, by its id. Locks nothing.

    The cost grows with their entries of those days.
    """
    rows = conn.execute(
        """
        select p.id::text, s.days,
               (select coalesce(-sum(e.amount_cents), 0) from ledger_entries e
                where e.provider_id = p.id and e.kind in ('lead_purchase', 'refund')
                  and e.created_at >= %(now)s - s.days * interval '1 day' and e.created_at <= %(now)s)::bigint
        from providers p
        left join ledger_entries f on f.provider_id = p.id and f.seq = 1
        cross join lateral (
            select case when f.created_at is null then %(most)s::integer
                        else least(greatest(extract(day from %(now)s - f.created_at)::integer, 1), %(most)s) end
                   as days) s
        where p.id = any(%(ids)s::uuid[])
        """,
        {"now": now, "most": PACE_DAYS, "ids": array_text(provider_ids)},
    ).fetchall()
    return {provider_id: SpendingPace(net_cents, days) for provider_id, days, net_cents in rows}


def providers_told_in_days(conn: Connection, after: str | None, limit: int) -> list[str]:
    """The next providers, by id, that want to be told in days, or were told so. Locks nothing."""
    rows = conn.execute(
        """
        select id::text from providers
        where (low_balance_days is not null or low_balance_days_alerted_at is not null)
          and status = 'active' and id > coalesce(%s::uuid, '00000000-0000-0000-0000-000000000000')
        order by id limit %s
        """,
        (after, limit),
    ).fetchall()
    return [row[0] for row in rows]


def write_days_alerts(
    conn: Connection, were_told: Mapping[str, bool], messages: Sequence[Notification], now: datetime
) -> None:
    """By provider id whether it was told for how few days its money lasts, and the messages that tell it.

    Needs the locks of the providers' rows. Two statements, and a job with the second.
    """
    if not were_told:
        return
    change_rows(
        conn,
        "providers_told_in_days_are_there",
        len(were_told),
        """
        update providers p
        set low_balance_days_alerted_at = case when told.is_so then coalesce(p.low_balance_days_alerted_at, %s) end
        from unnest(%s::uuid[], %s::boolean[]) as told (provider_id, is_so)
        where p.id = told.provider_id
        """,
        (now, array_text(were_told), array_text(were_told.values())),
    )
    notify(conn, messages, now)
