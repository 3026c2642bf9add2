"""Where activity and funds do not agree (R9), and low-balance alerts that are over."""

from collections.abc import Mapping

from fairlead.core.model import INSUFFICIENT_FUNDS
from fairlead.store.connection import Connection

# Paused subscriptions are neither active nor short of funds: they are none of this.
_MISFUNDED = """
    from subscriptions s
    join competition_levels l on l.id = s.competition_level_id and l.deleted_at is null
    join providers p on p.id = s.provider_id
    where s.deleted_at is null and case
        when s.is_active then p.balance_cents + p.credit_limit_cents < coalesce(l.lowest_price_cents, l.price_cents)
        else s.deactivation_reason = %s
             and p.balance_cents + p.credit_limit_cents >= coalesce(l.lowest_price_cents, l.price_cents) end"""


def misfunded_niche_ids(conn: Connection) -> list[str]:
    """The niches with a subscription that is active without funds, or inactive for lack of them in spite of them.

    Ascending. Locks nothing: what is found is to be looked at again under the niche's lock.
    """
    rows = conn.execute("select distinct s.niche_id::text" + _MISFUNDED + " order by 1", (INSUFFICIENT_FUNDS,))
    return [row[0] for row in rows.fetchall()]


def niche_ids_moved_by(conn: Connection, changes_cents: Mapping[str, int]) -> list[str]:
    """The niches where a subscription would start or stop if so much were added to these providers' balances.

    By provider id, in cents, negative for what is taken. Ascending. Locks nothing: what is found is to be looked at
    again under the locks of the niches and providers.
    """
    rows = conn.execute(
        """
        select distinct s.niche_id::text
        from unnest(%s::uuid[], %s::bigint[]) as change (provider_id, cents)
        join providers p on p.id = change.provider_id
        join subscriptions s on s.provider_id = p.id and s.deleted_at is null
        join competition_levels l on l.id = s.competition_level_id
        where case when s.is_active then p.balance_cents + p.credit_limit_cents + change.cents
                                         < coalesce(l.lowest_price_cents, l.price_cents)
                   else s.deactivation_reason = %s and p.balance_cents + p.credit_limit_cents + change.cents
                                                       >= coalesce(l.lowest_price_cents, l.price_cents) end
        order by 1
        """,
        (list(changes_cents), list(changes_cents.values()), INSUFFICIENT_FUNDS),
    ).fetchall()
    return [row[0] for row in rows]


def misfunded_provider_ids(conn: Connection, niche_id: str, after: str | None, limit: int) -> list[str]:
    """The niche's next providers, by id, of whose subscriptions that is so. Needs the niche's lock."""
    rows = conn.execute(
        "select distinct s.provider_id::text"
        + _MISFUNDED
        + " and s.niche_id = %s and s.provider_id > coalesce(%s::uuid, '00000000-0000-0000-0000-000000000000')"
        + " order by 1 limit %s",
        (INSUFFICIENT_FUNDS, niche_id, after, limit),
    ).fetchall()
    return [row[0] for row in rows]


def providers_above_threshold(conn: Connection, after: str | None, limit: int) -> list[str]:
    """The next providers who were told of a low balance that is not low any more, by id. Locks nothing."""
    rows = conn.execute(
        """
        select id::text from providers
        where low_balance_alerted_at is not null
          and coalesce(balance_cents >= low_balance_threshold_cents, true)
          and id > coalesce(%s::uuid, '00000000-0000-0000-0000-000000000000')
        order by id limit %s
        """,
        (after, limit),
    ).fetchall()
    return [row[0] for row in rows]
