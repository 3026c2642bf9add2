"""The entries of a niche's journal: how each noun is written there, read back, and chained.

Configuration entries hold the full state after the change, so a fold needs no history. The formats are documented
in docs/reference/journal.md; they are read by other programs and never change meaning.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from fairlead.core.canonical import JsonObject, canonical_json, timestamp_from_text, timestamp_text
from fairlead.core.model import (
    INSUFFICIENT_FUNDS,
    Decision,
    Level,
    LevelResult,
    Outcome,
    Purse,
    Reason,
    Refusal,
    Subscription,
)


class EntryKind(StrEnum):
    """What an entry of the journal is about."""

    NICHE = "niche"
    LEVEL = "level"
    PROVIDER = "provider"
    SUBSCRIPTION = "subscription"
    DECISION = "decision"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a niche's journal, sealed into its chain."""

    niche_id: str
    seq: int
    kind: EntryKind
    payload: JsonObject
    recorded_at: datetime
    prev_hash: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """A new entry together with the canonical text of its payload, which is both what was hashed and what is stored."""

    entry: Entry
    payload_text: str


def entry_hash(
    prev_hash: bytes, niche_id: str, seq: int, kind: str, canonical_payload: bytes, recorded_at: datetime
) -> bytes:
    """SHA-256 over the previous hash and the canonical JSON of {niche_id, seq, kind, payload, recorded_at}.

    The members stand in RFC 8785's order here, so a payload that is canonical already is not written twice.

    >>> moment = timestamp_from_text("2026-01-01T00:00:00.000000Z")
    >>> whole = {"niche_id": "n", "seq": 1, "kind": "level", "payload": {"b": 1, "a": 2},
    ...          "recorded_at": timestamp_text(moment)}
    >>> one = entry_hash(bytes(32), "n", 1, "level", canonical_json({"b": 1, "a": 2}), moment)
    >>> one == hashlib.sha256(bytes(32) + canonical_json(whole)).digest()
    True
    """
    before = f'{{"kind":"{kind}","niche_id":"{niche_id}","payload":'
    after = f',"recorded_at":"{timestamp_text(recorded_at)}","seq":{seq}}}'
    return hashlib.sha256(prev_hash + before.encode() + canonical_payload + after.encode()).digest()


def seal(
    niche_id: str,
    head_seq: int,
    head_hash: bytes,
    contents: Sequence[tuple[EntryKind, JsonObject]],
    recorded_at: datetime,
) -> list[SealedEntry]:
    """The contents as the next entries after the head: `seq` without gaps, each hashed over the one before.

    >>> moment = timestamp_from_text("2026-01-01T00:00:00.000000Z")
    >>> status = (EntryKind.PROVIDER, provider_payload("p", "active"))
    >>> first, second = seal("n", 7, bytes(32), [status, status], moment)
    >>> first.entry.seq, second.entry.seq, second.entry.prev_hash == first.entry.hash
    (8, 9, True)
    """
    sealed: list[SealedEntry] = []
    prev_hash = head_hash
    for seq, (kind, payload) in enumerate(contents, start=head_seq + 1):
        canonical = canonical_json(payload)
        own_hash = entry_hash(prev_hash, niche_id, seq, kind.value, canonical, recorded_at)
        entry = Entry(niche_id, seq, kind, payload, recorded_at, prev_hash, own_hash)
        sealed.append(SealedEntry(entry, canonical.decode()))
        prev_hash = own_hash
    return sealed


# Configuration ------------------------------------------------------------------------------------------------


def niche_payload(slug: str, name: str, is_active: bool, form_schema: JsonObject) -> JsonObject:
    """The payload of a `niche` entry."""
    return {"slug": slug, "name": name, "is_active": is_active, "form_schema": form_schema}


def level_payload(level: Level, *, is_deleted: bool) -> JsonObject:
    """The payload of a `level` entry."""
    return {
        "level_id": level.level_id,
        "name": level.name,
        "price_cents": level.price_cents,
        "max_recipients": level.max_recipients,
        "order_position": level.order_position,
        "is_active": level.is_active,
        "is_deleted": is_deleted,
    }


def level_from_payload(payload: Mapping[str, Any]) -> tuple[Level, bool]:
    """The level that `level_payload` wrote, and whether it is deleted.

    >>> level = Level("id", "Gold", 500, 3, 1, is_active=True)
    >>> level_from_payload(level_payload(level, is_deleted=False)) == (level, False)
    True
    """
    level = Level(
        payload["level_id"],
        payload["name"],
        payload["price_cents"],
        payload["max_recipients"],
        payload["order_position"],
        payload["is_active"],
    )
    return level, payload["is_deleted"]


def provider_payload(provider_id: str, status: str) -> JsonObject:
    """The payload of a `provider` entry: its status, in every niche that it has ever subscribed in.

    >>> provider_payload("p", "suspended")
    {'provider_id': 'p', 'status': 'suspended'}
    """
    return {"provider_id": provider_id, "status": status}


