"""Mistakes about gates: one that lets through what it must refuse, and one that is asked out of turn."""

from tests.seeded_bugs.bug import Bug, Edit

PRECEDENCE = "tests/core/test_precedence.py"
ALONE = f"{PRECEDENCE}::test_a_gate_that_refuses_alone_is_told"
PAIRS = f"{PRECEDENCE}::test_of_two_that_refuse_the_first_is_told"

BUG_OF_GATE = {
    "provider_inactive": "a suspended provider was approved once",
    "subscription_inactive": "a paused subscription is paid for all the same",
    "filter_invalid": "an invalid filter matches what it can",
    "filter_mismatch": "who subscribes wants leads",
    "price_above_limit": "a price limit is a wish",
    "outside_schedule": "a schedule says when messages are read",
    "cap_reached": "a limit takes one more",
    "already_recipient": "no dedupe across levels",
    "conflict_group": "only the level before tells of the owner",
    "insufficient_balance": "any money will do",
    "lead_full": "one recipient more than the niche allows",
    "level_full": "one recipient too many",
}
"""By reason, a mistake of the bank that opens the gate to what it must refuse."""

BUGS_OF_GATES = (
    Bug(
        "a suspended provider was approved once",
        "only one that was never approved receives nothing",
        (
            Edit(
                "core/gates.py",
                'return None if provider_status == "active" else',
                'return None if provider_status != "pending" else',
            ),
        ),
        (ALONE,),
        is_quick=True,
    ),
    Bug(
        "a paused subscription is paid for all the same",
        "only lack of funds switches one off",
        (
            Edit(
                "core/gates.py",
                "return None if subscription.is_active else",
                'return None if subscription.deactivation_reason != "insufficient_funds" else',
            ),
        ),
        (ALONE,),
        is_quick=True,
    ),
    Bug(
        "an invalid filter matches what it can",
        "it was valid when it was written",
        (
            Edit(
                "core/gates.py",
                "return None if subscription.filter_is_valid else",
                "return None if subscription.filter_text else",
            ),
        ),
        (ALONE,),
        is_quick=True,
    ),
    Bug(
        "who subscribes wants leads",
        "a filter that can be read is in order",
        (
            Edit(
                "core/filters/filter.py",
                "(MALFORMED,) if problems else conditions_of(nodes)",
                "(MALFORMED,) if problems else ()",
            ),
        ),
        (ALONE,),
        is_quick=True,
    ),
    Bug(
        "a price limit is a wish",
        "the level says what a lead costs",
        (
            Edit(
                "core/slots.py",
                "return self.niche.taking_price(own, level) if self.niche.has_price_limits(level) else own",
                "return own",
            ),
        ),
        (ALONE,),
        is_quick=True,
    ),
    Bug(
        "a schedule says when messages are read",
        "a lead can wait until morning",
        (
            Edit(
                "core/gates.py",
                "return None if opens_at is None else OutsideSchedule(opens_at)",
                "return None if opens_at is None or opens_at > state.decided_at else OutsideSchedule(opens_at)",
            ),
        ),
        (ALONE,),
        is_quick=True,
    ),
    Bug(
        "any money will do",
        "a provider with a balance can pay",
        (Edit("core/gates.py", "if is_affordable(level.price_cents, available_cents):", "if available_cents > 0:"),),
        (ALONE,),
        is_quick=True,
    ),
    Bug(
        "money is asked before the owner",
        "whichever refuses, the lead goes elsewhere",
        (
            Edit(
                "core/gates.py",
                "        DecisionGate(ConflictGroup, _conflict_group, known_provider_ids=_groups_of_recipients),\n"
                "        DecisionGate(InsufficientBalance, _insufficient_balance),\n",
                "        DecisionGate(InsufficientBalance, _insufficient_balance),\n"
                "        DecisionGate(ConflictGroup, _conflict_group, known_provider_ids=_groups_of_recipients),\n",
            ),
        ),
        (PRECEDENCE,),
        is_quick=True,
    ),
    Bug(
        "a full lead is all that is told",
        "a provider that was not asked came too late, whatever else is known of it",
        (
            Edit(
                "core/explanation.py",
                "refusal_without_visit(state, subscription, result.level) or result.lead_full",
                "result.lead_full or refusal_without_visit(state, subscription, result.level)",
            ),
        ),
        (PAIRS,),
        is_quick=True,
    ),
)
