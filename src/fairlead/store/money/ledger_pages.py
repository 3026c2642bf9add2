"""Ledgers as people read them: one provider's in its own order, all providers' by time, and a span of time in sums."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString

from fairlead.store.connection import Connection
from fairlead.store.keyset import Conditions, KeysetPage, KeysetQuery, items_of
from fairlead.store.money.ledger_range import seq_range
from fairlead.store.reports.facts import LEDGER
from fairlead.store.reports.pieces import Cover
from fairlead.store.reports.totals import totals
from fairlead.store.typed_rows import all_rows, part_of

LedgerPosition = tuple[datetime, str, int]
"""Of an entry among all of the marketplace: its time, its provider, its `seq`."""


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """Which entries are wanted; None: all. `created_from` is included, `created_before` is not.

    `provider_id` is for the list of all providers' entries: one provider's own list has another order.
    """

    kind: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class OwnLedgerEntry:
    """An entry as its provider sees it (cents). Purchases and refunds say of which lead, niche and level.

    `is_refunded`: whether the assignment was given back by now; None for other entries.
    """

    seq: int
    kind: str
    amount_cents: int
    balance_after_cents: int
    created_at: datetime
    assignment_id: str | None
    lead_id: str | None
    niche: str | None
    level_name: str | None
    payment_id: str | None
    is_refunded: bool | None = None


@dataclass(frozen=True, slots=True)
class LedgerEntryInFull:
    """An entry as operators see it (cents): also whose it is, who moved the money, and their words."""

    provider_id: str
    provider_name: str
    actor: str
    memo: str | None = field(repr=False)
    entry: OwnLedgerEntry


@dataclass(frozen=True, slots=True)
class KindTotal:
    """What the entries of one kind add up to (cents)."""

    kind: str
    entry_count: int
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A span of a ledger in sums (cents): opening balance plus the totals is the closing balance."""

    opening_balance_cents: int
    closing_balance_cents: int
    totals: tuple[KindTotal, ...]


_OWN_COLUMNS: LiteralString = """
    a.seq, a.kind, a.amount_cents, a.balance_after_cents, a.created_at, a.assignment_id::text, s.lead_id::text,
    n.slug as niche, c.name as level_name, a.payment_id::text,
    case when s.id is not null then s.refunded_at is not null end as is_refunded"""

_OWN_JOINS: LiteralString = """
    left join assignments s on s.id = a.assignment_id
    left join niches n on n.id = s.niche_id left join competition_levels c on c.id = s.competition_level_id"""

_COLUMNS: LiteralString = f"a.provider_id::text, p.name as provider_name, a.actor, a.memo, {_OWN_COLUMNS}"
_JOINS: LiteralString = f"join providers p on p.id = a.provider_id {_OWN_JOINS}"


def own_ledger_page(
    conn: Connection, provider_id: str, wanted: LedgerFilter, before_seq: int | None, limit: int
) -> KeysetPage[OwnLedgerEntry, int]:
    """The provider's entries before that `seq`, the newest first. Who moved money by hand, and why, is not read."""
    keyset = _walk_of_provider(conn, provider_id, wanted, before_seq)
    if keyset is None:
        return KeysetPage((), None)
    return keyset.page(conn, items_of(OwnLedgerEntry), _OWN_COLUMNS, _OWN_JOINS, limit)


def provider_ledger_page(
    conn: Connection, provider_id: str, wanted: LedgerFilter, before_seq: int | None, limit: int
) -> KeysetPage[LedgerEntryInFull, int]:
    """As `own_ledger_page`, for operators."""
    keyset = _walk_of_provider(conn, provider_id, wanted, before_seq)
    if keyset is None:
        return KeysetPage((), None)
    return keyset.page(conn, _entries_in_full, _COLUMNS, _JOINS, limit)


def ledger_page(
    conn: Connection, wanted: LedgerFilter, after: LedgerPosition | None, limit: int
) -> KeysetPage[LedgerEntryInFull, LedgerPosition]:
    """The next entries of all providers, or of the one wanted, the newest first, after the one that was seen last."""
    index_filter = Conditions()
    index_filter.add_given("a.provider_id = %s", wanted.provider_id)
    index_filter.add_given("a.created_at >= %s", wanted.created_from)
    index_filter.add_given("a.created_at < %s", wanted.created_before)
    if after is not None:
        index_filter.add("(a.created_at, a.provider_id, a.seq) < (%s, %s::uuid, %s)", *after)
    # A provider's entries have an index by time; of one kind of them there are few to look through.
    of_kind = wanted.kind if wanted.provider_id is None else None
    row_filter = _choose_kind(index_filter, of_kind)
    if of_kind != wanted.kind:
        row_filter.add_given("a.kind = %s", wanted.kind)
    order: LiteralString = "a.created_at desc, a.provider_id desc, a.seq desc"
    keyset = KeysetQuery("ledger_entries", order, "a.created_at, a.provider_id::text, a.seq", index_filter, row_filter)
    return keyset.page(conn, _entries_in_full, _COLUMNS, _JOINS, limit)