def subscription_payload(subscription: Subscription, *, is_deleted: bool) -> JsonObject:
    """The payload of a `subscription` entry."""
    return {
        "subscription_id": subscription.subscription_id,
        "provider_id": subscription.provider_id,
        "level_id": subscription.level_id,
        "is_active": subscription.is_active,
        "deactivation_reason": subscription.deactivation_reason,
        "filter_rules": subscription.filter_rules,
        "filter_is_valid": subscription.filter_is_valid,
        "is_deleted": is_deleted,
    }


def subscription_from_payload(payload: Mapping[str, Any]) -> tuple[Subscription, bool]:
    """The subscription that `subscription_payload` wrote, and whether it is deleted.

    >>> subscription = Subscription("s", "p", "l", False, "paused", {"version": 1, "rules": []}, True)
    >>> subscription_from_payload(subscription_payload(subscription, is_deleted=True)) == (subscription, True)
    True
    """
    subscription = Subscription(
        payload["subscription_id"],
        payload["provider_id"],
        payload["level_id"],
        payload["is_active"],
        payload["deactivation_reason"],
        payload["filter_rules"],
        payload["filter_is_valid"],
    )
    return subscription, payload["is_deleted"]


def deactivated_for_funds(subscription: Subscription) -> Subscription:
    """The subscription as R9 leaves it when its level costs more than its provider can pay.

    >>> after = deactivated_for_funds(Subscription("s", "p", "l", True, None, {}, True))
    >>> after.is_active, after.deactivation_reason
    (False, 'insufficient_funds')
    """
    return replace(subscription, is_active=False, deactivation_reason=INSUFFICIENT_FUNDS)


# Decisions ----------------------------------------------------------------------------------------------------


def decision_payload(decision: Decision) -> JsonObject:
    """The payload of a `decision` entry: all that was decided, and every balance that it depended on."""
    return {
        "lead_id": decision.lead_id,
        "lead_commitment": decision.lead_commitment,
        "attempt": decision.attempt,
        "decided_at": timestamp_text(decision.decided_at),
        "start_order_position": decision.start_order_position,
        "next_start_order_position": decision.next_start_order_position,
        "outcome": decision.outcome.value,
        "levels": [_level_result_payload(result) for result in decision.levels],
    }


def _level_result_payload(result: LevelResult) -> JsonObject:
    return {
        "level_id": result.level.level_id,
        "order_position": result.level.order_position,
        "price_cents": result.level.price_cents,
        "max_recipients": result.level.max_recipients,
        "recipients": [
            {
                "assignment_id": recipient.assignment_id,
                "subscription_id": recipient.subscription_id,
                "provider_id": recipient.provider_id,
                "served_seq": recipient.served_seq,
                "price_cents": recipient.price_cents,
                "ledger_seq": recipient.ledger_seq,
                "balance_before_cents": recipient.balance_before_cents,
                "credit_limit_cents": recipient.credit_limit_cents,
            }
            for recipient in result.recipients
        ],
        "refused": [_refusal_payload(refusal) for refusal in result.refused],
        "counts": {reason.value: count for reason, count in result.counts.items() if count},
    }


def _refusal_payload(refusal: Refusal) -> JsonObject:
    payload: dict[str, object] = {
        "subscription_id": refusal.subscription_id,
        "provider_id": refusal.provider_id,
        "reason": refusal.reason.value,
    }
    if refusal.available_cents is not None:
        payload["available_cents"] = refusal.available_cents
    if refusal.received_at_level_id is not None:
        payload["received_at_level_id"] = refusal.received_at_level_id
    return payload


def purses_consulted(payload: JsonObject) -> dict[str, Purse]:
    """The balances that a recorded decision depended on, by provider: what deciding it again needs.

    Of a provider refused for money the log says what was available; how that split into balance and credit decided
    nothing, so it is given back as balance.

    >>> refusal = {"provider_id": "p", "reason": "insufficient_balance", "available_cents": 99}
    >>> purses_consulted({"levels": [{"recipients": [], "refused": [refusal]}]})
    {'p': Purse(balance_cents=99, credit_limit_cents=0, ledger_seq=0)}
    """
    purses: dict[str, Purse] = {}
    for level in cast("list[dict[str, Any]]", payload["levels"]):
        for recipient in level["recipients"]:
            purses[recipient["provider_id"]] = Purse(
                recipient["balance_before_cents"],
                recipient["credit_limit_cents"],
                recipient["ledger_seq"] - 1,
            )
        for refusal in level["refused"]:
            if refusal["reason"] == Reason.INSUFFICIENT_BALANCE.value:
                purses.setdefault(refusal["provider_id"], Purse(refusal["available_cents"], 0, 0))
    return purses


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """What a roster needs of a recorded decision to follow it."""

    lead_id: str
    attempt: int
    decided_at: datetime
    outcome: Outcome
    next_start_order_position: int
    served: tuple[tuple[str, int], ...]


def recorded_decision(payload: Mapping[str, Any]) -> RecordedDecision:
    """The effect of a `decision` entry on the niche: the pointer, and who was served, in order."""
    served = tuple(
        (recipient["subscription_id"], recipient["served_seq"])
        for level in payload["levels"]
        for recipient in level["recipients"]
    )
    return RecordedDecision(
        payload["lead_id"],
        payload["attempt"],
        timestamp_from_text(payload["decided_at"]),
        Outcome(payload["outcome"]),
        payload["next_start_order_position"],
        served,
    )
