"""A provider's own limits and schedules: how many leads it takes, for how much money, and when.

It sets what an operator may set, too: the last word counts, and says whose it was.
"""

from typing import Annotated

from fastapi import Path, Response

from fairlead.api.access import OwnProvider, needs_own
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.terms import Limits, NewLimits, NewSchedule, ScheduleNow, limits_now, schedule_now
from fairlead.api.schemas.values import Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.configuration.local_time import (
    set_provider_limits,
    set_provider_schedule,
    set_subscription_limits,
    set_subscription_schedule,
)
from fairlead.flows.configuration.terms_in_force import (
    SeenTerms,
    read_provider_terms,
    read_subscription_terms,
    without_operators,
)
from fairlead.store.connection import Database

router = Router(prefix="/api/v1/provider", tags=["provider: subscriptions"])

Reader = Annotated[OwnProvider, needs_own(Permission.OWN_READ)]
Writer = Annotated[OwnProvider, needs_own(Permission.OWN_WRITE)]
SubscriptionId = Annotated[Uuid, Path()]


@router.get("/limits", responses=refuses("provider_unknown"))
def show_own_limits(caller: Reader, response: Response, marketplace: MarketplaceDatabase) -> Limits:
    """Show the provider's limits over all of its subscriptions, and what is used of them."""
    return limits_now(_own(response, marketplace, caller))


@router.put("/limits", responses=refuses("provider_unknown"))
def replace_own_limits(
    asked: NewLimits, expected: ExpectedVersion, caller: Writer, response: Response, marketplace: MarketplaceDatabase
) -> Limits:
    """Replace the provider's limits. They count from the next decision on, in every niche; nothing is taken back."""
    wanted = asked.limits.as_json()
    set_provider_limits(
        caller.database, caller.provider_id, wanted, caller.actor, memo=asked.memo, expected_version=expected
    )
    return limits_now(_own(response, marketplace, caller))


@router.get("/schedule", responses=refuses("provider_unknown"))
def show_own_schedule(caller: Reader, response: Response, marketplace: MarketplaceDatabase) -> ScheduleNow:
    """Show the provider's schedule, which its subscriptions go by unless they have their own."""
    return schedule_now(_own(response, marketplace, caller))


@router.put("/schedule", responses=refuses("provider_unknown"))
def replace_own_schedule(
    asked: NewSchedule, expected: ExpectedVersion, caller: Writer, response: Response, marketplace: MarketplaceDatabase
) -> ScheduleNow:
    """Replace the provider's schedule. It counts from the next decision on."""
    wanted = None if asked.schedule is None else asked.schedule.as_json()
    set_provider_schedule(
        caller.database, caller.provider_id, wanted, caller.actor, memo=asked.memo, expected_version=expected
    )
    return schedule_now(_own(response, marketplace, caller))


@router.get("/subscriptions/{subscription_id}/limits", responses=refuses("subscription_unknown"))
def show_own_subscription_limits(
    subscription_id: SubscriptionId, caller: Reader, response: Response, marketplace: MarketplaceDatabase
) -> Limits:
    """Show the subscription's limits and the provider's, and what is used of each."""
    return limits_now(_of_subscription(response, marketplace, caller, subscription_id))


@router.put(
    "/subscriptions/{subscription_id}/limits",
    responses=refuses("subscription_unknown", "subscription_ended", "provider_unknown"),
)
def replace_own_subscription_limits(
    subscription_id: SubscriptionId,
    asked: NewLimits,
    expected: ExpectedVersion,
    caller: Writer,
    response: Response,
    marketplace: MarketplaceDatabase,
) -> Limits:
    """Replace the subscription's limits. They count from the next decision on; nothing is taken back."""
    set_subscription_limits(
        caller.database,
        subscription_id,
        asked.limits.as_json(),
        caller.actor,
        of_provider_id=caller.provider_id,
        memo=asked.memo,
        expected_version=expected,
    )
    return limits_now(_of_subscription(response, marketplace, caller, subscription_id))


@router.get("/subscriptions/{subscription_id}/schedule", responses=refuses("subscription_unknown"))
def show_own_subscription_schedule(
    subscription_id: SubscriptionId, caller: Reader, response: Response, marketplace: MarketplaceDatabase
) -> ScheduleNow:
    """Show the schedule that the subscription goes by, its own or else the provider's."""
    return schedule_now(_of_subscription(response, marketplace, caller, subscription_id))


@router.put(
    "/subscriptions/{subscription_id}/schedule",
    responses=refuses("subscription_unknown", "subscription_ended", "provider_unknown"),
)
def replace_own_subscription_schedule(
    subscription_id: SubscriptionId,
    asked: NewSchedule,
    expected: ExpectedVersion,
    caller: Writer,
    response: Response,
    marketplace: MarketplaceDatabase,
) -> ScheduleNow:
    """Replace the subscription's schedule. With null it goes by the provider's."""
    set_subscription_schedule(
        caller.database,
        subscription_id,
        None if asked.schedule is None else asked.schedule.as_json(),
        caller.actor,
        of_provider_id=caller.provider_id,
        memo=asked.memo,
        expected_version=expected,
    )
    return schedule_now(_of_subscription(response, marketplace, caller, subscription_id))


# What is used is read where the windows and the audit log are: the provider's own database does not show them.


def _own(response: Response, marketplace: Database, caller: OwnProvider) -> SeenTerms:
    seen = read_provider_terms(marketplace, caller.provider_id)
    show_version(response, seen.version)
    return without_operators(seen)


def _of_subscription(response: Response, marketplace: Database, caller: OwnProvider, subscription_id: str) -> SeenTerms:
    seen = read_subscription_terms(marketplace, subscription_id, of_provider_id=caller.provider_id)
    show_version(response, seen.version)
    return without_operators(seen)
