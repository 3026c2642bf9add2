"""A throw-away server for tests, benchmarks and demonstrations."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fairlead.store.embedded.cluster import Cluster

# Survives the end of any process, not of the machine; without synchronous_commit a killed server lost rows.
QUICK = {"fsync": "off", "full_page_writes": "off"}


@contextmanager
def scratch_cluster(
    *, bin_dir: Path | None = None, extra_settings: Mapping[str, str] | None = None
) -> Generator[Cluster]:
    """Yield a running cluster in a temporary directory; at the end server and directory are gone.

    Without `extra_settings` it is quick and not durable; pass {} for one that is.
    """
    home = Path(tempfile.mkdtemp(prefix="fairlead-"))
    # Root's server runs as another account, which has to get in; ours, so ours to open.
    home.chmod(0o711 if os.geteuid() == 0 else 0o700)
    cluster = Cluster(
        home / "postgres", bin_dir=bin_dir, extra_settings=QUICK if extra_settings is None else extra_settings
    )
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(home)
