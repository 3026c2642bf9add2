"""The marketplace at a glance: how much there is of everything, counted in one snapshot."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from fairlead.store.connection import Connection
from fairlead.store.lookups import marketplace_currency
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class NicheOverview:
    """A niche in numbers. `leads` by status, living `subscriptions` by "active" or the reason why not."""

    niche_id: str
    slug: str
    is_active: bool
    levels: int
    leads: dict[str, int]
    leads_waiting: int
    oldest_waiting_since: datetime | None
    subscriptions: dict[str, int]
    assignments: int
    journal_seq: int
    journal_head: str


@dataclass(frozen=True, slots=True)
class MarketplaceOverview:
    """The marketplace in numbers; money in cents of `currency`. `providers` by status."""

    currency: str
    niches: tuple[NicheOverview, ...]
    providers: dict[str, int]
    balances_cents: int
    ledger_entries: int
    ledger_total_cents: int
    audit_seq: int

    @property
    def leads_waiting(self) -> int:
        """How many approved leads await a decision."""
        return sum(niche.leads_waiting for niche in self.niches)


@dataclass(frozen=True, slots=True)
class NicheDemand:
    """What waits in a niche, and how many living subscriptions can take it, or cannot for want of money."""

    niche_id: str
    leads_waiting: int
    oldest_waiting_since: datetime | None
    active_subscription_count: int
    unfunded_subscription_count: int


def server_version(conn: Connection) -> str:
    """The server's version, as in "16.4"."""
    return (conn.info.parameter_status("server_version") or "unknown").split()[0]


def read_demand(conn: Connection) -> dict[str, NicheDemand]:
    """By niche, as this snapshot has it. Nothing of the past is counted, so that it takes as long after a year."""
    found = all_rows(
        conn,
        NicheDemand,
        """
        select n.id::text as niche_id, coalesce(w.waiting, 0) as leads_waiting, w.oldest as oldest_waiting_since,
               coalesce(s.active, 0) as active_subscription_count,
               coalesce(s.unfunded, 0) as unfunded_subscription_count
        from niches n
        left join (select niche_id, count(*) as waiting, min(approved_at) as oldest
                   from leads where awaits_decision group by 1) w on w.niche_id = n.id
        left join (select niche_id, count(*) filter (where deactivation_reason is null) as active,
                          count(*) filter (where deactivation_reason = 'insufficient_funds') as unfunded
                   from subscriptions where deleted_at is null group by 1) s on s.niche_id = n.id
        """,
    )
    return {each.niche_id: each for each in found}


def read_overview(conn: Connection) -> MarketplaceOverview:
    """The marketplace as this snapshot has it, from a handful of counts."""
    leads = _grouped(conn, "select niche_id::text, status, count(*) from leads group by 1, 2")
    subscriptions = _grouped(
        conn,
        """
        select niche_id::text, coalesce(deactivation_reason, 'active'), count(*) from subscriptions
        where deleted_at is null group by 1, 2
        """,
    )
    demand = read_demand(conn)
    providers = conn.execute("select status, count(*) from providers group by 1 order by 1").fetchall()
    totals = conn.execute(
        """
        select (select coalesce(sum(balance_cents), 0)::bigint from providers),
               (select count(*) from ledger_entries),
               (select coalesce(sum(amount_cents), 0)::bigint from ledger_entries),
               (select max(seq) from audit_head)
        """
    ).fetchall()[0]
    return MarketplaceOverview(
        marketplace_currency(conn),
        tuple(
            NicheOverview(
                niche_id=row[0],
                slug=row[1],
                is_active=row[2],
                levels=row[3],
                leads=leads.get(row[0], {}),
                leads_waiting=demand[row[0]].leads_waiting,
                oldest_waiting_since=demand[row[0]].oldest_waiting_since,
                subscriptions=subscriptions.get(row[0], {}),
                assignments=row[4],
                journal_seq=row[5],
                journal_head=row[6],
            )
            for row in _niches(conn)
        ),
        {row[0]: row[1] for row in providers},
        *totals,
    )


def _niches(conn: Connection) -> list[tuple[Any, ...]]:
    return conn.execute(
        """
        select n.id::text, n.slug, n.is_active,
               (select count(*) from competition_levels l where l.niche_id = n.id and l.deleted_at is null),
               coalesce(a.assignments, 0), n.journal_seq, encode(n.journal_head, 'hex')
        from niches n
        left join (select niche_id, count(*) as assignments from assignments group by 1) a
               on a.niche_id = n.id
        order by n.slug
        """
    ).fetchall()


def _grouped(conn: Connection, query: LiteralString) -> dict[str, dict[str, int]]:
    grouped: dict[str, dict[str, int]] = {}
    for niche_id, name, count in sorted(conn.execute(query).fetchall()):
        grouped.setdefault(niche_id, {})[name] = count
    return grouped
