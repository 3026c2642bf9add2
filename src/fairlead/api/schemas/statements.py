"""Statements of a provider's months, as operators and the provider are shown them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Response
from pydantic import Field

from fairlead.api.schemas.currency import Currency
from fairlead.api.schemas.ledger import LedgerEntryKind, TotalOfKind
from fairlead.api.schemas.pagination import Page
from fairlead.api.schemas.values import ResponseModel, Uuid, pattern_with_message
from fairlead.flows.money.months import month_name
from fairlead.flows.money.statements import MonthlyStatement, StatementList
from fairlead.store.money.statements import StatementRow

MonthName = Annotated[
    str,
    Path(
        pattern=pattern_with_message("^[0-9]{4}-(0[1-9]|1[0-2])$", "Input should be a month such as 2026-01"),
        description="The month, by the days of the marketplace's time zone.",
        examples=["2026-01"],
    ),
]

_SHA256 = "SHA-256 of the statement as CSV, in hexadecimal."
_OPENING, _CLOSING = (
    "The balance when the month began, in minor units.",
    "The balance when it ended, or now, in minor units.",
)


class ClosedMonth(ResponseModel):
    """A statement that is final."""

    month: str = Field(description="The month.", examples=["2026-01"])
    currency: Currency
    opening_cents: int = Field(description=_OPENING, examples=[5000])
    closing_cents: int = Field(description=_CLOSING, examples=[3000])
    sha256: str = Field(description=_SHA256)


class StatementMovement(ResponseModel):
    """A movement of the balance in the month."""

    seq: int = Field(description="Its number in the provider's ledger, from 1 without gaps.")
    kind: LedgerEntryKind
    amount_cents: int = Field(examples=[-2000])
    balance_after_cents: int = Field(examples=[3000])
    created_at: datetime
    niche: str | None = Field(
        description="The slug of the lead's niche; null where it is about no lead.", examples=["hosting"]
    )
    assignment_id: Uuid | None = Field(
        description="The assignment that was bought or refunded; null for other movements."
    )
    payment_id: Uuid | None = Field(description="The payment that came in; null for other movements.")


class StatementOfMonth(ResponseModel):
    """A provider's month: what it had, what moved, what it has."""

    month: str = Field(description="The month.", examples=["2026-01"])
    timezone: str = Field(description="By whose clocks it is a month.", examples=["Europe/Berlin"])
    currency: Currency
    is_final: bool = Field(description="Whether the month is closed: the statement will never be another.")
    opening_cents: int = Field(description=_OPENING, examples=[5000])
    closing_cents: int = Field(description=_CLOSING, examples=[3000])
    totals: Sequence[TotalOfKind]
    entries: Sequence[StatementMovement] = Field(description="Every movement, in the order of the ledger.")
    sha256: str = Field(description=_SHA256)


CSV_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The statement as CSV.", "content": {"text/csv": {"schema": {"type": "string"}}}}
}


def closed_months(found: StatementList) -> Page[ClosedMonth]:
    """The statements as one page."""
    return Page[ClosedMonth](items=[_closed_month(each, found.currency) for each in found.closed], next_cursor=None)


def _closed_month(row: StatementRow, currency: str) -> ClosedMonth:
    return ClosedMonth(
        month=month_name(row.month),
        currency=currency,
        opening_cents=row.opening_cents,
        closing_cents=row.closing_cents,
        sha256=row.sha256.hex(),
    )


def statement_of_month(found: MonthlyStatement) -> StatementOfMonth:
    """The statement in full."""
    return StatementOfMonth(
        month=found.month,
        timezone=found.timezone,
        currency=found.currency,
        is_final=found.is_final,
        opening_cents=found.opening_cents,
        closing_cents=found.closing_cents,
        totals=[TotalOfKind.model_validate(each) for each in found.sums],
        entries=[StatementMovement.model_validate(each._asdict()) for each in found.entries],
        sha256=found.sha256,
    )


def csv_answer(found: MonthlyStatement) -> Response:
    """The statement as a file to be saved."""
    name = f'attachment; filename="statement-{found.month}.csv"'
    return Response(found.csv, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})
