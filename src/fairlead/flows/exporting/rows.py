"""The rows of an export, whichever kind it is: the one place from which files, jobs and the command line have them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fairlead.core.canonical import timestamp_text
from fairlead.core.entry.refusal import EntryRefused
from fairlead.core.entry.text import canonical_line
from fairlead.core.errors import BadInput, Refused
from fairlead.core.gates import recorded_refusal
from fairlead.core.messages import Names
from fairlead.flows.exporting.file_formats import missing_extra
from fairlead.flows.exporting.kinds import KINDS
from fairlead.flows.exporting.open_export import begin_export
from fairlead.flows.exporting.report_rows import REPORTS, ReportQuestion
from fairlead.flows.reporting.reports import AskedDays
from fairlead.store.audit.sources import AuditFilter
from fairlead.store.audit.stream import audit_stream
from fairlead.store.connection import Connection, Database
from fairlead.store.exports.columns import ExportColumn, withheld
from fairlead.store.exports.reading import ExportFilter, count_rows, estimate_rows, stream_rows
from fairlead.store.exports.slots import Exporter
from fairlead.store.exports.sources import SENTENCE, SOURCES, Source
from fairlead.store.leads.rows import niche_form
from fairlead.store.lookups import level_names, marketplace_currency, provider_id_of
from fairlead.store.time_zones import local_date, time_zone_names

LONGEST_FILTER = 200


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is exported and how. `time_from` is included, `time_before` is not; `exact` leaves formulas alone.

    `filters` are by name, beside niche and provider; `columns` are all where none is named. A provider is named by its
    id or email address. Reports are of calendar days in the time zone. With `without_contact_data` such columns say
    only that there was something.
    """

    what: str
    format: str = "csv"
    niche_slug: str | None = None
    provider: str | None = None
    time_from: datetime | None = None
    time_before: datetime | None = None
    exact: bool = False
    filters: Mapping[str, str] = field(default_factory=dict[str, str])
    columns: tuple[str, ...] = ()
    timezone: str = "UTC"
    without_contact_data: bool = False


@dataclass(frozen=True, slots=True)
class OpenRows:
    """Rows to be read, once, while what was held for them is open. `expected` is None where they are not counted."""

    columns: tuple[ExportColumn, ...]
    rows: Iterator[Sequence[Any]]
    expected: int | None
    is_estimate: bool
    chosen: Mapping[str, Any]
    """What was chosen, as the audit log has it: ids, nothing personal."""


def checked_request(request: ExportRequest) -> ExportRequest:
    """The request with its filters in the form in which texts are stored. Raises `BadInput`, with every problem."""
    kind = KINDS.get(request.what)
    problems, filters = list[str](), dict[str, str]()
    for name, value in request.filters.items():
        try:
            filters[name] = canonical_line(value, LONGEST_FILTER)
        except EntryRefused as refused:
            problems.append(f"{name}: {refused}")
    if kind is None:
        problems.append(f"there is no export {request.what!r}; there are {', '.join(KINDS)}")
    else:
        given = [*request.filters]
        given += [name for name, value in (("niche", request.niche_slug), ("provider", request.provider)) if value]
        problems += [
            f"{name}: the export {kind.name} is not kept by {name}" for name in given if name not in kind.filters
        ]
        known = {column.name for column in kind.columns}
        problems += [
            f"columns: the export {kind.name} has no column {each!r}" for each in request.columns if each not in known
        ]
        if kind.needs_niche and request.niche_slug is None:
            problems.append(f"niche: the export {kind.name} is of one niche")
    if len({*request.columns}) < len(request.columns):
        problems.append("columns: each can be named once")
    if request.time_from and request.time_before and request.time_from >= request.time_before:
        problems.append("time_before: must be later than time_from")
    if request.timezone not in time_zone_names():
        problems.append(f"timezone: there is no time zone {request.timezone!r}")
    missing = missing_extra(request.format)
    if missing is not None:
        problems.append(missing)
    if problems:
        raise BadInput(problems)
    return replace(request, filters=filters)


def open_rows(
    database: Database,
    held: ExitStack,
    request: ExportRequest,
    *,
    exporter: Exporter | None = None,
    is_counted: bool = True,
) -> OpenRows:
    """The rows, as one snapshot has them, which is open until `held` is closed; else about how many there are.

    With `is_counted` they are counted first, but for the audit. With an `exporter`, it takes a slot of its
    party. Raises `BadInput`, and `Refused`: `niche_unknown`, `provider_unknown`, `too_many_exports`.
    """
    request = checked_request(request)
    kind = KINDS[request.what]
    if kind.is_report:
        opened = _report(database, request)
    else:
        conn = begin_export(database, held, exporter)
        opened = _audit(conn, request) if request.what == "audit" else _source(conn, request, is_counted=is_counted)
    return _shaped(opened, request)


