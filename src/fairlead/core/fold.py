"""What an entry of the journal changes, for whatever follows the journal: a roster, or the state of a niche."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from fairlead.core.configuration_entries import level_from_payload, subscription_from_payload, terms_from_payload
from fairlead.core.decision_entries import recorded_decision
from fairlead.core.journal import Entry, JournalEntryKind, UnreadableEntry
from fairlead.core.model import Level, ProviderTerms, Subscription
from fairlead.core.refusals import Refusal
from fairlead.core.returns import Return, return_from_payload
from fairlead.core.turns import Order, pass_given_back, take_turns


class JournalGap(ValueError):
    """An entry that does not follow the `seq` of what it is folded into: it was not brought up to date in order."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a niche stands: the journal's head, the rotation pointer (R2) and the served counter (R5)."""

    seq: int
    hash: bytes
    next_start_order_position: int
    last_served_seq: int


class Follower(Order, Protocol):
    """What can follow a niche's journal."""

    niche_id: str
    head: Head

    def subscription(self, subscription_id: str) -> Subscription | None:
        """The living subscription of that id."""
        ...

    def set_niche(self, is_active: bool, form_schema: object, max_recipients_per_lead: int | None) -> None:
        """The niche's form schema, activity and limit of recipients per lead are these."""

    def set_level(self, level: Level, is_deleted: bool) -> None:
        """The level is as given, or gone. What shuts its subscriptions is forgotten: its price may be another."""

    def set_provider(self, provider_id: str, status: str, terms: ProviderTerms) -> None:
        """The provider's status and terms are these. What shuts its subscriptions is forgotten."""

    def set_subscription(self, subscription: Subscription, is_deleted: bool) -> None:
        """The subscription is as given, or gone. What shuts it is forgotten."""

    def forget_served(self, subscription_id: str) -> None:
        """The subscription stands among those never served."""

    def open(self, subscription_id: str) -> None:
        """What shuts the living subscription is forgotten."""

    def set_shut(self, subscription_id: str, refusal: Refusal) -> None:
        """The living subscription is shut by this refusal, until the moment that it says."""


def fold(follower: Follower, entry: Entry) -> None:
    """The follower stands at `entry.seq`. Raises `JournalGap` unless the entry is the next one.

    Raises `UnreadableEntry` where it names a filter by a digest that is not that of the filter so far, or gives back
    what was not had.
    """
    if entry.niche_id != follower.niche_id or entry.seq != follower.head.seq + 1:
        raise JournalGap(f"entry {entry.seq} does not follow {follower.head.seq} in niche {follower.niche_id}")
    payload = cast("Mapping[str, Any]", entry.payload)
    pointer, served = follower.head.next_start_order_position, follower.head.last_served_seq
    match entry.kind:
        case JournalEntryKind.NICHE:
            limit = payload.get("max_recipients_per_lead")
            follower.set_niche(payload["is_active"], payload["form_schema"], limit)
        case JournalEntryKind.LEVEL:
            follower.set_level(*level_from_payload(payload))
        case JournalEntryKind.PROVIDER:
            follower.set_provider(payload["provider_id"], payload["status"], terms_from_payload(payload))
        case JournalEntryKind.SUBSCRIPTION:
            before = follower.subscription(payload["subscription_id"])
            follower.set_subscription(*subscription_from_payload(payload, before))
        case JournalEntryKind.DECISION:
            decision = recorded_decision(payload)
            pointer = decision.next_start_order_position
            for served_at in decision.served:
                take_turns(follower, served_at)
                served = served_at.recipients[-1][1]
            for subscription_id, refusal in decision.shut:
                follower.set_shut(subscription_id, refusal)
        case JournalEntryKind.RETURN:
            _give_back(follower, return_from_payload(payload))
    follower.head = Head(entry.seq, entry.hash, pointer, served)


def _give_back(follower: Follower, given_back: Return) -> None:
    turn = given_back.turn
    if turn is not None:
        stands_at = follower.served_seq(turn.subscription_id)
        if stands_at is None or (turn.served_seq or 0) > stands_at:
            raise UnreadableEntry("it gives a turn back to a subscription that did not have it")
        pass_value = pass_given_back(follower.pass_value(turn.subscription_id), turn.weight)
        if pass_value < 0:
            raise UnreadableEntry("it gives back more of a turn than the subscription was charged")
        follower.set_pass(turn.subscription_id, pass_value)
        if turn.served_seq is None:
            follower.forget_served(turn.subscription_id)
        else:
            follower.set_served(turn.subscription_id, turn.served_seq)
    for subscription_id in given_back.opened_subscription_ids:
        if follower.subscription(subscription_id) is None:
            raise UnreadableEntry("it opens a subscription that is not there")
        follower.open(subscription_id)
