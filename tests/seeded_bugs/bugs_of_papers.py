"""Mistakes in closing months and making papers."""

from tests.seeded_bugs.bug import Bug, Edit

_RECEIPTS = "tests/flows/money/test_receipts.py"
_STATEMENTS = "tests/flows/money/test_statements.py"
_FILE = "tests/flows/declaring/test_papers.py"

BUGS_OF_PAPERS = (
    Bug(
        "receipts of some days are those of the numbers between",
        "numbers are drawn one after the other, so they are in the order of time",
        (
            Edit(
                "store/money/receipts.py", """    row_filter.add_given("a.issued_at >= %s", wanted.issued_from)\n""", ""
            ),
        ),
        (f"{_RECEIPTS}::test_receipts_of_some_days_are_found_though_numbers_are_not_quite_in_the_order_of_time",),
    ),
    Bug(
        "what a key recorded an operator is said to have recorded",
        "both were paid elsewhere",
        (
            Edit(
                "store/money/receipts.py",
                "when starts_with(e.actor, 'key:') then 'recorded_by_key' else",
                "else",
            ),
        ),
        (f"{_RECEIPTS}::test_a_receipt_tells_how_it_was_paid",),
    ),
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
        "a number is left out",
        "numbers rise, and that is enough",
        (Edit("flows/money/receipts.py", "start=last_number + 1)", "start=last_number + 2)"),),
        (f"{_RECEIPTS}::test_a_deposit_that_is_refused_takes_no_number",),
    ),
    Bug(
        "a number is given twice",
        "who inserts a receipt has read the head",
        (
            Edit(
                "store/money/receipts.py",
                '    conn.execute("update receipt_head set last_number = %s", (receipts[-1].number,))\n',
                "",
            ),
        ),
        (f"{_RECEIPTS}::test_a_deposit_that_is_refused_takes_no_number",),
    ),
    Bug(
        "tax is rounded down",
        "a part of a cent is none",
        (
            Edit(
                "core/money/receipts.py",
                "(2 * gross_cents * rate_basis_points + parts) // (2 * parts)",
                "gross_cents * rate_basis_points // parts",
            ),
        ),
        ("tests/core/money/test_receipts.py::test_the_tax_in_an_amount",),
    ),
    Bug(
        "a receipt is found by its number alone",
        "a number is as good as a secret",
        (
            Edit(
                "store/money/receipts.py",
                "where a.number = %s and a.provider_id = coalesce(%s::uuid, a.provider_id)",
                "where a.number = %s and coalesce(%s::uuid, a.provider_id) is not null",
            ),
        ),
        (f"{_RECEIPTS}::test_a_provider_sees_its_own_receipts_alone",),
    ),
    Bug(
        "a statement names whom it would name today",
        "details are the provider's own",
        (
            Edit(
                "flows/money/statements.py",
                "    if month.is_closed:\n        return parties_of_statement(",
                "    if not month.is_closed:\n        return parties_of_statement(",
            ),
        ),
        (f"{_RECEIPTS}::test_a_statement_names_who_was_named_when_its_month_was_closed",),
    ),
    Bug(
        "a part of a charge that goes back takes the whole receipt back",
        "a refund is a refund",
        (
            Edit(
                "flows/payments/take_report.py",
                "if row is None or (report.amount_cents, report.currency) != (row.gross_cents, row.currency):",
                "if row is None:",
            ),
        ),
        (f"{_RECEIPTS}::test_a_refund_at_the_gateway_takes_the_receipt_back_if_it_is_whole",),
    ),
    Bug(
        "a statement is given whatever is on record",
        "the ledger is the truth",
        (Edit("flows/money/statements.py", "if stored is not None and found.row() != stored:", "if False:"),),
        (f"{_STATEMENTS}::test_a_statement_that_is_not_what_is_on_record_is_not_given",),
    ),
    Bug(
        "a file takes away what it does not name of billing details",
        "a table says all of it",
        (
            Edit(
                "flows/declaring/plan_billing.py",
                "values = (details_document(before) or dict[str, str | None]()) | said",
                "values = dict[str, str | None]() | said",
            ),
        ),
        (f"{_FILE}::test_what_a_file_does_not_name_stays_and_an_empty_text_takes_away",),
    ),
    Bug(
        "a file's receipts say what was true before the file",
        "money first",
        (
            Edit(
                "flows/declaring/apply_marketplace.py",
                "    write_billing_details(conn, [after for _, after in plan.billing.details])\n",
                "",
            ),
            Edit(
                "flows/declaring/apply_marketplace.py",
                "    receipts = issue_receipts(conn, deposits, plan.standing.currency, now)\n",
                "    receipts = issue_receipts(conn, deposits, plan.standing.currency, now)\n"
                "    write_billing_details(conn, [after for _, after in plan.billing.details])\n",
            ),
        ),
        (f"{_FILE}::test_what_is_declared_is_on_the_receipts_of_the_same_file",),
    ),
    Bug(
        "billing details leave with every export of receipts",
        "they are on the papers anyway",
        (
            Edit(
                "store/exports/sources.py",
                'contact="provider", expression=f"r.parties -> \'recipient\'',
                "expression=f\"r.parties -> 'recipient'",
            ),
        ),
        ("tests/flows/exporting/test_receipts_export.py::test_billing_details_are_for_those_who_may_see_them",),
    ),
    Bug(
        "a receipt shows a key what a file withholds",
        "who may see money may see papers",
        (Edit("api/schemas/receipts.py", 'CONTACT_DATA["provider"] not in permissions', "not permissions"),),
        ("tests/api/test_receipts.py::test_a_key_that_may_not_see_addresses_sees_none_on_papers",),
    ),
    Bug(
        "a receipt is dated by the clocks of today's zone",
        "a marketplace stays where it is",
        (
            Edit(
                "flows/money/receipts.py",
                "zone_of_receipt(conn, number) or marketplace_zone(conn)",
                "marketplace_zone(conn)",
            ),
        ),
        ("tests/console/test_receipts.py::test_papers_are_dated_by_the_clocks_of_the_marketplace_and_of_no_viewer",),
    ),
)
