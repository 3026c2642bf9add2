"""One checkout in a comparison: a program that measures the Fairlead of the directory that it is told, on orders.

Run by `bench.compare` with the checkout's own Python and directory: `python checkout.py CHECKOUT`. It imports only what
every version to be compared has, so it must not import anything of `bench` that is newer than the oldest of them.

Orders and answers are lines of JSON: `prepare` builds a niche in a database cluster of its own, `combined` and `single`
distribute leads and write the same rows again on the floor.
"""

import contextlib
import json
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

CHECKOUT = Path(sys.argv[1]).resolve()
sys.path[:] = [str(CHECKOUT), str(CHECKOUT / "src"), *sys.path[1:]]

from bench.floor import batches_recorded, replay, statements_of  # noqa: E402 - of that checkout
from bench.population import POPULATIONS, create_niche  # noqa: E402
from bench.server import SCHEMA, create_database, drop_databases, server, settle  # noqa: E402
from fairlead.store.connection import Database, Timeouts  # noqa: E402
from fairlead.store.schema import migrate  # noqa: E402

try:
    from fairlead.flows.distributor import Distributor
except ImportError:  # before it had a module of its own
    from fairlead.flows.distribute import Distributor  # pyright: ignore[reportAttributeAccessIssue, reportPrivateUsage]

PATIENT = Timeouts(statement_ms=600_000)
BATCH_LEADS = 50


class Side:
    """A niche that is distributed, and the floor of either way: each in a database of its own."""

    def __init__(self, server_url: str, order: dict[str, Any]) -> None:
        self._server_url = server_url
        url = create_database(server_url, "template_of_bench")
        [population] = [each for each in POPULATIONS if each.name == order["population"]]
        with Database(url, SCHEMA, PATIENT) as database:
            migrate(database)
            self._niche_id = create_niche(database, population, order["size"], order["leads"], order["seed"])
            with database.transaction() as conn:
                conn.execute("analyze")
        self._databases: dict[str, Database] = {}
        self._distributors: dict[str, Any] = {}
        for way in ("combined", "single"):
            for name in (way, f"{way}_floor"):
                copy = create_database(server_url, name, template="template_of_bench")
                self._databases[name] = Database(copy, SCHEMA, PATIENT).__enter__()
            self._distributors[way] = Distributor(self._databases[way], BATCH_LEADS)
        settle(server_url)
        for way in self._distributors:  # rosters loaded, balances known, statements prepared
            self._distribute(way, order["warm_up_batches"], BATCH_LEADS)
            self._distribute(way, 6, 1)

    def answer(self, order: dict[str, Any]) -> dict[str, Any]:
        """Leads, seconds and this process's processor time of what was ordered, and the seconds on its floor."""
        return self._distribute(order["way"], order["transactions"], order["limit"])

    def _distribute(self, way: str, transactions: int, limit: int) -> dict[str, Any]:
        distributor = self._distributors[way]
        distributor.batch_limit = limit
        leads = 0
        with batches_recorded() as batches:
            started, used = time.perf_counter(), time.process_time()
            for _ in range(transactions):
                done = distributor.distribute_waiting(self._niche_id)
                assert not done.failures, done.failures
                leads += len(done)
            seconds, processor_seconds = time.perf_counter() - started, time.process_time() - used
        statements = [statements_of(batch) for batch in batches]
        started = time.perf_counter()
        replay(self._databases[f"{way}_floor"], statements)
        floor_seconds = time.perf_counter() - started
        told = {"leads": leads, "seconds": seconds, "floor_seconds": floor_seconds}
        return told | {"processor_seconds": processor_seconds}

    def close(self) -> None:
        """Its databases are gone."""
        for database in self._databases.values():
            database.__exit__(None, None, None)
        drop_databases(self._server_url, [*self._databases, "template_of_bench"])


def main() -> None:
    """Orders are carried out until there are no more."""
    with orders_answered() as answer, server(is_durable=True) as server_url:
        side: Side | None = None
        for line in sys.stdin:
            order = json.loads(line)
            if order["do"] == "prepare":
                if side is not None:
                    side.close()
                side = Side(server_url, order)
                answer({})
            else:
                assert side is not None
                answer(side.answer(order))
        if side is not None:
            side.close()


@contextlib.contextmanager
def orders_answered() -> Generator[Any]:
    """Yield what writes an answer; all else that is printed goes to where errors go."""
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        yield lambda answer: print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
