"""The money of the whole marketplace: what is held, what moved in a span of time, and whether the books agree."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.store.connection import Connection, Database
from fairlead.store.lookups import marketplace_currency
from fairlead.store.money.ledger_pages import KindTotal, balances_total, ledger_totals
from fairlead.store.money.reconciliations import ReconciliationRow, last_reconciliation


@dataclass(frozen=True, slots=True)
class MarketplaceStatement:
    """`held_cents` is what all providers have together now; `last_reconciliation` is None before the first."""

    currency: str
    held_cents: int
    totals: tuple[KindTotal, ...]
    last_reconciliation: ReconciliationRow | None


def read_marketplace_statement(
    database: Database, created_from: datetime, created_before: datetime
) -> MarketplaceStatement:
    """What the entries of all ledgers from `created_from` on and before `created_before` add up to, by kind."""

    def work(conn: Connection) -> MarketplaceStatement:
        return MarketplaceStatement(
            marketplace_currency(conn),
            balances_total(conn),
            tuple(ledger_totals(conn, created_from, created_before)),
            last_reconciliation(conn),
        )

    return database.read(work)
