"""Run `0003_money_by_hand.sql`."""

from fairlead.store.migrations import run_sql_beside

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql_beside(__file__)
