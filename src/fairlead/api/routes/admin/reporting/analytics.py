"""Reports that are read together, of one moment: all that the pages of analytics and of money tell of some days."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import Query
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.money.ledger import StatementOfMarketplace
from fairlead.api.routes.admin.reporting.outcome_reports import DecisionsOfSize, OutcomesOfNiche, RefundSummary
from fairlead.api.routes.admin.reporting.period_reports import PeriodSummary
from fairlead.api.routes.admin.reporting.reports import (
    ActivityOfProvider,
    FillOfLevel,
    FunnelOfDay,
    InDays,
    LeadSource,
    OfNiche,
    Reader,
    RefusalDay,
    ReportedDays,
    RevenueOfDay,
)
from fairlead.api.schemas.currency import Currency
from fairlead.api.schemas.ledger import TotalOfKind
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.read_limits import REPORTS_OF_CALLER
from fairlead.flows.money.marketplace_statement import read_compared_statement
from fairlead.flows.reporting.analytics import read_analytics
from fairlead.flows.reporting.period_report import ComparedFigures, compared_figures

router = Router(prefix="/api/v1/admin/reports", tags=["reports"])


class FiguresReport(ReportedDays):
    """A span of days in figures, and as many days before, up to the same time of day where it is not over yet."""

    currency: Currency
    figures: PeriodSummary = Field(description="Of the days that are asked about.")
    earlier_day_from: date = Field(description="The first of the days before.")
    earlier_day_before: date = Field(description="The day after the last of them.")
    earlier: PeriodSummary = Field(description="Of the days before.")


class AnalyticsReport(FiguresReport):
    """The reports of these days, each as it is by itself, all of one moment."""

    funnel: Sequence[FunnelOfDay] = Field(description="As in `reports/funnel`.")
    revenue: Sequence[RevenueOfDay] = Field(description="As in `reports/revenue`.")
    outcomes: Sequence[OutcomesOfNiche] = Field(description="As in `reports/outcomes`.")
    recipients: Sequence[DecisionsOfSize] = Field(description="As in `reports/recipients`.")
    refunds: Sequence[RefundSummary] = Field(description="As in `reports/refunds`.")
    fill_rate: Sequence[FillOfLevel] = Field(description="As in `reports/fill-rate`; empty without a niche.")
    provider_activity: Sequence[ActivityOfProvider] = Field(description="As in `reports/provider-activity`.")
    sources: Sequence[LeadSource] = Field(description="As in `reports/sources`.")
    refusals: Sequence[RefusalDay] = Field(description="As in `reports/refusals`.")


class MoneyReport(ReportedDays):
    """The money of all providers: what they hold now, and what moved in a span of days and in as many before."""

    statement: StatementOfMarketplace = Field(description="Of the days that are asked about.")
    earlier_totals: Sequence[TotalOfKind] = Field(
        description="The kinds that moved in as many days before, up to the same time of day where these are not over."
    )


ByMonth = Annotated[
    bool,
    Query(description="Whether `funnel`, `revenue` and `refusals` are by month: `day` is then the first day of it."),
]


@router.get("/analytics", responses=refuses("niche_unknown"))
def report_analytics(
    asked: InDays, reader: Reader, database: MarketplaceDatabase, niche: OfNiche = None, by_month: ByMonth = False
) -> AnalyticsReport:
    """Tell all that the page of analytics does of these days (in the niche), of one moment. Counts as one report."""
    found = read_analytics(database, niche, asked, by_month=by_month)
    return AnalyticsReport(
        **_figures(found.figures).model_dump(),
        funnel=[FunnelOfDay.model_validate(each) for each in found.funnel],
        revenue=[RevenueOfDay.model_validate(each) for each in found.revenue],
        outcomes=[OutcomesOfNiche.model_validate(each) for each in found.outcomes],
        recipients=[DecisionsOfSize.model_validate(each) for each in found.recipients],
        refunds=[RefundSummary.model_validate(each) for each in found.refunds],
        fill_rate=[FillOfLevel.model_validate(each) for each in found.fill],
        provider_activity=[ActivityOfProvider.model_validate(each) for each in found.activity],
        sources=[LeadSource.model_validate(each) for each in found.sources],
        refusals=[RefusalDay.model_validate(each) for each in found.refusals],
    )


@router.get("/figures", responses=refuses("niche_unknown"))
def report_figures(
    asked: InDays, reader: Reader, database: MarketplaceDatabase, niche: OfNiche = None
) -> FiguresReport:
    """Tell a span of days in a few figures, beside as many days before it: `reports/period` without hours and slots."""
    return _figures(compared_figures(database, asked, niche))


@router.get("/money")
def report_money(
    asked: InDays,
    reader: Annotated[Principal, needs(Permission.MONEY_READ, REPORTS_OF_CALLER)],
    database: MarketplaceDatabase,
) -> MoneyReport:
    """Add up the movements of all balances of these days by their kind, beside those of as many days before."""
    found = read_compared_statement(database, asked)
    return MoneyReport(
        **ReportedDays.model_validate(found.days).model_dump(),
        statement=StatementOfMarketplace.model_validate(found.statement),
        earlier_totals=[TotalOfKind.model_validate(each) for each in found.earlier_totals],
    )


def _figures(found: ComparedFigures) -> FiguresReport:
    return FiguresReport(
        **ReportedDays.model_validate(found.days).model_dump(),
        currency=found.currency,
        figures=PeriodSummary.model_validate(found.figures),
        earlier_day_from=found.earlier_days.day_from,
        earlier_day_before=found.earlier_days.day_before,
        earlier=PeriodSummary.model_validate(found.earlier),
    )
