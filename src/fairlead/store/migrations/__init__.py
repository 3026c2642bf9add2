"""The schema's history: each revision is a readable `NNNN_name.sql`, run in order by Alembic.

The `.py` beside each `.sql` only tells Alembic the order.
"""

from pathlib import Path

from alembic import op


def run_sql_beside(revision_file: str) -> None:
    """The statements of the `.sql` of the same name are done, in the migration's transaction."""
    statements = Path(revision_file).with_suffix(".sql").read_text(encoding="utf-8")
    # Straight to the driver and without parameters: several statements at once, and no meaning for '%' or ':name'.
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(statements)
