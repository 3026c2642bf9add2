"""How subscriptions came to be as they are."""

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.by_sequence import BySequence
from fairlead.api.schemas.pagination import Page
from fairlead.api.schemas.subscriptions import StateOfSubscription, state_of
from fairlead.api.schemas.values import Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.subscription_history import SubscriptionState, subscription_history

router = Router(prefix="/api/v1/admin/subscriptions/{subscription_id}/history", tags=["subscriptions"])

Reader = Annotated[Principal, needs(Permission.PROVIDERS_READ)]


class SubscriptionHistoryItem(StateOfSubscription):
    """A state that the subscription was in from then on, and who asked for it, where it followed from nothing else."""

    seq: int = Field(description="The place in the niche's journal.")
    recorded_at: datetime
    action: str | None = Field(examples=["subscription.filter_changed"])
    actor: str | None = Field(examples=["user:01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"])
    memo: str | None = Field(examples=["agreed on the telephone"])


@router.get("", responses=refuses("subscription_unknown"))
def list_subscription_states(
    subscription_id: Annotated[Uuid, Path()], _: Reader, database: MarketplaceDatabase, page: BySequence
) -> Page[SubscriptionHistoryItem]:
    """List the states that the subscription was in, the newest first: when, by whom, and why."""
    found = subscription_history(
        database, subscription_id, of_provider_id=None, before_seq=page.before_seq, limit=page.probe
    )
    items, next_cursor = page.cut(found, lambda state: state.seq)
    return Page(items=[_past(each) for each in items], next_cursor=next_cursor)


def _past(state: SubscriptionState) -> SubscriptionHistoryItem:
    return SubscriptionHistoryItem(
        **state_of(state.subscription, is_ended=state.is_deleted),
        seq=state.seq,
        recorded_at=state.recorded_at,
        action=state.action,
        actor=state.actor,
        memo=state.memo,
    )
