"""Reports as rows of a file: for each report that the API has, the rows that it and its page show."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast, get_args

from fairlead.flows.reporting import reports
from fairlead.flows.reporting.entitlement import entitlement_report
from fairlead.flows.reporting.period_report import period_report
from fairlead.flows.reporting.reports import AskedDays, Report
from fairlead.flows.reporting.shares import shares_report
from fairlead.store.connection import Database
from fairlead.store.exports.columns import ExportColumn, ExportColumnType


@dataclass(frozen=True, slots=True)
class ReportQuestion:
    """What a report is asked: a niche by its slug, a provider by its id, and days."""

    niche: str | None
    provider_id: str | None
    days: AskedDays


@dataclass(frozen=True, slots=True)
class ExportedReport:
    """A report as a table. `path` is the end of its address in the API."""

    path: str
    columns: tuple[ExportColumn, ...]
    rows: Callable[[Database, ReportQuestion], Iterable[Sequence[Any]]]
    filters: tuple[str, ...] = ("niche",)
    needs_niche: bool = False


def _columns(text: str) -> tuple[ExportColumn, ...]:
    """`name` or `name:type`, one after the other; a count or an amount says nothing of its type."""
    found: list[ExportColumn] = []
    for word in text.split():
        name, _, kind = word.partition(":")
        type_name = kind or ("integer" if name.endswith(("_count", "_cents")) else "text")
        assert type_name in get_args(ExportColumnType), word
        found.append(ExportColumn(name, cast(ExportColumnType, type_name)))
    return tuple(found)


def _values(columns: Sequence[ExportColumn], row: object, more: Mapping[str, Any]) -> list[Any]:
    return [more[each.name] if each.name in more else getattr(row, each.name) for each in columns]


def _of_report(columns: Sequence[ExportColumn], report: Report[Any]) -> Iterable[Sequence[Any]]:
    more = {"currency": report.currency}
    return [_values(columns, row, more) for row in report.rows]


def _niche(question: ReportQuestion) -> str:
    assert question.niche is not None, "it was checked"
    return question.niche


_FAIRNESS = _columns(
    "level_id level_name decisions:integer starts:integer expected_starts:number assignments:integer "
    "served_subscriptions:integer unserved_subscriptions:integer fewest_times:integer most_times:integer "
    "longest_wait:integer"
)
_FILL = _columns(
    "level_id level_name decisions:integer offered_slots:integer filled_slots:integer fill_rate:number reasons:json"
)
_REVENUE = _columns(
    "day:day niche level_id level_name sold_count gross_cents refunded_count refunded_cents net_cents currency"
)
_FUNNEL = _columns(
    "day:day niche received_count approved_count distributed_count partial_count no_eligible_count rejected_count "
    "bad_count"
)
_ACTIVITY = _columns(
    "provider_id provider_name received_count spent_cents viewed_count accepted_count rejected_count "
    "acceptance_rate:number reported_count bad_count bad_lead_rate:number refunded_count refunded_cents currency"
)
_FIGURES = (
    "received_count sold_count sold_share:number assignment_seconds_p95:number approval_seconds_median:number "
    "assignments:integer assigned_leads:integer recipients_per_lead:number gross_cents refunded_count refunded_cents "
    "net_cents"
)
_PERIOD = _columns(f"part begins_at:time ends_at:time {_FIGURES} currency")
_PARTS = _columns("begins_at:time received_count sold_count decisions:integer")
_SLOTS = _columns("reason slots:integer refused_count")
_SOURCES = _columns(
    "source received_count approved_count sold_count rejected_count bad_lead_count sold_share:number "
    "assignments:integer assigned_leads:integer recipients_per_lead:number gross_cents reported_count "
    "report_rate:number found_bad_count refunded_count refund_rate:number refunded_cents net_cents currency"
)
_OUTCOMES = _columns("niche decisions:integer success_count partial_count no_eligible_count success_rate:number")
_RECIPIENTS = _columns("recipients:integer decisions:integer")
_REFUNDS = _columns(
    "group key name niche assignments:integer gross_cents refunded_count refund_rate:number refunded_cents currency"
)
_REFUSALS = _columns("day:day reason refused_count open_slot_count")
_SHARES = _columns(
    "level_id level_name equal_share:number jain_index:number subscription_id provider_id provider_name "
    "is_active:boolean received:integer ratio:number longest_wait:integer current_wait:integer "
    "refused_for_money:integer reasons:json"
)
_ENTITLEMENT = _columns(
    "level_id level_name took_part:integer wait_bound:integer jain_index:number subscription_id provider_id "
    "provider_name is_active:boolean decisions:integer eligible:integer received:integer entitled:number ratio:number "
    "longest_wait:integer current_wait:integer kept_out:json"
)


def _fairness(database: Database, asked: ReportQuestion) -> Iterable[Sequence[Any]]:
    return _of_report(_FAIRNESS, reports.fairness_report(database, _niche(asked), asked.days))


def _fill(database: Database, asked: ReportQuestion) -> Iterable[Sequence[Any]]:
    return _of_report(_FILL, reports.fill_report(database, _niche(asked), asked.days))


def _revenue(database: Database, asked: ReportQuestion) -> Iterable[Sequence[Any]]:
    return _of_report(_REVENUE, reports.revenue_report(database, asked.niche, asked.days))


def _funnel(database: Database, asked: ReportQuestion) -> Iterable[Sequence[Any]]:
    return _of_report(_FUNNEL, reports.funnel_report(database, asked.niche, asked.days))


def _activity(database: Database, asked: ReportQuestion) -> Iterable[Sequence[Any]]:
    found = reports.activity_report(database, asked.niche, asked.provider_id, asked.days)
    return _of_report(_ACTIVITY, found)


def _sources(database: Database, asked: ReportQuestion) -> Iterable[Sequence[Any]]:
    return _of_report(_SOURCES, reports.source_report(database, asked.niche, asked.days))


def _outcomes(database: Database, asked: ReportQuestion) -> Iterable[Sequence[Any]]:
    return _of_report(_OUTCOMES, reports.outcome_report(database, asked.niche, asked.days))


def _recipients(database: Database, asked: ReportQuestion) -> Iterable[Sequence[Any]]:
    return _of_report(_RECIPIENTS, reports.recipient_report(database, asked.niche, asked.days))


def _refunds(database: Database, asked: ReportQuestion) -> Iterable[Sequence[Any]]:
    return _of_report(_REFUNDS, reports.refund_report(database, asked.niche, asked.days))


def _refusals(database: Database, asked: ReportQuestion) -> Iterable[Sequence[Any]]:
    return _of_report(_REFUSALS, reports.refusal_report(database, asked.niche, asked.days))


def _period(database: Database, asked: ReportQuestion) -> Iterable[Sequence[Any]]:
    found = period_report(database, asked.days)
    for part, figures, begins_at, ends_at in (
        ("period", found.figures, found.since, found.before),
        ("earlier", found.earlier, found.earlier_since, found.earlier_before),
    ):
        more = {"part": part, "begins_at": begins_at, "ends_at": ends_at, "currency": found.currency}
        yield _values(_PERIOD, figures, more)


def _parts(database: Database, asked: ReportQuestion) -> Iterable[Sequence[Any]]:
    return [_values(_PARTS, each, {}) for each in period_report(database, asked.days).buckets]


def _slots(database: Database, asked: ReportQuestion) -> Iterable[Sequence[Any]]:
    return [_values(_SLOTS, each, {}) for each in period_report(database, asked.days).slots.reasons]


def _shares(database: Database, asked: ReportQuestion) -> Iterable[Sequence[Any]]:
    found = shares_report(database, _niche(asked), asked.days)
    for level in found.levels:
        for share in level.subscriptions:
            more = {
                "equal_share": level.equal_share,
                "jain_index": level.jain_index,
                "ratio": level.ratio(share),
                "reasons": level.reasons(share, found.days),
            }
            yield _values(_SHARES, share, more)


def _entitlement(database: Database, asked: ReportQuestion) -> Iterable[Sequence[Any]]:
    for level in entitlement_report(database, _niche(asked), asked.days).levels:
        of_level = {name: getattr(level, name) for name in ("level_id", "took_part", "wait_bound", "jain_index")}
        for each in level.subscriptions:
            yield _values(_ENTITLEMENT, each, of_level | asdict(each.subscription))


REPORTS: Mapping[str, ExportedReport] = {
    "report_period": ExportedReport("period", _PERIOD, _period, ()),
    "report_period_parts": ExportedReport("period", _PARTS, _parts, ()),
    "report_open_slots": ExportedReport("period", _SLOTS, _slots, ()),
    "report_revenue": ExportedReport("revenue", _REVENUE, _revenue),
    "report_funnel": ExportedReport("funnel", _FUNNEL, _funnel),
    "report_provider_activity": ExportedReport("provider-activity", _ACTIVITY, _activity, ("niche", "provider")),
    "report_sources": ExportedReport("sources", _SOURCES, _sources),
    "report_outcomes": ExportedReport("outcomes", _OUTCOMES, _outcomes),
    "report_recipients": ExportedReport("recipients", _RECIPIENTS, _recipients),
    "report_refunds": ExportedReport("refunds", _REFUNDS, _refunds),
    "report_refusals": ExportedReport("refusals", _REFUSALS, _refusals),
    "report_fairness": ExportedReport("fairness", _FAIRNESS, _fairness, needs_niche=True),
    "report_fill_rate": ExportedReport("fill-rate", _FILL, _fill, needs_niche=True),
    "report_shares": ExportedReport("shares", _SHARES, _shares, needs_niche=True),
    "report_entitlement": ExportedReport("entitlement", _ENTITLEMENT, _entitlement, needs_niche=True),
}
"""By the names of their kinds."""
