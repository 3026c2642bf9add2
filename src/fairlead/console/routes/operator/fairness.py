"""Whether levels begin as often as they should, and what each provider received beside an equal share."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.console.charts import part, share_position
from fairlead.console.downloads import csv_answer
from fairlead.console.niche_choice import NicheInAddress, niche_links, niches_by_name
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.periods import ChosenPeriod, OfThirtyDays
from fairlead.console.refusal_texts import why_text
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.read_limits import REPORTS_OF_CALLER
from fairlead.flows.reports import busiest_niche, fairness_report
from fairlead.flows.shares import FAR_BELOW_RATIO, SharesReport, shares_report
from fairlead.flows.verifications import proof_state
from fairlead.store.connection import Database

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Reader = Annotated[Principal, needs(Permission.REPORTS_READ, REPORTS_OF_CALLER)]

COLUMNS = (
    "level",
    "provider",
    "is_active",
    "received",
    "equal_share",
    "ratio",
    "longest_wait",
    "current_wait",
    "refused_for_money",
    "reasons",
)


@router.get("/fairness")
def show_fairness(
    reader: Reader,
    page: PageOfRequest,
    database: MarketplaceDatabase,
    period: OfThirtyDays,
    niche: NicheInAddress = None,
) -> Response:
    """Per level of a niche: who received how much of an equal share, the waits, and the starts."""
    slug = _told_niche(database, period, niche)
    niches = niche_links(database, period, slug)
    shares = shares_report(database, slug, period.asked) if slug else None
    starts = fairness_report(database, slug, period.asked).rows if slug else ()
    return page.render(
        "operator/fairness.html",
        reader,
        period=period,
        niches=niches,
        slug=slug,
        shares=shares,
        starts=[each for each in starts if each.decisions],
        far_below=FAR_BELOW_RATIO,
        position=share_position,
        part=part,
        why_text=why_text,
        proof=proof_state(database, slug or None),
        csv=period.address("/fairness/shares.csv", niche=slug),
    )


@router.get("/fairness/shares.csv")
def download_shares(
    reader: Reader, database: MarketplaceDatabase, period: OfThirtyDays, niche: NicheInAddress = None
) -> Response:
    """What each subscription of the niche received, as a file; without one named, of the niche that the page tells."""
    slug = _told_niche(database, period, niche)
    return csv_answer("shares.csv", COLUMNS, _rows(shares_report(database, slug, period.asked)) if slug else [])


def _told_niche(database: Database, period: ChosenPeriod, niche: str | None) -> str:
    """The niche that is named; else that with the most assignments in these days, else the first by name, else ""."""
    if niche:
        return niche
    busiest = busiest_niche(database, period.asked)
    return busiest[0] if busiest else next((slug for _, slug in niches_by_name(database)), "")


def _rows(report: SharesReport) -> list[Sequence[object]]:
    return [
        (
            level.level_name,
            each.provider_name,
            each.is_active,
            each.received,
            round(level.equal_share, 3),
            level.ratio(each),
            each.longest_wait,
            each.current_wait,
            each.refused_for_money,
            " ".join(level.reasons(each, report.days)),
        )
        for level in report.levels
        for each in level.subscriptions
    ]
