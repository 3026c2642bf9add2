"""The gates that come before anybody's money (R4): status, activity, filter."""

from fairlead.core.model import Reason, Subscription


def static_refusal(subscription: Subscription, provider_status: str) -> Reason | None:
    """Why a subscription can receive no lead at all at present; None when its filter alone decides.

    The same for every lead, so a roster keeps these as counts and never visits them.

    >>> from dataclasses import replace
    >>> subscription = Subscription("s", "p", "l", True, None, {"version": 1, "rules": []}, True)
    >>> static_refusal(subscription, "active") is None
    True
    >>> static_refusal(replace(subscription, is_active=False, filter_is_valid=False), "active").value
    'subscription_inactive'
    >>> static_refusal(subscription, "suspended").value
    'provider_inactive'
    """
    if provider_status != "active":
        return Reason.PROVIDER_INACTIVE
    if not subscription.is_active:
        return Reason.SUBSCRIPTION_INACTIVE
    if not subscription.filter_is_valid:
        return Reason.FILTER_INVALID
    return None
