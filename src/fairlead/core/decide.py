"""The decision: one lead, every active level, who receives it and why no other provider does (R1-R8, R11).

`decide` is a pure function of the roster (the niche's journal up to here), the lead, the balances that it consults
and the time that it is given: same inputs, same decision, byte for byte.
"""

import hashlib
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from fairlead.core import gates
from fairlead.core.calendar.time_rules import CountedRules
from fairlead.core.decision import Decision, LevelResult, Outcome, Recipient, RefusedCandidate
from fairlead.core.decision_state import Balances, DecisionState, TimeRules
from fairlead.core.filters.mismatch import FilterMismatch
from fairlead.core.model import Lead, Level, Subscription
from fairlead.core.postconditions import assert_decision
from fairlead.core.prices import HeldRule, PriceFacts, rule_that_holds
from fairlead.core.refusals import FOR_GOOD, LevelFull, PriceAboveLimit
from fairlead.core.roster import Roster
from fairlead.core.rotation import next_pointer, start_position
from fairlead.core.slots import Candidates
from fairlead.core.traversal import traverse

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

EXACT_ATTEMPTS = 8
"""So many decisions of an unsold lead are made as soon as the first limit or schedule opens that refused it."""


def decide(
    roster: Roster, lead: Lead, balances: Balances, decided_at: datetime, time_rules: TimeRules | None = None
) -> Decision:
    """Who receives the lead, in which order, at which price, and why each other candidate did not.

    The roster is not changed; `follow_batch` does that. `balances` must have every provider that is consulted;
    `time_rules` know the counters of limits, and without any nothing of them was used before. A niche without active
    levels decides `no_eligible` and its pointer stays where it is: there is no level to move to.

    Three levels, the second is next; of five providers "d" is broke, and "c" is the one too many where a lead is sold
    twice:

    >>> from fairlead.core.canonical import timestamp_from_text
    >>> from fairlead.core.model import Balance
    >>> ids = {name: f"01900000-0000-7000-8000-00000000000{name}" for name in "abcde"}
    >>> roster = Roster("niche")
    >>> roster.set_next_start(2)
    >>> for position, (name, recipients) in enumerate([("gold", 1), ("silver", 2), ("bronze", 3)], start=1):
    ...     roster.set_level(Level(name, name, 1000, recipients, position, is_active=True), is_deleted=False)
    ...     for provider in ids.values():
    ...         roster.set_provider(provider, "active")
    ...         wants_all = Subscription(name + provider, provider, name, True, None, '{"rules":[],"version":1}', True)
    ...         roster.set_subscription(wants_all, is_deleted=False)
    >>> balances = {ids[name]: Balance(5000, 0, 1) for name in "abce"} | {ids["d"]: Balance(999, 0, 1)}
    >>> now = timestamp_from_text("2026-01-01T00:00:00.000000Z")
    >>> decision = decide(roster, Lead("lead", {}, "commitment", attempt=1), balances, now)
    >>> for result in decision.levels:
    ...     chosen = [recipient.provider_id[-1] for recipient in result.recipients]
    ...     refused = [(r.provider_id[-1], r.refusal.reason) for r in result.refused if r.refusal.used_balance]
    ...     print(result.level.name, chosen, refused, f"{result.counts.get('level_full', 0)} more: level full")
    silver ['a', 'b'] [] 3 more: level full
    bronze ['c', 'e'] [('d', 'insufficient_balance')] 0 more: level full
    gold [] [('d', 'insufficient_balance')] 0 more: level full
    >>> decision.outcome.value, decision.start_order_position, decision.next_start_order_position
    ('partial', 2, 3)
    """
    if time_rules is None:
        time_rules = CountedRules(decided_at, {}, {})
    pointer = roster.head.next_start_order_position
    positions = [level.order_position for level in roster.active_levels]
    start = start_position(positions, pointer)
    results: list[LevelResult] = []
    state = DecisionState(
        roster.head.seq + 1,
        decided_at,
        lead,
        balances,
        roster.head.last_served_seq,
        terms=roster.terms,
        time_rules=time_rules,
        max_recipients_per_lead=roster.max_recipients_per_lead,
        conflict_groups=roster.conflict_groups,
    )
    reopens_at: datetime | None = None
    if start is not None:
        pointer = next_pointer(positions, start)
        candidates = roster.candidates_of(lead, decided_at)
        for level in traverse(roster.active_levels, start):
            results.append(_fill_level(roster, candidates, *_priced(roster, level, state), state))
        reopens_at = _reopens_at(candidates, results, decided_at + least_wait(lead, decided_at))
        state.used_local_time |= candidates.any_shut
    decision = Decision(
        niche_id=roster.niche_id,
        seq=state.seq,
        lead_id=lead.lead_id,
        lead_commitment=lead.commitment,
        attempt=lead.attempt,
        decided_at=decided_at,
        start_order_position=start,
        next_start_order_position=pointer,
        outcome=outcome_of(results),
        levels=tuple(results),
        calendars=time_rules.calendars if state.used_local_time else None,
        lead_created_at=lead.created_at if state.used_age else None,
        reopens_at=reopens_at,
    )
    assert_decision(roster, decision)
    return decision


