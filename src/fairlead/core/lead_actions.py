"""What operators may do with a lead: in which states each action changes something, and which permission it takes.

Flows read the states here, routes and pages the permissions: neither says it a second time.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from fairlead.core.permissions import Permission


class LeadAction(StrEnum):
    """Something that an operator does with one lead."""

    APPROVE = "approve"
    REJECT = "reject"
    DISTRIBUTE = "distribute"
    MARK_BAD = "mark_bad"


@dataclass(frozen=True, slots=True)
class ActionRule:
    """`statuses` are those of leads for which the action changes something; `permission` is what it takes."""

    statuses: tuple[str, ...]
    permission: Permission


LEAD_ACTIONS: Mapping[LeadAction, ActionRule] = {
    LeadAction.APPROVE: ActionRule(("pending_approval",), Permission.LEADS_APPROVE),
    LeadAction.REJECT: ActionRule(("pending_confirmation", "pending_approval", "approved"), Permission.LEADS_APPROVE),
    LeadAction.DISTRIBUTE: ActionRule(("approved",), Permission.DISTRIBUTION_WRITE),
    # One that its consumer never confirmed is rejected: no provider could have had it.
    LeadAction.MARK_BAD: ActionRule(("pending_approval", "approved", "distributed"), Permission.MONEY_WRITE),
}


def allows(action: LeadAction, status: str) -> bool:
    """Whether the action changes something for a lead in this status.

    >>> allows(LeadAction.APPROVE, "pending_approval"), allows(LeadAction.MARK_BAD, "rejected")
    (True, False)
    """
    return status in LEAD_ACTIONS[action].statuses


def permitted_actions(status: str, permissions: Collection[Permission]) -> tuple[LeadAction, ...]:
    """What a caller with these permissions may do with a lead in this status, in the order of `LeadAction`.

    >>> permitted_actions("approved", {Permission.LEADS_APPROVE})
    (<LeadAction.REJECT: 'reject'>,)
    """
    return tuple(
        action for action, rule in LEAD_ACTIONS.items() if status in rule.statuses and rule.permission in permissions
    )
