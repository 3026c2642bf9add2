"""A worker that builds an export and stands still in the middle of it, to be killed."""

import os
import sys
import time

from fairlead.flows.exporting import build_export
from fairlead.flows.exporting.build_export import ExportBuilder
from fairlead.settings import Settings
from fairlead.store.connection import Database


def main() -> None:
    """Says so after two pieces, and sleeps."""
    build_export.CHUNK_BYTES = 50_000
    pieces = 0

    def may_go_on() -> bool:
        nonlocal pieces
        pieces += 1
        if pieces == 3:
            print("in the middle", flush=True)
            time.sleep(600)
        return True

    with Database(os.environ["FAIRLEAD_DATABASE_URL"], "fairlead") as database:
        ExportBuilder(database, Settings()).build(sys.argv[1], may_go_on)


if __name__ == "__main__":
    main()
