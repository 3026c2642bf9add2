"""Two marketplaces on a Citus cluster, each on a node of its own; docs/guide/database.md says how one is set up.

Runs where `FAIRLEAD_TEST_CITUS_URL` names the coordinator's database and a login that may create roles and schemas.
"""

import os
from collections.abc import Generator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from fairlead.store.connection import Database
from tests.cli.program import Program

URL = os.environ.get("FAIRLEAD_TEST_CITUS_URL", "")
BANK = Path(__file__).parents[2] / "examples" / "bank"
LEADS = 40

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not URL, reason="FAIRLEAD_TEST_CITUS_URL names no Citus cluster"),
]


@pytest.fixture
def schema_names() -> Generator[tuple[str, str]]:
    """The names of two marketplaces, gone after the test."""
    names = (f"bank_{uuid4().hex[:8]}", f"bank_{uuid4().hex[:8]}")
    yield names
    with psycopg.connect(URL, autocommit=True) as conn:
        for name in names:
            conn.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(name)))


def test_bank_runs_on_two_nodes(
    schema_names: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Program(monkeypatch, capsys, URL)
    sample = tmp_path / "sample.csv"
    lines = (BANK / "sample-500.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    sample.write_text("".join(lines[: LEADS + 1]), encoding="utf-8")
    for name in schema_names:
        monkeypatch.setenv("FAIRLEAD_SCHEMA", name)
        for words in (
            ("migrate",),
            ("apply", str(BANK / "marketplace.toml")),
            ("leads", "import", str(sample), "--niche", "bank-deposits", "--approve"),
            ("distribute", "--pending"),
            ("verify",),
        ):
            ran = run(*words)
            assert ran.status == 0, (words, ran)
        with Database(URL, name) as database:
            rows = database.read(lambda conn: conn.execute("select count(*) from assignments").fetchall())
        assert rows[0][0] > LEADS
    with psycopg.connect(URL) as conn:
        nodes = conn.execute(
            """
            select distinct s.schema_name::text, h.nodeport
            from citus_schemas s join citus_shards h using (colocation_id) where s.schema_name::text = any(%s)
            """,
            (list(schema_names),),
        ).fetchall()
    assert len({node for _, node in nodes}) == len(nodes) == 2
