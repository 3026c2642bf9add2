"""What a subscription becomes, whoever asks for it: paused, resumed, read against another form."""

from dataclasses import replace

from fairlead.core.canonical import JsonObject
from fairlead.core.filters import validate_filter
from fairlead.core.form import FormSchema, FormSchemaError, parse_form_schema
from fairlead.core.model import PAUSED, Subscription

EVERY_LEAD: JsonObject = {"version": 1, "rules": []}


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
