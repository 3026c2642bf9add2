"""Money: moved, paid, listed, and put on paper."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.api.routes.admin.money import auto_top_ups, ledger, money, payments, receipts, statements

ROUTERS: Sequence[APIRouter] = (
    money.router,
    payments.router,
    auto_top_ups.router,
    ledger.router,
    statements.router,
    receipts.router,
)
