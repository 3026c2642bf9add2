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
            "request_malformed": "The request is not valid HTTP",
            "body_malformed": "The body is not JSON",
            "idempotency_key_missing": "The request needs an Idempotency-Key",
            "idempotency_key_unsupported": "The operation takes no Idempotency-Key",
            "webhook_refused": "The webhook is not signed as it must be",
        },
    ),
    **_all(404, {"route_unknown": "No resource exists at this address"}),
    **_all(405, {"method_not_allowed": "The method is not allowed at this address"}),
    **_all(409, {"idempotency_answer_lost": "The request was carried out, but its answer can no longer be read"}),
    **_all(412, {"version_conflict": "The resource was changed in the meantime"}),
    **_all(413, {"body_too_large": "The body is too large"}),
    **_all(415, {"content_type_unsupported": "The Content-Type is not application/json"}),
    **_all(
        422,
        {
            "input_invalid": "The input is invalid",
            "idempotency_key_reused": "The idempotency key was used for another request",
        },
    ),
    **_all(431, {"head_too_large": "The headers are too large"}),
    **_all(428, {"precondition_required": "The request needs an If-Match"}),
    **_all(
        429,
        {
            "too_many_attempts": "Too many attempts",
            "too_many_connections": "Too many live connections",
            "too_many_exports": "Too many exports are running",
        },
    ),
    **_all(500, {"internal_error": "Internal server error"}),
    **_all(
        503,
        {
            "unavailable": "The service is temporarily unavailable",
            "encryption_keys_missing": "The server has no encryption keys",
        },
    ),
}

_OF_ACCESS = {
    **_all(
        401,
        {
            "session_invalid": "Not logged in",
            "api_key_invalid": "The API key is not valid",
            "login_refused": "Email or password is wrong",
            "code_refused": "The code is wrong or was used already",
            "password_refused": "The password is wrong",
        },
    ),
    **_all(
        403,
        {
            "permission_missing": "Permission denied",
            "second_factor_required": "The second factor is required",
            "enrolment_required": "A second factor must be set up first",
            "step_up_required": "Step-up is required: give the second factor again",
            "session_required": "A session is required, not an API key",
            "cross_origin_refused": "Cross-origin request refused",
            "token_refused": "The link is invalid, expired or was used already",
        },
    ),
    **_all(
        404,
        {
            "problem_unknown": "There is no such code",
            "user_unknown": "There is no such user",
            "session_unknown": "There is no such session",
            "api_key_unknown": "There is no such API key",
        },
    ),
    **_all(410, {"setup_finished": "The marketplace has an operator already"}),
    **_all(
        409,
        {
            "second_factor_done": "The second factor was verified already",
            "enrolment_not_begun": "No enrolment was started",
            "invitation_by_mail": "The invitation is sent by email",
            "invitation_over": "The user is not waiting for a first login",
            "email_taken": "The email address is in use",
            "user_disabled": "The user is disabled",
            "last_admin": "The last operator cannot be removed",
            "own_role": "Users cannot change their own role",
            "own_user": "Users cannot disable themselves",
            "own_second_factor": "Users cannot reset their own second factor",
        },
    ),
}

_OF_LEADS = {
    **_all(
        404,
        {"lead_unknown": "There is no such lead", "lead_view_unknown": "There is no such view of the list of leads"},
    ),
    **_all(
        409,
        {
            "lead_pending_confirmation": "The lead is not confirmed by its sender yet",
            "lead_pending_approval": "The lead is not approved yet",
            "lead_distributed": "The lead was distributed already",
            "lead_rejected": "The lead was rejected",
            "lead_bad": "The lead was marked as bad",
            "lead_duplicate": "The lead is a duplicate",
            "lead_undecided": "The lead has no decision yet",
            "lead_erased": "The lead's personal data was erased",
            "too_many_lead_views": "There are too many views of the list of leads",
        },
    ),
}

