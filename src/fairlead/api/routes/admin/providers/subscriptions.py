"""Subscriptions as operators see to them: who buys leads of which level, and by which filter."""

from datetime import datetime
from typing import Annotated, ClassVar

from fastapi import Path, Query, Response
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.idempotency import changes_nothing
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.changes import NO_REASON, GivenReason, Memo
from fairlead.api.schemas.documents import FilterDocument, document_in
from fairlead.api.schemas.pagination import ByCursor, Page
from fairlead.api.schemas.subscriptions import NewPriceLimit, StateOfSubscription, state_of
from fairlead.api.schemas.values import LARGE_BODY_BYTES, Int, RequestModel, ResponseModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.filter_preview import MOST_LEADS, preview_filter
from fairlead.flows.configuration.local_time import set_subscription_max_price
from fairlead.flows.configuration.reading import SeenSubscription, read_subscription
from fairlead.flows.configuration.subscription_changes import SubscriptionChanged as Changed
from fairlead.flows.configuration.subscriptions import (
    pause_subscription,
    resume_subscription,
    set_filter,
    subscribe,
    unsubscribe,
)
from fairlead.store.configuration.pages import ListedSubscription, SubscriptionSearch, subscriptions_page

router = Router(prefix="/api/v1/admin", tags=["subscriptions"])

Reader = Annotated[Principal, needs(Permission.PROVIDERS_READ)]
Editor = Annotated[Principal, needs(Permission.PROVIDERS_WRITE)]
SubscriptionId = Annotated[Uuid, Path()]
Summary = Annotated[str, Field(description="The filter in plain words.", examples=["Cores is at least 4"])]
Why = Annotated[
    str | None,
    Field(description="Why it is not active: `paused` or `insufficient_funds`; null where it is.", examples=["paused"]),
]


class NewSubscription(RequestModel):
    """A provider and a level. Without a filter: every lead, or, for one that comes back, the filter that it had."""

    most_bytes: ClassVar[int] = LARGE_BODY_BYTES

    provider_id: Uuid
    level_id: Uuid
    filter_rules: FilterDocument | None = None
    memo: Memo | None = None


class NewFilter(RequestModel):
    """The filter as it is to be."""

    most_bytes: ClassVar[int] = LARGE_BODY_BYTES

    filter_rules: FilterDocument
    memo: Memo | None = None


class FilterDryRun(RequestModel):
    """A filter, and how many of the leads that were decided last it is tried on."""

    most_bytes: ClassVar[int] = LARGE_BODY_BYTES

    filter_rules: FilterDocument
    sample: Annotated[Int, Field(ge=1, le=MOST_LEADS)] = 1000


class SubscriptionItem(ResponseModel):
    """A subscription in the list."""

    subscription_id: Uuid
    provider_id: Uuid
    provider_name: str = Field(examples=["Anchor Hosting"])
    niche_id: Uuid
    niche_slug: str = Field(examples=["hosting"])
    level_id: Uuid
    level_name: str = Field(examples=["gold"])
    is_active: bool
    deactivation_reason: Why
    filter_is_valid: bool = Field(description="One that does not fit the form gets no leads.")
    is_ended: bool
    created_at: datetime


class SubscriptionDetail(StateOfSubscription):
    """A subscription as it is."""

    subscription_id: Uuid
    provider_id: Uuid
    niche_id: Uuid
    level_id: Uuid
    filter_summary: Summary
    version: str = Field(
        description="The version, which a change names in `If-Match`.", examples=["9f2c4e6a8b0d1f3a5c7e9b1d3f5a7c9e"]
    )


class SubscriptionChanged(ResponseModel):
    """The subscription after a change, and where the niche's journal tells of it."""

    subscription: SubscriptionDetail
    took_effect: bool = Field(description="False where it was so before.")
    price_limit_warning: str | None = Field(
        description="Why no lead comes by the price limit: the level never asks as little. Null where one can come.",
        examples=["no lead comes: the least that the level asks is 900 cents, and the most that is paid 500"],
    )
    journal_seq: int | None


class FilterPreview(ResponseModel):
    """How many of the leads that were decided last the filter fits."""

    matched_count: int = Field(examples=[412])
    lead_count: int = Field(examples=[1000])
    filter_summary: Summary


@router.get("/subscriptions")
def list_subscriptions(
    page: ByCursor,
    _: Reader,
    database: MarketplaceDatabase,
    provider_id: Annotated[Uuid | None, Query()] = None,
    niche_id: Annotated[Uuid | None, Query()] = None,
    level_id: Annotated[Uuid | None, Query()] = None,
    with_ended: Annotated[bool, Query(description="Also those that ended.")] = False,
) -> Page[SubscriptionItem]:
    """List the subscriptions, the newest first."""
    wanted = SubscriptionSearch(provider_id, niche_id, level_id, with_ended)
    found = database.read(lambda conn: subscriptions_page(conn, wanted, page.after_id, page.probe))
    items, cursor = page.cut(found, _position)
    return Page[SubscriptionItem](items=[SubscriptionItem.model_validate(each) for each in items], next_cursor=cursor)


