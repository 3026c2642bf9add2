"""What a provider exports of its own: the leads that it bought, its ledger, and its receipts."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any, Literal

from fairlead.core.canonical import timestamp_text
from fairlead.core.errors import BadInput
from fairlead.flows.exporting.file_formats import file_pieces, missing_extra
from fairlead.flows.exporting.open_export import OpenExport, begin_export
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Database
from fairlead.store.exports.own_sources import OWN_SOURCES
from fairlead.store.exports.reading import ExportFilter, count_rows, stream_rows
from fairlead.store.exports.slots import Exporter
from fairlead.store.leads.rows import clock

OwnKind = Literal["leads", "ledger", "receipts"]


def open_own_export(
    database: Database,
    provider_id: str,
    what: OwnKind,
    file_format: str,
    span: tuple[datetime | None, datetime | None],
    actor: Actor,
) -> OpenExport:
    """The provider's own rows, as one snapshot has them, to be read piece by piece and closed; the oldest first.

    Before anything of it leaves, the audit log has what was exported of which provider, and how many rows. Raises
    `BadInput`, and `Refused`: `too_many_exports`.
    """
    missing = missing_extra(file_format)
    if missing is not None:
        raise BadInput([missing])
    source = OWN_SOURCES[what]
    chosen = ExportFilter({"provider": provider_id}, *span)
    with ExitStack() as held:
        conn = begin_export(database, held, Exporter("providers", provider_id))
        count = count_rows(conn, source, chosen)
        told = {
            "format": file_format,
            "provider_id": provider_id,
            "time_from": span[0] and timestamp_text(span[0]),
            "time_before": span[1] and timestamp_text(span[1]),
            "rows": count,
        }
        event = AuditEvent(actor, "data.exported", "export", f"own_{what}", new=told)
        database.run(lambda each: append_audit(each, [event], clock(each)))
        rows: Iterator[Sequence[Any]] = stream_rows(conn, source, chosen)
        pieces = file_pieces(rows, source.columns, file_format, exact=False, about={"fairlead.export": what})
        return OpenExport(pieces, count, held.pop_all())
