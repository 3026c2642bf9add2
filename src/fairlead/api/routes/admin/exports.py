"""Files: all that there is of something in one snapshot. Every export is in the audit log before it leaves."""

from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import StreamingResponse

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.audit import WantedEvents
from fairlead.api.schemas.files import Exact, FileFormat, StreamedFile, file_of
from fairlead.api.schemas.spans import Before, From
from fairlead.api.schemas.values import Slug, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.read_limits import EXPORTS_OF_CALLER
from fairlead.flows.exporting.export import ExportRequest, open_export
from fairlead.flows.exporting.export_audit import open_audit_export

router = Router(prefix="/api/v1/admin/exports", tags=["exports"], default_response_class=StreamingResponse)

OPEN_AT_ONCE = 2
"""In the marketplace. Each keeps a connection while it is read, and a second one for a moment."""

AuditReader = Annotated[Principal, needs(Permission.AUDIT_READ, EXPORTS_OF_CALLER)]
MoneyReader = Annotated[Principal, needs(Permission.MONEY_READ, EXPORTS_OF_CALLER)]
OfNiche = Annotated[Slug | None, Query(description="Only of this niche, by its slug.")]
OfProvider = Annotated[Uuid | None, Query(description="Only of this provider.")]


def _responses(what: str, example: str, *codes: str) -> dict[int | str, dict[str, Any]]:
    return file_of(what, example) | refuses("too_many_exports", *codes)


@router.get("/journal", responses=_responses("journal", '{"niche_id":"...","seq":1}\n', "niche_unknown"))
def export_journal(
    reader: AuditReader,
    database: MarketplaceDatabase,
    file_format: FileFormat = "csv",
    niche: OfNiche = None,
    recorded_from: From = None,
    recorded_before: Before = None,
    exact: Exact = False,
) -> StreamedFile:
    """Export the niches' journals, with the hashes that prove them."""
    request = ExportRequest("journal", file_format, niche, None, recorded_from, recorded_before, exact)
    return StreamedFile(open_export(database, request, reader.actor, at_once=OPEN_AT_ONCE), "journal", file_format)


@router.get(
    "/assignments",
    responses=_responses("assignments", '{"assignment_id":"..."}\n', "niche_unknown", "provider_unknown"),
)
def export_assignments(
    reader: MoneyReader,
    database: MarketplaceDatabase,
    file_format: FileFormat = "csv",
    niche: OfNiche = None,
    provider_id: OfProvider = None,
    assigned_from: From = None,
    assigned_before: Before = None,
    exact: Exact = False,
) -> StreamedFile:
    """Export who received which lead, when and for how much. It holds the providers' email addresses."""
    request = ExportRequest("assignments", file_format, niche, provider_id, assigned_from, assigned_before, exact)
    return StreamedFile(open_export(database, request, reader.actor, at_once=OPEN_AT_ONCE), "assignments", file_format)


@router.get(
    "/ledger", responses=_responses("ledger", '{"provider_id":"...","seq":1}\n', "niche_unknown", "provider_unknown")
)
def export_ledger(
    reader: MoneyReader,
    database: MarketplaceDatabase,
    file_format: FileFormat = "csv",
    niche: OfNiche = None,
    provider_id: OfProvider = None,
    created_from: From = None,
    created_before: Before = None,
    exact: Exact = False,
) -> StreamedFile:
    """Export every movement of money. It holds the providers' email addresses."""
    request = ExportRequest("ledger", file_format, niche, provider_id, created_from, created_before, exact)
    return StreamedFile(open_export(database, request, reader.actor, at_once=OPEN_AT_ONCE), "ledger", file_format)


@router.get(
    "/refusals",
    responses=_responses("refusals", '{"niche":"hosting","journal_seq":1}\n', "niche_unknown", "provider_unknown"),
)
def export_refusals(
    reader: AuditReader,
    database: MarketplaceDatabase,
    file_format: FileFormat = "csv",
    niche: OfNiche = None,
    provider_id: OfProvider = None,
    recorded_from: From = None,
    recorded_before: Before = None,
    exact: Exact = False,
) -> StreamedFile:
    """Export why subscriptions received no lead: those that decisions name, each with its sentence, and counts."""
    request = ExportRequest("refusals", file_format, niche, provider_id, recorded_from, recorded_before, exact)
    return StreamedFile(open_export(database, request, reader.actor, at_once=OPEN_AT_ONCE), "refusals", file_format)


@router.get("/audit-events", responses=_responses("audit events", '{"event_id":"log:1"}\n', "niche_unknown"))
def export_audit_events(
    reader: AuditReader,
    database: MarketplaceDatabase,
    wanted: WantedEvents,
    file_format: FileFormat = "csv",
    exact: Exact = False,
) -> StreamedFile:
    """Export what was done, the oldest first."""
    opened = open_audit_export(database, wanted, file_format, reader.actor, exact=exact, at_once=OPEN_AT_ONCE)
    return StreamedFile(opened, "audit-events", file_format)
