"""A provider's own subscriptions: subscribing, pausing, filtering, leaving, and how each came to be as it is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

from fastapi import Path, Query, Response
from pydantic import Field

from fairlead.api.access import OwnProvider, needs_own
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.by_sequence import BySequence
from fairlead.api.schemas.currency import Currency
from fairlead.api.schemas.documents import FilterDocument, document_in
from fairlead.api.schemas.pagination import Page
from fairlead.api.schemas.price_rules import PriceRuleInWords, in_words
from fairlead.api.schemas.subscriptions import NewPriceLimit, StateOfSubscription, state_of
from fairlead.api.schemas.values import LARGE_BODY_BYTES, RequestModel, ResponseModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.configuration.local_time import set_subscription_max_price
from fairlead.flows.configuration.own_subscriptions import OwnedSubscription, own_subscription, own_subscriptions
from fairlead.flows.configuration.shares import shares_of
from fairlead.flows.configuration.subscription_changes import SubscriptionChanged
from fairlead.flows.configuration.subscription_history import SubscriptionState, subscription_history
from fairlead.flows.configuration.subscriptions import (
    pause_subscription,
    resume_subscription,
    set_filter,
    subscribe,
    unsubscribe,
)
from fairlead.store.configuration.rows import SubscriptionRow

router = Router(prefix="/api/v1/provider/subscriptions", tags=["provider: subscriptions"])

Reader = Annotated[OwnProvider, needs_own(Permission.OWN_READ)]
Writer = Annotated[OwnProvider, needs_own(Permission.OWN_WRITE)]
SubscriptionId = Annotated[Uuid, Path()]


class NewOwnSubscription(RequestModel):
    """Which level, and which of its leads."""

    most_bytes: ClassVar[int] = LARGE_BODY_BYTES

    level_id: Uuid
    filter_rules: FilterDocument | None = Field(
        default=None, description="Null: every lead, or for one who comes back the filter as it was."
    )


class OwnSubscriptionDetail(StateOfSubscription):
    """A subscription as it is now."""

    subscription_id: Uuid
    niche_id: Uuid
    level_id: Uuid
    filter_summary: str = Field(description="The filter in plain words.", examples=["Cores at least 4"])
    price_limit_warning: str | None = Field(
        description="Why no lead comes by the price limit: the level never asks as little. Null where one can come.",
        examples=["no lead comes: the least that the level asks is 900 cents, and the most that is paid 500"],
    )


class OwnSubscription(OwnSubscriptionDetail):
    """A subscription, and what it is to."""

    niche: str = Field(examples=["hosting"])
    niche_name: str = Field(examples=["Hosting"])
    level_name: str = Field(examples=["gold"])
    price_cents: int = Field(
        description="The price of a lead, in minor units, where no price rule holds.", examples=[2000]
    )
    lowest_price_cents: int = Field(examples=[400])
    highest_price_cents: int = Field(examples=[2000])
    price_rules: list[PriceRuleInWords] = Field(description="When the level asks another price: the first that holds.")
    currency: Currency
    last_received_at: datetime | None
    is_weighted: bool = Field(description="Whether the level shares its leads out by weights.")
    share: float | None = Field(
        description="The part of the level's leads that it may expect, from 0 to 1, by the weights of all that could "
        "receive a lead now. Null where the level is not weighted, or it can receive none.",
        examples=[0.25],
    )


class OwnSubscriptions(ResponseModel):
    """All of them, by niche, the dearest level first."""

    items: list[OwnSubscription]


class OwnSubscriptionHistoryItem(StateOfSubscription):
    """A state that the subscription was in from that time on, and who of the provider asked for it."""

    seq: int = Field(description="Its number among the states of the subscription, from 1.")
    recorded_at: datetime
    action: str | None = Field(
        description="Null where it followed from something else, such as funds.", examples=["subscription.paused"]
    )
    actor_role: str | None = Field(examples=["provider"])
    actor: str | None = Field(
        description="Null where it was no user of the provider.", examples=["user:01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"]
    )
    memo: str | None = Field(examples=["on holiday"])


@router.get("")
def list_own_subscriptions(
    caller: Reader,
    marketplace: MarketplaceDatabase,
    with_ended: Annotated[bool, Query(description="Also those that the provider left.")] = False,
) -> OwnSubscriptions:
    """List the provider's subscriptions."""
    found = own_subscriptions(caller.database, caller.provider_id, with_ended=with_ended)
    # A share follows from the weights of all, which the provider's own database does not show.
    shares = shares_of(marketplace, [each.seen.row for each in found])
    return OwnSubscriptions(items=[_owned(each, shares) for each in found])


@router.post(
    "",
    status_code=201,
    responses=refuses("level_unknown", "level_deleted", "provider_unknown", "subscription_exists", "form_unreadable"),
)
def subscribe_to_level(asked: NewOwnSubscription, caller: Writer, response: Response) -> OwnSubscriptionDetail:
    """Subscribe to a level. Doing so twice is no mistake.

    One who left comes back to the same place in the order: leaving and returning gains nothing. Where the balance does
    not suffice the subscription waits for it.
    """
    rules = None if asked.filter_rules is None else asked.filter_rules.as_json()
    with document_in("filter_rules"):
        done = subscribe(caller.database, caller.provider_id, asked.level_id, caller.actor, filter_rules=rules)
    response.headers["Location"] = f"{router.prefix}/{done.row.subscription.subscription_id}"
    return _changed(done, response)


