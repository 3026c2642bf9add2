"""Run `0006_leads_over_http.sql`."""

from fairlead.store.migrations import run_sql_beside

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_sql_beside(__file__)
