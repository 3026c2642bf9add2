"""Mistakes about roster snapshots: what is written, from what, where, and how far it is believed."""

from tests.seeded_bugs.bug import Bug, Edit

PLACES = "tests/core/test_roster_state.py::test_a_paused_subscription_stays_and_one_that_left_comes_back_to_its_place"
SNAPSHOTS = "tests/flows/maintenance/test_snapshot_rosters.py"
ONCE = f"{SNAPSHOTS}::test_snapshots_are_written_once_and_change_no_explanation"
RUNS = f"{SNAPSHOTS}::test_a_run_goes_on_where_the_one_before_ended"
DAMAGED = f"{SNAPSHOTS}::test_a_damaged_snapshot_is_passed_over_found_and_replaced"
FORGED = f"{SNAPSHOTS}::test_a_snapshot_that_was_changed_and_hashed_again_is_found"
UNFOLDED = f"{SNAPSHOTS}::test_a_journal_that_cannot_be_folded_ends_the_comparison"

WRITER = "flows/maintenance/snapshot_rosters.py"
STORE = "store/distribution/snapshots.py"
CHECK = "flows/proving/snapshot_check.py"

BUGS_OF_SNAPSHOTS = (
    Bug(
        "a snapshot of the tables",
        "the tables say the same as the journal, and are read at once",
        (
            Edit(
                WRITER,
                "    return database.run(lambda conn: write_snapshot(conn, state))\n",
                "    from fairlead.store.distribution.rosters import read_niche, read_roster_rows\n"
                "    def work(conn: Connection) -> bool:\n"
                "        for each, served_seq, is_deleted in read_roster_rows(conn, read_niche(conn, state.niche_id))"
                ".subscriptions:\n"
                "            state.set_subscription(each, is_deleted)\n"
                "            if served_seq is not None:\n"
                "                state.set_served(each.subscription_id, served_seq)\n"
                "        return write_snapshot(conn, state)\n"
                "    return database.run(work)\n",
            ),
        ),
        (ONCE,),
        is_quick=True,
    ),
    Bug(
        "a snapshot at the entry after it",
        "it stands before the entry that is next",
        (
            Edit(
                STORE,
                "(state.niche_id, state.head.seq, state.head.hash, ",
                "(state.niche_id, state.head.seq + 1, state.head.hash, ",
            ),
        ),
        (ONCE,),
    ),
    Bug(
        "a snapshot of the decision that is asked about",
        "the newest snapshot up to the entry",
        (Edit(STORE, "and s.seq < coalesce(%s, s.seq + 1)", "and s.seq <= coalesce(%s, s.seq)"),),
        (ONCE,),
        is_quick=True,
    ),
    Bug(
        "a state that leaves out who is paused",
        "a paused subscription is no candidate",
        (
            Edit(
                "core/roster_state.py",
                "        if not is_deleted:\n            if subscription.weight != 1",
                "        if not is_deleted and subscription.is_active:\n            if subscription.weight != 1",
            ),
        ),
        (PLACES,),
    ),
    Bug(
        "a place that is lost by leaving",
        "what is gone is gone",
        (
            Edit(
                "core/roster_state.py",
                "        columns.remove(subscription.subscription_id)\n",
                "        columns.remove(subscription.subscription_id)\n"
                "        if is_deleted:\n            self._served.pop(subscription.subscription_id, None)\n",
            ),
        ),
        (PLACES,),
    ),
    Bug(
        "a fold that begins one entry late",
        "the snapshot has the entry that is next",
        (
            Edit(
                STORE,
                "entries_after(conn, niche_id, state.head.seq, min(",
                "entries_after(conn, niche_id, state.head.seq + 1, min(",
            ),
        ),
        (ONCE,),
    ),
    Bug(
        "a snapshot that skips an entry and says that it did not",
        "configuration is in the tables",
        (
            Edit(
                WRITER,
                "            state.fold(entry)\n",
                "            from dataclasses import replace\n"
                '            if entry.kind.value == "subscription" and not entry.payload["is_active"]:\n'
                "                state.head = replace(state.head, seq=entry.seq, hash=entry.hash)\n"
                "            else:\n"
                "                state.fold(entry)\n",
            ),
        ),
        (ONCE,),
        is_quick=True,
    ),
    Bug(
        "a run that begins anew with each page",
        "so many entries after where the run began",
        (Edit(WRITER, "                written_at = state.head.seq\n", ""),),
        (RUNS,),
    ),
    Bug(
        "a damaged snapshot stays",
        "one that is there need not be written",
        (
            Edit(
                STORE,
                "              is distinct from (excluded.journal_hash",
                "              is null and null = (excluded.journal_hash",
            ),
        ),
        (DAMAGED,),
        is_quick=True,
    ),
    Bug(
        "a digest is not looked at",
        "what can be read is whole",
        (Edit(STORE, "if hashlib.sha256(self.state).digest() != self.digest:", "if False:"),),
        (DAMAGED,),
    ),
    Bug(
        "a hash is not looked at",
        "the number says which entry it is of",
        (Edit(STORE, "if self.journal_hash != self.entry_hash:", "if False:"),),
        (DAMAGED,),
    ),
    Bug(
        "an entry that is not there is not missed",
        "a snapshot without its entry is older than the journal",
        (Edit(STORE, "if self.entry_hash is None:", "if False:"),),
        (DAMAGED,),
    ),
    Bug(
        "a content of another entry",
        "what its digest says is what it holds",
        (
            Edit(
                STORE,
                "if (state.niche_id, state.head.seq, state.head.hash) != (self.niche_id, self.seq, self.journal_hash):",
                "if False:",
            ),
        ),
        (DAMAGED,),
    ),
    Bug(
        "a format is not looked at",
        "JSON is JSON",
        (Edit("core/roster_state.py", 'if document["format"] not in (FORMAT, LOCAL_TIME_FORMAT):', "if False:"),),
        (f"{SNAPSHOTS}::test_a_snapshot_of_another_format_is_replaced",),
    ),
    Bug(
        "a snapshot compared by its head alone",
        "where it stands, it is right",
        (
            Edit(
                CHECK,
                "stored.roster_state().document() == self._folded.document()",
                "stored.roster_state().head == self._folded.head",
            ),
        ),
        (FORGED,),
        is_quick=True,
    ),
    Bug(
        "a proof that begins with what it proves",
        "the first snapshot spares the entries before it",
        (
            Edit(
                CHECK,
                "        self._next = next(self._stored, None)\n\n    def step",
                "        self._next = next(self._stored, None)\n        self._trusted = None\n\n    def step",
            ),
            Edit(
                CHECK,
                "            is_same = stored.roster_state().document() == self._folded.document()\n",
                "            self._folded = stored.roster_state()\n"
                "            is_same = stored.roster_state().document() == self._folded.document()\n",
            ),
        ),
        (FORGED,),
    ),
    Bug(
        "what the journal's end leaves over",
        "a snapshot past the end will be compared when the journal has come so far",
        (
            Edit(
                CHECK,
                "        while self._next is not None:\n            self._compare(self._next)\n\n    def _compare",
                "        return\n\n    def _compare",
            ),
        ),
        (DAMAGED,),
    ),
    Bug(
        "a comparison with what cannot be folded",
        "the replay says what is wrong with the journal",
        (Edit(CHECK, "            self._next = None\n        while", "            pass\n        while"),),
        (UNFOLDED,),
    ),
)
