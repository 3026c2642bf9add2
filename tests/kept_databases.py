"""Databases for tests: copies of a template, each emptied for the next test where nothing but its rows has changed.

To copy one, to read its catalogs and to plan the closing sweep in a new session costs the server more than most tests
do. So a database is kept, and with it one session, the keeper, in which every check of the sweep is planned once.

A kept database differs from a new one in nothing that a test can ask for: its rows are the template's and its
sequences begin anew. Where anything else has changed (a table, a right, a setting, what the planner was told of
sizes), where much was deleted, or where a session is still connected, it is dropped and the next test gets a copy.
"""

import time
from collections.abc import Collection, Generator
from contextlib import contextmanager
from uuid import uuid4

import psycopg

from tests.warm_connections import WarmConnections

Session = psycopg.Connection[tuple[object, ...]]

MOST_TESTS = 50
MOST_DEAD_ROWS = 2_000
"""Of a kept database: what is deleted stays in its files, and is passed over by every later reading."""
PATIENCE_SECONDS = 1.0
"""How long sessions that were closed may take to end. Longer costs a copy, and fails nothing."""

TABLES = """
select relname::text from pg_class
where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition order by 1
"""
SEQUENCES = """
select relname::text from pg_class
where relnamespace = current_schema()::regnamespace and relkind = 'S' order by 1
"""

CATALOGS = {
    "pg_class": "oid >= 16384",
    "pg_attribute": "attrelid >= 16384",
    "pg_attrdef": "true",
    "pg_constraint": "oid >= 16384",
    "pg_index": "indexrelid >= 16384",
    "pg_trigger": "true",
    "pg_policy": "true",
    "pg_rewrite": "oid >= 16384",
    "pg_proc": "oid >= 16384",
    "pg_type": "oid >= 16384",
    "pg_namespace": "true",
    "pg_default_acl": "true",
    "pg_event_trigger": "true",
    "pg_extension": "true",
    "pg_statistic": "true",
    "pg_statistic_ext": "true",
    "pg_sequence": "true",
    "pg_description": "objoid >= 16384",
    "pg_largeobject_metadata": "true",
    "pg_db_role_setting": "setdatabase in (0, (select oid from pg_database where datname = current_database()))",
    "pg_database": "datname = current_database()",
}
"""Where all that is no row of ours is written, and which part of it a test may write."""

STRUCTURE = " union all ".join(
    f"select '{name}', count(*), sum(xmin::text::bigint), {'sum(relpages + reltuples)' if name == 'pg_class' else '0'}"
    f" from {name} where {which}"
    for name, which in CATALOGS.items()
)
"""Has another answer when any of it was written; sizes are told to the planner without a trace in `xmin`."""

OTHERS = "select 1 from pg_stat_activity where datname = current_database() and pid <> all(%s)"


