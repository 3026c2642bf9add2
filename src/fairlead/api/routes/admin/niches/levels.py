"""Competition levels: their prices, how many providers a lead of theirs goes to, and their order."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.idempotency import changes_nothing
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.changes import Memo, said
from fairlead.api.schemas.currency import InCurrency
from fairlead.api.schemas.levels import LevelOrder, LevelPatch, LevelState, NewLevel, level_state
from fairlead.api.schemas.values import ResponseModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.read_limits import REPORTS_OF_CALLER
from fairlead.flows.configuration.level_order import Reordered, reorder_levels
from fairlead.flows.configuration.levels import (
    LevelChange,
    LevelMoves,
    change_level,
    create_level,
    delete_level,
    preview_level_change,
)
from fairlead.flows.configuration.reading import SeenNiche, read_level, read_niche
from fairlead.flows.configuration.versions import Changed
from fairlead.store.configuration.rows import LevelRow, SubscriptionRow

router = Router(prefix="/api/v1/admin", tags=["levels"])

Reader = Annotated[Principal, needs(Permission.NICHES_READ)]
Editor = Annotated[Principal, needs(Permission.NICHES_WRITE)]
# Which subscriptions a price would stop or leave out says what their providers have, and pay at most: told to those
# whose change would say so, too.
Pricer = Annotated[Principal, needs(Permission.NICHES_WRITE, REPORTS_OF_CALLER)]
NicheId = Annotated[Uuid, Path()]
LevelId = Annotated[Uuid, Path()]


class LevelChanged(ResponseModel):
    """The level after a change, and the subscriptions that its price let start or stop."""

    level: LevelState
    took_effect: bool = Field(description="False where it was so before.")
    reactivated_subscription_ids: Sequence[Uuid]
    deactivated_subscription_ids: Sequence[Uuid]
    left_out_subscription_ids: Sequence[Uuid] = Field(
        description="Those that get no lead any more: the level now asks more than their providers pay at most. "
        "The providers are told."
    )


class ChangedSubscription(ResponseModel):
    """A subscription that a change of the level would concern, and whose it is."""

    subscription_id: Uuid
    provider_id: Uuid


class LevelChangePreview(ResponseModel):
    """What a change of a level would do to its subscriptions, by the balances of this moment."""

    level: LevelState
    subscription_count: int = Field(description="The level's living subscriptions.", examples=[14])
    active_count: int = Field(description="Those that receive leads before the change.", examples=[11])
    deactivated: Sequence[ChangedSubscription] = Field(
        description="Those that the new price would stop, since their providers cannot pay it."
    )
    reactivated: Sequence[ChangedSubscription] = Field(
        description="Those that could be paid for again, and would start."
    )
    left_out: Sequence[ChangedSubscription] = Field(
        description="Those that would get no lead any more: the level would ask more than their providers pay at most."
    )


class NicheLevels(ResponseModel):
    """The living levels of a niche, in their order."""

    items: Sequence[LevelState]
    order_version: str = Field(
        description="For If-Match when they are put into another order.", examples=["0a1b2c3d4e5f60718293a4b5c6d7e8f9"]
    )


@router.get("/niches/{niche_id}/levels", responses=refuses("niche_unknown"))
def list_levels(
    niche_id: NicheId, response: Response, _: Reader, currency: InCurrency, database: MarketplaceDatabase
) -> NicheLevels:
    """List the niche's living levels in their order. The ETag is the order's."""
    return _levels(response, read_niche(database, niche_id), currency)


@router.post(
    "/niches/{niche_id}/levels",
    status_code=201,
    responses=refuses("niche_unknown", "level_exists", "position_taken"),
)
def add_level(
    niche_id: NicheId,
    asked: NewLevel,
    response: Response,
    editor: Editor,
    currency: InCurrency,
    database: MarketplaceDatabase,
) -> LevelChanged:
    """The niche has the level. Asked for again with the same name and values, nothing is changed."""
    done = create_level(
        database,
        niche_id,
        asked.name,
        asked.price_cents,
        asked.max_recipients,
        editor.actor,
        order_position=asked.order_position,
        is_active=asked.is_active,
        is_exclusive=asked.is_exclusive,
        order=asked.order,
        memo=asked.memo,
    )
    return level_changed(response, done, currency)


@router.put("/niches/{niche_id}/levels/order", responses=refuses("niche_unknown", "levels_incomplete"))
def order_levels(
    niche_id: NicheId,
    asked: LevelOrder,
    response: Response,
    editor: Editor,
    currency: InCurrency,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
) -> NicheLevels:
    """The niche's levels stand in this order, all at once. If-Match: the version of the order."""
    done = reorder_levels(database, niche_id, asked.level_ids, editor.actor, memo=asked.memo, expected_version=expected)
    return _ordered(response, done, currency)


