"""A real PostgreSQL for those who have none: a private cluster in Fairlead's data directory.

Where FAIRLEAD_DATABASE_URL is set nothing in this package runs. See docs/guide/database.md and ADR 3.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fairlead.store.embedded.cluster import Cluster, ClusterStatus
from fairlead.store.embedded.errors import EmbeddedPostgresError

if TYPE_CHECKING:  # only the types: the program is quicker to show its --help
    from fairlead.settings import Settings

__all__ = ["Cluster", "ClusterStatus", "EmbeddedPostgresError", "database_url", "embedded_cluster"]


@contextmanager
def database_url(settings: Settings) -> Generator[str]:
    """Yield the URL of the database that these settings mean, usable for as long as the block lasts.

    That is FAIRLEAD_DATABASE_URL, or the embedded cluster: started if it is down and, unless `fairlead db
    start` keeps it up, stopped by the last process to leave. Raises EmbeddedPostgresError when there is no
    way to a server.
    """
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    with embedded_cluster(settings).use() as url:
        yield url


def embedded_cluster(settings: Settings) -> Cluster:
    """Return the cluster in the data directory of these settings; nothing is made or started yet."""
    return Cluster(settings.data_dir / "postgres", bin_dir=settings.postgres_bin_dir, schema_name=settings.schema_name)
