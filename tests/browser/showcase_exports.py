"""Exports in every state: ready, being built, waiting, failed, expired."""

from fairlead.flows.exporting.file_formats import available_formats
from fairlead.flows.exporting.requests import request_export
from fairlead.flows.exporting.rows import ExportRequest
from fairlead.store.connection import Database
from tests.flows.access.people import value
from tests.flows.exporting.exports import ANN, built, forget_jobs


def add_exports(database: Database) -> None:
    """One of each, as workers leave them."""
    expired = built(database, ExportRequest("leads", filters={"status": "distributed"}))
    value(database, "update exports set state = 'expired', checksum = null where id = %s", expired.export_id)
    value(database, "delete from export_chunks where export_id = %s", expired.export_id)
    built(database, ExportRequest("ledger", available_formats()[-1], niche_slug="vps-hosting"))
    built(database, ExportRequest("report_revenue"))
    built(database, ExportRequest("decisions", "jsonl"), export_max_rows=20)
    running = request_export(database, ExportRequest("journal", "jsonl"), ANN)
    value(
        database,
        "update exports set state = 'running', attempt = 1, started_at = now(), rows_written = 118000, "
        "byte_count = 91000000, rows_expected = 260000 where id = %s",
        running.export_id,
    )
    request_export(database, ExportRequest("assignments"), ANN)
    forget_jobs(database)
