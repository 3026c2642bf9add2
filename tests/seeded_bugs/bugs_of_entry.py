"""Mistakes about what comes in: when two writings are one address, one row or one word, and how much is let through."""

from tests.seeded_bugs.bug import Bug, Edit

COMPOSED = "tests/flows/test_composed_texts.py"
DUPLICATES = "tests/flows/intake/test_duplicates.py::test_one_mailbox_is_one_in_every_writing"
IMPORTED = "tests/flows/importing/test_imported_once.py::test_a_form_that_changes_sells_no_lead_again"
MAILBOX = "tests/flows/access/test_one_mailbox.py"
NEEDLESS = "tests/race/test_needless_jobs.py"
RATES = "tests/store/test_rate_limits.py"

BUGS_OF_ENTRY = (
    Bug(
        "addresses compared as they are written",
        "upper and lower case aside, two addresses that differ are two addresses",
        (
            Edit("core/duplicates.py", "return mailbox_key(text) or None", "return comparable(text) or None"),
            Edit("core/entry/contact.py", "        return mailbox.address\n", "        return text\n"),
        ),
        (DUPLICATES,),
        is_quick=True,
    ),
    Bug(
        "the addresses behind limits can be tried out",
        "a hash tells nothing of what it is of",
        (
            Edit(
                "flows/access/throttle.py",
                "keyed_hash(intake_secret(conn), {",
                'keyed_hash(b"fairlead", {',
            ),
        ),
        ("tests/flows/access/test_throttle.py",),
    ),
    Bug(
        "a row of a file is forgotten",
        "what the form keeps of a row tells the rows apart",
        (
            Edit(
                "flows/importing/lead_rows.py",
                "dedupe_key=self._key(cells), row_key=self._row_key(cells))",
                "dedupe_key=self._key(cells))",
            ),
        ),
        (IMPORTED,),
        is_quick=True,
    ),
    Bug(
        "filters stored as they were typed",
        "a filter is checked on write, that will do",
        (
            Edit(
                "core/filters/filter.py",
                "    return spelt, problems",
                '    return cast("JsonObject", raw), problems',
            ),
        ),
        (COMPOSED,),
        is_quick=True,
    ),
    Bug(
        "a newer request loses its job",
        "the lead is decided, no job of it is needed",
        (
            Edit(
                "flows/lead_jobs.py",
                "        if decided := lock_decided(conn, lead_ids):\n            withdraw_lead_jobs(conn, decided)",
                "        withdraw_lead_jobs(conn, lead_ids)",
            ),
        ),
        (NEEDLESS,),
        is_quick=True,
    ),
    Bug(
        "turns that nothing took add up",
        "so many a second on average",
        (
            Edit(
                "store/rate_limits.py",
                "set next_at = statement_timestamp() + make_interval(secs => %s)",
                "set next_at = next_at + make_interval(secs => %s)",
            ),
        ),
        (f"{RATES}::test_turns_that_nothing_took_do_not_add_up",),
        is_quick=True,
    ),
    Bug(
        "a slow rate is taken for one a second",
        "a rate is so many a second",
        (
            Edit(
                "store/rate_limits.py",
                "    interval_seconds = 1 / per_second\n",
                "    interval_seconds = min(1.0, 1 / per_second)\n",
            ),
        ),
        (f"{RATES}::test_of_many_that_ask_one_goes_and_waiting_takes_nothing",),
        is_quick=True,
    ),
    Bug(
        "a limit for each writing of an address",
        "a caller says who it is",
        (
            Edit(
                "flows/access/throttle.py",
                "    return mailbox_key(email) if user is None else user.user_id\n",
                "    return email\n",
            ),
        ),
        (MAILBOX,),
        is_quick=True,
    ),
)
