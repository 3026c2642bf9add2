"""Deliberate mistakes, one story each, and the tests that must notice.

Each is a change of text in a copy of the source. When the source moves on and a text is not found any more, the bank
says so: write the mistake anew, it is still as easy to make.
"""

from dataclasses import dataclass

BY_HAND = "tests/seeded_bugs/test_by_hand.py"
HELD = "tests/race/test_held_provider.py"
ONE_LEAD = "tests/race/test_one_lead.py"
THREADS = "tests/race/test_threads.py"
DEPOSITS = "tests/race/test_deposits.py"
SHARED = "tests/race/test_shared_providers.py"
TAMPERING = "tests/chaos/test_tampering.py"
KILLED = "tests/chaos/test_crash_points.py::test_a_worker_killed_at_any_statement_leaves_all_or_nothing"
BROKEN = "tests/chaos/test_crash_points.py::test_a_process_whose_connection_breaks_at_any_statement_goes_on_by_itself"


@dataclass(frozen=True)
class Edit:
    """In `file` (below src/fairlead), `old`, which stands there once, becomes `new`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Bug:
    """A mistake: its name, what somebody may have thought, the edits that make it, and who must notice."""

    name: str
    story: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]
    is_quick: bool = False


BANK = (
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
        "pointer moves on a failed attempt",
        "an attempt is an attempt",
        (
            Edit(
                "store/distribution.py",
                "        (Outcome.FAILED.value, lead_id),\n    )",
                "        (Outcome.FAILED.value, lead_id),\n    )\n"
                "    conn.execute(\n"
                "        'update niches set next_start_level_order_position = next_start_level_order_position + 1 '\n"
                "        'where id = (select niche_id from leads where id = %s)',\n        (lead_id,),\n    )",
            ),
        ),
        (THREADS,),
        is_quick=True,
    ),
    Bug(
        "served order by the clock",
        "last_received_at says the same as served_seq",
        (
            Edit(
                "store/rosters.py",
                "filter_is_valid, served_seq, deleted_at",
                "filter_is_valid, extract(epoch from last_received_at)::bigint, deleted_at",
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
                "core/assignment.py",
                "while len(recipients) < level.max_recipients and",
                "while len(recipients) + len(refused) < level.max_recipients and",
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
                "core/assignment.py",
                "while len(recipients) < level.max_recipients and",
                "while len(recipients) <= level.max_recipients and",
            ),
        ),
        (BY_HAND,),
    ),
    Bug(
        "the balance must exceed the price",
        "<= instead of <",
        (
            Edit(
                "core/assignment.py",
                "if purse.available_cents < level.price_cents:",
                "if purse.available_cents <= level.price_cents:",
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
                "core/assignment.py",
                "        if received_at is not None:",
                "        if received_at == level.level_id:",
            ),
        ),
        (BY_HAND,),
    ),
    Bug(
        "a filter that cannot be read lets everything through",
        "no readable rules, no objection",
        (
            Edit(
                "core/filters.py",
                "    if problems:\n        rules = (MALFORMED,)",
                "    if problems:\n        rules = ()",
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
                "flows/distribute.py",
                "            _deactivate(roster, trial, subscription)",
                "            pass",
            ),
        ),
        (BY_HAND,),
    ),
    Bug(
        "guesses taken for the truth",
        "the balances were right a moment ago",
        (
            Edit(
                "flows/distribute.py",
                "if all(purses[provider_id] == purse for provider_id, purse in trial.assumed.items()):",
                "if purses:",
            ),
        ),
        (BY_HAND,),
        is_quick=True,
    ),
    Bug(
        "stale roster",
        "what others did in the meantime moved the counters, nothing else",
        (
            Edit(
                "store/rosters.py",
                "                    for entry in recent_entries(conn, niche.niche_id, roster.head.seq):\n"
                "                        roster.fold(entry)\n",
                "                    roster.head = head_of(niche)\n",
            ),
        ),
        (BY_HAND,),
        is_quick=True,
    ),
    Bug(
        "roster not rolled back after a failed commit",
        "setting the head back is enough",
        (
            Edit(
                "core/roster.py",
                "        if self._undo is not None:\n            self.roll_back()\n            self._undo = None",
                "        if self._undo is not None:\n"
                "            self.head = self._head_at_checkpoint\n            self._undo = None",
            ),
        ),
        (f"{BROKEN}[cut]",),
    ),
    Bug(
        "a lost answer taken for a failed commit",
        "an error means that it was not done",
        (
            Edit(
                "flows/distribute.py",
                "if unanswered is None or not holds_entry(",
                "if unanswered is None or True or not holds_entry(",
            ),
        ),
        (f"{BROKEN}[answer lost]",),
    ),
    Bug(
        "charged after the commit",
        "first the leads, then the money: two short transactions are better than a long one",
        (
            Edit("store/distribution.py", "            _move_balances(conn, batch)\n", ""),
            Edit(
                "flows/distribute.py",
                "                self._rosters.keep(niche_id)\n",
                "                self._rosters.keep(niche_id)\n"
                "                from fairlead.store.distribution import _move_balances\n"
                "                with self.database.transaction() as conn:\n"
                "                    _move_balances(conn, batch)\n",
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
                "store/distribution.py",
                "from providers where id = any(%s::uuid[]) order by id for no key update",
                "from providers where id = any(%s::uuid[]) order by id",
            ),
            Edit(
                "store/distribution.py", '_LOCK_PROVIDERS if wait else _LOCK_PROVIDERS + " nowait"', "_LOCK_PROVIDERS"
            ),
        ),
        (HELD, SHARED),
    ),
    Bug(
        "busy providers skipped",
        "SKIP LOCKED never waits",
        (
            Edit(
                "store/distribution.py",
                '_LOCK_PROVIDERS if wait else _LOCK_PROVIDERS + " nowait"',
                '_LOCK_PROVIDERS + " skip locked"',
            ),
        ),
        (HELD,),
    ),
    Bug(
        "late locks wait",
        "waiting is kinder than starting again",
        (Edit("flows/distribute.py", "wait=not purses", "wait=True"),),
        (HELD,),
        is_quick=True,
    ),
    Bug(
        "a decided lead is decided again",
        "whoever asks for it by id will know why",
        (
            Edit(
                "store/distribution.py",
                "where niche_id = %s and awaits_decision and (%s::uuid is null or id = %s::uuid)",
                "where niche_id = %s and case when %s::uuid is null then awaits_decision else id = %s::uuid end",
            ),
            Edit("store/distribution.py", "where awaits_decision and id = any(array(", "where id = any(array("),
        ),
        (ONE_LEAD,),
        is_quick=True,
    ),
    Bug(
        "the oldest lead is blamed",
        "the one that failed must be the first in the queue",
        (
            Edit(
                "flows/distribute.py",
                "            locked = lock_waiting_leads(conn, niche_id, 1, lead_id)",
                "            locked = lock_waiting_leads(conn, niche_id, 1)",
            ),
            Edit(
                "flows/distribute.py",
                "            mark_failed(conn, lead_id)",
                "            mark_failed(conn, locked.leads[0].lead_id)",
            ),
        ),
        (THREADS,),
    ),
    Bug(
        "a roster dropped while another thread uses it",
        "taking something out of a dictionary is safe",
        (
            Edit(
                "store/rosters.py",
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
                "flows/deposit.py",
                "CreditedPayment(new_id(), checked, gateway, external_id, posting)",
                "CreditedPayment(new_id(), checked, gateway, external_id + new_id(), posting)",
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
        (TAMPERING,),
    ),
)
