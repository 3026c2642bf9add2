"""Mistakes in closing months and making papers."""

from tests.seeded_bugs.bug import Bug, Edit

_STATEMENTS = "tests/flows/money/test_statements.py"

BUGS_OF_PAPERS = (
    Bug(
        "a closed month ends where the dates say",
        "an entry belongs to the month of its date",
        (
            Edit(
                "flows/money/months.py",
                "    return MonthEnd(month, None) if month <= last.month else MonthEnd(last.month, ends_at)",
                "    return MonthEnd(None, ends_at)",
            ),
        ),
        (f"{_STATEMENTS}::test_what_a_clock_that_was_set_back_dates_into_a_closed_month_is_of_the_next",),
    ),
    Bug(
        "a month begins at midnight of the zone of today",
        "every month is computed in the same way",
        (Edit("flows/money/months.py", "        began_at = last.ends_at\n", "        pass\n"),),
        (f"{_STATEMENTS}::test_a_month_begins_where_the_one_before_it_ended_also_in_another_zone",),
    ),
    Bug(
        "a month is closed the moment it is over",
        "midnight is midnight",
        (Edit("flows/money/months.py", "return now > self.ends_at + SETTLING", "return now > self.ends_at"),),
        (f"{_STATEMENTS}::test_closed_months_follow_one_another_and_are_the_same_bytes",),
    ),
    Bug(
        "a statement is given whatever is on record",
        "the ledger is the truth",
        (Edit("flows/money/statements.py", "if stored is not None and found.row() != stored:", "if False:"),),
        (f"{_STATEMENTS}::test_a_statement_that_is_not_what_is_on_record_is_not_given",),
    ),
)