class KeptDatabase:
    """One of them, and what it was like when it was new."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url
        self.keeper = _session(url)
        # A session of its own: one that is switched between the roles plans all its statements anew.
        # In this one no trigger asks whether a row may go: no foreign key's, and none that protects the past.
        self._cleaner = _session(url, "-c session_replication_role=replica")
        self._sessions = [self.keeper.info.backend_pid, self._cleaner.info.backend_pid]
        self.warm = WarmConnections()
        self._test_count = 0
        self._structure = self._read_structure()
        self._tables = [str(table) for (table,) in self.keeper.execute(TABLES).fetchall()]
        filled = [table for table in self._tables if self.keeper.execute(f"select from {table}".encode()).rowcount]
        self._copies = {table: _copied(self.keeper, table) for table in filled}
        self._contents_query = _contents_query(self._tables, filled)
        self._contents = self._read_contents()
        self._sequences = [str(sequence) for (sequence,) in self.keeper.execute(SEQUENCES).fetchall()]

    def close(self) -> None:
        """Its sessions are over, and it is not kept: for a test that has to be alone, to copy it as one."""
        self.warm.close()
        self.keeper.close()
        self._cleaner.close()

    def emptied(self) -> bool:
        """Whether it is like a new one again. Where it is not, it is of no more use."""
        self._test_count += 1
        try:
            return (
                self._test_count < MOST_TESTS
                and self._is_left_alone()
                and self._read_structure() == self._structure
                and self._restore_rows() < MOST_DEAD_ROWS
            )
        except psycopg.Error:
            return False

    def _is_left_alone(self) -> bool:
        deadline = time.monotonic() + PATIENCE_SECONDS
        known = self._sessions + self.warm.pids
        while self.keeper.execute(OTHERS, [known]).fetchall():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        return True

    def _restore_rows(self) -> int:
        """How many rows were deleted."""
        now = self._read_contents()
        written = [table for table in self._tables if now[table] != self._contents[table]]
        with self._cleaner.transaction():
            with self._cleaner.pipeline():
                deleted = [self._cleaner.execute(f"delete from {table}".encode()) for table in written]
                for sequence in self._sequences:
                    # Not `alter sequence`: after any ALTER the driver forgets all that it prepared.
                    self._cleaner.execute(f"select setval('{sequence}', 1, false)".encode())
            for table in self._copies.keys() & set(written):
                with self._cleaner.cursor().copy(f"copy {table} from stdin".encode()) as copy:
                    for part in self._copies[table]:
                        copy.write(part)
        return sum(each.rowcount for each in deleted)

    def _read_structure(self) -> list[tuple[object, ...]]:
        return self.keeper.execute(STRUCTURE.encode()).fetchall()

    def _read_contents(self) -> dict[str, object]:
        [row] = self.keeper.execute(self._contents_query).fetchall()
        return dict(zip(self._tables, row, strict=True))


def _session(url: str, more: str = "") -> Session:
    options = f"-c search_path=fairlead -c timezone=UTC -c lock_timeout=30s -c statement_timeout=300s {more}"
    conn: Session = psycopg.connect(
        url, autocommit=True, application_name="keeper", options=options, prepare_threshold=0
    )
    conn.prepared_max = None
    return conn


def _contents_query(tables: Collection[str], filled: Collection[str]) -> bytes:
    """Of what a new database holds all rows as one text, of every other table whether it has a row."""
    text = "(select string_agg(each::text, ';' order by each::text) from {} each)"
    return (
        "select " + ", ".join((text if t in filled else "exists (select from {})").format(t) for t in tables)
    ).encode()


def _copied(conn: Session, table: str) -> list[bytes]:
    with conn.cursor().copy(f"copy {table} to stdout".encode()) as copy:
        return [bytes(part) for part in copy]


class KeptDatabases:
    """Where the tests of one process have their databases from."""

    def __init__(self, server_url: str, superuser: Session, template: str) -> None:
        self._server_url = server_url
        self._superuser = superuser
        self._template = template
        self._kept: list[KeptDatabase] = []

    @contextmanager
    def lent(self) -> Generator[KeptDatabase]:
        """A database that nothing else uses, like a new one; afterwards it is kept, or gone."""
        database = self._kept.pop() if self._kept else self._new()
        is_kept = False
        try:
            yield database
            is_kept = database.emptied()
        finally:
            if is_kept:
                self._kept.append(database)
            else:
                self._drop(database)

    def close(self) -> None:
        """No kept database is left."""
        while self._kept:
            self._drop(self._kept.pop())

    def _new(self) -> KeptDatabase:
        name = f"test_{uuid4().hex[:12]}"
        self._superuser.execute(f"create database {name} template {self._template} strategy file_copy".encode())
        return KeptDatabase(name, named(self._server_url, name))

    def _drop(self, database: KeptDatabase) -> None:
        database.close()
        self._superuser.execute(f"drop database if exists {database.name} with (force)".encode())


def named(url: str, name: str) -> str:
    """The URL of another database of the server."""
    return url.rsplit("/", 1)[0] + f"/{name}"
