"""How a subscription came to be as it is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fairlead.core.configuration_entries import subscription_from_payload
from fairlead.core.errors import BadInput, Refused
from fairlead.core.model import Subscription
from fairlead.store.configuration.lookups import subscription_keys
from fairlead.store.configuration.subscription_history import PastState, past_states
from fairlead.store.connection import Database
from fairlead.store.lookups import checked_id

MOST_STATES = 201
"""A page of 200, and one more that tells whether there is another."""


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    """A state that a subscription was in from `recorded_at` on; `seq` is its place in the niche's journal, or for a
    provider among the subscription's states.

    `action`, `actor`, `actor_role` and `memo` say who asked for it; None where it followed from something else, such as
    funds, a form or a marketplace file.
    """

    seq: int
    recorded_at: datetime
    subscription: Subscription
    is_deleted: bool
    action: str | None
    actor: str | None
    actor_role: str | None
    memo: str | None


def subscription_history(
    database: Database,
    subscription_id: str,
    *,
    of_provider_id: str | None,
    before_seq: int | None = None,
    limit: int = 50,
) -> Sequence[SubscriptionState]:
    """The subscription's newest states, the newest first: at most `limit` (1 to 201), all before the given `seq`.

    With a provider's id, only of its own; who among the operators acted, and why, is not for it. Locks nothing. Raises
    `BadInput` and `Refused`: `subscription_unknown`.
    """
    checked = checked_id(subscription_id, "subscription")
    owner_id = None if of_provider_id is None else checked_id(of_provider_id, "provider")
    if not 1 <= limit <= MOST_STATES:
        raise BadInput([f"limit: must be between 1 and {MOST_STATES}"])
    with database.snapshot() as conn:
        if subscription_keys(conn, checked, owner_id) is None:
            raise Refused("subscription_unknown", f"there is no subscription {checked}")
        states = [_state(past) for past in past_states(conn, checked, owner_id, before_seq, limit)]
    return states if owner_id is None else [_without_operators(state) for state in states]


def _state(past: PastState) -> SubscriptionState:
    subscription, is_deleted = subscription_from_payload(past.payload)
    who = (past.action, past.actor, past.actor_role, past.memo)
    return SubscriptionState(past.seq, past.recorded_at, subscription, is_deleted, *who)


def _without_operators(state: SubscriptionState) -> SubscriptionState:
    return state if state.actor_role == "provider" else replace(state, actor=None, memo=None)
