"""Each key and index of the tables that distribution writes says beside it what it guarantees or which query it serves.

They are what a lead costs: nine rows are written in each of three of these tables, and in every index of them.
"""

import re
from pathlib import Path

from fairlead.store.connection import Database
from fairlead.store.schema import MIGRATIONS
from tests.flows.sales import query

TABLES = ("assignments", "ledger_entries", "notifications", "leads", "niche_journal")
IN_CATALOG = """
    select conname from pg_constraint
    where conrelid = any(%s::regclass[]) and contype in ('p', 'u', 'f', 'x')
    union
    select indexrelid::regclass::text from pg_index where indrelid = any(%s::regclass[])
"""
SAYS_WHAT_FOR = re.compile(r"^\s*-- (\w+): (.{10,})$")


def described(files: list[Path]) -> list[str]:
    """Which keys and indexes of these tables a comment of the baseline describes."""
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return [match[1] for line in lines if (match := SAYS_WHAT_FOR.match(line)) and match[1].startswith(TABLES)]


def test_each_key_and_index_says_what_it_is_for(database: Database) -> None:
    tables = list(TABLES)
    found = {name for (name,) in query(database, IN_CATALOG, tables, tables)}
    said = described(sorted((MIGRATIONS / "baseline").glob("*.sql")))
    assert sorted(found - {*said}) == [], "without its line"
    assert sorted({*said} - found) == [], "a line for what is not there"
    assert len(said) == len({*said}), "said twice"
