"""Requesting exports that a worker builds, and what may be done with them afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fairlead.core.canonical import timestamp_from_text, timestamp_text
from fairlead.core.errors import BadInput, Refused
from fairlead.core.permissions import Permission
from fairlead.flows.exporting.kinds import KINDS, KINDS_THAT_MAY_NAME, ExportKind
from fairlead.flows.exporting.rows import ExportRequest, checked_request, told_filters
from fairlead.store.audit.log import SYSTEM, Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.exports.chunks import delete_chunks
from fairlead.store.exports.requests import (
    ExportRow,
    RequestedExport,
    count_under_way,
    delete_export,
    end_export,
    export_row,
    insert_export,
    lock_export,
    lock_exports,
    lock_exports_that_may_name,
)
from fairlead.store.failures.dead_letters import open_dead_letter_id, resolve
from fairlead.store.ids import new_id
from fairlead.store.jobs.queue import Job, enqueue
from fairlead.store.leads.rows import clock, niche_form
from fairlead.store.lookups import checked_id, provider_id_of

MOST_UNDER_WAY = 20
"""Of one actor: more wait until one of them has ended."""

MOST_OF_ALL = 60
"""Of all actors. One that has as many of these places as are free gets no more: there is one for others, always."""

UNDER_WAY = ("waiting", "running")


@dataclass(frozen=True, slots=True)
class Requester:
    """Who requests or fetches exports, and what it may see. `user_id` is None for a key."""

    actor: Actor
    user_id: str | None
    permissions: frozenset[Permission]


def request_export(
    database: Database, request: ExportRequest, requester: Requester, *, is_email_wanted: bool = False
) -> ExportRow:
    """The export waits for a worker, which will build its file; it is in the audit log.

    It holds contact data only where the requester may see it. One transaction, with the job in it.

    Raises `BadInput`, and `Refused`: `permission_missing`, `niche_unknown`, `provider_unknown`, `too_many_exports`.
    """
    request = checked_request(request)
    kind = KINDS[request.what]
    require_kind(kind, requester)
    if is_email_wanted and requester.user_id is None:
        raise BadInput(["is_email_wanted: a key has no email address"])
    with_contact_data = not request.without_contact_data and _sees_contact_data(kind, requester)

    def work(conn: Connection) -> ExportRow:
        lock_exports(conn)
        _require_place(conn, requester)
        chosen = _resolved(conn, replace(request, without_contact_data=not with_contact_data))
        export_id, now = new_id(conn), clock(conn)
        new = RequestedExport(
            export_id,
            request.what,
            request.format,
            parameters_of(chosen),
            with_contact_data,
            requester.actor.name,
            requester.user_id,
            is_email_wanted,
        )
        insert_export(conn, new, now)
        enqueue(conn, [export_job(export_id)])
        told = {"kind": new.kind, "format": new.format, "with_contact_data": with_contact_data, **new.parameters}
        if chosen.filters:
            told["filters"] = told_filters(chosen.filters)
        append_audit(conn, [AuditEvent(requester.actor, "export.requested", "export", export_id, new=told)], now)
        return _known(export_row(conn, export_id), export_id)

    return database.run(work)


def _require_place(conn: Connection, requester: Requester) -> None:
    """Raises `Refused`: `too_many_exports`. Needs the lock of the exports as a whole."""
    own, of_all = count_under_way(conn, requester.actor.name)
    if own < min(MOST_UNDER_WAY, MOST_OF_ALL - of_all):
        return
    whose = f"{own} exports that you requested" if own else f"{of_all} exports of others"
    raise Refused("too_many_exports", f"{whose} are under way, as many as may be: wait, or cancel one")


def export_job(export_id: str, delay_seconds: float = 0) -> Job:
    """The job that builds the export's file."""
    return Job("build_export", {"export_id": export_id}, delay_seconds)


def show_export(database: Database, export_id: str) -> ExportRow:
    """The export as it is now. Raises `BadInput` (no id) and `Refused`: `export_unknown`."""
    checked = checked_id(export_id, "export")
    return database.read(lambda conn: _known(export_row(conn, checked), checked))


def cancel_export(database: Database, export_id: str, actor: Actor) -> ExportRow:
    """The export is cancelled and nothing is kept of its file; audited. A worker that builds it stops soon.

    Idempotent. Raises `BadInput` (no id), and `Refused`: `export_unknown`, and `export_finished` where it is ready,
    failed or expired: such a one is deleted instead.
    """
    checked = checked_id(export_id, "export")

    def work(conn: Connection) -> ExportRow:
        row = _known(lock_export(conn, checked), checked)
        if row.state == "cancelled":
            return row
        if row.state not in UNDER_WAY:
            raise Refused("export_finished", f"the export is {row.state}: there is nothing to cancel")
        now = clock(conn)
        end_export(conn, checked, "cancelled", now)
        append_audit(conn, [AuditEvent(actor, "export.cancelled", "export", checked)], now)
        return _known(export_row(conn, checked), checked)

    return database.run(work)


