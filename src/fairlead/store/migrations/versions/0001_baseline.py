"""The schema of the first release: every file of `../baseline`, in the order of their names."""

from pathlib import Path

from alembic import op

from fairlead.store.migrations import run_sql_file
from fairlead.store.schema import digest_of_baseline

revision = "0001"
down_revision = None


def upgrade() -> None:
    for file in sorted((Path(__file__).parents[1] / "baseline").glob("*.sql")):
        run_sql_file(file)
    # Alembic writes its row afterwards, and knows its own column only.
    op.execute(f"alter table alembic_version add column baseline_sha256 text not null default '{digest_of_baseline()}'")
