"""Mistakes about the rules: who receives a lead. What is right is worked out on paper."""

from tests.seeded_bugs.bug import Bug, Edit

BY_HAND = "tests/seeded_bugs/test_by_hand.py"
TOGETHER = "tests/core/test_together.py"
SECOND_LANGUAGE = "tests/core/filters/test_filter_2.py"

BUGS_OF_RULES = (
    Bug(
        "pointer off by one",
        "the next start is the start itself",
        (
            Edit(
                "core/rotation.py",
                "        if position > start:\n            return position\n    return active_positions[0]",
                "        if position >= start:\n            return position\n    return active_positions[0]",
            ),
        ),
        (BY_HAND,),
        is_quick=True,
    ),
    Bug(
        "pointer modulo the number of levels",
        "positions are 1 to n, so the pointer is an index",
        (
            Edit(
                "core/rotation.py",
                "    for position in active_positions:\n        if position >= pointer:\n            return position\n",
                "    if active_positions:\n        return active_positions[(pointer - 1) % len(active_positions)]\n",
            ),
        ),
        (BY_HAND,),
    ),
    Bug(
        "served order by the clock",
        "last_received_at says the same as served_seq",
        (
            Edit(
                "store/distribution/rosters.py",
                "filter_is_valid, limits, schedule, max_price_cents, weight, served_seq, pass, shut_by",
                "filter_is_valid, limits, schedule, max_price_cents, weight, "
                "extract(epoch from last_received_at)::bigint, pass, shut_by",
            ),
        ),
        (BY_HAND,),
    ),
    Bug(
        "the never served come last",
        "no served_seq sorts like a null",
        (
            Edit(
                "core/fairness.py",
                "    return (first_64_bits >> 1) - (1 << 63)",
                "    return first_64_bits >> 1",
            ),
        ),
        (BY_HAND,),
    ),
    Bug(
        "limit before funds",
        "take the first max_recipients, then see who can pay: a refused candidate takes a slot",
        (
            Edit(
                "core/decide.py",
                "len(recipients) < level.max_recipients and (subscription",
                "len(recipients) + len(refused) < level.max_recipients and (subscription",
            ),
        ),
        (BY_HAND,),
        is_quick=True,
    ),
    Bug(
        "one recipient too many",
        "<= instead of <",
        (
            Edit(
                "core/decide.py",
                "len(recipients) < level.max_recipients and (subscription",
                "len(recipients) <= level.max_recipients and (subscription",
            ),
        ),
        (BY_HAND,),
    ),
    Bug(
        "the balance must exceed the price",
        "<= instead of <",
        (
            Edit(
                "core/subscription.py",
                "return price_cents <= available_cents",
                "return price_cents < available_cents",
            ),
        ),
        (BY_HAND,),
        is_quick=True,
    ),
    Bug(
        "no dedupe across levels",
        "UNIQUE (lead_id, provider_id) will see to it",
        (
            Edit(
                "core/gates.py",
                "return None if level_id is None else AlreadyRecipient(level_id)",
                "return None if level_id != _level.level_id else AlreadyRecipient(level_id)",
            ),
        ),
        (BY_HAND,),
    ),
    Bug(
        "a filter that cannot be read lets everything through",
        "no readable rules, no objection",
        (
            Edit(
                "core/filters/filter.py",
                "(MALFORMED,) if problems else conditions_of(nodes)",
                "() if problems else conditions_of(nodes)",
            ),
        ),
        (BY_HAND,),
        is_quick=True,
    ),
    Bug(
        "out of money and still active",
        "the next decision will refuse it anyway",
        (
            Edit(
                "core/batch.py",
                "deactivated = tuple(out_of_funds(own, roster.levels, balances.after))",
                "deactivated: tuple[Subscription, ...] = ()",
            ),
        ),
        (BY_HAND,),
    ),
    Bug(
        "guesses taken for the truth",
        "the balances were right a moment ago",
        (
            Edit(
                "core/batch.py",
                "foreseen.batch if known == foreseen.consulted else _with_true_balances(roster, foreseen, known)",
                "foreseen.batch",
            ),
        ),
        (BY_HAND,),
        is_quick=True,
    ),
    Bug(
        "refused for money that came back in between",
        "more money than was thought changes nothing that was foreseen",
        (Edit("core/same_outcome.py", "each.provider_id in moved and each.refusal.used_balance", "False"),),
        ("tests/core/test_batch.py::test_a_provider_refused_for_the_price_of_a_rule_is_asked_again",),
        is_quick=True,
    ),
    Bug(
        "charged elsewhere in between, and still active",
        "who can pay for its leads needs no second look",
        (Edit("core/same_outcome.py", "available_cents < dearest_cents for", "available_cents < 0 for"),),
        ("tests/core/test_batch.py::test_a_balance_that_turned_nothing_decides_nothing_anew",),
        is_quick=True,
    ),
    Bug(
        "stale roster",
        "what others did in the meantime moved the counters, nothing else",
        (
            Edit(
                "store/distribution/rosters.py",
                "            for entry in entries:\n                roster.fold(entry)\n",
                "            roster.head = head_of(niche)\n",
            ),
        ),
        (BY_HAND,),
        is_quick=True,
    ),
    Bug(
        "a lost entry is remembered",
        "a roster that a fail-over left with an entry of its own folds what follows another one",
        (
            Edit(
                "store/distribution/rosters.py",
                "if entries and entries[0].prev_hash != roster.head.hash:",
                "if False:",
            ),
        ),
        ("tests/store/distribution/test_rosters.py",),
        is_quick=False,
    ),
    Bug(
        "who can pay for the cheapest level can pay for all",
        "a provider that can buy anything has funds",
        (Edit("core/batch.py", "return max((lowest_price_cents", "return min((lowest_price_cents"),),
        ("tests/core/test_batch.py::test_what_is_left_pays_for_the_cheaper_level_and_not_for_the_dearer",),
        is_quick=True,
    ),
    Bug(
        "one recipient more than the niche allows",
        "the limit is what may be exceeded last",
        (Edit("core/gates.py", "limit is not None and used >= limit", "limit is not None and used > limit"),),
        (TOGETHER,),
        is_quick=True,
    ),
    Bug(
        "an exclusive level sells after the others",
        "it closes the lead, and that is what exclusive means",
        (Edit("core/gates.py", "if level.is_exclusive and used else None", "if False else None"),),
        (TOGETHER,),
    ),
    Bug(
        "only the level before tells of the owner",
        "a level has one recipient, mostly",
        (
            Edit(
                "core/decision_state.py",
                "        if group_id is not None:\n            self.recipient_of_group[group_id] = provider_id",
                "        if group_id is not None and level.max_recipients == 1:\n"
                "            self.recipient_of_group[group_id] = provider_id",
            ),
        ),
        (TOGETHER,),
    ),
    Bug(
        "a full lead left slots open",
        "a provider that was refused for money would have bought it",
        (
            Edit(
                "core/decide.py",
                "if any(result.lead_full is not None and result.lead_full.closes_lead for result in results):",
                "if not results:",
            ),
        ),
        (TOGETHER,),
    ),
    Bug(
        "not of a group is the opposites of its rules",
        "not any and not all are turned round alike",
        (
            Edit(
                "core/filters/conditions.py",
                '    if (node.kind == "all") != is_negated:',
                '    if node.kind == "all":',
            ),
        ),
        (SECOND_LANGUAGE,),
        is_quick=True,
    ),
    Bug(
        "what alternatives share is all that they ask",
        "what stands before them has been asked, and that is that",
        (
            Edit(
                "core/filters/conditions.py",
                "return (*before, *factored(Alternatives(rest))) if all(rest) else before",
                "return before",
            ),
        ),
        (SECOND_LANGUAGE,),
    ),
    Bug(
        "of alternatives of one field the last is the list",
        "they name the same field",
        (Edit("core/filters/index.py", "        keys |= dict.fromkeys(own)\n", "        keys = dict.fromkeys(own)\n"),),
        (SECOND_LANGUAGE,),
    ),
    Bug(
        "a rule's opposite takes the bound, too",
        "not at least 60 is at most 60",
        (
            Edit(
                "core/filters/rules.py",
                "    (_O.GTE, _O.LT),\n    (_O.LTE, _O.GT),",
                "    (_O.GTE, _O.LTE),\n    (_O.GT, _O.LT),",
            ),
        ),
        (SECOND_LANGUAGE,),
    ),
    Bug(
        "the index forgets all alternatives after the first",
        "the first alternative stands for the group",
        (
            Edit(
                "core/filters/index.py",
                "        for row in self.rows:\n",
                "        for row in self.rows[:1]:\n",
            ),
        ),
        (SECOND_LANGUAGE,),
    ),
    Bug(
        "a postcode is found as a start of itself",
        "a list of postcodes is looked up by its beginnings",
        (
            Edit(
                "core/filters/families.py",
                "    RuleKind.POSTCODE: _postcode_keys,",
                "    RuleKind.POSTCODE: _postcode_starts,",
            ),
        ),
        (SECOND_LANGUAGE,),
    ),
    Bug(
        "a circle across the antimeridian ends there",
        "a column of cells is a longitude",
        (
            Edit(
                "core/filters/circles.py",
                "            yield row, (column + 180) % 360 - 180",
                "            yield row, column",
            ),
        ),
        (SECOND_LANGUAGE,),
    ),
    Bug(
        "a request says which postcodes are near",
        "a filter that comes with postcodes has been looked up already",
        (
            Edit(
                "core/filters/spelling.py",
                '"version": version, "postcodes": list(within)}',
                '"version": version, "postcodes": circle.get("postcodes", list(within))}',
            ),
        ),
        (SECOND_LANGUAGE,),
    ),
    Bug(
        "a renewed filter is looked up in the version that it names",
        "a filter goes by the version of a postcode table that it names",
        (
            Edit(
                "core/filters/spelling.py",
                'return {**kept, "version": version}',
                'return {**kept, "version": document["version"]}',
            ),
        ),
        ("tests/flows/configuration/test_filter_renewals.py",),
    ),
)
