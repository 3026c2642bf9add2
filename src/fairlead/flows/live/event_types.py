"""Every type of message that the live feed sends, and its members: stable, since other people's programs read them.

The same list is the page `docs/reference/live.md`. No member ever holds anything personal.
"""

from collections.abc import Mapping

ALWAYS = ("id", "type", "at")
"""What every message has: where to go on from after it, what it is, and when that happened."""

OF_THE_FEED: Mapping[str, tuple[str, ...]] = {
    "ready": (),
    "heartbeat": (),
    "gap": ("reason",),
}
"""Sent to every client, about the feed itself."""

_OF_ASSIGNMENT = ("niche", "assignment_id", "lead_id", "provider_id", "price_cents")

FOR_OPERATORS: Mapping[str, tuple[str, ...]] = {
    "decision.recorded": (
        "niche",
        "journal_seq",
        "lead_id",
        "attempt",
        "outcome",
        "start_order_position",
        "assignment_count",
    ),
    "assignment.created": (
        "niche",
        "assignment_id",
        "lead_id",
        "provider_id",
        "subscription_id",
        "level_id",
        "order_position",
        "price_cents",
    ),
    "niche.changed": ("niche", "name", "is_active"),
    "level.changed": (
        "niche",
        "level_id",
        "name",
        "price_cents",
        "max_recipients",
        "order_position",
        "is_active",
        "is_deleted",
    ),
    "provider.changed": ("niche", "provider_id", "status"),
    "subscription.changed": (
        "niche",
        "subscription_id",
        "provider_id",
        "level_id",
        "is_active",
        "deactivation_reason",
        "filter_is_valid",
        "is_deleted",
    ),
    "assignment.returned": ("niche", "assignment_id", "provider_id"),
    "lead.created": ("niche", "lead_id"),
    "lead.approved": ("niche", "lead_id"),
    "lead.rejected": ("niche", "lead_id"),
    "lead.marked_bad": ("niche", "lead_id"),
    "job.failed": ("niche", "lead_id", "error"),
    "dead_letter.opened": ("dead_letter_id", "queue", "lead_id", "notification_id", "attempts"),
    "dead_letter.retried": ("dead_letter_id",),
    "dead_letter.resolved": ("dead_letter_id",),
    "assignment.accepted": _OF_ASSIGNMENT,
    "assignment.rejected": _OF_ASSIGNMENT,
    "assignment.refunded": _OF_ASSIGNMENT,
    "bad_lead.reported": _OF_ASSIGNMENT,
    "bad_lead.accepted": _OF_ASSIGNMENT,
    "bad_lead.rejected": _OF_ASSIGNMENT,
}

_OF_OWN_ASSIGNMENT = ("niche", "assignment_id", "lead_id", "level_name", "price_cents")

FOR_PROVIDERS: Mapping[str, tuple[str, ...]] = {
    "assignment.created": ("niche", "assignment_id", "lead_id", "subscription_id", "level_name", "price_cents"),
    "assignment.refunded": _OF_OWN_ASSIGNMENT,
    "bad_lead.accepted": _OF_OWN_ASSIGNMENT,
    "bad_lead.rejected": _OF_OWN_ASSIGNMENT,
    "subscription.changed": (
        "niche",
        "subscription_id",
        "level_name",
        "is_active",
        "deactivation_reason",
        "filter_is_valid",
        "is_deleted",
    ),
}
"""Only ever about what is the provider's own."""

TYPE_OF_KIND: Mapping[str, str] = {
    "niche": "niche.changed",
    "level": "level.changed",
    "provider": "provider.changed",
    "subscription": "subscription.changed",
    "decision": "decision.recorded",
    "return": "assignment.returned",
    "distribution.failed": "job.failed",
}
"""Of the kinds of journal entries, and of the one audited action that has another name here."""

AUDIT_ACTIONS = frozenset(
    {"distribution.failed"}
    | {
        name
        for name in FOR_OPERATORS
        if name.split(".")[0] in ("lead", "dead_letter", "bad_lead")
        or name in ("assignment.accepted", "assignment.rejected", "assignment.refunded")
    }
)
"""What of the audit log is sent."""
