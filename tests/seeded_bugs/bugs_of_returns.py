"""Mistakes in what a refund gives back besides the money."""

from tests.seeded_bugs.bug import Bug, Edit

RETURNS = "tests/flows/money/test_returns.py"
BACK = f"{RETURNS}::test_a_turn_comes_back_to_where_it_was"
SERVED_AGAIN = f"{RETURNS}::test_one_that_was_served_again_keeps_the_place_of_that_lead"
LEAVES = f"{RETURNS}::test_a_refunded_lead_leaves_the_limits_of_a_subscription_and_a_provider"
KEEPS = f"{RETURNS}::test_without_the_policy_a_refunded_lead_keeps_its_place_in_limits"

BUGS_OF_RETURNS = (
    Bug(
        "a turn given back puts its subscription first",
        "who was sold a bad lead is owed the next one",
        (
            Edit(
                "flows/money/returns.py",
                "each.subscription_id, kept.get(each.subscription_id), weights",
                "each.subscription_id, None, weights",
            ),
        ),
        (BACK, SERVED_AGAIN),
        is_quick=True,
    ),
    Bug(
        "a turn that was given back counts for the next one",
        "the last lead before says where it stood",
        (Edit("store/money/returns.py", " and not turn_returned and id <> all", " and id <> all"),),
        (SERVED_AGAIN,),
        is_quick=True,
    ),
    Bug(
        "a roster that keeps the turn",
        "the tables have it right",
        (Edit("core/fold.py", "            follower.forget_served(turn.subscription_id)\n", "            pass\n"),),
        (BACK,),
        is_quick=True,
    ),
    Bug(
        "a lead that left its limits is counted anew all the same",
        "a purchase is a purchase",
        (
            Edit(
                "store/distribution/limit_counters.py",
                " and not a.left_limits) counted on true",
                ") counted on true",
            ),
        ),
        (LEAVES,),
        is_quick=True,
    ),
    Bug(
        "a limit of a provider stays shut in its other niches",
        "a refund is a matter of its own niche",
        (
            Edit(
                "flows/money/returns.py",
                'is_counted = shut.owner == "provider" or shut',
                "is_counted = shut",
            ),
        ),
        (LEAVES,),
        is_quick=True,
    ),
    Bug(
        "a subscription that is opened and stays shut",
        "its window is counted anew, that is enough",
        (
            Edit(
                "core/fold.py",
                "        follower.open(subscription_id)\n",
                "        pass\n",
            ),
        ),
        (LEAVES, KEEPS),
        is_quick=True,
    ),
)