@router.get("/levels/{level_id}", responses=refuses("level_unknown"))
def show_level(
    level_id: LevelId, response: Response, _: Reader, currency: InCurrency, database: MarketplaceDatabase
) -> LevelState:
    """Show a level, also one that was deleted."""
    seen = read_level(database, level_id)
    show_version(response, seen.version)
    return level_state(seen.row, currency)


@router.patch("/levels/{level_id}", responses=refuses("level_unknown", "level_deleted", "level_exists"))
def edit_level(
    level_id: LevelId,
    asked: LevelPatch,
    response: Response,
    editor: Editor,
    currency: InCurrency,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
) -> LevelChanged:
    """The level is as the change says. A price takes effect with the next decision, and moves subscriptions at once.

    Where the `order` becomes `weighted`, all of the level's subscriptions are even from then on.

    `is_active: false` takes the level out of distribution and keeps its subscriptions.
    """
    change = LevelChange(**said(asked))
    done = change_level(database, level_id, change, editor.actor, memo=asked.memo, expected_version=expected)
    return level_changed(response, done, currency)


@router.post(
    "/levels/{level_id}/preview",
    dependencies=[changes_nothing("it only tries something out")],
    responses=refuses("level_unknown", "level_deleted"),
)
def preview_level(
    level_id: LevelId, asked: LevelPatch, _: Pricer, currency: InCurrency, database: MarketplaceDatabase
) -> LevelChangePreview:
    """Say which subscriptions the change would let start or stop, or leave out. Nothing is changed.

    It takes what the change itself takes: from prices that stop a subscription its provider's balance follows.
    """
    return level_preview(preview_level_change(database, level_id, LevelChange(**said(asked))), currency)


@router.delete(
    "/levels/{level_id}",
    status_code=204,
    response_class=Response,
    responses=refuses("level_unknown", "level_in_use"),
)
def remove_level(
    level_id: LevelId,
    editor: Editor,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
    memo: Annotated[Memo | None, Query()] = None,
) -> None:
    """The level is gone, its name and position are free. One that was ever used can only be made inactive."""
    delete_level(database, level_id, editor.actor, memo=memo, expected_version=expected)


def _moved(row: SubscriptionRow) -> ChangedSubscription:
    subscription = row.subscription
    return ChangedSubscription(subscription_id=subscription.subscription_id, provider_id=subscription.provider_id)


def level_preview(done: LevelMoves, currency: str) -> LevelChangePreview:
    """What a change of a level would do, as it is answered."""
    return LevelChangePreview(
        level=level_state(done.level, currency),
        subscription_count=done.subscription_count,
        active_count=done.active_count,
        deactivated=[_moved(each) for _, each in done.stopping],
        reactivated=[_moved(each) for _, each in done.starting],
        left_out=[_moved(each) for each in done.left_out],
    )


def level_changed(response: Response, done: Changed[LevelRow], currency: str) -> LevelChanged:
    """What a change of a level answers."""
    show_version(response, done.version)
    return LevelChanged(
        level=level_state(done.row, currency),
        took_effect=done.took_effect,
        reactivated_subscription_ids=done.reactivated_subscription_ids,
        deactivated_subscription_ids=done.deactivated_subscription_ids,
        left_out_subscription_ids=done.left_out_subscription_ids,
    )


def _levels(response: Response, seen: SeenNiche, currency: str) -> NicheLevels:
    show_version(response, seen.order_version)
    return NicheLevels(items=[level_state(row, currency) for row in seen.levels], order_version=seen.order_version)


def _ordered(response: Response, done: Reordered, currency: str) -> NicheLevels:
    show_version(response, done.version)
    return NicheLevels(items=[level_state(row, currency) for row in done.levels], order_version=done.version)