_OF_MONEY = {
    **_all(
        404,
        {
            "assignment_unknown": "There is no such assignment",
            "payment_unknown": "There is no such payment",
            "payment_doubt_unknown": "There is no such payment in doubt",
        },
    ),
    **_all(429, {"too_many_payments": "Too many payments are not settled yet"}),
    **_all(503, {"gateway_unavailable": "The payment gateway gave no answer"}),
    **_all(
        409,
        {
            "payment_method_missing": "No payment method is saved",
            "payments_off": "The marketplace collects no deposits itself",
            "payment_settled": "The payment is settled already",
            "payment_doubt_resolved": "The payment in doubt was resolved already",
            "payment_not_creditable": "The payment in doubt cannot be credited",
            "assignment_accepted": "The assignment was accepted",
            "assignment_rejected": "The assignment was rejected",
            "assignment_refunded": "The assignment was refunded",
            "bad_lead_reported": "The lead was reported as bad already",
            "bad_lead_not_reported": "The lead was not reported as bad",
            "bad_lead_decided": "The bad lead report was decided already",
            "bad_lead_window_over": "The time to report a bad lead is over",
            "bad_lead_daily_limit": "No more leads can be reported today",
            "bad_lead_share_reached": "No more of the leads received can be reported",
            "receipt_corrected": "A credit note took the receipt back before",
            "receipt_not_correctable": "Only a receipt can be taken back",
            "deposit_conflict": "The external id was used for another deposit",
            "insufficient_balance": "The balance is too low",
            "balance_too_large": "The balance would exceed the maximum",
            "credit_in_use": "The provider owes more than the new credit limit",
        },
    ),
}

_OF_CONFIGURATION = {
    **_all(
        404,
        {
            "niche_unknown": "There is no such niche",
            "statement_unknown": "There is no statement of that month",
            "receipt_unknown": "There is no such receipt",
            "niche_template_unknown": "There is no such template of a niche",
            "form_version_unknown": "There is no such version of the form",
            "level_unknown": "There is no such competition level",
            "provider_unknown": "There is no such provider",
            "conflict_group_unknown": "There is no such conflict group",
            "postcode_table_unknown": "There is no such postcode table",
            "subscription_unknown": "There is no such subscription",
        },
    ),
    **_all(
        409,
        {
            "currency_in_use": "The ledger has entries in the current currency",
            "niche_exists": "A niche with this slug exists already",
            "niche_inactive": "The niche is inactive",
            "niche_archived": "The niche is archived",
            "price_rules_unfit": "The price rules of a level do not fit the form",
            "form_unreadable": "The niche's form schema cannot be read",
            "level_exists": "A level with this name exists already",
            "level_deleted": "The level is deleted",
            "level_in_use": "The level has subscriptions",
            "levels_incomplete": "The order must name every level of the niche",
            "position_taken": "Another level has this position",
            "conflict_group_exists": "A conflict group with this name exists already",
            "conflict_group_full": "The conflict group has as many providers as it may have",
            "conflict_group_in_use": "The conflict group has providers",
            "provider_status": "The provider's status does not allow this",
            "subscription_exists": "The provider has a subscription to the level already",
            "subscription_ended": "The subscription was ended",
        },
    ),
}

_OF_OPERATIONS = {
    **_all(
        404,
        {
            "dead_letter_unknown": "There is no such dead letter",
            "export_unknown": "There is no such export",
            "notification_unknown": "There is no such notification",
            "template_unknown": "There is no such template",
            "verification_unknown": "There is no such verification",
            "webhook_endpoint_unknown": "There is no such webhook endpoint",
        },
    ),
    **_all(410, {"export_expired": "The export's file was deleted"}),
    **_all(416, {"range_not_satisfiable": "The file has no such bytes"}),
    **_all(
        409,
        {
            "export_finished": "The export is finished",
            "export_not_failed": "The export did not fail",
            "export_not_ready": "The export has no file yet",
            "export_too_large": "The export is too large",
            "export_under_way": "The export is not finished",
            "notification_not_failed": "The notification did not fail",
            "nothing_to_verify": "There is nothing to verify",
            "verification_running": "A verification is running already",
            "webhook_endpoint_exists": "The provider has a webhook endpoint already",
            "webhook_endpoint_removed": "The webhook endpoint was removed",
            "webhook_rotation_under_way": "The secret is being rotated already",
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

_UNLISTED = Kind(409, "The request conflicts with the current state")


def kind_of(code: str) -> Kind:
    """What a code is over HTTP; a conflict for one that is not listed, which a test does not let happen.

    >>> kind_of("lead_unknown").status, kind_of("no_such_code").status
    (404, 409)
    """
    return PROBLEMS.get(code, _UNLISTED)
