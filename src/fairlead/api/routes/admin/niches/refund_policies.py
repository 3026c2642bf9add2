"""What refunds in a niche give back besides the money."""

from dataclasses import asdict
from typing import Annotated

from fastapi import Path, Response
from pydantic import Field, StrictBool

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.niches.niches import Version
from fairlead.api.schemas.changes import Memo
from fairlead.api.schemas.values import RequestModel, ResponseModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.core.returns import RefundPolicy
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.refund_policy import NicheRefundPolicy, change_refund_policy, read_refund_policy

router = Router(prefix="/api/v1/admin/niches", tags=["niches"])

NicheId = Annotated[Uuid, Path()]
_TURN = "Whether the subscription stands again where it stood before the lead, unless it received another one since."
_LIMITS = "Whether the lead counts no more in the limits of the subscription and its provider."


class NewRefundPolicy(RequestModel):
    """What a refund gives back besides the money."""

    returns_turn: StrictBool = Field(description=_TURN, examples=[True])
    leaves_limits: StrictBool = Field(description=_LIMITS, examples=[True])
    memo: Memo | None = None


class RefundPolicyState(ResponseModel):
    """What a refund in the niche gives back besides the money."""

    niche_id: Uuid
    returns_turn: bool = Field(description=_TURN)
    leaves_limits: bool = Field(description=_LIMITS)
    version: Version


@router.get("/{niche_id}/refund-policy", responses=refuses("niche_unknown"))
def show_refund_policy(
    niche_id: NicheId,
    response: Response,
    _: Annotated[Principal, needs(Permission.NICHES_READ)],
    database: MarketplaceDatabase,
) -> RefundPolicyState:
    """Show what a refund in the niche gives back besides the money."""
    return _state(response, read_refund_policy(database, niche_id))


@router.put("/{niche_id}/refund-policy", responses=refuses("niche_unknown"))
def edit_refund_policy(
    niche_id: NicheId,
    asked: NewRefundPolicy,
    response: Response,
    editor: Annotated[Principal, needs(Permission.NICHES_WRITE)],
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
) -> RefundPolicyState:
    """Refunds from now on give this back, also of leads that were sold before; what was refunded stays as it is."""
    policy = RefundPolicy(asked.returns_turn, asked.leaves_limits)
    done = change_refund_policy(database, niche_id, policy, editor.actor, memo=asked.memo, expected_version=expected)
    return _state(response, done)


def _state(response: Response, seen: NicheRefundPolicy) -> RefundPolicyState:
    show_version(response, seen.version)
    return RefundPolicyState(niche_id=seen.niche_id, version=seen.version, **asdict(seen.policy))
