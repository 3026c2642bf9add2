"""A provider's own rows as files: the leads that it bought, its ledger, and its receipts."""

from typing import Annotated

from fastapi.responses import StreamingResponse

from fairlead.api.access import OwnProvider, needs_own
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.schemas.files import FileFormat, StreamedFile, file_of
from fairlead.api.schemas.spans import Before, From
from fairlead.core.permissions import Permission
from fairlead.flows.access.read_limits import EXPORTS_OF_PROVIDER
from fairlead.flows.exporting.own_export import OwnKind, open_own_export

router = Router(prefix="/api/v1/provider/exports", tags=["provider: money"], default_response_class=StreamingResponse)

Reader = Annotated[OwnProvider, needs_own(Permission.OWN_READ, EXPORTS_OF_PROVIDER)]


@router.get("/leads", responses=file_of("leads", '{"assignment_id":"..."}\n') | refuses("too_many_exports"))
def export_own_leads(
    caller: Reader,
    file_format: FileFormat = "csv",
    assigned_from: From = None,
    assigned_before: Before = None,
) -> StreamedFile:
    """Export the leads that the provider bought, with their contact data, the oldest first."""
    return _file(caller, "leads", file_format, assigned_from, assigned_before)


@router.get("/ledger", responses=file_of("ledger", '{"seq":1}\n') | refuses("too_many_exports"))
def export_own_ledger(
    caller: Reader,
    file_format: FileFormat = "csv",
    created_from: From = None,
    created_before: Before = None,
) -> StreamedFile:
    """Export every movement of the provider's balance, the oldest first."""
    return _file(caller, "ledger", file_format, created_from, created_before)


@router.get("/receipts", responses=file_of("receipts", '{"number":1}\n') | refuses("too_many_exports"))
def export_own_receipts(
    caller: Reader,
    file_format: FileFormat = "csv",
    issued_from: From = None,
    issued_before: Before = None,
) -> StreamedFile:
    """Export the receipts of the provider's deposits, and the credit notes that took one back, by number."""
    return _file(caller, "receipts", file_format, issued_from, issued_before)


def _file(
    caller: OwnProvider, what: OwnKind, file_format: FileFormat, time_from: From, time_before: Before
) -> StreamedFile:
    span = (time_from, time_before)
    opened = open_own_export(caller.database, caller.provider_id, what, file_format, span, caller.actor)
    return StreamedFile(opened, what, file_format)
