"""The marketplace's schema: brought to the newest revision, and checked before anything else is done."""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from psycopg import errors, sql

from fairlead.core.errors import Refused, Unavailable
from fairlead.store.connection import Connection, Database
from fairlead.store.row_level_security.portal_role import set_up_portal_role

MIGRATIONS = Path(__file__).parent / "migrations"
OLDEST_SERVER = 150_000
BASELINE = "0001"
NEWEST_UNRELEASED = "0016"
"""What versions before the first release called their last revision. The baseline's successor is 0017."""


def digest_of_baseline() -> str:
    """SHA-256 over the baseline's files, in the order of their names, as hexadecimal digits.

    The baseline writes it into the schema that it makes: until the release it is edited in place, and no schema that
    an earlier form of it made has what this code asks for.
    """
    files = sorted((MIGRATIONS / "baseline").glob("*.sql"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration did: the revision before (None: there was no schema) and after.

    `has_portal_role` is False where this login may not create the role; `store.row_level_security` says more.
    """

    schema_name: str
    before: str | None
    after: str
    has_portal_role: bool


def migrate(database: Database, wait_seconds: float = 120) -> Migrated:
    """The schema exists at the newest revision; running it again changes nothing.

    Two processes may migrate at once: the second waits up to `wait_seconds` and finds the work done. It asks for the
    lock again and again instead of queueing on it, because a waiting statement's snapshot would hold up an index that
    the first one builds concurrently.

    Raises `Unavailable` (no server, lock not granted) and `Refused` (server too old, schema of an unreleased or a newer
    Fairlead).
    """
    with _connect_for_migration(database) as conn:
        _await_lock(conn, database.schema_name, wait_seconds)
        before = current_revision(conn)
        needed = _newest_revision()
        _refuse_unreleased(conn, database.schema_name, before)
        if before is not None and before > needed:
            raise _newer_schema(database.schema_name, before, needed)
        if before != needed:
            conn.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(database.schema_name)))
            _upgrade(conn)
        with conn.transaction():
            has_portal_role = set_up_portal_role(conn, database.schema_name)
        return Migrated(database.schema_name, before, needed, has_portal_role)


def check_schema(conn: Connection, schema_name: str) -> None:
    """The schema is exactly the one that this version of Fairlead works on; else `Refused`, in one clear line."""
    found = current_revision(conn)
    needed = _newest_revision()
    if found is None:
        raise Refused("schema_missing", f"the schema {schema_name!r} is not set up: run `fairlead migrate`")
    _refuse_unreleased(conn, schema_name, found)
    if found < needed:
        raise Refused(
            "schema_outdated",
            f"the schema {schema_name!r} is at {found}, this needs {needed}: run `fairlead migrate`",
        )
    if found > needed:
        raise _newer_schema(schema_name, found, needed)


def current_revision(conn: Connection) -> str | None:
    """The revision that the marketplace's schema is at; None when it was never set up."""
    try:
        with conn.transaction():
            row = conn.execute("select version_num from alembic_version").fetchone()
    except (errors.UndefinedTable, errors.InvalidSchemaName):
        return None
    return None if row is None else str(row[0])


def _newest_revision() -> str:
    return max(path.name.split("_", 1)[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _refuse_unreleased(conn: Connection, schema_name: str, found: str | None) -> None:
    """Raise `Refused` where a version before the first release made the schema: nothing leads from there to today's.

    Their revisions were 0001 to 0016, or they had another form of the baseline.
    """
    if found is None or found < BASELINE:
        return
    if not BASELINE < found <= NEWEST_UNRELEASED and _baseline_of(conn) == digest_of_baseline():
        return
    raise Refused(
        "schema_unreleased",
        f"the schema {schema_name!r} was made by an unreleased version of Fairlead ({found}) and cannot be upgraded: "
        "export what you need with that version, and start anew with another FAIRLEAD_SCHEMA, FAIRLEAD_DATA_DIR or "
        "database",
    )


def _baseline_of(conn: Connection) -> str | None:
    """The digest of the baseline that made the schema; None where none was written down."""
    try:
        with conn.transaction():
            row = conn.execute("select baseline_sha256 from alembic_version").fetchone()
    except errors.UndefinedColumn:
        return None
    return None if row is None else str(row[0])


def _newer_schema(schema_name: str, found: str, needed: str) -> Refused:
    return Refused(
        "schema_unknown",
        f"the schema {schema_name!r} is at {found}, newer than this Fairlead ({needed}): upgrade it",
    )


def _connect_for_migration(database: Database) -> Connection:
    # A migration may take long; waiting for a lock may not, or all others queue behind it.
    bounds = "-c statement_timeout=0 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=0"
    conn = database.connect_directly(bounds)
    if conn.info.server_version < OLDEST_SERVER:
        conn.close()
        raise Refused("server_too_old", f"PostgreSQL {conn.info.server_version // 10000} is too old: 15 is needed")
    return conn


def _await_lock(conn: Connection, schema_name: str, wait_seconds: float) -> None:
    key = int.from_bytes(hashlib.sha256(f"fairlead/migrate/{schema_name}".encode()).digest()[:8], "big", signed=True)
    deadline = time.monotonic() + wait_seconds
    while conn.execute("select pg_try_advisory_lock(%s)", (key,)).fetchone() != (True,):
        if time.monotonic() > deadline:
            raise Unavailable(f"another migration of {schema_name!r} has been running for {wait_seconds:.0f} s")
        time.sleep(0.1)


def _upgrade(conn: Connection) -> None:
    # Imported here: only migrating needs them, and they cost every other command a third of a second.
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.pool import StaticPool

    conn.autocommit = False
    engine = create_engine("postgresql+psycopg://", creator=lambda: conn, poolclass=StaticPool)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
    conn.autocommit = True
