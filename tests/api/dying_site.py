"""A web process that is killed as soon as a request with a key is committed: `python tests/api/dying_site.py URL`.

Prints its port. What it was asked for is done, and its answer never arrives.
"""

import os
import signal
import sys
from typing import Any

from fairlead.api import idempotency
from fairlead.api.application import web_application
from fairlead.api.serve import serve_in_thread
from fairlead.settings import Settings
from fairlead.store.connection import Database

_run_request_idempotent = idempotency.run_request_idempotent


def answered_and_killed(*asked: Any) -> Any:
    """The request is committed, and nothing comes after that."""
    _run_request_idempotent(*asked)
    os.kill(os.getpid(), signal.SIGKILL)


def main(url: str, encryption_keys: str) -> None:
    """Serve the marketplace at the URL, until the first such request."""
    idempotency.run_request_idempotent = answered_and_killed
    settings = Settings.model_validate({"cookie_over_http": True, "encryption_keys": encryption_keys})
    with (
        Database(url, "fairlead", max_connections=6) as database,
        serve_in_thread(web_application(database, settings), "127.0.0.1", 0) as served,
    ):
        print(served.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