@router.get("/{subscription_id}", responses=refuses("subscription_unknown"))
def show_own_subscription(
    subscription_id: SubscriptionId, caller: Reader, response: Response, marketplace: MarketplaceDatabase
) -> OwnSubscription:
    """Show one subscription, with the ETag that a change has to name."""
    found = own_subscription(caller.database, caller.provider_id, subscription_id)
    show_version(response, found.seen.version)
    return _owned(found, shares_of(marketplace, [found.seen.row]))


@router.put(
    "/{subscription_id}/filter",
    responses=refuses("subscription_unknown", "subscription_ended", "provider_unknown", "form_unreadable"),
)
def replace_own_filter(
    subscription_id: SubscriptionId,
    asked: FilterDocument,
    expected: ExpectedVersion,
    caller: Writer,
    response: Response,
) -> OwnSubscriptionDetail:
    """Replace the filter. It counts from the next decision on."""
    done = set_filter(
        caller.database,
        subscription_id,
        asked.as_json(),
        caller.actor,
        of_provider_id=caller.provider_id,
        expected_version=expected,
    )
    return _changed(done, response)


@router.put(
    "/{subscription_id}/price-limit",
    responses=refuses("subscription_unknown", "subscription_ended", "provider_unknown"),
)
def replace_own_price_limit(
    subscription_id: SubscriptionId,
    asked: NewPriceLimit,
    expected: ExpectedVersion,
    caller: Writer,
    response: Response,
) -> OwnSubscriptionDetail:
    """Replace the most that is paid for a lead of the subscription. Dearer leads pass it by; its place stays."""
    done = set_subscription_max_price(
        caller.database,
        subscription_id,
        asked.max_price_cents,
        caller.actor,
        of_provider_id=caller.provider_id,
        memo=asked.memo,
        expected_version=expected,
    )
    return _changed(done, response)


@router.post(
    "/{subscription_id}/pause", responses=refuses("subscription_unknown", "subscription_ended", "provider_unknown")
)
def pause_own_subscription(
    subscription_id: SubscriptionId, caller: Writer, response: Response
) -> OwnSubscriptionDetail:
    """Pause the subscription: it receives nothing until it is resumed, and keeps its place in the order."""
    done = pause_subscription(caller.database, subscription_id, caller.actor, of_provider_id=caller.provider_id)
    return _changed(done, response)


@router.post(
    "/{subscription_id}/resume", responses=refuses("subscription_unknown", "subscription_ended", "provider_unknown")
)
def resume_own_subscription(
    subscription_id: SubscriptionId, caller: Writer, response: Response
) -> OwnSubscriptionDetail:
    """Resume the subscription. Where the balance does not suffice it waits for it."""
    done = resume_subscription(caller.database, subscription_id, caller.actor, of_provider_id=caller.provider_id)
    return _changed(done, response)


@router.delete("/{subscription_id}", responses=refuses("subscription_unknown", "provider_unknown"))
def end_own_subscription(
    subscription_id: SubscriptionId, expected: ExpectedVersion, caller: Writer, response: Response
) -> OwnSubscriptionDetail:
    """Leave the level. Filter, pause and place in the order are kept for a return. Doing so twice is no mistake."""
    done = unsubscribe(
        caller.database,
        subscription_id,
        caller.actor,
        of_provider_id=caller.provider_id,
        expected_version=expected,
    )
    return _changed(done, response)


@router.get("/{subscription_id}/history", responses=refuses("subscription_unknown"))
def list_own_subscription_history(
    subscription_id: SubscriptionId, page: BySequence, caller: Reader, marketplace: MarketplaceDatabase
) -> Page[OwnSubscriptionHistoryItem]:
    """List the states that the subscription was in, the newest first."""
    # From the journal, which the provider's own database does not show.
    states = subscription_history(
        marketplace,
        subscription_id,
        of_provider_id=caller.provider_id,
        before_seq=page.before_seq,
        limit=page.probe,
    )
    items, next_cursor = page.cut(states, lambda state: state.seq)
    return Page(items=[_past(state) for state in items], next_cursor=next_cursor)


def _now(row: SubscriptionRow, filter_summary: str) -> dict[str, Any]:
    return {
        **state_of(row.subscription, is_ended=row.is_deleted),
        "subscription_id": row.subscription.subscription_id,
        "niche_id": row.niche_id,
        "level_id": row.subscription.level_id,
        "filter_summary": filter_summary,
    }


def _changed(done: SubscriptionChanged, response: Response) -> OwnSubscriptionDetail:
    show_version(response, done.version)
    return OwnSubscriptionDetail(**_now(done.row, done.filter_summary), price_limit_warning=done.price_limit_warning)


def _owned(found: OwnedSubscription, shares: Mapping[str, float]) -> OwnSubscription:
    level = found.level
    return OwnSubscription(
        **_now(found.seen.row, found.seen.filter_summary),
        price_limit_warning=found.price_limit_warning,
        niche=level.niche,
        niche_name=level.niche_name,
        level_name=level.level_name,
        price_cents=level.price_cents,
        lowest_price_cents=level.prices.lowest_cents,
        highest_price_cents=level.prices.highest_cents,
        price_rules=in_words(level.prices.rules),
        currency=level.currency,
        last_received_at=level.last_received_at,
        is_weighted=level.is_weighted,
        share=shares.get(found.seen.row.subscription.subscription_id),
    )


def _past(state: SubscriptionState) -> OwnSubscriptionHistoryItem:
    return OwnSubscriptionHistoryItem(
        **state_of(state.subscription, is_ended=state.is_deleted),
        seq=state.seq,
        recorded_at=state.recorded_at,
        action=state.action,
        actor_role=state.actor_role,
        actor=state.actor,
        memo=state.memo,
    )