def _walk_of_provider(
    conn: Connection, provider_id: str, wanted: LedgerFilter, before_seq: int | None
) -> KeysetQuery | None:
    """The provider's ledger from its end, or from that `seq`; None where nothing is of the time that is wanted."""
    index_filter = Conditions()
    index_filter.add("a.provider_id = %s", provider_id)
    if wanted.created_from is not None or wanted.created_before is not None:
        span = seq_range(conn, provider_id, wanted.created_from, wanted.created_before)
        if span is None:
            return None
        index_filter.add("a.seq between %s and %s", *span)
    index_filter.add_given("a.seq < %s", before_seq)
    row_filter = _choose_kind(index_filter, wanted.kind)
    row_filter.add_given("a.created_at >= %s", wanted.created_from)
    row_filter.add_given("a.created_at < %s", wanted.created_before)
    return KeysetQuery("ledger_entries", "a.seq desc", "a.seq", index_filter, row_filter)


def _choose_kind(index_filter: Conditions, kind: str | None) -> Conditions:
    """Purchases are most of a ledger and are picked out row by row; the other kinds have indices without them."""
    row_filter = Conditions()
    if kind == "lead_purchase":
        row_filter.add("a.kind = 'lead_purchase'")
    elif kind is not None:
        index_filter.add("a.kind = %s and a.kind <> 'lead_purchase'", kind)
    return row_filter


def _entries_in_full(names: tuple[str, ...]) -> Callable[[tuple[Any, ...]], LedgerEntryInFull]:
    def entry(values: tuple[Any, ...]) -> LedgerEntryInFull:
        row = dict(zip(names, values, strict=True))
        return part_of(LedgerEntryInFull, row | {"entry": part_of(OwnLedgerEntry, row)})

    return entry


def statement(conn: Connection, provider_id: str, created_from: datetime, created_before: datetime) -> Statement:
    """The provider's entries from `created_from` on and before `created_before`, in sums by kind.

    The cost grows with their number.
    """
    totals = tuple(
        KindTotal(kind, count, int(amount))
        for kind, count, amount in conn.execute(
            """
            select kind, count(*), sum(amount_cents) from ledger_entries
            where provider_id = %s and created_at >= %s and created_at < %s group by kind order by kind
            """,
            (provider_id, created_from, created_before),
        ).fetchall()
    )
    opening = _balance_before(conn, provider_id, created_from, created_before)
    return Statement(opening, opening + sum(total.amount_cents for total in totals), totals)


def _balance_before(conn: Connection, provider_id: str, created_from: datetime, created_before: datetime) -> int:
    """What the provider had before the span: all that is older, also what got into the ledger after its first entry."""
    span = seq_range(conn, provider_id, created_from, created_before)
    if span is None:
        row = conn.execute(
            """
            select balance_after_cents from ledger_entries where provider_id = %s and created_at < %s
            order by created_at desc, seq desc limit 1
            """,
            (provider_id, created_from),
        ).fetchone()
        return 0 if row is None else row[0]
    rows = conn.execute(
        """
        select (select balance_after_cents - amount_cents from ledger_entries
                where provider_id = %(provider)s and seq = %(first)s)
               + (select coalesce(sum(amount_cents), 0) from ledger_entries
                  where provider_id = %(provider)s and created_at < %(created_from)s and seq > %(first)s)::bigint
        """,
        {"provider": provider_id, "first": span[0], "created_from": created_from},
    ).fetchall()
    return rows[0][0]


def ledger_totals(conn: Connection, created_from: datetime, created_before: datetime) -> list[KindTotal]:
    """The entries of all ledgers from `created_from` on and before `created_before`, in sums by kind."""
    return all_rows(
        conn,
        KindTotal,
        """
        select kind, count(*) as entry_count, sum(amount_cents)::bigint as amount_cents
        from ledger_entries where created_at >= %s and created_at < %s group by kind order by kind
        """,
        (created_from, created_before),
    )


def ledger_totals_of_days(conn: Connection, covered: Cover) -> list[KindTotal]:
    """The same of whole days, and of the last one up to a moment where that is how they are covered."""
    found = totals(conn, covered, LEDGER, ("keys[1]",))
    return [KindTotal(kind, *counts) for (kind,), counts in sorted(found.items())]


def balances_total(conn: Connection) -> int:
    """What all providers have together."""
    rows = conn.execute("select coalesce(sum(balance_cents), 0)::bigint from providers").fetchall()
    return rows[0][0]
