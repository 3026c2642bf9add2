"""Mistakes about exports: half a file, a file of two runs, and a file for who has lost the right to it."""

from tests.seeded_bugs.bug import Bug, Edit

BUILDING = "tests/flows/exporting/test_build_export.py"

BUGS_OF_EXPORTS = (
    Bug(
        "a run that was overtaken goes on writing",
        "a job is run by one worker at a time",
        (
            Edit(
                "store/exports/requests.py",
                'where id = %s and attempt = %s and state = \'running\'\n        """,\n'
                "        (rows_written, byte_count, rows_expected, is_estimate, export_id, attempt),",
                'where id = %s and attempt >= %s and state = \'running\'\n        """,\n'
                "        (rows_written, byte_count, rows_expected, is_estimate, export_id, attempt),",
            ),
        ),
        (f"{BUILDING}::test_an_overtaken_run_writes_nothing",),
    ),
    Bug(
        "the right is checked when the export is requested, and that is enough",
        "who requested it was allowed to",
        (Edit("flows/exporting/download.py", "        require_row(row, requester)\n", ""),),
        (f"{BUILDING}::test_the_right_is_checked_again_when_the_file_is_fetched",),
        is_quick=True,
    ),
    Bug(
        "pieces of a run that died stay where they are",
        "the next run writes the same ones again",
        (
            Edit(
                "flows/exporting/build_export.py", "            delete_chunks(conn, export_id)\n", "            pass\n"
            ),
        ),
        (
            f"{BUILDING}::test_a_worker_that_stops_leaves_it_to_another",
            f"{BUILDING}::test_a_worker_killed_in_the_middle_leaves_no_half_file",
        ),
    ),
)
