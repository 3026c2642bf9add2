"""What leaves as a file: journal, assignments, ledger and refusals, counted and streamed from one snapshot."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql

from fairlead.store.connection import Connection

STREAMED_ROWS = 2_000

SENTENCE = "sentence"
"""The column that a flow writes: of a refusal that names its provider the record, else null."""


@dataclass(frozen=True, slots=True)
class ExportFilter:
    """Which rows: those that match everything that is given; `time_from` is included, `time_before` is not."""

    niche_id: str | None = None
    provider_id: str | None = None
    time_from: datetime | None = None
    time_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Source:
    columns: tuple[tuple[str, str], ...]
    tables: str
    niche: str
    provider: str | None
    moment: str
    order: str


_SOURCES = {
    "journal": _Source(
        columns=(
            ("niche_id", "j.niche_id::text"),
            ("seq", "j.seq"),
            ("kind", "j.kind"),
            ("payload", "j.payload"),
            ("recorded_at", "j.recorded_at"),
            ("prev_hash", "encode(j.prev_hash, 'hex')"),
            ("hash", "encode(j.hash, 'hex')"),
        ),
        tables="niche_journal j",
        niche="j.niche_id",
        provider=None,
        moment="j.recorded_at",
        order="j.niche_id, j.seq",
    ),
    "assignments": _Source(
        columns=(
            ("assignment_id", "a.id::text"),
            ("lead_id", "a.lead_id::text"),
            ("niche", "n.slug"),
            ("level", "l.name"),
            ("provider_id", "a.provider_id::text"),
            ("provider_name", "p.name"),
            ("provider_email", "p.email"),
            ("subscription_id", "a.subscription_id::text"),
            ("price_cents", "a.price_cents"),
            ("currency", "coalesce((select currency from marketplace), 'EUR')"),
            ("status", "a.status"),
            ("assigned_at", "a.assigned_at"),
            ("journal_seq", "a.journal_seq"),
            ("served_seq", "a.served_seq"),
            ("ledger_seq", "a.ledger_seq"),
        ),
        tables=(
            "assignments a join niches n on n.id = a.niche_id join providers p on p.id = a.provider_id "
            "join competition_levels l on l.id = a.competition_level_id"
        ),
        niche="a.niche_id",
        provider="a.provider_id",
        moment="a.assigned_at",
        order="n.slug, a.served_seq",
    ),
    "ledger": _Source(
        columns=(
            ("provider_id", "e.provider_id::text"),
            ("provider_email", "p.email"),
            ("seq", "e.seq"),
            ("kind", "e.kind"),
            ("amount_cents", "e.amount_cents"),
            ("currency", "coalesce((select currency from marketplace), 'EUR')"),
            ("balance_after_cents", "e.balance_after_cents"),
            ("niche", "n.slug"),
            ("assignment_id", "e.assignment_id::text"),
            ("payment_id", "e.payment_id::text"),
            ("actor", "e.actor"),
            ("memo", "e.memo"),
            ("created_at", "e.created_at"),
        ),
        tables=(
            "ledger_entries e join providers p on p.id = e.provider_id "
            "left join assignments a on a.id = e.assignment_id left join niches n on n.id = a.niche_id"
        ),
        niche="a.niche_id",
        provider="e.provider_id",
        moment="e.created_at",
        order="e.provider_id, e.seq",
    ),
    "refusals": _Source(
        columns=(
            ("niche", "n.slug"),
            ("journal_seq", "j.seq"),
            ("recorded_at", "j.recorded_at"),
            ("lead_id", "j.payload ->> 'lead_id'"),
            ("attempt", "(j.payload ->> 'attempt')::int"),
            ("level_id", "level.record ->> 'level_id'"),
            ("level", "l.name"),
            ("provider_id", "refusal.record ->> 'provider_id'"),
            ("provider_name", "p.name"),
            ("subscription_id", "refusal.record ->> 'subscription_id'"),
            ("reason", "refusal.reason"),
            ("count", "refusal.count"),
            # Of the level what its refusals are read with; the flow makes the sentence from it.
            (
                SENTENCE,
                "case when refusal.record is not null then jsonb_build_object('refused', refusal.record, 'level', "
                "level.record - '{recipients,refused,counts}'::text[]) end",
            ),
        ),
        tables=(
            "niche_journal j join niches n on n.id = j.niche_id "
            "cross join lateral jsonb_array_elements(case when j.kind = 'decision' then j.payload -> 'levels' end) "
            "with ordinality as level (record, number) "
            "cross join lateral ("
            "select record, record ->> 'reason' as reason, 1 as count, number "
            "from jsonb_array_elements(level.record -> 'refused') with ordinality as refused (record, number) "
            "union all select null, key, value::int, null from jsonb_each_text(level.record -> 'counts')"
            ") as refusal "
            "left join competition_levels l on l.id = (level.record ->> 'level_id')::uuid "
            "left join providers p on p.id = (refusal.record ->> 'provider_id')::uuid"
        ),
        niche="j.niche_id",
        provider="(refusal.record ->> 'provider_id')::uuid",
        moment="j.recorded_at",
        order="j.niche_id, j.seq, level.number, refusal.number nulls last, refusal.reason",
    ),
}

EXPORTS = tuple(_SOURCES)
"""What can be exported."""


def export_columns(what: str) -> tuple[str, ...]:
    """The columns of an export, in their order, which only ever grows at the end."""
    return tuple(name for name, _ in _SOURCES[what].columns)


def knows_providers(what: str) -> bool:
    """Whether the rows of this export belong to providers."""
    return _SOURCES[what].provider is not None


def count_rows(conn: Connection, what: str, chosen: ExportFilter) -> int:
    """How many rows the export has in this snapshot."""
    source = _SOURCES[what]
    where, parameters = _where(source, chosen)
    query = sql.SQL("select count(*) from {}{}").format(_raw(source.tables), where)
    rows = conn.execute(query, parameters).fetchall()
    return int(rows[0][0])


def stream_rows(conn: Connection, what: str, chosen: ExportFilter) -> Iterator[Sequence[Any]]:
    """The rows of the export in their documented order, in flat memory."""
    source = _SOURCES[what]
    where, parameters = _where(source, chosen)
    query = sql.SQL("select {} from {}{} order by {}").format(
        _raw(", ".join(expression for _, expression in source.columns)),
        _raw(source.tables),
        where,
        _raw(source.order),
    )
    with conn.cursor(name="export") as cursor:
        cursor.itersize = STREAMED_ROWS
        cursor.execute(query, parameters)
        yield from cursor


def _where(source: _Source, chosen: ExportFilter) -> tuple[sql.Composable, list[object]]:
    conditions = [
        (f"{source.niche} = %s", chosen.niche_id),
        (f"{source.provider} = %s", chosen.provider_id),
        (f"{source.moment} >= %s", chosen.time_from),
        (f"{source.moment} < %s", chosen.time_before),
    ]
    used = [(condition, value) for condition, value in conditions if value is not None]
    text = " where " + " and ".join(condition for condition, _ in used) if used else ""
    return _raw(text), [value for _, value in used]


def _raw(text: str) -> sql.SQL:
    # Only ever a constant of this module; nothing that a person typed.
    return sql.SQL(text)  # pyright: ignore[reportArgumentType]
