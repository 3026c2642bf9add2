"""Exports that a worker builds: requested, watched, fetched when they are ready, and deleted."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Header, Path, Query, Response
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.conditional import show_version
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.operations.audit import AUDIT_NAME, AUDIT_PREFIX
from fairlead.api.schemas.files import StreamedFile, file_of
from fairlead.api.schemas.pagination import ByCursor, Page, cursor_after
from fairlead.api.schemas.values import (
    NAME_PATTERN,
    Line,
    RequestModel,
    ResponseModel,
    Slug,
    Timestamp,
    Uuid,
    pattern_with_message,
)
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.read_limits import EXPORTS_OF_CALLER
from fairlead.flows.exporting import requests as flow
from fairlead.flows.exporting.download import open_download
from fairlead.flows.exporting.rows import ExportRequest
from fairlead.store.exports.requests import ExportRow, export_page

router = Router(prefix="/api/v1/admin/exports", tags=["exports"])

Kind = Literal[
    "leads",
    "assignments",
    "decisions",
    "refusals",
    "ledger",
    "receipts",
    "journal",
    "audit",
    "report_period",
    "report_period_parts",
    "report_open_slots",
    "report_revenue",
    "report_funnel",
    "report_provider_activity",
    "report_sources",
    "report_outcomes",
    "report_recipients",
    "report_refunds",
    "report_refusals",
    "report_fairness",
    "report_fill_rate",
    "report_shares",
    "report_entitlement",
]
State = Literal["waiting", "running", "ready", "failed", "expired", "cancelled"]
ExportId = Annotated[Uuid, Path(description="The export's id.")]
Reader = Annotated[Principal, needs(Permission.EXPORTS_READ)]
Fetcher = Annotated[Principal, needs(Permission.EXPORTS_READ, EXPORTS_OF_CALLER)]
Writer = Annotated[Principal, needs(Permission.EXPORTS_WRITE)]
Requesting = Annotated[Principal, needs(Permission.EXPORTS_WRITE, EXPORTS_OF_CALLER)]
_ETAG = re.compile(r'(?:W/)?"([0-9a-f]{64})"')
_RANGE = re.compile(r"bytes=(?:([0-9]{1,15})-([0-9]{1,15})?|-([0-9]{1,15}))")
_FILE = file_of("export", "{}\n")
_ONE_LINE = pattern_with_message("^[ -~]*$", "Input should be printable ASCII")
Name = Annotated[str, Field(pattern=NAME_PATTERN)]


class ExportFilters(RequestModel):
    """Only rows with these values. Each kind knows some of them; another is refused."""

    niche: Slug | None = Field(default=None, description="Only of this niche, by its slug.", examples=["hosting"])
    provider_id: Uuid | None = Field(default=None, description="Only of this provider.")
    status: Name | None = Field(default=None, description="The status of a lead or an assignment.")
    source: Annotated[Line, Field(max_length=200)] | None = Field(
        default=None, description="The whole `utm_source` of a lead.", examples=["newsletter"]
    )
    outcome: Name | None = Field(
        default=None,
        description="The outcome of a decision; or of a lead: `sold`, `partial`, `unsold`, `failed`, `rejected`.",
    )
    id_prefix: (
        Annotated[
            str, Field(pattern=pattern_with_message("^([0-9a-fA-F]-?){1,32}$", "Input should be how an id begins"))
        ]
        | None
    ) = Field(default=None, description="How a lead's id begins.", examples=["01990d8e"])
    reason: Name | None = Field(default=None, description="The reason of a refusal.")
    entry_kind: Name | None = Field(default=None, description="The kind of a ledger entry.")
    actor: Annotated[str, Field(pattern=AUDIT_NAME)] | None = Field(default=None, description="Who did it.")
    action: Annotated[str, Field(pattern=AUDIT_PREFIX)] | None = Field(default=None, description="How it begins.")
    entity: Name | None = Field(default=None, description="A kind of thing.")
    entity_id: Annotated[str, Field(pattern=AUDIT_NAME)] | None = Field(
        default=None, description="With `entity`: only about this one."
    )


class NewExport(RequestModel):
    """What to export, and how."""

    kind: Kind = Field(description="What to export.")
    format: Literal["csv", "jsonl", "parquet"] = Field(
        default="csv", description="How it is written. Parquet needs the server's extra `parquet`."
    )
    time_from: Timestamp | None = Field(default=None, description="Only what has this time, or a later one.")
    time_before: Timestamp | None = Field(default=None, description="Only what has an earlier time.")
    filters: ExportFilters = Field(default_factory=ExportFilters, description="Only rows with these values.")
    columns: Annotated[Sequence[Name], Field(max_length=100)] = Field(
        default=(), description="Only these columns, in their documented order; all where none is named."
    )
    timezone: Annotated[
        str,
        Field(
            pattern=pattern_with_message(
                "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$", "Input should be a time zone such as Europe/Berlin"
            ),
            max_length=64,
        ),
    ] = Field(default="UTC", description="Where the days of a report begin and end.")
    with_contact_data: bool = Field(
        default=True, description="Whether names and addresses are wanted; they are in it only where you may see them."
    )
    exact: bool = Field(
        default=False, description="CSV for programs: no byte order mark, and formulas are left as they are."
    )
    is_email_wanted: bool = Field(default=False, description="Whether to send you an email when the file is ready.")


class ExportState(ResponseModel):
    """An export, and how far it has come."""

    export_id: Uuid
    kind: str = Field(description="What is exported.", examples=["ledger"])
    format: str = Field(description="How it is written.", examples=["csv"])
    parameters: Mapping[str, Any] = Field(
        description="Which rows and columns, as it was requested.", examples=[{"niche": "hosting"}]
    )
    with_contact_data: bool = Field(
        description="Whether names and addresses are in the file; `withheld` stands in their place where not."
    )
    state: State = Field(description="How far it has come.")
    rows_written: int = Field(description="Rows that are written so far.")
    rows_expected: int | None = Field(description="Rows in all; null while that is not known.")
    rows_expected_is_estimate: bool = Field(description="Whether that is an estimate.")
    progress: float | None = Field(description="Between 0 and 1: written of expected; null while that is not known.")
    byte_count: int = Field(description="The file's size so far, in bytes.")
    checksum: str | None = Field(description="SHA-256 of the file, in hexadecimal; null before it is ready.")
    requested_by: str = Field(description="Who requested it.", examples=["user:01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"])
    is_email_wanted: bool = Field(description="Whether an email is sent when it is ready.")
    requested_at: datetime = Field(description="When it was requested.")
    started_at: datetime | None = Field(description="When its last run began; null before.")
    finished_at: datetime | None = Field(description="When it ended; null before.")
    expires_at: datetime | None = Field(description="When its file is deleted; null before it is ready.")
    error: str | None = Field(description="Why its last run failed; null where none did.")
    file_name: str = Field(description="What the file is called.", examples=["ledger-2026-01-31.csv"])


@router.post("", status_code=202, responses=refuses("niche_unknown", "provider_unknown", "too_many_exports"))
def request_export(asked: NewExport, writer: Requesting, database: MarketplaceDatabase) -> ExportState:
    """Request an export: a worker builds its file. What it takes to have a kind is checked now, and when it is fetched.

    Contact data is in it only for those who may see it.
    """
    filters = asked.filters.model_dump(exclude_none=True, exclude={"niche", "provider_id"})
    request = ExportRequest(
        asked.kind,
        asked.format,
        asked.filters.niche,
        asked.filters.provider_id,
        asked.time_from,
        asked.time_before,
        asked.exact,
        filters,
        tuple(asked.columns),
        asked.timezone,
        without_contact_data=not asked.with_contact_data,
    )
    row = flow.request_export(database, request, requester_of(writer), is_email_wanted=asked.is_email_wanted)
    return state_of(row)


@router.get("")
def list_exports(
    reader: Reader,
    database: MarketplaceDatabase,
    page: ByCursor,
    kind: Kind | None = None,
    state: Annotated[State | None, Query(description="Only those in this state.")] = None,
) -> Page[ExportState]:
    """List exports, the newest first. A page may have fewer items than its limit and still a next one."""
    found = database.read(lambda conn: export_page(conn, kind, state, page.after, page.limit))
    return Page(items=[state_of(each) for each in found.items], next_cursor=cursor_after(found.next_after))


@router.get("/{export_id:id}", responses=refuses("export_unknown"))
def show_export(export_id: ExportId, reader: Reader, database: MarketplaceDatabase, response: Response) -> ExportState:
    """Show one export, and how far it has come. The ETag stays the same for as long as it comes no further."""
    row = flow.show_export(database, export_id)
    show_version(response, f"{row.attempt}-{row.state}-{row.rows_written}")
    return state_of(row)


@router.get(
    "/{export_id:id}/content",
    responses=_FILE
    | {
        206: _FILE[200] | {"description": "The part of the file that was asked for."},
        304: {"description": "The file is the one that you have. The answer has no body."},
    }
    | refuses("export_unknown", "export_not_ready", "export_expired", "range_not_satisfiable"),
    response_class=Response,
)
def fetch_export(
    export_id: ExportId,
    reader: Fetcher,
    database: MarketplaceDatabase,
    byte_range: Annotated[
        str | None,
        Header(
            alias="Range", pattern=_ONE_LINE, max_length=60, description="One part of the file, such as `bytes=1000-`."
        ),
    ] = None,
    if_none_match: Annotated[
        str | None, Header(pattern=_ONE_LINE, max_length=100, description="The ETag of the file that you have.")
    ] = None,
) -> Response:
    """Fetch the file of an export that is ready. What is in it, the reader must be allowed to see now."""
    known = _ETAG.fullmatch(if_none_match or "")
    download = open_download(
        database, export_id, requester_of(reader), _wanted(byte_range), None if known is None else known[1]
    )
    if download is None:
        assert known is not None, "it was compared"
        return Response(status_code=304, headers={"ETag": f'"{known[1]}"'})
    row, first, count = download.row, download.first_byte, download.byte_count
    headers = {"Content-Length": str(count), "ETag": f'"{row.checksum}"', "Accept-Ranges": "bytes"}
    is_part = count != row.byte_count
    if is_part:
        headers["Content-Range"] = f"bytes {first}-{first + count - 1}/{row.byte_count}"
    return StreamedFile(download.opened, _base_name(row), row.format, headers, 206 if is_part else 200)


@router.post("/{export_id:id}/cancel", responses=refuses("export_unknown", "export_finished"))
def cancel_export(export_id: ExportId, writer: Writer, database: MarketplaceDatabase) -> ExportState:
    """Cancel an export that waits or is being built. One that is cancelled stays so."""
    return state_of(flow.cancel_export(database, export_id, writer.actor))


@router.delete("/{export_id:id}", status_code=204, responses=refuses("export_unknown", "export_under_way"))
def delete_export(export_id: ExportId, writer: Writer, database: MarketplaceDatabase) -> None:
    """Delete an export that is finished, and its file."""
    flow.discard_export(database, export_id, writer.actor)


def requester_of(principal: Principal) -> flow.Requester:
    """Who asks, as the flow takes it."""
    return flow.Requester(principal.actor, principal.user_id, principal.permissions)


def state_of(row: ExportRow) -> ExportState:
    """The export as an answer."""
    return ExportState(
        **{name: getattr(row, name) for name in ExportState.model_fields if name not in ("progress", "file_name")},
        progress=_progress(row),
        file_name=f"{_base_name(row)}.{row.format}",
    )


def _progress(row: ExportRow) -> float | None:
    if row.state == "ready":
        return 1.0
    if row.rows_expected is None:
        return None
    # An estimate may be too low: it is not over before it is.
    return min(row.rows_written / max(row.rows_expected, 1), 0.99)


def _base_name(row: ExportRow) -> str:
    """What the file is called, without its ending; one without contact data says so."""
    masked = "" if row.with_contact_data else "-without-contact-data"
    return f"{row.kind.replace('_', '-')}-{row.requested_at:%Y-%m-%d}{masked}"


def _wanted(byte_range: str | None) -> tuple[int | None, int | None] | None:
    """The part that is asked for; None for the whole file, also where a range cannot be understood (RFC 9110)."""
    found = _RANGE.fullmatch((byte_range or "").replace(" ", ""))
    if found is None:
        return None
    if found[3] is not None:
        return None, int(found[3])
    return int(found[1]), None if found[2] is None else int(found[2])
