"""A provider's statement of a month: what it had, what moved, what it has; final once the month is closed."""

from contextlib import closing
from dataclasses import dataclass, field
from datetime import date

from fairlead.core.errors import Broken, Refused
from fairlead.core.ledger import LedgerEntryKind
from fairlead.core.money.receipts import Parties
from fairlead.flows.money.months import Month, month_at, month_named
from fairlead.flows.money.statement_file import StatementEntry, StatementFile, statement_files
from fairlead.store.configuration.marketplace import marketplace_row
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id, marketplace_currency
from fairlead.store.money.billing_details import parties_now
from fairlead.store.money.closed_months import stretch_values
from fairlead.store.money.statements import (
    StatementRow,
    month_lines,
    parties_of_statement,
    recorded_lines,
    stored_statement,
    stored_statements,
)

MOST_LISTED = 120


@dataclass(frozen=True, slots=True)
class KindSum:
    """How many entries of a kind a statement has, and their sum."""

    kind: str
    entry_count: int
    amount_cents: int


@dataclass(frozen=True, slots=True)
class MonthlyStatement:
    """A provider's statement. `is_final` says that the month is closed, and the statement is on record with `sha256`.

    `parties` are as they were when it was closed, else as they are now. The sums are of the kinds that there are
    entries of; `sha256` is of its CSV, in hexadecimal.
    """

    provider_id: str
    month: str
    first_day: date
    timezone: str
    currency: str
    opening_cents: int
    closing_cents: int
    sums: tuple[KindSum, ...]
    entries: tuple[StatementEntry, ...] = field(repr=False)
    is_final: bool
    sha256: str
    csv: bytes = field(repr=False)
    parties: Parties


def read_statement(database: Database, provider_id: str, month_text: str) -> MonthlyStatement:
    """The provider's statement of the month, such as `2026-11`, as its ledger says.

    Of a closed month it must be what is on record, else `Broken` is raised. Changes nothing. Raises `BadInput` for what
    is no month, and `Refused`: `statement_unknown`, where the ledger begins later, or the month has not begun.
    """
    checked = checked_id(provider_id, "provider")
    with database.snapshot() as conn:
        month = month_named(conn, month_text)
        stored = stored_statement(conn, checked, month.first_day) if month.is_closed else None
        if (month.is_closed and stored is None) or month.began_at > clock(conn):
            raise _unknown(month)
        found = _file(conn, checked, month)
        if found is None:
            raise _unknown(month)
        if stored is not None and found.row() != stored:
            raise Broken(f"the statement of {month.name} of provider {checked} is not what is on record")
        return _statement(found, month, _parties(conn, checked, month))


def _unknown(month: Month) -> Refused:
    return Refused("statement_unknown", f"there is no statement of {month.name}")


def _file(conn: Connection, provider_id: str, month: Month) -> StatementFile | None:
    currency = marketplace_currency(conn)
    if month.is_closed:
        lines = recorded_lines(conn, provider_id, month.first_day)
    else:
        lines = month_lines(conn, month.first_day, stretch_values(month.begin, month.end), provider_id)
    with closing(lines):
        return next(statement_files(lines, currency, keep=True), None)


def _parties(conn: Connection, provider_id: str, month: Month) -> Parties:
    if month.is_closed:
        return parties_of_statement(conn, provider_id, month.first_day)
    return parties_now(conn, marketplace_row(conn), [provider_id])[provider_id]


def _statement(found: StatementFile, month: Month, parties: Parties) -> MonthlyStatement:
    kinds = [kind.value for kind in LedgerEntryKind]
    sums = tuple(KindSum(kind, *found.totals[kind]) for kind in kinds if kind in found.totals)
    return MonthlyStatement(
        found.provider_id,
        month.name,
        month.first_day,
        month.zone,
        found.currency,
        found.opening_cents,
        found.closing_cents,
        sums,
        tuple(found.entries),
        month.is_closed,
        found.sha256.hex(),
        found.content,
        parties,
    )


@dataclass(frozen=True, slots=True)
class StatementList:
    """A provider's statements of closed months, the newest first, and the month under way."""

    currency: str
    current: Month
    closed: list[StatementRow]


def list_statements(database: Database, provider_id: str) -> StatementList:
    """The provider's statements, ten years of them at most."""
    checked = checked_id(provider_id, "provider")
    return database.read(
        lambda conn: StatementList(
            marketplace_currency(conn),
            month_at(conn, clock(conn)),
            stored_statements(conn, checked, MOST_LISTED),
        )
    )
