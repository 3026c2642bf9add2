"""For how long personal data of a niche's leads is kept, and what goes next."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import Path, Response
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.niches.niches import Version
from fairlead.api.schemas.changes import Memo
from fairlead.api.schemas.values import Int, RequestModel, ResponseModel, Slug, Uuid
from fairlead.core.permissions import Permission
from fairlead.core.retention import MOST_RETENTION_DAYS, RetentionPolicy, RetentionRule
from fairlead.flows.access.principal import Principal
from fairlead.flows.erasure.retention import NicheRetention, change_retention, next_erasures, read_retention

router = Router(prefix="/api/v1/admin", tags=["personal data"])

NicheId = Annotated[Uuid, Path(description="The niche's id.")]
Reader = Annotated[Principal, needs(Permission.NICHES_READ)]
Keeper = Annotated[Principal, needs(Permission.PRIVACY_WRITE)]
Days = Annotated[Int, Field(ge=1, le=MOST_RETENTION_DAYS, examples=[365])]

_ANSWERS = "Days after which the answers of sold and bad leads are erased; null: never."
_CONTACT = "Days after which the contact data and consent of sold and bad leads is erased; null: never."
_REJECTED = "Days after which rejected leads are erased; null: never."
_UNSOLD = "Days after which leads that no provider bought are closed and erased; null: never."
_DELIVERIES = "Days after which what was answered to messages about a lead is erased; null: never."


class NewRetention(RequestModel):
    """For how long personal data is kept, in days after a lead came in. What is null is kept for good."""

    answers_days: Days | None = Field(description=_ANSWERS)
    contact_days: Days | None = Field(description=_CONTACT)
    rejected_days: Days | None = Field(description=_REJECTED)
    unsold_days: Days | None = Field(description=_UNSOLD)
    deliveries_days: Days | None = Field(description=_DELIVERIES)
    memo: Memo | None = None


class RetentionState(ResponseModel):
    """For how long personal data of a niche's leads is kept, in days after a lead came in."""

    niche_id: Uuid
    answers_days: int | None = Field(description=_ANSWERS, examples=[365])
    contact_days: int | None = Field(description=_CONTACT, examples=[730])
    rejected_days: int | None = Field(description=_REJECTED, examples=[30])
    unsold_days: int | None = Field(description=_UNSOLD, examples=[90])
    deliveries_days: int | None = Field(description=_DELIVERIES, examples=[30])
    version: Version


class NextErasures(ResponseModel):
    """Of how many leads of a niche something is erased at the next daily run."""

    niche_id: Uuid
    niche: Slug = Field(examples=["hosting"])
    counts: Mapping[RetentionRule, int] = Field(
        description="By rule, how many leads; rules that are off are left out.", examples=[{"answers": 12}]
    )
    until: datetime = Field(description="The run is within a day: leads that are due by then are counted.")


class RetentionPreview(ResponseModel):
    """What is erased next, of each niche that does not keep everything."""

    items: Sequence[NextErasures] = Field(description="By niche; empty where all is kept.")


@router.get("/niches/{niche_id}/retention", responses=refuses("niche_unknown"))
def show_retention(
    niche_id: NicheId, response: Response, _reader: Reader, database: MarketplaceDatabase
) -> RetentionState:
    """Show for how long personal data of the niche's leads is kept."""
    return _state(response, read_retention(database, niche_id))


@router.put("/niches/{niche_id}/retention", responses=refuses("niche_unknown"))
def edit_retention(
    niche_id: NicheId,
    asked: NewRetention,
    response: Response,
    keeper: Keeper,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
) -> RetentionState:
    """Keep personal data of the niche's leads for so many days. What is past them is erased at the next daily run."""
    policy = RetentionPolicy(**asked.model_dump(exclude={"memo"}))
    done = change_retention(database, niche_id, policy, keeper.actor, memo=asked.memo, expected_version=expected)
    return _state(response, done)


@router.get("/erasures/next")
def preview_retention(_reader: Reader, database: MarketplaceDatabase) -> RetentionPreview:
    """Show what the next daily run erases, by niche and rule. Changes nothing."""
    return RetentionPreview(items=[NextErasures.model_validate(each) for each in next_erasures(database)])


def _state(response: Response, found: NicheRetention) -> RetentionState:
    show_version(response, found.version)
    return RetentionState(niche_id=found.niche_id, **asdict(found.policy), version=found.version)
