"""Exporting what was done: the events of the audit, the oldest first, of one snapshot."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, fields
from typing import Any

from fairlead.core.canonical import timestamp_text
from fairlead.core.errors import BadInput, Refused
from fairlead.flows.exporting.export_text import FORMATS, text_of
from fairlead.flows.exporting.open_export import OpenExport, begin_export
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.audit.pages import AuditRecord
from fairlead.store.audit.sources import AuditFilter
from fairlead.store.audit.stream import audit_stream
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock, niche_form

COLUMNS = tuple(each.name for each in fields(AuditRecord))


def open_audit_export(
    database: Database,
    wanted: AuditFilter,
    file_format: str,
    actor: Actor,
    *,
    exact: bool = False,
    at_once: int | None = None,
) -> OpenExport:
    """The events that are wanted, as one snapshot has them, to be read piece by piece and closed.

    The export is in the audit log, with its filter, before this returns; it is not in itself. The events are not
    counted first. `exact` leaves formulas alone in CSV. With `at_once`, no more exports than that are open in the
    marketplace.

    Raises `BadInput` (unknown format) and `Refused`: `niche_unknown`, `too_many_exports`.
    """
    if file_format not in FORMATS:
        raise BadInput([f"there is no format {file_format!r}; there are {', '.join(FORMATS)}"])
    with ExitStack() as held:
        conn = begin_export(database, held, at_once)
        if wanted.niche_slug is not None and niche_form(conn, wanted.niche_slug) is None:
            raise Refused("niche_unknown", f"there is no niche {wanted.niche_slug!r}")
        _record(database, wanted, file_format, actor)
        text = text_of(_rows(conn, wanted), COLUMNS, file_format, exact=exact)
        return OpenExport(text, None, held.pop_all())


def _rows(conn: Connection, wanted: AuditFilter) -> Iterator[Sequence[Any]]:
    for record in audit_stream(conn, wanted):
        yield [getattr(record, name) for name in COLUMNS]


def _record(database: Database, wanted: AuditFilter, file_format: str, actor: Actor) -> None:
    told = asdict(wanted) | {
        "format": file_format,
        "created_from": wanted.created_from and timestamp_text(wanted.created_from),
        "created_before": wanted.created_before and timestamp_text(wanted.created_before),
    }
    event = AuditEvent(actor, "data.exported", "export", "audit-events", new=told)
    database.run(lambda conn: append_audit(conn, [event], clock(conn)))
