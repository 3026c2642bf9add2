"""Mistakes in declaring a marketplace by a file."""

from tests.seeded_bugs.bug import Bug, Edit

_POSTCODES = "tests/flows/declaring/test_declared_postcodes.py"
_TOP_UPS = "tests/flows/declaring/test_declared_top_ups.py"

BUGS_OF_FILES = (
    Bug(
        "an export has the newest version of each postcode table alone",
        "the newest is what counts",
        (
            Edit(
                "flows/declaring/export_marketplace.py",
                '            used |= {*versions_named(subscription.get("filter"))}\n',
                '            versions_named(subscription.get("filter"))\n',
            ),
        ),
        (f"{_POSTCODES}::test_the_file_has_the_versions_that_filters_go_by_and_the_newest",),
    ),
    Bug(
        "filters of a file do not see the tables of the same file",
        "what is not written yet is not there",
        (
            Edit(
                "flows/declaring/planning.py",
                "    tables = StoredPostcodeTables(conn, loading.loaded)\n",
                "    tables = StoredPostcodeTables(conn)\n",
            ),
        ),
        (f"{_POSTCODES}::test_a_table_and_the_filters_by_it_are_applied_to_an_empty_marketplace",),
    ),
    Bug(
        "a file may name any file of the machine",
        "operators may read what they want",
        (Edit("cli/text_file.py", "    if not found.is_relative_to(directory):\n", "    if False:\n"),),
        ("tests/cli/test_apply.py::test_postcodes_are_read_from_a_file_beside_and_from_nowhere_else",),
    ),
    Bug(
        "a file raises what a provider is charged without being asked",
        "operators write the terms",
        (Edit("flows/declaring/plan_top_ups.py", "    if after.is_on:\n", "    if False:\n"),),
        (f"{_TOP_UPS}::test_what_a_provider_switched_on_is_changed_by_it_alone_and_switched_off_by_a_file",),
    ),
)