def outcome_of(results: Sequence[LevelResult]) -> Outcome:
    """How a distribution that ran to its end came out, by the definition below R16.

    A slot stayed open if the lead could have had one more recipient there in the end: none of a lead that is full, and
    none of an exclusive level once another has sold it.

    >>> outcome_of([]).value
    'no_eligible'
    """
    if not any(result.recipients for result in results):
        return Outcome.NO_ELIGIBLE
    if any(result.lead_full is not None and result.lead_full.closes_lead for result in results):
        return Outcome.SUCCESS
    for result in results:
        if result.has_open_slot and not result.level.is_exclusive and _has_refused_buyer(result):
            return Outcome.PARTIAL
    return Outcome.SUCCESS


def _has_refused_buyer(result: LevelResult) -> bool:
    if any(refused.refusal.leaves_sale_open for refused in result.refused):
        return True
    return any(refusal.reason in result.counts for refusal in gates.REGISTRY.refusals if refusal.leaves_sale_open)


def _reopens_at(candidates: Candidates, results: Sequence[LevelResult], earliest: datetime) -> datetime | None:
    """When the lead is offered again: once the first limit or schedule opens that refused it, not before `earliest`.

    None where no moment opens any.
    """
    if any(result.recipients for result in results):
        return None
    named = [refused.refusal.reopens_at for result in results for refused in result.refused]
    shut = [candidates.first_shut_until(result.level) for result in results]
    moments = [moment for moment in (*named, *shut) if moment is not None and moment != FOR_GOOD]
    return max(min(moments), earliest) if moments else None


def least_wait(lead: Lead, decided_at: datetime) -> timedelta:
    """How long a lead that found no recipient waits at least, whatever opens meanwhile.

    Nothing for the first decisions; then a quarter to a half of its age, which part follows from its id. Where more
    leads come than limits let through, all that wait would else be decided again with each window, for the few places
    in it, and the work would grow for as long as the marketplace is there. They are spread, so that some of many are
    there for each window.

    >>> now = datetime(2026, 1, 9, tzinfo=UTC)
    >>> came = datetime(2026, 1, 1, tzinfo=UTC)
    >>> waits = [least_wait(Lead("lead", {}, "", attempt, created_at=came), now) for attempt in (8, 9)]
    >>> waits[0] == timedelta(0), timedelta(days=2) <= waits[1] < timedelta(days=4)
    (True, True)
    """
    if lead.attempt <= EXACT_ATTEMPTS or lead.created_at is None:
        return timedelta(0)
    part = int(hashlib.sha256(f"{lead.lead_id}/{lead.attempt}".encode()).hexdigest()[:8], 16)
    return max(timedelta(0), decided_at - lead.created_at) * (1 + part / 2**32) / 4


def assignment_id(decided_at: datetime, niche_id: str, seq: int, subscription_id: str) -> str:
    """A version 7 UUID: 48 bits of the decision's time, the rest from SHA-256 over niche, `seq` and subscription.

    It holds no dice: deciding again gives the same id.

    >>> moment = datetime(2026, 1, 1, tzinfo=UTC)
    >>> assignment_id(moment, "niche", 7, "subscription")
    '019b76da-a800-7f2a-a206-a19d30a630fe'
    """
    # In integers: as a float of seconds, times from 2038 on come out a millisecond too early now and then.
    time = f"{(decided_at - _EPOCH) // _MILLISECOND:012x}"
    rest = hashlib.sha256(f"{niche_id}/{seq}/{subscription_id}".encode()).hexdigest()
    variant = "89ab"[int(rest[4], 16) & 3]
    return f"{time[:8]}-{time[8:]}-7{rest[1:4]}-{variant}{rest[5:8]}-{rest[8:20]}"


