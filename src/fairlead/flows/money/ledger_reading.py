"""A provider's ledger as operators read it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from fairlead.core.errors import Refused
from fairlead.store.connection import Connection, Database
from fairlead.store.keyset import KeysetPage
from fairlead.store.lookups import checked_id, marketplace_currency, provider_names
from fairlead.store.money.ledger_pages import (
    LedgerEntryInFull,
    LedgerFilter,
    Statement,
    provider_ledger_page,
    statement,
)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ProviderStatement:
    """A span of a provider's ledger in sums, and what these are in."""

    statement: Statement
    currency: str


def read_provider_ledger(
    database: Database, provider_id: str, wanted: LedgerFilter, before_seq: int | None, limit: int
) -> tuple[KeysetPage[LedgerEntryInFull, int], str]:
    """The provider's next entries before that `seq`, the newest first, and the currency.

    Raises `BadInput`, and `Refused`: `provider_unknown`.
    """
    return _of_provider(
        database,
        provider_id,
        lambda conn, checked: (
            provider_ledger_page(conn, checked, wanted, before_seq, limit),
            marketplace_currency(conn),
        ),
    )


def read_provider_statement(
    database: Database, provider_id: str, created_from: datetime, created_before: datetime
) -> ProviderStatement:
    """What the provider's entries from `created_from` on and before `created_before` add up to.

    Raises `BadInput`, and `Refused`: `provider_unknown`.
    """
    return _of_provider(
        database,
        provider_id,
        lambda conn, checked: ProviderStatement(
            statement(conn, checked, created_from, created_before), marketplace_currency(conn)
        ),
    )


def _of_provider(database: Database, provider_id: str, view: Callable[[Connection, str], Result]) -> Result:
    checked = checked_id(provider_id, "provider")

    def work(conn: Connection) -> Result:
        if not provider_names(conn, [checked]):
            raise Refused("provider_unknown", f"there is no provider {checked}")
        return view(conn, checked)

    return database.read(work)
