"""Exports of a marketplace with a sale, requested and built without a worker process."""

from collections.abc import Iterable
from typing import Any

from fairlead.core.permissions import Permission, Role, permissions_of
from fairlead.flows.exporting.build_export import ExportBuilder
from fairlead.flows.exporting.download import open_download
from fairlead.flows.exporting.requests import Requester, request_export, show_export
from fairlead.flows.exporting.rows import ExportRequest
from fairlead.settings import Settings
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Database
from fairlead.store.exports.requests import ExportRow
from tests.flows.access.people import value

ANN = Requester(Actor("user:ann", "admin"), None, permissions_of(Role.ADMIN))


def without(*permissions: Permission) -> Requester:
    """An operator who may do everything but this."""
    return Requester(ANN.actor, None, ANN.permissions - {*permissions})


def builder(database: Database, **settings: Any) -> ExportBuilder:
    """What a worker builds exports with."""
    return ExportBuilder(database, Settings.model_validate(settings))


def built(database: Database, request: ExportRequest, requester: Requester = ANN, **settings: Any) -> ExportRow:
    """The export, requested and built, as it is then."""
    row = request_export(database, request, requester)
    assert builder(database, **settings).build(row.export_id)
    forget_jobs(database)
    return show_export(database, row.export_id)


def fetched(database: Database, export_id: str, requester: Requester = ANN) -> bytes:
    """The whole file."""
    download = open_download(database, export_id, requester)
    assert download is not None
    with download.opened as opened:
        return b"".join(opened.pieces)


def forget_jobs(database: Database) -> None:
    """The job is done, as its worker says."""
    value(database, "delete from jobs where task = 'build_export'")


def stored_pieces(database: Database, export_id: str) -> list[tuple[int, int]]:
    """Run and number of each piece that is kept."""
    with database.snapshot() as conn:
        return conn.execute(
            "select attempt, number from export_chunks where export_id = %s order by 1, 2", (export_id,)
        ).fetchall()


def lines(pieces: Iterable[bytes] | bytes) -> list[str]:
    """The file's lines."""
    whole = pieces if isinstance(pieces, bytes) else b"".join(pieces)
    return whole.decode("utf-8-sig").splitlines()