def _priced(roster: Roster, level: Level, state: DecisionState) -> tuple[Level, HeldRule | None]:
    """The level at the price that it asks for the lead, and the price rule that decided that (R14)."""
    if level.price_rules_text is None:
        return level, None
    assert state.time_rules is not None, "a decision has them"
    priced, lead = roster.priced_level(level.level_id), state.lead
    state.used_age |= priced.asks_age
    state.used_local_time |= priced.asks_hours
    state.lowest_prices[level.level_id] = priced.lowest_cents
    if state.price_facts is None:
        state.price_facts = PriceFacts(
            None if lead.matched_ids is not None else lead.attributes,
            timedelta(0) if lead.created_at is None else max(timedelta(0), state.decided_at - lead.created_at),
            state.time_rules.is_within,
        )
    rule = rule_that_holds(priced.rules, state.price_facts, state.time_rules.recorded_price_rule(level.level_id))
    return priced.at[0 if rule is None else rule.number], rule


def _fill_level(
    roster: Roster, candidates: Candidates, level: Level, rule: HeldRule | None, state: DecisionState
) -> LevelResult:
    """The level's recipients: its candidates in its order (R5, R15) until `max_recipients` are chosen or none is left.

    A refused candidate takes no slot (R6). A lead that takes no further recipient ends the walk (R16).
    """
    candidate_count, queue = candidates.at(level)
    recipients: list[Recipient] = []
    refused: list[RefusedCandidate] = []
    full = gates.lead_full(state, level)
    while full is None and len(recipients) < level.max_recipients and (subscription := next(queue, None)) is not None:
        refusal = gates.decision_refusal(state, subscription, level)
        if refusal is None:
            recipients.append(_choose(roster.niche_id, subscription, level, state))
            full = gates.lead_full(state, level)
        else:
            refused.append(RefusedCandidate(subscription.subscription_id, subscription.provider_id, refusal))
    counts = dict(roster.standing_counts(level.level_id))
    for reason, count in candidates.shut_counts(level).items():
        counts[reason] = counts.get(reason, 0) + count
    if priced_out_count := candidates.priced_out_count(level):
        counts[PriceAboveLimit.reason] = priced_out_count
    counts[FilterMismatch.reason] = roster.living_count(level.level_id) - candidate_count - sum(counts.values())
    unreached_count = candidate_count - len(recipients) - len(refused)
    if unreached_count:
        counts |= _unreached_counts(candidates, level, state, {each.provider_id for each in refused})
        counts[(LevelFull if full is None else full).reason] = unreached_count - sum(
            counts.get(gate.refusal.reason, 0) for gate in _KNOWN
        )
    told = {reason: count for reason, count in counts.items() if count}
    return LevelResult(level, tuple(recipients), tuple(refused), told, full, rule)


_KNOWN = [gate for gate in gates.REGISTRY.decision if gate.known_provider_ids is not None]


def _unreached_counts(
    candidates: Candidates, level: Level, state: DecisionState, refused_ids: Collection[str]
) -> dict[str, int]:
    """Of the candidates that were never reached: how many a gate is known to refuse without a visit, by its reason."""
    counts: dict[str, int] = {}
    counted = set(refused_ids)
    for gate in _KNOWN:
        assert gate.known_provider_ids is not None, "it is one of those"
        own = [provider_id for provider_id in gate.known_provider_ids(state, level) if provider_id not in counted]
        counts[gate.refusal.reason] = candidates.count_of_providers(own, level) if own else 0
        counted.update(own)
    return counts


def _choose(niche_id: str, subscription: Subscription, level: Level, state: DecisionState) -> Recipient:
    """The next recipient: it takes the next `served_seq` of the niche and the next entry of its provider's ledger."""
    state.last_served_seq += 1
    state.receive(subscription.provider_id, level)
    balance = state.balances[subscription.provider_id]
    return Recipient(
        assignment_id=assignment_id(state.decided_at, niche_id, state.seq, subscription.subscription_id),
        subscription_id=subscription.subscription_id,
        provider_id=subscription.provider_id,
        served_seq=state.last_served_seq,
        price_cents=level.price_cents,
        ledger_seq=balance.ledger_seq + 1,
        balance_before_cents=balance.balance_cents,
        credit_limit_cents=balance.credit_limit_cents,
        counters=tuple(state.counters),
        weight=subscription.weight if level.is_weighted else None,
    )