def _shaped(opened: OpenRows, request: ExportRequest) -> OpenRows:
    """With the columns that are wanted, and without the contact data that is not to leave."""
    columns, shapes = opened.columns, list[Callable[[Sequence[Any]], Sequence[Any]]]()
    if request.without_contact_data:
        shapes.append(withheld(columns, frozenset({"consumer", "provider"})))
    if request.columns:
        places = [place for place, column in enumerate(columns) if column.name in request.columns]
        columns = tuple(columns[place] for place in places)
        shapes.append(lambda row: [row[place] for place in places])

    def rows() -> Iterator[Sequence[Any]]:
        for row in opened.rows:
            for shape in shapes:
                row = shape(row)
            yield row

    return OpenRows(columns, rows(), opened.expected, opened.is_estimate, opened.chosen)


def _source(conn: Connection, request: ExportRequest, *, is_counted: bool) -> OpenRows:
    source = SOURCES[request.what]
    values = dict(request.filters)
    if request.niche_slug is not None:
        values["niche"] = _niche_id(conn, request.niche_slug)
    if request.provider is not None:
        values["provider"] = provider_id_of(conn, request.provider)
    chosen = ExportFilter(values, request.time_from, request.time_before)
    expected = count_rows(conn, source, chosen) if is_counted else estimate_rows(conn, source, chosen)
    told: dict[str, Any] = {"niche_id": values.get("niche"), "provider_id": values.get("provider")}
    if request.filters:
        told["filters"] = told_filters(request.filters)
    rows = _finished(conn, source, chosen)
    return OpenRows(source.columns, rows, expected, not is_counted, told | span_told(request))


def _finished(conn: Connection, source: Source, chosen: ExportFilter) -> Iterator[Sequence[Any]]:
    """The rows of the source; refusals are told by their sentences."""
    names = [column.name for column in source.columns]
    rows = stream_rows(conn, source, chosen)
    if SENTENCE not in names:
        yield from rows
        return
    position = names.index(SENTENCE)
    known = Names(level_names(conn, None), marketplace_currency(conn))
    for row in rows:
        recorded = row[position]
        if recorded is None:
            yield row
        else:
            sentence = recorded_refusal(recorded["refused"], recorded["level"]).sentence(known)
            yield (*row[:position], sentence, *row[position + 1 :])


def _audit(conn: Connection, request: ExportRequest) -> OpenRows:
    if request.niche_slug is not None:
        _niche_id(conn, request.niche_slug)
    given = request.filters
    wanted = AuditFilter(
        given.get("actor"),
        given.get("action"),
        given.get("entity"),
        given.get("entity_id"),
        request.niche_slug,
        request.time_from,
        request.time_before,
    )
    columns = KINDS["audit"].columns
    rows = ([getattr(record, column.name) for column in columns] for record in audit_stream(conn, wanted))
    told = {"niche": request.niche_slug, "filters": dict(given)} | span_told(request)
    return OpenRows(columns, rows, None, is_estimate=True, chosen=told)


def _report(database: Database, request: ExportRequest) -> OpenRows:
    report = REPORTS[request.what]
    provider_id = None
    if request.provider is not None:
        named = request.provider
        provider_id = database.read(lambda conn: provider_id_of(conn, named))
    question = ReportQuestion(request.niche_slug, provider_id, _days(request))
    rows = list(report.rows(database, question))
    told = {"niche": request.niche_slug, "provider_id": provider_id, "timezone": request.timezone}
    return OpenRows(report.columns, iter(rows), len(rows), is_estimate=False, chosen=told | span_told(request))


def _days(request: ExportRequest) -> AskedDays:
    """The calendar days that the span of time touches."""
    zone = ZoneInfo(request.timezone)
    day_from = None if request.time_from is None else local_date(request.time_from, zone)
    day_before = None
    if request.time_before is not None:
        day_before = local_date(request.time_before - timedelta(microseconds=1), zone) + timedelta(days=1)
    return AskedDays(day_from, day_before, request.timezone)


def _niche_id(conn: Connection, slug: str) -> str:
    niche = niche_form(conn, slug)
    if niche is None:
        raise Refused("niche_unknown", f"there is no niche {slug!r}")
    return niche.niche_id


def told_filters(filters: Mapping[str, str]) -> dict[str, str]:
    """Filters as the audit log has them, which keeps them for good: of a source only that it was named.

    It is a sender's text, which may say who came from there, and goes when that person is erased.
    """
    return {name: "named" if name == "source" else value for name, value in filters.items()}


def span_told(request: ExportRequest) -> dict[str, Any]:
    """How, and of which time, as the audit log has it."""
    told: dict[str, Any] = {
        "format": request.format,
        "time_from": request.time_from and timestamp_text(request.time_from),
        "time_before": request.time_before and timestamp_text(request.time_before),
    }
    if request.columns:
        told["columns"] = list(request.columns)
    if request.without_contact_data:
        told["with_contact_data"] = False
    return told
