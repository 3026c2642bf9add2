"""Files that are read at once, as one snapshot has them. Every export is in the audit log before it leaves.

For what takes long, or is to be fetched later, there are exports that a worker builds (`export_requests`).
"""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import StreamingResponse

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.operations.audit import WantedEvents
from fairlead.api.schemas.files import Exact, FileFormat, StreamedFile, file_of
from fairlead.api.schemas.spans import Before, From
from fairlead.api.schemas.values import Slug, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.read_limits import EXPORTS_OF_CALLER
from fairlead.flows.exporting.export import open_export
from fairlead.flows.exporting.kinds import KINDS
from fairlead.flows.exporting.rows import ExportRequest
from fairlead.store.connection import Database
from fairlead.store.exports.slots import Exporter

router = Router(prefix="/api/v1/admin/exports", tags=["exports"], default_response_class=StreamingResponse)

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
    return _file(database, request, reader)


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
    """Export who received which lead, and for how much. Providers' email addresses are in it for who may see them."""
    request = ExportRequest("assignments", file_format, niche, provider_id, assigned_from, assigned_before, exact)
    return _file(database, request, reader)


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
    """Export every movement of money. Providers' email addresses are in it for who may see them."""
    request = ExportRequest("ledger", file_format, niche, provider_id, created_from, created_before, exact)
    return _file(database, request, reader)


@router.get("/receipts", responses=_responses("receipts", '{"number":1,"kind":"receipt"}\n', "provider_unknown"))
def export_receipts(
    reader: MoneyReader,
    database: MarketplaceDatabase,
    file_format: FileFormat = "csv",
    provider_id: OfProvider = None,
    issued_from: From = None,
    issued_before: Before = None,
    exact: Exact = False,
) -> StreamedFile:
    """Export receipts and credit notes by number. Providers' billing details are in it for who may see them."""
    request = ExportRequest("receipts", file_format, None, provider_id, issued_from, issued_before, exact)
    return _file(database, request, reader)


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
    return _file(database, request, reader)


@router.get("/audit-events", responses=_responses("audit events", '{"event_id":"log:1"}\n', "niche_unknown"))
def export_audit_events(
    reader: AuditReader,
    database: MarketplaceDatabase,
    wanted: WantedEvents,
    file_format: FileFormat = "csv",
    exact: Exact = False,
) -> StreamedFile:
    """Export what was done, the oldest first."""
    named = {
        "actor": wanted.actor,
        "action": wanted.action_prefix,
        "entity": wanted.entity,
        "entity_id": wanted.entity_id,
    }
    request = ExportRequest(
        "audit",
        file_format,
        wanted.niche_slug,
        None,
        wanted.created_from,
        wanted.created_before,
        exact,
        {name: value for name, value in named.items() if value is not None},
    )
    return _file(database, request, reader, "audit-events")


def _file(database: Database, request: ExportRequest, reader: Principal, name: str | None = None) -> StreamedFile:
    """The file, with contact data only for a reader who may see it."""
    needed = KINDS[request.what].contact_permission
    allowed = needed is None or needed in reader.permissions
    exporter = Exporter("operators", reader.owner)
    opened = open_export(database, replace(request, without_contact_data=not allowed), reader.actor, exporter=exporter)
    return StreamedFile(opened, name or request.what, request.format)
