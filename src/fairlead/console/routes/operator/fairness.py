"""Whether levels begin as often as they should, and what each provider received beside what it could have had."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.console.charts import part, share_position
from fairlead.console.downloads import csv_answer
from fairlead.console.niche_choice import NicheInAddress, niche_links, niches_by_name
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.periods import ChosenPeriod, OfThirtyDays
from fairlead.console.refusal_texts import reason_text, summary_text
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.read_limits import REPORTS_OF_CALLER
from fairlead.flows.proving.verifications import proof_state
from fairlead.flows.reporting.entitlement import LevelEntitlement, SubscriptionEntitlement, entitlement_report
from fairlead.flows.reporting.reports import busiest_niche, fairness_report
from fairlead.flows.reporting.shares import FAR_BELOW_RATIO, SharesReport, shares_report
from fairlead.store.connection import Database

_FILES = ("entitlement", "starts", "shares")
IN_LINE = "in_line"
"""It was eligible for each lead, and others stood before it."""

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
ENTITLEMENT_COLUMNS = (
    "level",
    "provider_id",
    "provider",
    "is_active",
    "decisions",
    "eligible",
    "received",
    "entitled",
    "ratio",
    "longest_wait",
    "wait_bound",
    "current_wait",
    "main_cause",
    "kept_out",
)
STARTS_COLUMNS = ("level", "decisions", "starts", "expected_starts")
MOST_SHOWN = 25
"""Subscriptions of a level; the files have all of them."""


@dataclass(frozen=True, slots=True)
class ShownCause:
    """One reason for which subscriptions received nothing, and how many of them."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class ShownLevel:
    """A level with the subscriptions that the page shows, and why others starve."""

    level: LevelEntitlement
    shown: Sequence[SubscriptionEntitlement]
    causes: Sequence[ShownCause]


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
    report = entitlement_report(database, slug, period.asked) if slug else None
    starts = fairness_report(database, slug, period.asked).rows if slug else ()
    return page.render(
        "operator/fairness.html",
        reader,
        period=period,
        niches=niches,
        slug=slug,
        report=report,
        levels=[_shown(each) for each in report.levels] if report else [],
        starts=[each for each in starts if each.decisions],
        far_below=FAR_BELOW_RATIO,
        most_shown=MOST_SHOWN,
        position=share_position,
        part=part,
        reason_text=reason_text,
        summary_text=summary_text,
        proof=proof_state(database, slug or None),
        addresses={name: period.address(f"/fairness/{name}.csv", niche=slug) for name in _FILES},
    )


@router.get("/fairness/entitlement.csv")
def download_entitlement(
    reader: Reader, database: MarketplaceDatabase, period: OfThirtyDays, niche: NicheInAddress = None
) -> Response:
    """What each subscription of the niche received beside what it could have had."""
    slug = _told_niche(database, period, niche)
    levels = entitlement_report(database, slug, period.asked).levels if slug else ()
    rows = [_entitlement_row(level, each) for level in levels for each in level.subscriptions]
    return csv_answer("entitlement.csv", ENTITLEMENT_COLUMNS, rows)


@router.get("/fairness/starts.csv")
def download_starts(
    reader: Reader, database: MarketplaceDatabase, period: OfThirtyDays, niche: NicheInAddress = None
) -> Response:
    """How often decisions began with each level of the niche."""
    slug = _told_niche(database, period, niche)
    found = fairness_report(database, slug, period.asked).rows if slug else ()
    rows = [(each.level_name, each.decisions, each.starts, each.expected_starts) for each in found if each.decisions]
    return csv_answer("starts.csv", STARTS_COLUMNS, rows)


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


def _entitlement_row(level: LevelEntitlement, each: SubscriptionEntitlement) -> Sequence[object]:
    return (
        level.level_name,
        each.subscription.provider_id,
        each.subscription.provider_name,
        each.subscription.is_active,
        each.decisions,
        each.eligible,
        each.received,
        round(each.entitled, 3),
        each.ratio,
        each.longest_wait,
        level.wait_bound,
        each.current_wait,
        each.cause,
        " ".join(f"{reason}={count}" for reason, count in each.kept_out.items()),
    )


def _shown(level: LevelEntitlement) -> ShownLevel:
    """Those farthest below what they were entitled to, then those that received nothing, most decisions first."""
    causes = Counter(each.cause or IN_LINE for each in level.starving)
    told = sorted(level.subscriptions, key=lambda each: (each.ratio is None, each.ratio or 0.0, -each.decisions))
    return ShownLevel(level, told[:MOST_SHOWN], [ShownCause(*each) for each in causes.most_common()])
