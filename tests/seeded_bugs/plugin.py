"""Given to the pytest runs of the bank: their tests use one server that is there already."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

from fairlead.store.embedded import scratch

SERVER = "FAIRLEAD_SEEDED_BUGS_SERVER"


@contextmanager
def _the_server_that_is_there(**_: object) -> Iterator[SimpleNamespace]:
    yield SimpleNamespace(superuser_url=os.environ[SERVER])


if SERVER in os.environ:
    scratch.scratch_cluster = _the_server_that_is_there
