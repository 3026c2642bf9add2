"""Run `0016_notices_of_funds.sql`."""

from fairlead.store.migrations import run_sql_beside

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    run_sql_beside(__file__)
