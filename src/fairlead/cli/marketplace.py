"""The marketplace that a verb works on: its database found, started if it is ours to start, and its schema checked."""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fairlead.store.connection import Database, Timeouts
from fairlead.store.embedded import database_url
from fairlead.store.schema import check_schema, migrate

if TYPE_CHECKING:
    from fairlead.settings import Settings


@contextmanager
def connected(
    settings: "Settings | None" = None, max_connections: int = 8, patience_seconds: float | None = None
) -> Generator[Database]:
    """The marketplace's database, whatever its schema; an embedded server runs for as long as the block does.

    SIGTERM ends the block as Ctrl-C does, so that no server is left behind.
    """
    chosen = settings or _settings()
    timeouts = Timeouts(
        chosen.statement_timeout_ms,
        chosen.lock_timeout_ms,
        chosen.idle_in_transaction_timeout_ms,
        chosen.transaction_timeout_ms,
        chosen.long_statement_timeout_ms,
    )
    direct = chosen.direct_database_url
    guarded = chosen.row_level_security == "on"
    with (
        _terminated_as_interrupted(),
        database_url(chosen) as url,
        Database(
            url,
            chosen.schema_name,
            timeouts,
            max_connections,
            row_level_security=guarded,
            patience_seconds=patience_seconds,
            direct_url=None if direct is None else direct.get_secret_value(),
        ) as database,
    ):
        database.check()
        yield database


@contextmanager
def marketplace(
    settings: "Settings | None" = None, max_connections: int = 8, patience_seconds: float | None = None
) -> Generator[Database]:
    """The marketplace's database with the schema that this version works on, else one clear line.

    The embedded server is ours alone and is migrated on the way; a server of the operator's is only ever migrated by
    `fairlead migrate`.
    """
    chosen = settings or _settings()
    with connected(chosen, max_connections, patience_seconds) as database:
        if chosen.database_url is None:
            migrate(database)
        with database.snapshot() as conn:
            check_schema(conn, chosen.schema_name)
        yield database


@contextmanager
def _terminated_as_interrupted() -> Generator[None]:
    """Verbs that run until they are stopped have a handler of their own, which stays."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _settings() -> "Settings":
    # Imported here: no --help of a verb shows anything of it.
    from fairlead.settings import load_settings

    return load_settings()
