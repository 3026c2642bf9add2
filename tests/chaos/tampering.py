"""Changing a real marketplace behind Fairlead's back, as a superuser can, and asking `verify` about it.

Each change is made and judged in one transaction that is rolled back, so that one marketplace serves them all.
"""

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from fairlead.core.canonical import GENESIS_HASH, canonical_json, chain_hash, timestamp_text
from fairlead.core.journal import entry_hash
from fairlead.flows.proving.verify import Check, verify_snapshot
from fairlead.store.connection import Connection, Database
from fairlead.store.history import audit_rows
from fairlead.store.invariants.engine import INVARIANTS
from tests.closing_sweep import first_violations

PAGE = Path(__file__).parents[2] / "docs/reference/failure-modes.md"
NOT_COVERED = "## What `verify` does not cover"
IN_PART = "### Covered in part"
DELETED = "(deleted)"
"""Stands for a column where a whole row is deleted."""

CHANGES = {
    "text": "{c} || 'x'",
    "uuid": "gen_random_uuid()",
    "int4": "{c} + 1000",  # past every other row's: a number may be part of a key
    "int8": "{c} + 1000",
    "_int8": "{c} || 1::bigint",
    "date": "{c} + 1",
    "bool": "not {c}",
    "timestamptz": "{c} + interval '1 second'",
    "jsonb": "case jsonb_typeof({c}) when 'object' then {c} || '{{\"tampered\": 1}}' else '{{}}' end",
    "bytea": "sha256({c})",
    "_text": "{c} || 'x'::text",
    "_uuid": "{c} || gen_random_uuid()",
}
"""How a value of each type is made another one."""


def listed(heading: str) -> dict[str, set[str]]:
    """What the page lists there, by table: columns, `(deleted)`, or `*` for all of it. The page is the one list."""
    section = PAGE.read_text(encoding="utf-8").split(heading)[1].split("\n#")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", section, re.MULTILINE)
    found: dict[str, set[str]] = {}
    for table, cells in rows:
        found.setdefault(table, set()).update(re.findall(r"`([^`]+)`", cells))
    return found


def columns(conn: Connection) -> dict[str, list[tuple[str, str, bool]]]:
    """Every table of the marketplace but those of jobs and of migrations: name, type, whether nullable."""
    rows = conn.execute(
        """
        select c.table_name::text, c.column_name::text, c.udt_name::text, c.is_nullable = 'YES'
        from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
        where table_schema = current_schema() and t.table_type = 'BASE TABLE'
          and c.table_name !~ '^(alembic_|jobs$|workers$)' order by 1, c.ordinal_position
        """
    ).fetchall()
    found: dict[str, list[tuple[str, str, bool]]] = {}
    for table, column, kind, is_nullable in rows:
        found.setdefault(table, []).append((column, kind, is_nullable))
    return found


@contextmanager
def tampering(database: Database) -> Generator[Connection]:
    """A transaction without triggers, foreign keys and row checks, which is rolled back."""
    with database.transaction() as conn:
        conn.execute("set local session_replication_role = replica")
        yield conn
        conn.execute("rollback")
        conn.execute("begin")


def drop_constraints(database: Database) -> None:
    """What a superuser would take out of the way first: checks, and unique indexes but those of primary keys."""
    with database.transaction() as conn:
        for table, name in conn.execute(
            "select conrelid::regclass::text, conname from pg_constraint "
            "where connamespace = current_schema()::regnamespace and contype in ('c', 'f', 'u') "
            "order by contype = 'u'"
        ).fetchall():
            conn.execute(f'alter table {table} drop constraint if exists "{name}" cascade'.encode())


def found(conn: Connection) -> list[Check]:
    """The checks that fail, each of which says where."""
    broken = [check for check in verify_snapshot(conn).checks if not check.holds]
    assert all(all(check.differences) for check in broken), "it is found and not located"
    of_rows = {check.name for check in broken} & {each.name for each in INVARIANTS}
    assert bool(first_violations(conn, INVARIANTS)) is bool(of_rows), "the sweep behind tests sees less than `verify`"
    return broken


def is_found(conn: Connection, table: str) -> bool:
    """Whether a check fails, each of which says where; in a third of the time that it takes to say which.

    Those that read the table, with which was tampered, are asked first.
    """
    reading = [each for each in INVARIANTS if table in each.violations]
    others = [each for each in INVARIANTS if table not in each.violations]
    for invariants in (reading, others):
        if lines := first_violations(conn, invariants):
            assert all(lines), "it is found and not located"
            return True
    return not verify_snapshot(conn, invariants=()).holds


def rehash_audit_log(conn: Connection) -> None:
    """The audit log is chained again from its first entry to its head, as who rewrites it would do."""
    previous, seq = GENESIS_HASH, 0
    for row in list(audit_rows(conn)):
        own = chain_hash(previous, row.content | {"created_at": timestamp_text(row.created_at)})
        seq = int(str(row.content["seq"]))
        conn.execute("update audit_log set prev_hash = %s, hash = %s where seq = %s", (previous, own, seq))
        previous = own
    conn.execute("update audit_head set seq = %s, hash = %s", (seq, previous))


def rehash_journals(conn: Connection) -> None:
    """Every niche's journal is chained again from its first entry to its head."""
    heads: dict[str, tuple[int, bytes]] = {}
    for niche_id, seq, kind, payload, recorded_at in conn.execute(
        "select niche_id::text, seq, kind, payload, recorded_at from niche_journal order by niche_id, seq"
    ).fetchall():
        previous = heads.get(niche_id, (0, GENESIS_HASH))[1]
        own = entry_hash(previous, niche_id, seq, kind, canonical_json(payload), recorded_at)
        conn.execute(
            "update niche_journal set prev_hash = %s, hash = %s where niche_id = %s and seq = %s",
            (previous, own, niche_id, seq),
        )
        heads[niche_id] = (seq, own)
    for niche_id, (seq, own) in heads.items():
        conn.execute("update niches set journal_seq = %s, journal_head = %s where id = %s", (seq, own, niche_id))
