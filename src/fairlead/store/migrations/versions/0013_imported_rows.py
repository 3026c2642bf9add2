"""Run `0013_imported_rows.sql`."""

from fairlead.store.migrations import run_sql_beside

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    run_sql_beside(__file__)
