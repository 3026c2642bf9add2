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


_MEMORY = Path("/dev/shm")  # noqa: S108, a directory of its own is made there
_ROOM_BYTES = 4 * 2**30


@contextmanager
def scratch_cluster(
    *, bin_dir: Path | None = None, extra_settings: Mapping[str, str] | None = None
) -> Generator[Cluster]:
    """Yield a running cluster in a temporary directory; at the end server and directory are gone.

    Without `extra_settings` it is quick, in memory where there is room, and not durable; pass {} for one that is.
    """
    home = Path(tempfile.mkdtemp(prefix="fairlead-", dir=_place() if extra_settings is None else None))
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


def _place() -> Path | None:
    """Where a quick cluster lies. In memory a new database takes 20 ms; on a disk that is busy, up to a second."""
    try:
        has_room = shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES
    except OSError:
        return None
    return _MEMORY if has_room and os.access(_MEMORY, os.W_OK) else None
