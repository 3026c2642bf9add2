"""Archiving a niche that is over, with what that stops, and restoring it."""

from typing import Annotated

from fastapi import Path, Response
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.niches.niches import NicheChanged, niche_changed
from fairlead.api.schemas.changes import NO_REASON, GivenReason
from fairlead.api.schemas.values import ResponseModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.niche_archive import archive_niche, preview_archive, restore_niche

router = Router(prefix="/api/v1/admin/niches/{niche_id}", tags=["niches"])

Editor = Annotated[Principal, needs(Permission.NICHES_WRITE)]
NicheId = Annotated[Uuid, Path()]


class ArchivePreview(ResponseModel):
    """What of the niche goes on now, and would stop. Leads that wait stay as they are, and so do subscriptions."""

    is_active: bool = Field(description="Whether it takes in leads and distributes them.")
    is_public: bool = Field(description="Whether its form takes in leads from the public.")
    unconfirmed_count: int = Field(description="Leads whose consumers have not confirmed them yet.", examples=[2])
    pending_count: int = Field(description="Leads that wait for approval.", examples=[3])
    waiting_count: int = Field(description="Leads that wait to be distributed.", examples=[0])
    unsold_count: int = Field(description="Approved leads that no provider bought.", examples=[12])
    subscription_count: int = Field(description="Living subscriptions in it.", examples=[40])
    provider_count: int = Field(description="Providers that have them.", examples=[25])


@router.get("/archive-preview", responses=refuses("niche_unknown"))
def show_archive_preview(
    niche_id: NicheId, _: Annotated[Principal, needs(Permission.NICHES_READ)], database: MarketplaceDatabase
) -> ArchivePreview:
    """Show what archiving the niche would stop."""
    return ArchivePreview.model_validate(preview_archive(database, niche_id))


@router.post("/archive", responses=refuses("niche_unknown"))
def archive_one_niche(
    niche_id: NicheId,
    response: Response,
    editor: Editor,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
    asked: GivenReason = NO_REASON,
) -> NicheChanged:
    """The niche is over: it takes in no leads, decides none, and is off the lists until it is restored."""
    done = archive_niche(database, niche_id, editor.actor, memo=asked.memo, expected_version=expected)
    return niche_changed(response, done)


@router.post("/restore", responses=refuses("niche_unknown"))
def restore_one_niche(
    niche_id: NicheId,
    response: Response,
    editor: Editor,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
    asked: GivenReason = NO_REASON,
) -> NicheChanged:
    """The niche is not archived any more. It stays inactive until it is made active."""
    done = restore_niche(database, niche_id, editor.actor, memo=asked.memo, expected_version=expected)
    return niche_changed(response, done)
