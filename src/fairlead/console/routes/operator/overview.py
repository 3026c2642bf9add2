"""The first page of operators: what needs them, and how the marketplace fared in a few days."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from babel.dates import format_datetime
from fastapi import APIRouter, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase, ServerSettings
from fairlead.console.charts import Chart, Column, Series, Shade, part, share_position
from fairlead.console.day_columns import MOST_DAYS_TOLD_BY_DAY, day_columns
from fairlead.console.operator.attention import rail_counts, tasks_of
from fairlead.console.operator.first_steps import first_steps
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.periods import OfToday
from fairlead.console.refusal_texts import reason_text
from fairlead.console.texts import translated
from fairlead.console.viewer import Viewer
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.read_limits import REPORTS_OF_CALLER
from fairlead.flows.proving.verifications import proof_state
from fairlead.flows.reporting.period_report import ReportedPeriod, period_and_busiest_niche
from fairlead.flows.reporting.reports import AskedDays
from fairlead.flows.reporting.shares import FAR_BELOW_RATIO, LevelShares, shares_report
from fairlead.flows.setup_checklist import read_setup_checklist
from fairlead.store.connection import Database
from fairlead.store.watching.attention import read_attention

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Reader = Annotated[Principal, needs(Permission.REPORTS_READ, REPORTS_OF_CALLER)]


@dataclass(frozen=True, slots=True)
class LevelAtAGlance:
    """A level in one line: how far its subscriptions are from an equal share."""

    level_name: str
    compared: int
    longest_wait: int
    longest_in_turn: int
    ratios: tuple[float, ...]

    @property
    def least_ratio(self) -> float:
        """Of the one that received the least."""
        return min(self.ratios)

    @property
    def most_ratio(self) -> float:
        """Of the one that received the most."""
        return max(self.ratios)


@router.get("/overview")
def show_overview(
    reader: Reader, page: PageOfRequest, database: MarketplaceDatabase, settings: ServerSettings, period: OfToday
) -> Response:
    """What needs a person, then the days in figures."""
    waiting = database.read(read_attention)
    report, busiest = period_and_busiest_niche(database, period.asked)
    niche_slug, niche_name = busiest or ("", "")
    slots = report.slots
    checklist = read_setup_checklist(database, sends_mail=settings.sends_mail)
    return page.render(
        "operator/overview.html",
        reader,
        attention=rail_counts(waiting, reader),
        first_steps=first_steps(checklist) if checklist.is_open else [],
        period=period,
        tasks=tasks_of(waiting, reader),
        proof=proof_state(database),
        now_figures=report.figures,
        earlier=report.earlier,
        currency=report.currency,
        is_hourly=report.is_hourly,
        slots=slots,
        slots_per_decision=slots.offered / slots.decisions if slots.decisions else None,
        leads_chart=leads_chart(report, page.viewer),
        is_monthly=not report.is_hourly and len(report.buckets) > MOST_DAYS_TOLD_BY_DAY,
        niche_slug=niche_slug,
        niche_name=niche_name,
        levels=_levels(database, niche_slug, period.asked),
        dots=_dots,
        part=part,
        reason_text=reason_text,
    )


def leads_chart(report: ReportedPeriod, viewer: Viewer) -> Chart:
    """The leads that came in by hour, day or month, sold and not."""
    begins = [each.begins_at.astimezone(viewer.zone) for each in report.buckets]
    values = [(each.sold_count, each.received_count - each.sold_count) for each in report.buckets]
    series = (Series(translated("Sold"), "one"), Series(translated("Not sold"), "two"))
    title = translated("Leads that came in")
    if report.is_hourly:
        labels = [format_datetime(each, "HH:mm", locale=viewer.locale) for each in begins]
        columns = tuple(Column(label, own) for label, own in zip(labels, values, strict=True))
        return Chart(title, translated("Hour"), series, columns)
    shown = day_columns(dict(zip((each.date() for each in begins), values, strict=True)), viewer)
    return Chart(title, translated("Month") if shown.are_months else translated("Day"), series, shown.columns)


def _levels(database: Database, niche_slug: str, asked: AskedDays) -> list[LevelAtAGlance]:
    """The levels of the niche that made assignments; [] without a niche."""
    if not niche_slug:
        return []
    found = shares_report(database, niche_slug, asked).levels
    return [_at_a_glance(each) for each in found if each.assignments and each.compared]


def _at_a_glance(level: LevelShares) -> LevelAtAGlance:
    ratios = [level.ratio(each) for each in level.subscriptions if level.is_compared(each)]
    known = tuple(each for each in ratios if each is not None)
    return LevelAtAGlance(level.level_name, level.compared, level.longest_wait, level.longest_in_turn, known or (0.0,))


def _dots(level: LevelAtAGlance) -> Sequence[tuple[str, Shade]]:
    """Each subscription of the level; those much below an equal share in the colour of warnings."""
    return [(share_position(each), "two" if each < FAR_BELOW_RATIO else "one") for each in level.ratios]