@router.post(
    "/subscriptions",
    status_code=201,
    responses=refuses("provider_unknown", "level_unknown", "level_deleted", "subscription_exists", "form_unreadable"),
)
def add_subscription(
    asked: NewSubscription, response: Response, editor: Editor, database: MarketplaceDatabase
) -> SubscriptionChanged:
    """The provider subscribes to the level. One that left comes back to its old place in the order."""
    with document_in("filter_rules"):
        done = subscribe(
            database,
            asked.provider_id,
            asked.level_id,
            editor.actor,
            filter_rules=None if asked.filter_rules is None else asked.filter_rules.as_json(),
            memo=asked.memo,
        )
    return subscription_changed(response, done)


@router.get("/subscriptions/{subscription_id}", responses=refuses("subscription_unknown"))
def show_subscription(
    subscription_id: SubscriptionId, response: Response, _: Reader, database: MarketplaceDatabase
) -> SubscriptionDetail:
    """Show a subscription, also one that ended."""
    seen = read_subscription(database, subscription_id, of_provider_id=None)
    show_version(response, seen.version)
    return _detail(seen)


@router.put(
    "/subscriptions/{subscription_id}/filter",
    responses=refuses("subscription_unknown", "subscription_ended", "form_unreadable"),
)
def replace_filter(
    subscription_id: SubscriptionId,
    asked: NewFilter,
    response: Response,
    editor: Editor,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
) -> SubscriptionChanged:
    """The subscription's filter is this one, from the next decision on."""
    with document_in("filter_rules"):
        done = set_filter(
            database,
            subscription_id,
            asked.filter_rules.as_json(),
            editor.actor,
            of_provider_id=None,
            memo=asked.memo,
            expected_version=expected,
        )
    return subscription_changed(response, done)


@router.put(
    "/subscriptions/{subscription_id}/price-limit", responses=refuses("subscription_unknown", "subscription_ended")
)
def replace_price_limit(
    subscription_id: SubscriptionId,
    asked: NewPriceLimit,
    response: Response,
    editor: Editor,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
) -> SubscriptionChanged:
    """Replace the most that the provider pays for a lead of the subscription. Dearer leads pass it by."""
    done = set_subscription_max_price(
        database,
        subscription_id,
        asked.max_price_cents,
        editor.actor,
        of_provider_id=None,
        memo=asked.memo,
        expected_version=expected,
    )
    return subscription_changed(response, done)


@router.post("/subscriptions/{subscription_id}/pause", responses=refuses("subscription_unknown", "subscription_ended"))
def pause_one_subscription(
    subscription_id: SubscriptionId,
    response: Response,
    editor: Editor,
    database: MarketplaceDatabase,
    asked: GivenReason = NO_REASON,
) -> SubscriptionChanged:
    """The subscription receives nothing until it is resumed. Its place in the order stays."""
    done = pause_subscription(database, subscription_id, editor.actor, of_provider_id=None, memo=asked.memo)
    return subscription_changed(response, done)


@router.post("/subscriptions/{subscription_id}/resume", responses=refuses("subscription_unknown", "subscription_ended"))
def resume_one_subscription(
    subscription_id: SubscriptionId,
    response: Response,
    editor: Editor,
    database: MarketplaceDatabase,
    asked: GivenReason = NO_REASON,
) -> SubscriptionChanged:
    """The subscription is not paused any more: active, or waiting for the funds that it takes."""
    done = resume_subscription(database, subscription_id, editor.actor, of_provider_id=None, memo=asked.memo)
    return subscription_changed(response, done)


@router.delete("/subscriptions/{subscription_id}", responses=refuses("subscription_unknown"))
def end_subscription(
    subscription_id: SubscriptionId,
    response: Response,
    editor: Editor,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
    memo: Annotated[Memo | None, Query()] = None,
) -> SubscriptionChanged:
    """The subscription has ended. Its place, its filter and its pause are kept for a return."""
    done = unsubscribe(
        database, subscription_id, editor.actor, of_provider_id=None, memo=memo, expected_version=expected
    )
    return subscription_changed(response, done)


@router.post(
    "/niches/{niche_id}/filter-preview",
    dependencies=[changes_nothing("it only tries something out")],
    responses=refuses("niche_unknown", "form_unreadable"),
)
def try_filter(
    niche_id: Annotated[Uuid, Path()], asked: FilterDryRun, _: Reader, database: MarketplaceDatabase
) -> FilterPreview:
    """Say how many of the leads that were decided last in the niche the filter fits. Nothing is changed."""
    with document_in("filter_rules"):
        tried = preview_filter(database, niche_id, asked.filter_rules.as_json(), sample=asked.sample)
    return FilterPreview.model_validate(tried)


def _position(item: ListedSubscription) -> tuple[datetime, str]:
    return item.created_at, item.subscription_id


def _detail(seen: SeenSubscription | Changed) -> SubscriptionDetail:
    subscription = seen.row.subscription
    return SubscriptionDetail(
        **state_of(subscription, is_ended=seen.row.is_deleted),
        subscription_id=subscription.subscription_id,
        provider_id=subscription.provider_id,
        niche_id=seen.row.niche_id,
        level_id=subscription.level_id,
        filter_summary=seen.filter_summary,
        version=seen.version,
    )


def subscription_changed(response: Response, done: Changed) -> SubscriptionChanged:
    """What a change of a subscription answers."""
    show_version(response, done.version)
    return SubscriptionChanged(
        subscription=_detail(done),
        took_effect=done.took_effect,
        price_limit_warning=done.price_limit_warning,
        journal_seq=done.journal_seq,
    )
