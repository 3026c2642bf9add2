"""Conflict groups: providers of one owner, of which at most one receives a lead."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.providers.provider_states import ProviderChanged, provider_changed
from fairlead.api.schemas.changes import Memo, Name
from fairlead.api.schemas.currency import InCurrency
from fairlead.api.schemas.values import RequestModel, ResponseModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.conflict_groups import (
    SeenConflictGroup,
    create_conflict_group,
    read_conflict_group,
    read_conflict_groups,
    remove_conflict_group,
    rename_conflict_group,
    set_conflict_group,
)

router = Router(prefix="/api/v1/admin", tags=["providers"])

Reader = Annotated[Principal, needs(Permission.PROVIDERS_READ)]
Editor = Annotated[Principal, needs(Permission.PROVIDERS_WRITE)]
GroupId = Annotated[Uuid, Path()]
GroupName = Annotated[Name, Field(examples=["Anchor and Beacon"])]


class NewConflictGroup(RequestModel):
    """A conflict group, without providers."""

    name: GroupName
    memo: Memo | None = None


class ConflictGroupPatch(RequestModel):
    """What the group is called from now on."""

    name: GroupName
    memo: Memo | None = None


class ConflictGroupOfProvider(RequestModel):
    """The group that the provider is of from now on; null: of none."""

    conflict_group_id: Uuid | None
    memo: Memo | None = None


class ConflictGroupMember(ResponseModel):
    """A provider of a conflict group."""

    provider_id: Uuid
    name: str = Field(examples=["Anchor Hosting"])


class ConflictGroupState(ResponseModel):
    """A conflict group with its providers, by name."""

    conflict_group_id: Uuid
    name: str = Field(examples=["Anchor and Beacon"])
    providers: Sequence[ConflictGroupMember]
    version: str = Field(
        description="For If-Match. Which providers are of it is no part of it.",
        examples=["9f2c4e6a8b0d1f3a5c7e9b1d3f5a7c9e"],
    )


class ConflictGroupChanged(ResponseModel):
    """The group after a change."""

    conflict_group: ConflictGroupState
    took_effect: bool = Field(description="False where it was so before.")


class ConflictGroups(ResponseModel):
    """Every conflict group, by name."""

    items: Sequence[ConflictGroupState]


@router.get("/conflict-groups")
def list_conflict_groups(_: Reader, database: MarketplaceDatabase) -> ConflictGroups:
    """List the conflict groups, each with its providers."""
    return ConflictGroups(items=[_state(each) for each in read_conflict_groups(database)])


@router.post("/conflict-groups", status_code=201)
def add_conflict_group(
    asked: NewConflictGroup, response: Response, editor: Editor, database: MarketplaceDatabase
) -> ConflictGroupChanged:
    """There is the group, without providers. Asked for again with the same name, nothing is changed."""
    done = create_conflict_group(database, asked.name, editor.actor, memo=asked.memo)
    return _changed(response, database, done.row.group_id, took_effect=done.took_effect)


@router.get("/conflict-groups/{conflict_group_id}", responses=refuses("conflict_group_unknown"))
def show_conflict_group(
    conflict_group_id: GroupId, response: Response, _: Reader, database: MarketplaceDatabase
) -> ConflictGroupState:
    """Show a conflict group with its providers."""
    seen = read_conflict_group(database, conflict_group_id)
    show_version(response, seen.version)
    return _state(seen)


@router.patch(
    "/conflict-groups/{conflict_group_id}", responses=refuses("conflict_group_unknown", "conflict_group_exists")
)
def edit_conflict_group(
    conflict_group_id: GroupId,
    asked: ConflictGroupPatch,
    response: Response,
    editor: Editor,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
) -> ConflictGroupChanged:
    """The group has this name."""
    done = rename_conflict_group(
        database, conflict_group_id, asked.name, editor.actor, memo=asked.memo, expected_version=expected
    )
    return _changed(response, database, done.row.group_id, took_effect=done.took_effect)


@router.delete(
    "/conflict-groups/{conflict_group_id}",
    status_code=204,
    response_class=Response,
    responses=refuses("conflict_group_unknown", "conflict_group_in_use"),
)
def delete_conflict_group(
    conflict_group_id: GroupId,
    editor: Editor,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
    memo: Annotated[Memo | None, Query()] = None,
) -> None:
    """The group, which has no providers, is gone."""
    remove_conflict_group(database, conflict_group_id, editor.actor, memo=memo, expected_version=expected)


@router.put(
    "/providers/{provider_id}/conflict-group",
    responses=refuses("provider_unknown", "conflict_group_unknown", "conflict_group_full"),
)
def put_provider_into_conflict_group(
    provider_id: Annotated[Uuid, Path()],
    asked: ConflictGroupOfProvider,
    response: Response,
    editor: Editor,
    currency: InCurrency,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
) -> ProviderChanged:
    """The provider is of this group, and of no other, from the next decision on. If-Match: the provider's version."""
    done = set_conflict_group(
        database, provider_id, asked.conflict_group_id, editor.actor, memo=asked.memo, expected_version=expected
    )
    return provider_changed(response, done, currency)


def _state(seen: SeenConflictGroup) -> ConflictGroupState:
    return ConflictGroupState(
        conflict_group_id=seen.row.group_id,
        name=seen.row.name,
        providers=[ConflictGroupMember(provider_id=each.provider_id, name=each.name) for each in seen.members],
        version=seen.version,
    )


def _changed(
    response: Response, database: MarketplaceDatabase, group_id: str, *, took_effect: bool
) -> ConflictGroupChanged:
    seen = read_conflict_group(database, group_id)
    show_version(response, seen.version)
    return ConflictGroupChanged(conflict_group=_state(seen), took_effect=took_effect)
