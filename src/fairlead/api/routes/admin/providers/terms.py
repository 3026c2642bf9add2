"""Limits and schedules of providers and of their subscriptions, as operators see to them.

Provider and operator set the same limits and the same schedule: the last word counts, and says whose it was.
"""

from typing import Annotated

from fastapi import Path, Response

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.terms import Limits, NewLimits, NewSchedule, ScheduleNow, limits_now, schedule_now
from fairlead.api.schemas.values import Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.local_time import (
    set_provider_limits,
    set_provider_schedule,
    set_subscription_limits,
    set_subscription_schedule,
)
from fairlead.flows.configuration.terms_in_force import SeenTerms, read_provider_terms, read_subscription_terms
from fairlead.store.connection import Database

router = Router(prefix="/api/v1/admin", tags=["limits and schedules"])

Reader = Annotated[Principal, needs(Permission.PROVIDERS_READ)]
Editor = Annotated[Principal, needs(Permission.PROVIDERS_WRITE)]
ProviderId = Annotated[Uuid, Path()]
SubscriptionId = Annotated[Uuid, Path()]


@router.get("/providers/{provider_id}/limits", responses=refuses("provider_unknown"))
def show_provider_limits(
    provider_id: ProviderId, response: Response, _: Reader, database: MarketplaceDatabase
) -> Limits:
    """Show the provider's limits over all of its subscriptions, and what is used of them."""
    return limits_now(_of_provider(response, database, provider_id))


@router.put("/providers/{provider_id}/limits", responses=refuses("provider_unknown"))
def replace_provider_limits(
    provider_id: ProviderId,
    asked: NewLimits,
    response: Response,
    editor: Editor,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
) -> Limits:
    """Replace the provider's limits. They count from the next decision on, in every niche; nothing is taken back."""
    wanted = asked.limits.as_json()
    set_provider_limits(database, provider_id, wanted, editor.actor, memo=asked.memo, expected_version=expected)
    return limits_now(_of_provider(response, database, provider_id))


@router.get("/providers/{provider_id}/schedule", responses=refuses("provider_unknown"))
def show_provider_schedule(
    provider_id: ProviderId, response: Response, _: Reader, database: MarketplaceDatabase
) -> ScheduleNow:
    """Show the provider's schedule, which its subscriptions go by unless they have their own."""
    return schedule_now(_of_provider(response, database, provider_id))


@router.put("/providers/{provider_id}/schedule", responses=refuses("provider_unknown"))
def replace_provider_schedule(
    provider_id: ProviderId,
    asked: NewSchedule,
    response: Response,
    editor: Editor,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
) -> ScheduleNow:
    """Replace the provider's schedule. It counts from the next decision on."""
    wanted = None if asked.schedule is None else asked.schedule.as_json()
    set_provider_schedule(database, provider_id, wanted, editor.actor, memo=asked.memo, expected_version=expected)
    return schedule_now(_of_provider(response, database, provider_id))


@router.get("/subscriptions/{subscription_id}/limits", responses=refuses("subscription_unknown"))
def show_subscription_limits(
    subscription_id: SubscriptionId, response: Response, _: Reader, database: MarketplaceDatabase
) -> Limits:
    """Show the subscription's limits and its provider's, and what is used of each."""
    return limits_now(_of_subscription(response, database, subscription_id))


@router.put("/subscriptions/{subscription_id}/limits", responses=refuses("subscription_unknown", "subscription_ended"))
def replace_subscription_limits(
    subscription_id: SubscriptionId,
    asked: NewLimits,
    response: Response,
    editor: Editor,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
) -> Limits:
    """Replace the subscription's limits. They count from the next decision on; nothing is taken back."""
    set_subscription_limits(
        database,
        subscription_id,
        asked.limits.as_json(),
        editor.actor,
        of_provider_id=None,
        memo=asked.memo,
        expected_version=expected,
    )
    return limits_now(_of_subscription(response, database, subscription_id))


@router.get("/subscriptions/{subscription_id}/schedule", responses=refuses("subscription_unknown"))
def show_subscription_schedule(
    subscription_id: SubscriptionId, response: Response, _: Reader, database: MarketplaceDatabase
) -> ScheduleNow:
    """Show the schedule that the subscription goes by, its own or else its provider's."""
    return schedule_now(_of_subscription(response, database, subscription_id))


@router.put(
    "/subscriptions/{subscription_id}/schedule", responses=refuses("subscription_unknown", "subscription_ended")
)
def replace_subscription_schedule(
    subscription_id: SubscriptionId,
    asked: NewSchedule,
    response: Response,
    editor: Editor,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
) -> ScheduleNow:
    """Replace the subscription's schedule. With null it goes by its provider's."""
    set_subscription_schedule(
        database,
        subscription_id,
        None if asked.schedule is None else asked.schedule.as_json(),
        editor.actor,
        of_provider_id=None,
        memo=asked.memo,
        expected_version=expected,
    )
    return schedule_now(_of_subscription(response, database, subscription_id))


def _of_provider(response: Response, database: Database, provider_id: str) -> SeenTerms:
    seen = read_provider_terms(database, provider_id)
    show_version(response, seen.version)
    return seen


def _of_subscription(response: Response, database: Database, subscription_id: str) -> SeenTerms:
    seen = read_subscription_terms(database, subscription_id, of_provider_id=None)
    show_version(response, seen.version)
    return seen
