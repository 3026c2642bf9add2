"""Mistakes where an effect is written: in the ledger, the outbox, and a lead's state."""

from tests.seeded_bugs.bug import Bug, Edit

LOW_BALANCE = "tests/flows/money/test_low_balance.py"
ONCE_A_BATCH = f"{LOW_BALANCE}::test_a_batch_that_charges_a_provider_more_than_once_tells_it_once"
COMES_IN = f"{LOW_BALANCE}::test_money_that_comes_in_ends_a_fall_and_begins_none"
LEADS = "tests/flows/test_distribute_lead.py"
ROW_COUNTS = "tests/store/test_row_counts.py"
OUTBOX = "tests/store/notifications/test_outbox.py"

BUGS_OF_WRITERS = (
    Bug(
        "an assignment that names no subscription",
        "provider and level say which subscription it is",
        (
            Edit(
                "store/distribution/writes.py",
                "            array_text(recipient.subscription_id for _, _, recipient in picks),\n",
                "            array_text(recipient.provider_id for _, _, recipient in picks),\n",
            ),
        ),
        (ONCE_A_BATCH,),
        is_quick=True,
    ),
    Bug(
        "a fall that is told to no provider",
        "the balance is what counts, a message can come later",
        (
            Edit(
                "store/money/ledger.py",
                "if after[each].was_told and not low_balances[each].was_told]",
                "if after[each].was_told and low_balances[each].was_told]",
            ),
        ),
        (ONCE_A_BATCH, COMES_IN),
        is_quick=True,
    ),
    Bug(
        "a fall that is told with every debit",
        "a provider cannot be told too often",
        (Edit("core/ledger.py", "is_low and (self.was_told or is_debited)", "is_low and is_debited"),),
        (ONCE_A_BATCH, COMES_IN),
        is_quick=True,
    ),
    Bug(
        "a credit that is taken for a fall",
        "low is low",
        (Edit("core/ledger.py", "is_low and (self.was_told or is_debited)", "is_low"),),
        (COMES_IN,),
        is_quick=True,
    ),
    Bug(
        "a balance without its entry",
        "of one provider the last entry says where it stands",
        (
            Edit(
                "store/money/ledger.py",
                "    postings = [entry.posting for entry in entries]\n",
                "    entries = list({entry.provider_id: entry for entry in entries}.values())\n"
                "    postings = [entry.posting for entry in entries]\n",
            ),
        ),
        (ONCE_A_BATCH,),
        is_quick=True,
    ),
    Bug(
        "an entry without its balance",
        "a credit is in the ledger, and balances are sums of ledgers",
        (
            Edit(
                "store/money/ledger.py",
                "    _move_balances(conn, entries, low_balances, now, limits_used)\n",
                "    entries = [each for each in entries if each.posting.amount_cents < 0]\n"
                "    _move_balances(conn, entries, low_balances, now, limits_used)\n",
            ),
        ),
        (COMES_IN,),
        is_quick=True,
    ),
    Bug(
        "told twice of the same",
        "better twice than never",
        (
            Edit(
                "store/notifications/outbox.py",
                "    columns = _columns(conn, notifications)\n",
                "    notifications = [*notifications, *(n for n in notifications if n.assignment_id is None)]\n"
                "    columns = _columns(conn, notifications)\n",
            ),
        ),
        (ONCE_A_BATCH, OUTBOX),
        is_quick=True,
    ),
    Bug(
        "a message that waits for the next one",
        "the row is the truth, and some job will come by",
        (
            Edit(
                "store/notifications/outbox.py",
                "    if (once and inserted.rowcount == 0)",
                "    if len(notifications) == 1 or (once and inserted.rowcount == 0)",
            ),
        ),
        (OUTBOX,),
        is_quick=True,
    ),
    Bug(
        "a decision that is no attempt",
        "only what fails has to be counted",
        (
            Edit(
                "store/leads/state.py",
                "awaits_decision = false, distribution_attempts = attempt, ",
                "awaits_decision = false, ",
            ),
        ),
        (ONCE_A_BATCH,),
        is_quick=True,
    ),
    Bug(
        "a failed run that is no attempt",
        "it decided nothing, so it was none",
        (Edit("store/leads/state.py", "distribution_attempts = distribution_attempts + 1,\n", "\n"),),
        (f"{LEADS}::test_a_lead_that_raises_is_tried_six_times_and_stops_no_other",),
        is_quick=True,
    ),
    Bug(
        "money that moves alone",
        "the five-minute job lets subscriptions follow",
        (Edit("flows/funding.py", "    return follow_funds(conn, locked, after, now, contents)\n", "    return []\n"),),
        ("tests/flows/money/test_funds_follow.py",),
        is_quick=True,
    ),
    Bug(
        "a place in the order of one who cannot be served",
        "what was decided is written",
        (
            Edit(
                "store/distribution/writes.py",
                "where s.id = subscription_id and s.is_active and s.filter_is_valid and s.deleted_at is null\n",
                "where s.id = subscription_id\n",
            ),
        ),
        (ROW_COUNTS,),
    ),
    Bug(
        "fewer rows than were given",
        "an update that finds no row changes none",
        (Edit("store/row_counts.py", "if cursor.rowcount != count:", "if cursor.rowcount > count:"),),
        (ROW_COUNTS,),
        is_quick=True,
    ),
    Bug(
        "an answer of a pipeline that is never read",
        "what the pipeline sends is done",
        (Edit("store/session_settings.py", "        for check in checks:\n            check()\n", ""),),
        (ROW_COUNTS,),
        is_quick=True,
    ),
)
