"""What each kind of message has to tell: the variables that its template may use."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from fairlead.core.form import MAX_FIELDS

VariableType = Literal[
    "text", "number", "amount in minor units", "time", "address of a page", "list of pairs", "list of texts"
]
Values = Mapping[str, object]

LIST_TYPES: tuple[VariableType, ...] = ("list of pairs", "list of texts")


@dataclass(frozen=True, slots=True)
class Variable:
    """A name that a template may use. An optional one is none where there is nothing to say; a list may be empty."""

    name: str
    type: VariableType
    description: str
    sample: object
    is_optional: bool = False


_PROVIDER = (
    Variable("provider_name", "text", "the provider that is told", "Example Services Ltd"),
    Variable("currency", "text", "the marketplace's currency, for the filter money", "EUR"),
    Variable("timezone", "text", "the provider's time zone, for the filter local_time", "Europe/Berlin"),
    Variable("balance_cents", "amount in minor units", "the provider's balance when the message is written", 123_450),
    Variable("portal_url", "address of a page", "the provider portal", "https://leads.example.com/portal", True),
)
_POOR_PROVIDER = tuple(
    replace(variable, sample=1_250) if variable.name == "balance_cents" else variable for variable in _PROVIDER
)
_NICHE = Variable("niche_name", "text", "the niche", "Heat pumps")
_LEVEL = Variable("level_name", "text", "the competition level of the subscription", "Exclusive")
_PRICE = Variable("price_cents", "amount in minor units", "what a lead of this level costs", 4_500)
_LEAD = Variable("lead_id", "text", "the lead's id", "0198c0de-0000-7000-8000-00000000001e")
_ASSIGNMENT = Variable("assignment_id", "text", "the assignment's id", "0198c0de-0000-7000-8000-0000000000a5")
_HAPPENED_AT = datetime(2026, 3, 1, 13, 5, tzinfo=UTC)
_USER_NAME = Variable("user_name", "text", "the person who is told", "Sample Person")

_VARIABLES: Mapping[str, tuple[Variable, ...]] = {
    "lead_assigned": (
        *_PROVIDER,
        _NICHE,
        _LEVEL,
        Variable("price_cents", "amount in minor units", "what was charged for the lead", 4_500),
        _LEAD,
        _ASSIGNMENT,
        Variable("assigned_at", "time", "when the lead was assigned", _HAPPENED_AT),
        Variable("contact_name", "text", "the consumer's name", "Sample Contact", True),
        Variable("contact_email", "text", "the consumer's email address", "contact@example.com", True),
        Variable("contact_phone", "text", "the consumer's telephone number", "+1 555 0100", True),
        Variable(
            "attributes",
            "list of pairs",
            "the fields of the form that were filled, as (label, text)",
            [("Postcode", "10115"), ("Building", "House, built 1985"), ("Wishes", "Before winter,\nplease call first")],
        ),
    ),
    "refund_issued": (
        *_PROVIDER,
        _NICHE,
        _LEVEL,
        Variable("price_cents", "amount in minor units", "what was returned", 4_500),
        _LEAD,
        _ASSIGNMENT,
        Variable("reason", "text", "why it was returned", "The telephone number does not exist", True),
    ),
    "subscription_deactivated": (*_POOR_PROVIDER, _NICHE, _LEVEL, _PRICE),
    "subscription_reactivated": (*_PROVIDER, _NICHE, _LEVEL, _PRICE),
    "filter_invalidated": (*_PROVIDER, _NICHE, _LEVEL),
    "price_limit_passed": (
        *_PROVIDER,
        _NICHE,
        _LEVEL,
        Variable("lowest_price_cents", "amount in minor units", "the least that a lead of this level costs now", 4_500),
        Variable("max_price_cents", "amount in minor units", "the most that the provider pays for one", 4_000),
    ),
    "low_balance": (
        *_PROVIDER,
        Variable(
            "threshold_cents",
            "amount in minor units",
            "the balance that the alert is set to; none: it is one of days",
            150_000,
            True,
        ),
        Variable("days_left", "number", "for how many days the money lasts; none: the alert is one of cents", 5, True),
        Variable("threshold_days", "number", "the days that the alert is set to", 7, True),
        Variable("daily_cents", "amount in minor units", "what leads cost on an average day lately", 24_690, True),
    ),
    "auto_top_up_failed": (
        *_POOR_PROVIDER,
        Variable("amount_cents", "amount in minor units", "what was to be topped up", 50_000),
        Variable(
            "reason",
            "text",
            "why it was not: monthly_limit, authentication_required, or a code of the gateway",
            "insufficient_funds",
        ),
        Variable("tried_again_at", "time", "when it is tried again; none: it is off", _HAPPENED_AT, True),
    ),
    "balance_topped_up": (
        *_PROVIDER,
        Variable("amount_cents", "amount in minor units", "what was charged, and is on the balance", 50_000),
    ),
    "user_invited": (
        Variable(
            "link_url",
            "address of a page",
            "where the user sets a password, once",
            "https://leads.example.com/accept-invite#sample",
        ),
        Variable("expires_at", "time", "until when the link is good", _HAPPENED_AT),
    ),
    "password_reset": (
        _USER_NAME,
        Variable(
            "link_url",
            "address of a page",
            "where the user replaces the password, once",
            "https://leads.example.com/reset-password#sample",
        ),
        Variable("expires_at", "time", "until when the link is good", _HAPPENED_AT),
    ),
    "export_ready": (
        _USER_NAME,
        Variable("export_kind", "text", "what was exported, as the API calls it", "ledger"),
        Variable("row_count", "text", "how many rows it has", "12,450"),
        Variable(
            "link_url",
            "address of a page",
            "where the user fetches the file, after logging in",
            "https://leads.example.com/exports/0198c0de-0000-7000-8000-0000000000e1",
        ),
        Variable("expires_at", "time", "when the file is deleted", _HAPPENED_AT),
    ),
    "lead_confirmation": (
        _NICHE,
        Variable(
            "link_url",
            "address of a page",
            "where the consumer confirms the lead",
            "https://leads.example.com/confirm-lead#sample",
        ),
        Variable("expires_at", "time", "until when the link is good", _HAPPENED_AT),
        Variable(
            "request_url",
            "address of a page",
            "where the consumer sees the request, and withdraws it",
            "https://leads.example.com/my-request#sample",
            True,
        ),
    ),
    "lead_confirmed": (
        _NICHE,
        Variable(
            "link_url",
            "address of a page",
            "where the consumer sees who has the request, and withdraws it",
            "https://leads.example.com/my-request#sample",
        ),
        Variable("expires_at", "time", "until when the link is good", _HAPPENED_AT),
    ),
    "lead_withdrawn": (
        *_PROVIDER,
        _NICHE,
        _LEVEL,
        _LEAD,
        _ASSIGNMENT,
        Variable("contact_name", "text", "the consumer's name", "Sample Contact", True),
    ),
    "lead_erased": (
        *_PROVIDER,
        _NICHE,
        _LEVEL,
        _LEAD,
        _ASSIGNMENT,
        Variable("erased_at", "time", "when the marketplace erased the lead", _HAPPENED_AT),
    ),
    "operator_alert": (
        Variable("title", "text", "what happened, in a few words", "A delivery failed for good"),
        Variable("lines", "list of texts", "what there is to know", ["The mail server refused it.", "Attempts: 6"]),
        Variable("happened_at", "time", "when it happened", _HAPPENED_AT),
        Variable("console_url", "address of a page", "the operator console", "https://leads.example.com/console", True),
    ),
}

KINDS: tuple[str, ...] = tuple(_VARIABLES)
ALERT_KIND = "operator_alert"
ACCOUNT_KINDS = ("user_invited", "password_reset")
"""Told to a user, of its account: the link in them sets a password."""
USER_KINDS = (*ACCOUNT_KINDS, "export_ready")
"""Told to a user."""
CONSUMER_KINDS = ("lead_confirmation", "lead_confirmed")
"""Sent to the address that a lead came with."""
UNCONFIRMED_KINDS = ("user_invited", *CONSUMER_KINDS)
"""Told to an address whose owner has not confirmed it: nothing that was typed beside it is in them, nor above them."""
PROVIDER_KINDS = tuple(kind for kind in KINDS if kind not in (*USER_KINDS, *CONSUMER_KINDS, ALERT_KIND))
"""Told to a provider."""
OPTIONAL_KINDS = tuple(kind for kind in PROVIDER_KINDS if kind != "lead_erased")
"""Told to a provider, which may not want to be. That a lead is to be erased it is told in any case."""


def variables_of(kind: str) -> tuple[Variable, ...]:
    """The variables that a template of this kind may use, each of them given whenever it is rendered."""
    return _VARIABLES[kind]


def sample_values(kind: str) -> dict[str, object]:
    """Values for a preview, every one of them given; no person's data."""
    return {variable.name: variable.sample for variable in _VARIABLES[kind]}


def sparse_sample_values(kind: str) -> dict[str, object]:
    """Values for a preview of the emptiest message there can be: what is optional is none, lists are empty."""
    return {variable.name: _sparse(variable) for variable in _VARIABLES[kind]}


def crowded_sample_values(kind: str) -> dict[str, object]:
    """Values for a preview of the longest message: lists as long as they get."""
    return {variable.name: _crowded(variable) for variable in _VARIABLES[kind]}


def _sparse(variable: Variable) -> object:
    if variable.type in LIST_TYPES:
        return ()
    return None if variable.is_optional else variable.sample


def _crowded(variable: Variable) -> object:
    if variable.type == "list of pairs":
        return [("Field", "Value")] * MAX_FIELDS
    return ["Line"] * MAX_FIELDS if variable.type == "list of texts" else variable.sample
