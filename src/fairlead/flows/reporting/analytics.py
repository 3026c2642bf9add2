"""All that the page of analytics tells, of one moment: the same reports as one by one, which share what they add up."""

from dataclasses import dataclass

from fairlead.flows.reporting.period_report import ComparedFigures, compared_with_earlier
from fairlead.flows.reporting.reports import AskedDays, days_asked, known_niche, note_zone
from fairlead.store.connection import Connection, Database
from fairlead.store.lookups import marketplace_currency
from fairlead.store.reports.activity import ProviderActivity, provider_activity
from fairlead.store.reports.fill import LevelFill, level_fill
from fairlead.store.reports.funnel import FunnelDay, lead_funnel
from fairlead.store.reports.outcomes import NicheOutcomes, RecipientCount, niche_outcomes, recipient_counts
from fairlead.store.reports.pieces import cover
from fairlead.store.reports.refund_rates import RefundRate, refund_rates
from fairlead.store.reports.refusals import RefusalsOfDay, refusals_by_day
from fairlead.store.reports.revenue import RevenueDay, revenue
from fairlead.store.reports.sources import SourceQuality, source_quality


@dataclass(frozen=True, slots=True)
class Analytics:
    """The rows of each report; `fill` is () where no niche was asked for."""

    currency: str
    funnel: tuple[FunnelDay, ...]
    revenue: tuple[RevenueDay, ...]
    figures: ComparedFigures
    activity: tuple[ProviderActivity, ...]
    refunds: tuple[RefundRate, ...]
    recipients: tuple[RecipientCount, ...]
    sources: tuple[SourceQuality, ...]
    fill: tuple[LevelFill, ...]
    outcomes: tuple[NicheOutcomes, ...]
    refusals: tuple[RefusalsOfDay, ...]


def read_analytics(
    database: Database, niche_slug: str | None, asked: AskedDays, *, by_month: bool = False
) -> Analytics:
    """The reports of these days (in the niche). Raises `BadInput`, and `Refused`: `niche_unknown`."""

    def work(conn: Connection) -> Analytics:
        niche_id = None if niche_slug is None else known_niche(conn, niche_slug)
        days = days_asked(conn, asked)
        covered = cover(conn, days, niche_id)
        return Analytics(
            marketplace_currency(conn),
            tuple(lead_funnel(conn, covered, by_month=by_month)),
            tuple(revenue(conn, covered, by_month=by_month)),
            compared_with_earlier(conn, covered),
            tuple(provider_activity(conn, covered)),
            tuple(refund_rates(conn, covered)),
            tuple(recipient_counts(conn, covered)),
            tuple(source_quality(conn, covered)),
            () if niche_id is None else tuple(level_fill(conn, covered)),
            tuple(niche_outcomes(conn, covered)),
            tuple(refusals_by_day(conn, covered, by_month=by_month)),
        )

    note_zone(database, asked.timezone)
    return database.read(work)
