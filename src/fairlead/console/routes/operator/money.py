"""Money: where every cent went, which reports of bad leads wait for a decision, and every movement."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.currency import InCurrency
from fairlead.api.schemas.ledger import LedgerEntryKind
from fairlead.api.schemas.of_all_ledgers import OfAllLedgers, cursor_of_all
from fairlead.api.schemas.pagination import ByCursor
from fairlead.api.schemas.report_reasons import ReportReason
from fairlead.api.schemas.values import Uuid
from fairlead.console.addresses import TypedText, address
from fairlead.console.niche_choice import NicheInAddress, niches_by_name
from fairlead.console.operator.provider_choice import provider_choice
from fairlead.console.operator.report_age import report_due
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.periods import OfThirtyDays
from fairlead.console.report_categories import words_for_operators
from fairlead.console.routes.operator.provider_ledger import KINDS
from fairlead.console.texts import noted
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.read_limits import REPORTS_OF_CALLER
from fairlead.flows.configuration.report_rules import read_report_rules
from fairlead.flows.money.bad_leads import list_open_reports, total_open_reports
from fairlead.flows.money.marketplace_statement import read_compared_statement
from fairlead.flows.proving.verifications import proof_state
from fairlead.store.money.bad_leads import ReportFilter
from fairlead.store.money.ledger_pages import LedgerFilter, ledger_page

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_FEW_ENTRIES = 10
_REPORTS, _LEDGER = "/money/reports", "/money/ledger"

Age = Literal["1", "3", "7", "overdue"]
AGES: tuple[tuple[Age | None, str], ...] = (
    (None, noted("of any age")),
    ("1", noted("older than a day")),
    ("3", noted("older than 3 days")),
    ("7", noted("older than 7 days")),
    ("overdue", noted("overdue")),
)


@router.get("/money")
def show_money(
    reader: Annotated[Principal, needs(Permission.MONEY_READ, REPORTS_OF_CALLER)],
    page: PageOfRequest,
    database: MarketplaceDatabase,
    period: OfThirtyDays,
) -> Response:
    """What came in, was sold, given back and is held; what waits; the newest movements."""
    found = read_compared_statement(database, period.asked)
    statement = found.statement
    entries = database.read(lambda conn: ledger_page(conn, LedgerFilter(), None, _FEW_ENTRIES))
    return page.render(
        "operator/money.html",
        reader,
        period=period,
        statement=statement,
        proof=proof_state(database),
        currency=statement.currency,
        totals={each.kind: each for each in statement.totals},
        before={each.kind: each for each in found.earlier_totals},
        reports=total_open_reports(database),
        entries=entries.items,
        reports_address=_REPORTS,
        ledger_address=period.address(_LEDGER),
    )


@router.get(_REPORTS)
def show_reports(
    reader: Annotated[Principal, needs(Permission.MONEY_READ)],
    page: PageOfRequest,
    database: MarketplaceDatabase,
    keyset: ByCursor,
    currency: InCurrency,
    provider_id: Annotated[Uuid | None, Query()] = None,
    niche: NicheInAddress = None,
    reason: Annotated[ReportReason | None, Query()] = None,
    age: Annotated[Age | None, Query()] = None,
    order: Annotated[Literal["newest"] | None, Query()] = None,
    q: TypedText = None,
) -> Response:
    """The reports of bad leads that wait, the oldest or the newest first, to be decided one by one or many at once."""
    rules, now = read_report_rules(database).rules, datetime.now(UTC)
    days = rules.decision_days if age == "overdue" else None if age is None else int(age)
    before = None if days is None else now - timedelta(days=days)
    wanted = ReportFilter(provider_id, niche, reason, reported_before=before, is_newest_first=order is not None)
    words = words_for_operators(rules)
    found = list_open_reports(database, keyset.after, keyset.probe, wanted)
    reports, cursor = keyset.cut(found, lambda each: (each.reported_at, each.assignment_id))
    chosen: dict[str, object] = {
        "provider_id": provider_id,
        "niche": niche,
        "reason": reason,
        "age": age,
        "order": order,
    }

    def with_(**other: object) -> str:
        return address(_REPORTS, **{**chosen, **other})

    return page.render(
        "operator/reports.html",
        reader,
        reports=reports,
        totals=total_open_reports(database, wanted),
        currency=currency,
        ages=_age_links(with_, age, rules.decision_days),
        orders=_order_links(with_, is_newest_first=order is not None),
        due_by_id={each.assignment_id: report_due(each.reported_at, rules.decision_days, now) for each in reports},
        decision_days=rules.decision_days,
        reasons=[(each, with_(reason=each), each == reason) for each in (None, *words)],
        reason_words=words,
        niches=[("", with_(niche=None), niche is None)]
        + [(name, with_(niche=slug), slug == niche) for name, slug in niches_by_name(database)],
        providers=provider_choice(database, q, provider_id, lambda each: with_(provider_id=each)),
        kept=[(name, value) for name, value in chosen.items() if value is not None and name != "provider_id"],
        is_filtered=any(value is not None for name, value in chosen.items() if name != "order"),
        is_first=keyset.after is None,
        next_address=None if cursor is None else with_(cursor=cursor),
    )


def _age_links(with_: Callable[..., str], chosen: str | None, decision_days: int | None) -> list[tuple[str, str, bool]]:
    """Word and address of each age that reports are shown by, and whether it is chosen; overdue where a time is set."""
    ages = [each for each in AGES if each[0] != "overdue" or decision_days is not None]
    return [(text, with_(age=each), each == chosen) for each, text in ages]


def _order_links(with_: Callable[..., str], *, is_newest_first: bool) -> list[tuple[str, str, bool]]:
    return [
        (noted("the oldest first"), with_(order=None), not is_newest_first),
        (noted("the newest first"), with_(order="newest"), is_newest_first),
    ]


@router.get(_LEDGER)
def show_ledger(
    reader: Annotated[Principal, needs(Permission.MONEY_READ)],
    page: PageOfRequest,
    database: MarketplaceDatabase,
    place: OfAllLedgers,
    currency: InCurrency,
    period: OfThirtyDays,
    kind: Annotated[LedgerEntryKind | None, Query()] = None,
    provider_id: Annotated[Uuid | None, Query()] = None,
    q: TypedText = None,
) -> Response:
    """Every movement of every balance in these days, the newest first."""
    since, before = period.span
    wanted = LedgerFilter(kind, since, before, provider_id)
    found = database.read(lambda conn: ledger_page(conn, wanted, place.after, place.limit))
    cursor = cursor_of_all(found.next_after)

    def with_(**other: str | None) -> str:
        chosen = {"kind": kind, "provider_id": provider_id, **other}
        return period.address(_LEDGER, **{name: value or "" for name, value in chosen.items()})

    return page.render(
        "operator/ledger.html",
        reader,
        period=period,
        currency=currency,
        entries=found.items,
        kind=kind,
        kinds=[(each, with_(kind=each)) for each in KINDS],
        providers=provider_choice(database, q, provider_id, lambda each: with_(provider_id=each)),
        kept=[*period.chosen.items(), *([("kind", kind)] if kind else [])],
        next_address=None if cursor is None else with_(cursor=cursor),
    )
