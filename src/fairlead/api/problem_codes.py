"""Every stable code that an answer may carry, with the status it comes with and what it means.

A verb refuses with a code; here, and nowhere else, it is decided what that is over HTTP. The same list is the page
`docs/reference/problems.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """What a code is over HTTP: the status of the answer, and its meaning in a few words."""

    status: int
    title: str


def _all(status: int, titles: Mapping[str, str]) -> dict[str, Kind]:
    return {code: Kind(status, title) for code, title in titles.items()}


_OF_REQUESTS = {
    **_all(
        400,
        {
            "request_malformed": "The request is not HTTP as this server reads it",
            "body_malformed": "The body is not JSON",
            "idempotency_key_missing": "The request needs an Idempotency-Key",
            "idempotency_key_unsupported": "The operation takes no Idempotency-Key",
        },
    ),
    **_all(404, {"route_unknown": "There is nothing at this address"}),
    **_all(405, {"method_not_allowed": "This address does not take this method"}),
    **_all(409, {"idempotency_answer_lost": "The request was carried out, and its answer is not there any more"}),
    **_all(412, {"version_conflict": "It was changed since you saw it"}),
    **_all(413, {"body_too_large": "The body is too large"}),
    **_all(415, {"content_type_unsupported": "The body is not said to be JSON"}),
    **_all(
        422,
        {
            "input_invalid": "What was sent is not what is asked for",
            "idempotency_key_reused": "The idempotency key was used for another request",
        },
    ),
    **_all(431, {"head_too_large": "The headers are too large"}),
    **_all(428, {"precondition_required": "The request needs an If-Match"}),
    **_all(
        429,
        {
            "too_many_attempts": "Too many attempts",
            "too_many_connections": "Too many live connections are open",
            "too_many_exports": "Other exports are running",
        },
    ),
    **_all(500, {"internal_error": "Something is wrong with the server"}),
    **_all(
        503,
        {
            "unavailable": "The server cannot answer at present",
            "secrets_not_configured": "The server has no keys to seal secrets with",
        },
    ),
}

_OF_ACCESS = {
    **_all(
        401,
        {
            "session_invalid": "Nobody is logged in",
            "api_key_invalid": "The API key opens nothing",
            "login_refused": "Email and password do not open a session",
            "code_refused": "The code is wrong or spent",
            "password_refused": "The password is wrong",
        },
    ),
    **_all(
        403,
        {
            "permission_missing": "You may not do this",
            "second_factor_required": "The second factor is outstanding",
            "enrolment_required": "A second factor has to be set up first",
            "step_up_required": "A fresh proof of who you are is needed",
            "session_required": "This takes a session, not an API key",
            "cross_origin_refused": "A page of another site asked for this",
            "token_refused": "The link was used, has expired, or never was one",
        },
    ),
    **_all(
        404,
        {
            "problem_unknown": "There is no such code",
            "user_unknown": "There is no such user",
            "session_unknown": "There is no such live session",
            "api_key_unknown": "There is no such API key",
        },
    ),
    **_all(
        409,
        {
            "second_factor_done": "The second factor was given already",
            "enrolment_not_begun": "The enrolment has to be begun first",
            "email_taken": "The email address is taken",
            "user_disabled": "The user is disabled",
            "last_admin": "Nobody would be left who can administer",
            "own_role": "Nobody changes their own role",
            "own_user": "Nobody disables themselves",
            "own_second_factor": "Nobody resets their own second factor",
        },
    ),
}

_OF_LEADS = {
    **_all(404, {"lead_unknown": "There is no such lead"}),
    **_all(
        409,
        {
            "lead_pending_confirmation": "The lead's sender has not confirmed it yet",
            "lead_pending_approval": "The lead is not approved yet",
            "lead_distributed": "The lead is distributed",
            "lead_rejected": "The lead was rejected",
            "lead_bad": "The lead was marked as bad",
            "lead_duplicate": "The niche has the lead already",
            "lead_undecided": "The lead was never decided",
            "lead_erased": "What the lead said was erased",
        },
    ),
}

_OF_MONEY = {
    **_all(404, {"assignment_unknown": "There is no such assignment"}),
    **_all(
        409,
        {
            "assignment_accepted": "The assignment was accepted",
            "assignment_rejected": "The assignment was rejected",
            "assignment_refunded": "The assignment was refunded",
            "bad_lead_reported": "The lead was reported before",
            "bad_lead_not_reported": "The lead was not reported as bad",
            "bad_lead_decided": "The report was decided already",
            "bad_lead_window_over": "It is too late to report the lead",
            "deposit_conflict": "The external id was credited otherwise",
            "insufficient_balance": "The balance is too low",
            "balance_too_large": "The balance would be larger than a balance can be",
            "credit_in_use": "The provider owes more than the new credit limit",
        },
    ),
}

_OF_CONFIGURATION = {
    **_all(
        404,
        {
            "niche_unknown": "There is no such niche",
            "form_version_unknown": "The form has no such version",
            "level_unknown": "There is no such competition level",
            "provider_unknown": "There is no such provider",
            "subscription_unknown": "There is no such subscription",
        },
    ),
    **_all(
        409,
        {
            "currency_in_use": "Money was moved in this currency already",
            "niche_exists": "There is such a niche already",
            "niche_inactive": "The niche is switched off",
            "form_unreadable": "The niche's form cannot be read",
            "level_exists": "The niche has a level of this name",
            "level_deleted": "The level is deleted",
            "level_in_use": "Somebody subscribes to the level",
            "levels_incomplete": "The order must name every level of the niche",
            "position_taken": "Another level has this position",
            "provider_status": "The provider's status does not allow this",
            "subscription_exists": "There is such a subscription already",
            "subscription_ended": "The subscription was ended",
        },
    ),
}

_OF_OPERATIONS = {
    **_all(
        404,
        {
            "dead_letter_unknown": "There is no such dead letter",
            "notification_unknown": "There is no such notification",
            "template_unknown": "There is no such template",
            "webhook_endpoint_unknown": "There is no such webhook endpoint",
        },
    ),
    **_all(
        409,
        {
            "notification_not_failed": "The notification did not fail",
            "nothing_to_verify": "There is nothing to verify",
            "webhook_endpoint_exists": "The provider has a webhook endpoint already",
            "webhook_endpoint_removed": "The webhook endpoint was removed",
            "webhook_rotation_under_way": "The secret is being exchanged already",
        },
    ),
}

PROBLEMS: Mapping[str, Kind] = {
    **_OF_REQUESTS,
    **_OF_ACCESS,
    **_OF_LEADS,
    **_OF_MONEY,
    **_OF_CONFIGURATION,
    **_OF_OPERATIONS,
}
"""By code. Codes are never renamed, and none changes its status."""

_UNLISTED = Kind(409, "The request cannot be granted")


def kind_of(code: str) -> Kind:
    """What a code is over HTTP; a conflict for one that is not listed, which a test does not let happen.

    >>> kind_of("lead_unknown").status, kind_of("nobody_knows").status
    (404, 409)
    """
    return PROBLEMS.get(code, _UNLISTED)
