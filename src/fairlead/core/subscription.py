"""What a subscription becomes: paused, resumed, read against another form, switched off and on by funds (R9).

Each is a function from a subscription to a subscription. Every flow that changes one, for whatever cause, asks here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from fairlead.core.canonical import JsonObject
from fairlead.core.filters.filter import validate_filter
from fairlead.core.form import FormSchema, FormSchemaError, parse_form_schema
from fairlead.core.model import INSUFFICIENT_FUNDS, PAUSED, Balance, Level, Subscription, filter_text
from fairlead.core.prices import lowest_price_cents

EVERY_LEAD = filter_text({"version": 1, "rules": []})
"""The filter that wants every lead."""


def paused(subscription: Subscription) -> Subscription:
    """The subscription, switched off by its provider: no money brings it back.

    >>> after = paused(Subscription("s", "p", "l", False, "insufficient_funds", EVERY_LEAD, True))
    >>> after.deactivation_reason, paused(after) == after
    ('paused', True)
    """
    return replace(subscription, is_active=False, deactivation_reason=PAUSED)


def resumed(subscription: Subscription) -> Subscription:
    """The subscription without its pause. One that is inactive for another reason is as it was.

    >>> resumed(Subscription("s", "p", "l", False, "paused", EVERY_LEAD, True)).is_active
    True
    >>> resumed(Subscription("s", "p", "l", False, "insufficient_funds", EVERY_LEAD, True)).is_active
    False
    """
    if subscription.deactivation_reason != PAUSED:
        return subscription
    return replace(subscription, is_active=True, deactivation_reason=None)


def funded(subscription: Subscription, price_cents: int, available_cents: int) -> Subscription:
    """The subscription as the funds have it: inactive when its level costs more than is available, else active (R9).

    `price_cents` is the lowest price that the level can ask (R14). One that its provider paused stays paused, whatever
    the funds are.

    >>> pause = Subscription("s", "p", "l", False, "paused", EVERY_LEAD, True)
    >>> funded(pause, 100, 500) == pause
    True
    >>> broke = funded(resumed(pause), 100, 99)
    >>> broke.deactivation_reason, funded(broke, 100, 100).is_active
    ('insufficient_funds', True)
    """
    if subscription.deactivation_reason == PAUSED:
        return subscription
    if not is_affordable(price_cents, available_cents):
        return replace(subscription, is_active=False, deactivation_reason=INSUFFICIENT_FUNDS)
    if subscription.is_active:
        return subscription
    return replace(subscription, is_active=True, deactivation_reason=None)


def out_of_funds(
    subscriptions: Iterable[Subscription], levels: Mapping[str, Level], balances: Mapping[str, Balance]
) -> Sequence[Subscription]:
    """Those of the subscriptions that these balances switch off, as they are then (R9); a level not given is ignored.

    In the order of subscription ids, so that their journal entries have one order.

    >>> gold = Level("gold", "Gold", 500, 1, 1, is_active=True)
    >>> subscription = Subscription("s", "p", "gold", True, None, EVERY_LEAD, True)
    >>> [each.deactivation_reason for each in out_of_funds([subscription], {"gold": gold}, {"p": Balance(499, 0, 1)})]
    ['insufficient_funds']
    >>> out_of_funds([subscription], {"gold": gold}, {"p": Balance(499, 1, 1)})
    []
    """
    switched_off = [
        after
        for subscription in subscriptions
        if subscription.is_active
        and (level := levels.get(subscription.level_id)) is not None
        and not (
            after := funded(subscription, lowest_price_cents(level), balances[subscription.provider_id].available_cents)
        ).is_active
    ]
    return sorted(switched_off, key=lambda subscription: subscription.subscription_id)


def is_affordable(price_cents: int, available_cents: int) -> bool:
    """Whether the price can be charged: what is available, the credit limit included, may be used up (R8).

    >>> is_affordable(500, 500), is_affordable(500, 499)
    (True, False)
    """
    return price_cents <= available_cents


def revalidated(subscription: Subscription, schema: FormSchema | None) -> Subscription:
    """The subscription, its filter marked as the form has it; no filter fits a form that cannot be read (None).

    >>> revalidated(Subscription("s", "p", "l", True, None, EVERY_LEAD, False), FormSchema()).filter_is_valid
    True
    """
    is_valid = schema is not None and not validate_filter(subscription.filter_rules, schema)
    return subscription if is_valid == subscription.filter_is_valid else replace(subscription, filter_is_valid=is_valid)


def readable_form(form_schema: JsonObject) -> FormSchema | None:
    """The form that the document describes; None when it cannot be read."""
    try:
        return parse_form_schema(form_schema)
    except FormSchemaError:
        return None
