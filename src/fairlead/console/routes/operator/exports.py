"""Exports: requested with a form, watched while they are built, and fetched from where they are listed."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase, resources_of
from fairlead.api.routes.admin.operations import export_requests as api
from fairlead.api.routes.admin.operations.audit import AUDIT_NAME, AUDIT_PREFIX
from fairlead.api.schemas.pagination import ByCursor
from fairlead.api.schemas.spans import Before, From
from fairlead.api.schemas.values import NAME_PATTERN, Line, Slug, Uuid
from fairlead.console.addresses import address
from fairlead.console.niche_choice import niches_by_name
from fairlead.console.operator import exports as view
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.texts import translated
from fairlead.core.errors import Refused
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.exporting.file_formats import available_formats
from fairlead.flows.exporting.kinds import KINDS
from fairlead.store.connection import Database
from fairlead.store.lookups import niche_names, provider_names

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Reader = Annotated[Principal, needs(Permission.EXPORTS_READ)]
Writer = Annotated[Principal, needs(Permission.EXPORTS_WRITE)]
Name = Annotated[str | None, Query(pattern=NAME_PATTERN)]
AuditName = Annotated[str | None, Query(pattern=AUDIT_NAME)]


@router.get("/exports")
def list_exports(
    reader: Reader,
    page: PageOfRequest,
    database: MarketplaceDatabase,
    wanted: ByCursor,
    state: api.State | None = None,
) -> Response:
    """The newest first, with how far each has come."""
    found = api.list_exports(reader, database, wanted, None, state)
    names = _names_in(database, found.items)
    return page.render(
        "operator/exports.html",
        reader,
        exports=found.items,
        titles={each.kind: view.title_of(each.kind) for each in found.items},
        chosen={each.export_id: view.chosen_words(each, names) for each in found.items},
        causes={each.export_id: view.cause_of(each) for each in found.items},
        state=state,
        states=[
            (each, address("/exports", state=each or None)) for each in ("", "running", "ready", "failed", "expired")
        ],
        under_way=view.UNDER_WAY,
        may_write=Permission.EXPORTS_WRITE in reader.permissions,
        next_address=found.next_cursor and address("/exports", state=state, cursor=found.next_cursor),
    )


@router.get("/exports/new")
def new_export(
    reader: Writer,
    page: PageOfRequest,
    database: MarketplaceDatabase,
    kind: api.Kind | None = None,
    niche: Annotated[Slug | None, Query()] = None,
    provider_id: Annotated[Uuid | None, Query()] = None,
    status: Name = None,
    state: Name = None,
    source: Annotated[Line | None, Query(max_length=200)] = None,
    outcome: Name = None,
    id_prefix: Annotated[str | None, Query(pattern="^([0-9a-fA-F]-?){1,32}$")] = None,
    reason: Name = None,
    entry_kind: Name = None,
    actor: AuditName = None,
    action: Annotated[str | None, Query(pattern=AUDIT_PREFIX)] = None,
    entity: Name = None,
    entity_id: AuditName = None,
    created_from: From = None,
    created_before: Before = None,
) -> Response:
    """Which kind; then, of one kind, which rows and how. A list leads here with its own filters."""
    if kind is None:
        kinds = view.offered_kinds(reader.permissions, reports=False)
        reports = view.offered_kinds(reader.permissions, reports=True)
        return page.render("operator/export-kinds.html", reader, kinds=kinds, reports=reports)
    chosen = KINDS[kind]
    if not view.may_have(chosen, reader.permissions):
        needed = " or ".join(sorted(each.value for each in chosen.permissions))
        raise Refused("permission_missing", f"this needs the permission {needed}")
    given = {
        "niche": niche,
        "provider_id": provider_id,
        "status": status or state,
        "source": source,
        "outcome": outcome,
        "id_prefix": id_prefix,
        "reason": reason,
        "entry_kind": entry_kind,
        "actor": actor,
        "action": action,
        "entity": entity,
        "entity_id": entity_id,
    }
    fields = view.filter_fields(
        chosen, {name: value for name, value in given.items() if value is not None}, _niches(database)
    )
    return page.render(
        "operator/new-export.html",
        reader,
        kind=chosen,
        title=view.title_of(kind),
        text=translated(view.KIND_TEXTS[kind].text),
        fields=fields,
        formats=[(each, translated(view.FORMAT_TEXTS[each])) for each in available_formats()],
        created_from=created_from,
        created_through=created_before and created_before - timedelta(microseconds=1),
        sees_contact_data=chosen.contact_permission is None or chosen.contact_permission in reader.permissions,
        kept_days=resources_of(page.request).settings.export_kept_days,
    )


@router.get("/exports/{export_id}")
def show_export(
    export_id: Annotated[Uuid, Path()], reader: Reader, page: PageOfRequest, database: MarketplaceDatabase
) -> Response:
    """One export: how far it has come, what is in it, and its file."""
    found = api.show_export(export_id, reader, database, Response())
    return page.render(
        "operator/export.html",
        reader,
        export=found,
        title=view.title_of(found.kind),
        chosen=view.chosen_words(found, _names_in(database, [found])),
        cause=view.cause_of(found),
        format_text=translated(view.FORMAT_TEXTS[found.format]),
        has_contact_data=KINDS[found.kind].contact is not None,
        is_under_way=found.state in view.UNDER_WAY,
        may_write=Permission.EXPORTS_WRITE in reader.permissions,
    )


def _names_in(database: Database, exports: Sequence[api.ExportState]) -> Mapping[str, str]:
    """What niches are called by their slugs, and the providers that these exports are of by their ids."""
    ids = [each.parameters["provider_id"] for each in exports if "provider_id" in each.parameters]
    return database.read(lambda conn: {**niche_names(conn), **provider_names(conn, ids)})


def _niches(database: Database) -> list[tuple[str, str]]:
    return [(slug, name) for name, slug in niches_by_name(database)]
