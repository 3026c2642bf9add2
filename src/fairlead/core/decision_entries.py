"""Entries about decisions: how a decision is written, and what deciding it again, or following it, needs of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from fairlead.core import gates
from fairlead.core.calendar.counter_records import counters_of_version_3, counters_record, recorded_counters
from fairlead.core.calendar.limits import Counters
from fairlead.core.canonical import JsonObject, timestamp_from_text, timestamp_text
from fairlead.core.decision import Decision, LevelResult, Outcome, Recipient, RefusedCandidate
from fairlead.core.document import shown
from fairlead.core.journal import UnreadableEntry
from fairlead.core.model import LEAST_RECENTLY_SERVED, Balance, Level
from fairlead.core.prices import HeldRule
from fairlead.core.refusals import InsufficientBalance, LeadFull, Refusal
from fairlead.core.turns import ServedAt

DECISION_VERSION = 2
"""How decisions are written now. Those of version 1 have no `version`, and name the providers that had the lead."""

LOCAL_TIME_VERSION = 4
"""The same with what a decision says of limits and schedules, where it depended on any. In version 3 each counter stood
on its own (`core/calendar/counter_records`)."""


def decision_version(payload: Mapping[str, Any]) -> int:
    """How the recorded decision was written. Raises `UnreadableEntry` for a version that there is not.

    >>> decision_version({}), decision_version({"version": 2})
    (1, 2)
    """
    version = payload.get("version", 1)
    if version not in (1, DECISION_VERSION, 3, LOCAL_TIME_VERSION):
        raise UnreadableEntry(f"there is no version {shown(version)} of decisions")
    return version


def decision_payload(decision: Decision, version: int = DECISION_VERSION) -> JsonObject:
    """The payload of a `decision` entry: all that was decided, and every balance that it depended on.

    Candidates that were refused for what follows from the rest (`Refusal.is_named`) are counted: those whose provider
    has the lead from an earlier level, named at every level, would make a decision grow as recipients times levels.
    Version 1 named them. Whatever is asked for, one that depended on limits or schedules is of version 4, or 3, and
    names the calendars that it went by.
    """
    if decision.calendars is not None:
        version = 3 if version == 3 else LOCAL_TIME_VERSION
    elif version >= 3:
        version = DECISION_VERSION
    results = decision.levels if version == 1 else [_counted_where_it_follows(each) for each in decision.levels]
    return {
        **({} if version == 1 else {"version": version}),
        "lead_id": decision.lead_id,
        "lead_commitment": decision.lead_commitment,
        "attempt": decision.attempt,
        "decided_at": timestamp_text(decision.decided_at),
        "start_order_position": decision.start_order_position,
        "next_start_order_position": decision.next_start_order_position,
        "outcome": decision.outcome.value,
        **({} if decision.calendars is None else {"calendars": decision.calendars}),
        **({} if decision.lead_created_at is None else {"lead_created_at": timestamp_text(decision.lead_created_at)}),
        "levels": [_level_result_payload(result, version) for result in results],
    }


def _counted_where_it_follows(result: LevelResult) -> LevelResult:
    counts = dict(result.counts)
    for refused in result.refused:
        if not refused.refusal.is_named:
            reason = refused.refusal.reason
            counts[reason] = counts.get(reason, 0) + 1
    named = tuple(refused for refused in result.refused if refused.refusal.is_named)
    return replace(result, refused=named, counts=counts)


def _level_result_payload(result: LevelResult, version: int) -> JsonObject:
    rule = result.price_rule
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
                **({} if not recipient.counters else _counters_payload(recipient.counters, version)),
                **({} if recipient.weight is None else {"weight": recipient.weight}),
            }
            for recipient in result.recipients
        ],
        "refused": [_refused_payload(refused) for refused in result.refused],
        "counts": dict(result.counts),
        **({"is_exclusive": True} if result.level.is_exclusive else {}),
        **({} if result.level.order == LEAST_RECENTLY_SERVED else {"order": result.level.order}),
        **({} if result.lead_full is None else {"lead_full": result.lead_full.recorded()}),
        **({} if rule is None else {"price_rule": {"number": rule.number, "name": rule.name}}),
    }


def _counters_payload(counters: Sequence[Counters], version: int) -> JsonObject:
    return {"counters": counters_of_version_3(counters)} if version == 3 else counters_record(counters)


def _refused_payload(refused: RefusedCandidate) -> JsonObject:
    return {
        "subscription_id": refused.subscription_id,
        "provider_id": refused.provider_id,
        "reason": refused.refusal.reason,
        **refused.refusal.recorded(),
    }


def read_decision(niche_id: str, seq: int, payload: Mapping[str, Any], levels: Mapping[str, Level]) -> Decision:
    """The decision that `decision_payload` wrote, entry `seq` of the niche; `levels` has the names of its levels.

    Whom it only counted, it has in `counts`: see `decision_payload`.
    """
    effect = recorded_decision(payload)
    return Decision(
        niche_id=niche_id,
        seq=seq,
        lead_id=effect.lead_id,
        lead_commitment=payload["lead_commitment"],
        attempt=effect.attempt,
        decided_at=effect.decided_at,
        start_order_position=payload["start_order_position"],
        next_start_order_position=effect.next_start_order_position,
        outcome=effect.outcome,
        levels=tuple(_read_level_result(each, levels) for each in payload["levels"]),
        calendars=payload.get("calendars"),
        lead_created_at=lead_created_at(payload),
    )


def lead_created_at(payload: Mapping[str, Any]) -> datetime | None:
    """When the lead of a recorded decision came in, where a price depended on that."""
    return timestamp_from_text(payload["lead_created_at"]) if "lead_created_at" in payload else None


def _read_level_result(payload: Mapping[str, Any], levels: Mapping[str, Level]) -> LevelResult:
    level = Level(
        payload["level_id"],
        levels[payload["level_id"]].name,
        payload["price_cents"],
        payload["max_recipients"],
        payload["order_position"],
        is_active=True,
        is_exclusive=payload.get("is_exclusive", False),
        order=payload.get("order", LEAST_RECENTLY_SERVED),
    )
    recipients = tuple(_read_recipient(recipient) for recipient in payload["recipients"])
    refused = tuple(
        RefusedCandidate(
            each["subscription_id"],
            each["provider_id"],
            gates.recorded_refusal(each, payload),
        )
        for each in payload["refused"]
    )
    full = LeadFull.read(payload["lead_full"], payload) if "lead_full" in payload else None
    rule = HeldRule(**payload["price_rule"]) if "price_rule" in payload else None
    return LevelResult(level, recipients, refused, payload["counts"], full, rule)


def _read_recipient(record: Mapping[str, Any]) -> Recipient:
    values: dict[str, Any] = {**record, "counters": recorded_counters(record)}
    values.pop("provider_counters", None)
    return Recipient(**values)


def balances_consulted(payload: JsonObject) -> dict[str, Balance]:
    """The balances that a recorded decision depended on, by provider: what deciding it again needs.

    Of a provider refused for money the log says what was available; how that split into balance and credit decided
    nothing, so it is given back as balance.

    >>> refusal = {"provider_id": "p", "reason": "insufficient_balance", "available_cents": 99}
    >>> balances_consulted({"levels": [{"recipients": [], "refused": [refusal]}]})
    {'p': Balance(balance_cents=99, credit_limit_cents=0, ledger_seq=0)}
    """
    balances: dict[str, Balance] = {}
    for level in cast("list[dict[str, Any]]", payload["levels"]):
        for recipient in level["recipients"]:
            balances[recipient["provider_id"]] = Balance(
                recipient["balance_before_cents"],
                recipient["credit_limit_cents"],
                recipient["ledger_seq"] - 1,
            )
        for refusal in level["refused"]:
            if refusal["reason"] == InsufficientBalance.reason:
                balances.setdefault(refusal["provider_id"], Balance(refusal["available_cents"], 0, 0))
    return balances


def served_by(decision: Decision) -> Iterator[ServedAt]:
    """The decision's recipients, level by level, in order."""
    for result in decision.levels:
        if result.recipients:
            own = [(each.subscription_id, each.served_seq, each.weight) for each in result.recipients]
            yield ServedAt(result.level.level_id, own)


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """What a roster needs of a recorded decision to follow it.

    `served` are its recipients, level by level, in order; `shut` are the subscriptions that it found to be closed
    until a moment, with what closed them.
    """

    lead_id: str
    attempt: int
    decided_at: datetime
    outcome: Outcome
    next_start_order_position: int
    served: tuple[ServedAt, ...]
    shut: tuple[tuple[str, Refusal], ...]


