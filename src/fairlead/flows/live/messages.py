"""What is sent of each entry. Of a decision: that it was made, and one message for each assignment."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fairlead.core.canonical import timestamp_text
from fairlead.flows.live.event_types import FOR_OPERATORS, FOR_PROVIDERS, TYPE_OF_KIND
from fairlead.flows.live.positions import WHOLE, Position
from fairlead.store.live.entries import LiveEntry, OwnEntry


@dataclass(frozen=True, slots=True)
class Message:
    """One message, but for the id that its reader sees; `position` is where that reader stands after it."""

    position: Position
    type: str
    at: datetime | None
    """None: when it is sent."""
    members: Mapping[str, Any]

    def body(self, message_id: str) -> dict[str, Any]:
        """The message as it is sent."""
        at = datetime.now(UTC) if self.at is None else self.at
        return {"id": message_id, "type": self.type, "at": timestamp_text(at), **self.members}


def feed_message(name: str, position: Position, reason: str | None = None) -> Message:
    """A message about the feed itself, to a client that stands there."""
    return Message(position, name, None, {} if reason is None else {"reason": reason})


def operator_messages(entry: LiveEntry) -> Iterator[Message]:
    """The messages of an entry, numbered from 0."""
    name = TYPE_OF_KIND.get(entry.kind, entry.kind)
    if entry.kind == "decision":
        yield from _decision(entry, name)
        return
    known: dict[str, Any] = {
        "niche": entry.niche_slug,
        "lead_id": entry.lead_id,
        "assignment_id": entry.assignment_id,
        "provider_id": entry.provider_id,
        "price_cents": entry.price_cents,
        "error": entry.error,
        "dead_letter_id": entry.entity_id,
        **(entry.new or {}),
        **(entry.payload or {}),
    }
    members = {member: known.get(member) for member in FOR_OPERATORS[name]}
    yield Message(Position(entry.entry_id, 0), name, entry.at, members)


def own_message(entry: OwnEntry) -> Message:
    """What the provider is told of its own assignment or subscription."""
    name = "assignment.created" if entry.kind == "decision" else TYPE_OF_KIND.get(entry.kind, entry.kind)
    known: dict[str, Any] = {
        **(entry.payload or {}),
        "niche": entry.niche_slug,
        "assignment_id": entry.assignment_id,
        "lead_id": entry.lead_id,
        "subscription_id": entry.subscription_id,
        "level_name": entry.level_name,
        "price_cents": entry.price_cents,
    }
    members = {member: known.get(member) for member in FOR_PROVIDERS[name]}
    return Message(Position(entry.entry_id, WHOLE), name, entry.at, members)


def _decision(entry: LiveEntry, name: str) -> Iterator[Message]:
    payload = entry.payload
    assert payload is not None, "a decision is an entry of a journal"
    picks = [(level, recipient) for level in payload["levels"] for recipient in level["recipients"]]
    yield Message(
        Position(entry.entry_id, 0),
        name,
        entry.at,
        {
            "niche": entry.niche_slug,
            "journal_seq": entry.seq,
            "lead_id": payload["lead_id"],
            "attempt": payload["attempt"],
            "outcome": payload["outcome"],
            "start_order_position": payload["start_order_position"],
            "assignment_count": len(picks),
        },
    )
    for number, (level, recipient) in enumerate(picks, start=1):
        yield Message(
            Position(entry.entry_id, number),
            "assignment.created",
            entry.at,
            {
                "niche": entry.niche_slug,
                "assignment_id": recipient["assignment_id"],
                "lead_id": payload["lead_id"],
                "provider_id": recipient["provider_id"],
                "subscription_id": recipient["subscription_id"],
                "level_id": level["level_id"],
                "order_position": level["order_position"],
                "price_cents": recipient["price_cents"],
            },
        )
