"""The schema: the baseline's readable SQL files by topic, then later revisions, run in order by Alembic."""

from pathlib import Path

from alembic import op

from fairlead.store.sql_files import run_statements


def run_sql_file(file: Path) -> None:
    """Every statement of the file is done, in the migration's transaction."""
    # Straight to the driver: no meaning for '%' or ':name'.
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    run_statements(connection, file.read_text(encoding="utf-8"))
