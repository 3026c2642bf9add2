"""What became of the leads and what they brought, by day, niche, level and provider; each table is a file, too."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date
from typing import Annotated, get_args

from fastapi import APIRouter, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.console.charts import Chart, Column, Series, part
from fairlead.console.day_columns import MOST_DAYS_TOLD_BY_DAY
from fairlead.console.downloads import csv_answer
from fairlead.console.formats import number_text
from fairlead.console.niche_choice import NicheInAddress, niche_links, niches_by_name
from fairlead.console.operator.stacked_days import stacked_days
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.periods import OfThirtyDays, OfToday
from fairlead.console.refusal_texts import reason_text
from fairlead.console.texts import noted, translated
from fairlead.console.viewer import Viewer
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.read_limits import REPORTS_OF_CALLER
from fairlead.flows.reporting import reports as flow
from fairlead.flows.reporting.analytics import read_analytics
from fairlead.flows.reporting.period_report import compared_figures, period_report
from fairlead.store.reports.activity import ProviderActivity
from fairlead.store.reports.funnel import FunnelDay
from fairlead.store.reports.outcomes import NicheOutcomes, RecipientCount
from fairlead.store.reports.period import Figures
from fairlead.store.reports.refund_rates import RefundGroup, RefundRate
from fairlead.store.reports.refusals import RefusalsOfDay
from fairlead.store.reports.revenue import RevenueDay
from fairlead.store.reports.sources import SourceQuality

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Reader = Annotated[Principal, needs(Permission.REPORTS_READ, REPORTS_OF_CALLER)]

_FILES = ("funnel", "revenue", "providers", "sources", "refusals", "refunds", "outcomes", "recipients", "figures")
REFUND_GROUPS: tuple[RefundGroup, ...] = get_args(RefundGroup)
MOST_SHOWN = 25
"""Rows of a table that may be long; the files have all of them."""
_ACTIVITY = tuple(each.name for each in fields(ProviderActivity))


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """How many of the leads that came in got so far."""

    title: str
    count: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class LevelRevenue:
    """What a level brought in these days, in minor units."""

    niche: str
    level_name: str
    sold_count: int
    gross_cents: int
    refunded_cents: int

    @property
    def net_cents(self) -> int:
        """Sold less given back."""
        return self.gross_cents - self.refunded_cents


@router.get("/analytics")
def show_analytics(
    reader: Reader,
    page: PageOfRequest,
    database: MarketplaceDatabase,
    period: OfThirtyDays,
    niche: NicheInAddress = None,
) -> Response:
    """Funnel, revenue, fill rate and providers."""
    by_month = len(period.days_begun) > MOST_DAYS_TOLD_BY_DAY
    found = read_analytics(database, niche, period.asked, by_month=by_month)
    names = {slug: name for name, slug in niches_by_name(database)}
    series = {} if niche is not None else names
    return page.render(
        "operator/analytics.html",
        reader,
        period=period,
        niches=niche_links(database, period, niche or ""),
        all_niches=period.address("/analytics", niche=""),
        niche=niche,
        currency=found.currency,
        steps=_steps(found.funnel),
        figures=found.figures,
        revenue_chart=_revenue_chart(found.revenue, found.currency, period.days_begun, page.viewer, series),
        names=names,
        outcomes=found.outcomes,
        recipients=found.recipients,
        recipients_chart=_recipients_chart(found.recipients, page.viewer),
        refunds={group: [each for each in found.refunds if each.group == group] for group in REFUND_GROUPS},
        most_shown=MOST_SHOWN,
        is_monthly=by_month,
        levels=_levels(found.revenue),
        fill=found.fill,
        providers=found.activity,
        sources=found.sources,
        refusals_chart=_refusals_chart(found.refusals, period.days_begun, page.viewer),
        part=part,
        reason_text=reason_text,
        addresses={name: period.address(f"/analytics/{name}.csv") for name in _FILES},
    )


@router.get("/analytics/funnel.csv")
def download_funnel(
    reader: Reader, database: MarketplaceDatabase, period: OfThirtyDays, niche: NicheInAddress = None
) -> Response:
    """The funnel by day and niche."""
    rows = flow.funnel_report(database, niche, period.asked).rows
    return csv_answer("funnel.csv", [each.name for each in fields(FunnelDay)], [astuple(each) for each in rows])


@router.get("/analytics/revenue.csv")
def download_revenue(
    reader: Reader, database: MarketplaceDatabase, period: OfThirtyDays, niche: NicheInAddress = None
) -> Response:
    """Revenue by day, niche and level, in minor units."""
    report = flow.revenue_report(database, niche, period.asked)
    columns = [*(each.name for each in fields(RevenueDay)), "net_cents", "currency"]
    rows = [(*astuple(each), each.net_cents, report.currency) for each in report.rows]
    return csv_answer("revenue.csv", columns, rows)


@router.get("/analytics/providers.csv")
def download_providers(
    reader: Reader, database: MarketplaceDatabase, period: OfThirtyDays, niche: NicheInAddress = None
) -> Response:
    """What providers received and paid, in minor units."""
    report = flow.activity_report(database, niche, None, period.asked)
    rows = [(*astuple(each), report.currency) for each in report.rows]
    return csv_answer("providers.csv", [*_ACTIVITY, "currency"], rows)


@router.get("/analytics/sources.csv")
def download_sources(
    reader: Reader, database: MarketplaceDatabase, period: OfThirtyDays, niche: NicheInAddress = None
) -> Response:
    """What the leads of each source were worth, in minor units."""
    report = flow.source_report(database, niche, period.asked)
    columns = [*(each.name for each in fields(SourceQuality)), "net_cents", "currency"]
    return csv_answer(
        "sources.csv", columns, [(*astuple(each), each.net_cents, report.currency) for each in report.rows]
    )


@router.get("/analytics/refusals.csv")
def download_refusals(
    reader: Reader, database: MarketplaceDatabase, period: OfThirtyDays, niche: NicheInAddress = None
) -> Response:
    """Refusals by day and reason."""
    rows = flow.refusal_report(database, niche, period.asked).rows
    return csv_answer("refusals.csv", [each.name for each in fields(RefusalsOfDay)], [astuple(each) for each in rows])


@router.get("/analytics/refunds.csv")
def download_refunds(
    reader: Reader, database: MarketplaceDatabase, period: OfThirtyDays, niche: NicheInAddress = None
) -> Response:
    """What was refunded of each level, provider and source, in minor units."""
    report = flow.refund_report(database, niche, period.asked)
    columns = [*(each.name for each in fields(RefundRate)), "refund_rate", "currency"]
    rows = [(*astuple(each), each.refund_rate, report.currency) for each in report.rows]
    return csv_answer("refunds.csv", columns, rows)


@router.get("/analytics/outcomes.csv")
def download_outcomes(
    reader: Reader, database: MarketplaceDatabase, period: OfThirtyDays, niche: NicheInAddress = None
) -> Response:
    """How the decisions of each niche ended."""
    rows = flow.outcome_report(database, niche, period.asked).rows
    columns = [*(each.name for each in fields(NicheOutcomes)), "success_rate"]
    return csv_answer("outcomes.csv", columns, [(*astuple(each), each.success_rate) for each in rows])


@router.get("/analytics/recipients.csv")
def download_recipients(
    reader: Reader, database: MarketplaceDatabase, period: OfThirtyDays, niche: NicheInAddress = None
) -> Response:
    """To how many providers decisions sold their lead."""
    rows = flow.recipient_report(database, niche, period.asked).rows
    return csv_answer("recipients.csv", ("recipients", "decisions"), [astuple(each) for each in rows])


@router.get("/analytics/figures.csv")
def download_figures(
    reader: Reader, database: MarketplaceDatabase, period: OfThirtyDays, niche: NicheInAddress = None
) -> Response:
    """The days in figures, and as many days before."""
    found = compared_figures(database, period.asked, niche)
    columns = ["day_from", "day_before", *(each.name for each in fields(Figures)), "net_cents", "currency"]
    rows = [
        (days.day_from, days.day_before, *astuple(figures), figures.net_cents, found.currency)
        for days, figures in ((found.days, found.figures), (found.earlier_days, found.earlier))
    ]
    return csv_answer("figures.csv", columns, rows)


@router.get("/analytics/leads.csv")
def download_leads(reader: Reader, database: MarketplaceDatabase, period: OfToday) -> Response:
    """Leads and decisions by hour or day."""
    rows = period_report(database, period.asked).buckets
    return csv_answer(
        "leads.csv", ("begins_at", "received_count", "sold_count", "decisions"), [astuple(each) for each in rows]
    )


@router.get("/analytics/open-slots.csv")
def download_open_slots(reader: Reader, database: MarketplaceDatabase, period: OfToday) -> Response:
    """The slots that stayed open, by reason."""
    rows = period_report(database, period.asked).slots.reasons
    return csv_answer("open-slots.csv", ("reason", "slots", "refused_count"), [astuple(each) for each in rows])


def _steps(rows: Sequence[FunnelDay]) -> list[FunnelStep]:
    """From coming in to being sold, and beside it what ended otherwise."""

    def total(name: str) -> int:
        return sum(getattr(each, name) for each in rows)

    return [
        FunnelStep(noted("Came in"), total("received_count")),
        FunnelStep(noted("Approved"), total("approved_count")),
        FunnelStep(noted("Sold"), total("distributed_count")),
        FunnelStep(noted("Sold with a slot left open"), total("partial_count")),
        FunnelStep(noted("Approved, no eligible provider so far"), total("no_eligible_count")),
        FunnelStep(noted("Rejected"), total("rejected_count")),
        FunnelStep(noted("Marked as bad"), total("bad_count")),
    ]


def _revenue_chart(
    rows: Sequence[RevenueDay], currency: str, days: Sequence[date], viewer: Viewer, names: Mapping[str, str]
) -> Chart:
    """What was sold each day, by niche, whose `names` are given by slug, or without any by level."""
    titles = (translated("Sold by day, before refunds"), translated("Sold by month, before refunds"))
    sold = ((each.day, names.get(each.niche, each.level_name), each.gross_cents) for each in rows)
    return stacked_days(sold, days, viewer, titles, "money", currency)


def _recipients_chart(rows: Sequence[RecipientCount], viewer: Viewer) -> Chart:
    """The decisions by how many providers received the lead."""
    columns = tuple(Column(number_text(each.recipients, viewer), (each.decisions,)) for each in rows)
    series = (Series(translated("Decisions"), "one"),)
    return Chart(translated("Assignments per decided lead"), translated("Assignments"), series, columns)


def _refusals_chart(rows: Sequence[RefusalsOfDay], days: Sequence[date], viewer: Viewer) -> Chart:
    """Who was refused where a slot stayed open, each day, by reason."""
    titles = (translated("Refused while a slot stayed open, by day"), translated("Refused while a slot stayed open"))
    refused = ((each.day, reason_text(each.reason), each.open_slot_count) for each in rows if each.open_slot_count)
    return stacked_days(refused, days, viewer, titles)


def _levels(rows: Sequence[RevenueDay]) -> list[LevelRevenue]:
    sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for each in rows:
        own = sums[each.niche, each.level_id, each.level_name]
        own[0] += each.sold_count
        own[1] += each.gross_cents
        own[2] += each.refunded_cents
    found = [LevelRevenue(niche, name, *own) for (niche, _, name), own in sums.items()]
    return sorted(found, key=lambda each: -each.net_cents)
