"""Mistakes about what happens together, in which order, and who holds what meanwhile."""

from tests.seeded_bugs.bug import Bug, Edit

HELD = "tests/race/test_held_provider.py"
# Elsewhere the counts of rows hide the mistake: what is decided again is not written.
DECIDED_ONCE = "tests/flows/test_distribute.py::test_the_oldest_waiting_leads_are_decided_up_to_the_limit"
ONE_LEAD = "tests/race/test_one_lead.py"
THREADS = "tests/race/test_threads.py"
DECISION_ENTRIES = "tests/core/test_decision_entries.py"
DEPOSITS = "tests/race/test_deposits.py"
LARGEST_BALANCE = "tests/flows/money/test_largest_balance.py"
REPLAY = "tests/core/test_replay.py"
SHARED = "tests/race/test_shared_providers.py"
KILLED = "tests/chaos/test_crash_points.py::test_a_worker_killed_at_any_statement_leaves_all_or_nothing"
BROKEN = "tests/chaos/test_crash_points.py::test_a_process_whose_connection_breaks_at_any_statement_goes_on_by_itself"

BUGS_OF_TRANSACTIONS = (
    Bug(
        "pointer moves on a failed attempt",
        "an attempt is an attempt",
        (
            Edit(
                "store/leads/state.py",
                "    return rows[0][0]\n\n\ndef begin_isolated",
                "    conn.execute(\n"
                "        'update niches set next_start_level_order_position = next_start_level_order_position + 1 '\n"
                "        'where id = (select niche_id from leads where id = %s)',\n        (lead_id,),\n    )\n"
                "    return rows[0][0]\n\n\ndef begin_isolated",
            ),
        ),
        (THREADS,),
        is_quick=True,
    ),
    Bug(
        "a trial takes back the head alone",
        "setting the head back is enough",
        (
            Edit(
                "core/roster.py",
                "            for take_back in reversed(undo):",
                "            for take_back in ():",
            ),
        ),
        (f"{BROKEN}[cut]",),
    ),
    Bug(
        "a lost answer taken for a failed commit",
        "an error means that it was not done",
        (
            Edit(
                "store/committed_calls.py",
                "            return self._ended[0]\n",
                "            result = self._work(conn)\n",
            ),
        ),
        (f"{BROKEN}[answer lost]",),
    ),
    Bug(
        "charged after the commit",
        "first the leads, then the money: two short transactions are better than a long one",
        (
            Edit(
                "store/money/ledger.py",
                "    _move_balances(conn, entries, low_balances, now, limits_used)\n",
                "    if postings[0].kind != 'lead_purchase':\n"
                "        _move_balances(conn, entries, low_balances, now, limits_used)\n",
            ),
            Edit(
                "flows/distribute.py",
                "            last_known_balances.balances.update(done.batch.balances_after)\n",
                "            last_known_balances.balances.update(done.batch.balances_after)\n"
                "            from fairlead.store.distribution.writes import _ledger_entries, _picks\n"
                "            from fairlead.store.money.ledger import _move_balances\n"
                "            with database.transaction() as conn:\n"
                "                entries = _ledger_entries(_picks(done.batch))\n"
                "                _move_balances(conn, entries, done.batch.low_balances, done.batch.now, None)\n",
            ),
        ),
        (KILLED,),
    ),
    Bug(
        "no niche lock",
        "the unique keys will catch it",
        (
            Edit(
                "store/journal.py",
                "from niches where id = any(%s::uuid[]) order by id for no key update",
                "from niches where id = any(%s::uuid[]) order by id",
            ),
        ),
        (ONE_LEAD,),
        is_quick=True,
    ),
    Bug(
        "no provider lock",
        "the niche is locked, that will do",
        (
            Edit(
                "store/distribution/writes.py",
                "from providers where id = any(%s::uuid[]) order by id for no key update",
                "from providers where id = any(%s::uuid[]) order by id",
            ),
            Edit(
                "store/distribution/writes.py",
                '_LOCK_PROVIDERS if wait else _LOCK_PROVIDERS + " nowait"',
                "_LOCK_PROVIDERS",
            ),
        ),
        (HELD, SHARED),
    ),
    Bug(
        "busy providers skipped",
        "SKIP LOCKED never waits",
        (
            Edit(
                "store/distribution/writes.py",
                '_LOCK_PROVIDERS if wait else _LOCK_PROVIDERS + " nowait"',
                '_LOCK_PROVIDERS + " skip locked"',
            ),
        ),
        (HELD,),
    ),
    Bug(
        "late locks wait",
        "waiting is kinder than starting again",
        (Edit("flows/distribute.py", "wait=not held.balances", "wait=True"),),
        (HELD,),
        is_quick=True,
    ),
    Bug(
        "a decided lead is decided again",
        "a caller who asks for it by id will know why",
        (
            Edit(
                "store/leads/waiting.py",
                "where niche_id = %s and awaits_decision\n"
                "              and case when %s::uuid is null then not isolated else id = %s::uuid end",
                "where niche_id = %s and case when %s::uuid is null then awaits_decision and not isolated\n"
                "              else id = %s::uuid end",
            ),
            Edit("store/leads/waiting.py", "where awaits_decision and id = any(array(", "where id = any(array("),
        ),
        (DECIDED_ONCE, ONE_LEAD),
        is_quick=True,
    ),
    Bug(
        "the oldest lead is blamed",
        "the one that failed must be the first in the queue",
        (
            Edit(
                "flows/distributor.py",
                "record_failed_run(self.database, lead_id, error",
                "record_failed_run(self.database, self._oldest_waiting(niche_id) or lead_id, error",
            ),
        ),
        (THREADS,),
    ),
    Bug(
        "a roster dropped while another thread uses it",
        "taking something out of a dictionary is safe",
        (
            Edit(
                "store/distribution/rosters.py",
                "        with self.hold(niche_id):\n            self._rosters.pop(niche_id, None)",
                "        self._rosters.pop(niche_id, None)",
            ),
        ),
        (THREADS,),
    ),
    Bug(
        "a deposit credited twice",
        "every announcement of a payment is a payment",
        (
            Edit(
                "flows/money/deposit.py",
                "CreditedPayment(new_id(conn), provider_id, gateway, external_id, posting)",
                "CreditedPayment(new_id(conn), provider_id, gateway, external_id + new_id(), posting)",
            ),
        ),
        (DEPOSITS,),
    ),
    Bug(
        "the hash leaves out the time",
        "what happened matters, not when",
        (
            Edit(
                "core/journal.py",
                '"recorded_at":"{timestamp_text(recorded_at)}","seq"',
                '"recorded_at":"","seq"',
            ),
        ),
        ("tests/core/test_journal.py::test_sealed_entries_are_contiguous_and_chained_to_the_head",),
    ),
    Bug(
        "a digest that is believed",
        "the filter did not change, so it is the one that we have",
        (
            Edit(
                "core/configuration_entries.py",
                'if before is None or filter_digest(before.filter_text) != payload["filter_sha256"]:',
                "if before is None:",
            ),
        ),
        (REPLAY,),
        is_quick=True,
    ),
    Bug(
        "who had the lead is not counted",
        "what was refused and is not named has been counted where the walk ended",
        (
            Edit(
                "core/decision_entries.py",
                "counts[reason] = counts.get(reason, 0) + 1",
                "counts[reason] = counts.get(reason, 0)",
            ),
        ),
        (DECISION_ENTRIES,),
        is_quick=True,
    ),
    Bug(
        "a balance without end",
        "integers have no largest one",
        (
            Edit(
                "core/ledger.py",
                "if balance.balance_cents + amount_cents > MAX_BALANCE_CENTS:",
                "if False:",
            ),
        ),
        (LARGEST_BALANCE,),
    ),
)
