"""A web process of its own, for tests of what several do together: `python -m tests.api.live_site URL HOST PORT`.

Prints its port, answers until its standard input ends, and then stops as a web process does.
"""

import sys

from fairlead.api.application import web_application
from fairlead.api.serve import serve_in_thread
from fairlead.settings import Settings
from fairlead.store.connection import Database
from tests.api.asking import SECRET_KEYS


def main(url: str, host: str, port: int) -> None:
    """Serve the marketplace at the URL."""
    settings = Settings.model_validate({"cookie_over_http": True, "encryption_keys": SECRET_KEYS})
    with Database(url, "fairlead", max_connections=6) as database:
        served = serve_in_thread(web_application(database, settings), host, port)
        with served:
            print(served.port, flush=True)
            sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
