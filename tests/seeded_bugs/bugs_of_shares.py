"""Mistakes about weighted levels: what was not taken is saved up, another weight is charged, a pass is forgotten."""

from tests.seeded_bugs.bug import Bug, Edit

SHARES = "tests/core/test_shares.py"
EXAMPLES = "tests/core/test_weighted_examples.py"
RETURNS = "tests/flows/money/test_returns.py"
INSIGHT = "tests/console/test_insight.py"

BUGS_OF_SHARES = (
    Bug(
        "one that joins a weighted level claims the leads before",
        "it stands at its own pass, however far the level has come",
        (
            Edit(
                "core/weighted.py",
                "    return max(own_pass, level_pass.global_pass)\n",
                "    return own_pass\n",
            ),
        ),
        (EXAMPLES,),
        is_quick=True,
    ),
    Bug(
        "every lead of a weighted level costs the same",
        "each recipient is charged at a weight of 1",
        (
            Edit(
                "core/turns.py",
                "order.start_pass(subscription_id, served.level_id), weight)",
                "order.start_pass(subscription_id, served.level_id), 1)",
            ),
        ),
        (SHARES,),
        is_quick=True,
    ),
    Bug(
        "a weighted level forgets what one that left was charged",
        "who leaves, or has another filter, begins anew",
        (Edit("core/roster.py", "if pass_value := self._slots.pass_value(subscription_id):", "if pass_value := 0:"),),
        (SHARES,),
        is_quick=True,
    ),
    Bug(
        "a level that is weighted again goes on where it stopped",
        "who was charged while it was weighted before pays for it now",
        (
            Edit(
                "core/weighted.py",
                "return opened_anew(level_pass) if is_opened else level_pass",
                "return level_pass if is_opened else level_pass",
            ),
        ),
        (SHARES,),
        is_quick=True,
    ),
    Bug(
        "what a roster snapshot holds of a weighted level is not read",
        "the past of a weighted level is told by turns",
        (
            Edit(
                "core/roster_state.py",
                "{level_id: LevelPass(**own) for level_id, own in level_passes.items()}",
                "{level_id: LevelPass() for level_id in level_passes}",
            ),
        ),
        (SHARES,),
        is_quick=True,
    ),
    Bug(
        "a refund at a weighted level leaves what its lead was charged",
        "a turn that is given back is a place in the order",
        (
            Edit(
                "flows/money/returns.py",
                "kept.get(each.subscription_id), weights.get(each.assignment_id)",
                "kept.get(each.subscription_id), None",
            ),
        ),
        (f"{RETURNS}::test_at_a_weighted_level_a_turn_takes_the_stride_with_it_at_which_it_was_charged",),
        is_quick=True,
    ),
    Bug(
        "waits at a level that went by weights have the bound of turns",
        "the longest wait follows from how many subscriptions there are",
        (
            Edit(
                "flows/reporting/entitlement.py",
                "None if slots.weighted else wait_bound(took_part, slots.least_slots),",
                "wait_bound(took_part, slots.least_slots),",
            ),
        ),
        (f"{INSIGHT}::test_a_level_that_went_by_weights_in_these_days_has_no_bound_on_waits",),
        is_quick=True,
    ),
)
