"""Run `0014_notices_of_funds.sql`."""

from fairlead.store.migrations import run_sql_beside

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    run_sql_beside(__file__)
