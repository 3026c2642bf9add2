"""The schema of the first release: every file of `../baseline`, in the order of their names."""

from pathlib import Path

from fairlead.store.migrations import run_sql_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    for file in sorted((Path(__file__).parents[1] / "baseline").glob("*.sql")):
        run_sql_file(file)