def discard_export(database: Database, export_id: str, actor: Actor) -> None:
    """The export and its file are gone; audited. An open dead letter of it is resolved.

    Raises `BadInput` (no id), and `Refused`: `export_unknown`, and `export_under_way` where it waits or runs.
    """
    checked = checked_id(export_id, "export")

    def work(conn: Connection) -> None:
        row = _known(lock_export(conn, checked), checked)
        if row.state in UNDER_WAY:
            raise Refused("export_under_way", "the export is not finished: cancel it first")
        now = clock(conn)
        letter_id = open_dead_letter_id(conn, None, None, checked)
        if letter_id is not None:
            resolve(conn, letter_id, "resolved", actor.name, "its export was deleted", now)
        delete_export(conn, checked)
        append_audit(conn, [AuditEvent(actor, "export.deleted", "export", checked, old={"kind": row.kind})], now)

    database.run(work)


def drop_exports_that_may_name(conn: Connection, since: datetime) -> list[AuditEvent]:
    """No file says anything of a consumer who came at this time or later; returns what is to be audited, one for each.

    For the erasure of a person, in its transaction: each is `expired`, or `cancelled` where it was being built, and may
    be requested anew. One that waits goes on waiting: its run begins when the erasure has ended, and what an earlier
    run left is deleted. Takes the lock of the exports as a whole, then theirs.
    """
    lock_exports(conn)
    found = lock_exports_that_may_name(conn, KINDS_THAT_MAY_NAME, since)
    now = clock(conn)
    dropped = [row for row in found if row.state in ("ready", "running")]
    for row in dropped:
        end_export(conn, row.export_id, "expired" if row.state == "ready" else "cancelled", now)
    for row in found:
        if row.state == "waiting":
            delete_chunks(conn, row.export_id)
    return [AuditEvent(SYSTEM, "export.dropped", "export", row.export_id, old={"kind": row.kind}) for row in dropped]


def require_kind(kind: ExportKind, requester: Requester) -> None:
    """The requester may have exports of this kind. Raises `Refused`: `permission_missing`."""
    if not kind.permissions & requester.permissions:
        needed = " or ".join(sorted(permission.value for permission in kind.permissions))
        raise Refused("permission_missing", f"the export {kind.name} needs the permission {needed}")


def require_row(row: ExportRow, requester: Requester) -> None:
    """The requester may have this file now, with what is in it. Raises `Refused`: `permission_missing`."""
    kind = KINDS[row.kind]
    require_kind(kind, requester)
    if row.with_contact_data and not _sees_contact_data(kind, requester):
        assert kind.contact_permission is not None, "it holds contact data"
        raise Refused(
            "permission_missing",
            f"the file holds contact data, which needs the permission {kind.contact_permission.value}",
        )


def _sees_contact_data(kind: ExportKind, requester: Requester) -> bool:
    return kind.contact_permission is None or kind.contact_permission in requester.permissions


def parameters_of(request: ExportRequest) -> dict[str, Any]:
    """What the row keeps of a request, the provider by its id; without what says nothing."""
    told: dict[str, Any] = {
        "niche": request.niche_slug,
        "provider_id": request.provider,
        "time_from": request.time_from and timestamp_text(request.time_from),
        "time_before": request.time_before and timestamp_text(request.time_before),
        "filters": dict(request.filters),
        "columns": list(request.columns),
        "timezone": None if request.timezone == "UTC" else request.timezone,
        "exact": request.exact or None,
    }
    return {name: value for name, value in told.items() if value}


def request_of(row: ExportRow) -> ExportRequest:
    """What was requested, from the row."""
    given: Mapping[str, Any] = row.parameters
    return ExportRequest(
        row.kind,
        row.format,
        given.get("niche"),
        given.get("provider_id"),
        timestamp_from_text(given["time_from"]) if "time_from" in given else None,
        timestamp_from_text(given["time_before"]) if "time_before" in given else None,
        bool(given.get("exact")),
        given.get("filters", {}),
        tuple(given.get("columns", ())),
        given.get("timezone", "UTC"),
        without_contact_data=not row.with_contact_data,
    )


def _resolved(conn: Connection, request: ExportRequest) -> ExportRequest:
    if request.niche_slug is not None and niche_form(conn, request.niche_slug) is None:
        raise Refused("niche_unknown", f"there is no niche {request.niche_slug!r}")
    if request.provider is None:
        return request
    return replace(request, provider=provider_id_of(conn, request.provider))


def _known(row: ExportRow | None, export_id: str) -> ExportRow:
    if row is None:
        raise Refused("export_unknown", f"there is no export {export_id}")
    return row
