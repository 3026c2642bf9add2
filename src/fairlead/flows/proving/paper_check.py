"""Papers are made again, and compared with what is on record: statements of closed months, and receipts."""

from collections.abc import Generator
from contextlib import closing

from fairlead.flows.money.statement_file import statement_files
from fairlead.store.connection import Connection
from fairlead.store.lookups import marketplace_currency
from fairlead.store.money.receipts import all_receipts
from fairlead.store.money.statements import all_statements, recorded_lines


def statement_differences(conn: Connection) -> Generator[str | None]:
    """Of each statement on record what differs, or None: the ledger must give every byte of it. In flat memory."""
    currency = marketplace_currency(conn)
    with closing(all_statements(conn)) as stored, closing(recorded_lines(conn)) as lines:
        # Both in one order: of every statement there is a line at least.
        for row, file in zip(stored, statement_files(lines, currency), strict=True):
            name = f"the statement of {row.month:%Y-%m} of provider {row.provider_id}"
            yield None if file.row() == row else f"{name} is other bytes now"


def receipt_differences(conn: Connection) -> Generator[str | None]:
    """Of each receipt and credit note what differs, or None: what it says must have the hash that is on record."""
    with closing(all_receipts(conn)) as stored:
        for row in stored:
            is_same = row.receipt.digest() == row.sha256 and row.parties.document() == row.parties_document
            yield None if is_same else f"receipt {row.number} says something else now"