def recorded_decision(payload: Mapping[str, Any]) -> RecordedDecision:
    """The effect of a `decision` entry on the niche: the pointer, who was served, in order, and who was shut."""
    served = tuple(
        ServedAt(
            level["level_id"],
            [(each["subscription_id"], each["served_seq"], each.get("weight")) for each in level["recipients"]],
        )
        for level in payload["levels"]
        if level["recipients"]
    )
    return RecordedDecision(
        payload["lead_id"],
        payload["attempt"],
        timestamp_from_text(payload["decided_at"]),
        Outcome(payload["outcome"]),
        payload["next_start_order_position"],
        served,
        tuple(_shut(payload)),
    )


def shut_by(decision: Decision) -> Iterator[tuple[str, Refusal]]:
    """The subscriptions that the decision found to be closed until a moment, with what closed them."""
    for result in decision.levels:
        for refused in result.refused:
            if refused.refusal.shuts_until is not None:
                yield refused.subscription_id, refused.refusal


def _shut(payload: Mapping[str, Any]) -> Iterator[tuple[str, Refusal]]:
    if "calendars" not in payload:
        return
    for level in payload["levels"]:
        for each in level["refused"]:
            refusal = gates.recorded_refusal(each, level)
            if refusal.shuts_until is not None:
                yield each["subscription_id"], refusal
