"""Store is the only room that speaks SQL."""

from pathlib import Path

import pytest

from tests.tidy.sql import sql_strings

PACKAGE = Path(__file__).parents[2] / "src" / "fairlead"
STORE = PACKAGE / "store"
ELSEWHERE = sorted(path for path in PACKAGE.rglob("*.py") if not path.is_relative_to(STORE))


def test_there_are_rooms_to_look_at() -> None:
    assert len(ELSEWHERE) > 1


@pytest.mark.parametrize("module", ELSEWHERE, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_module_holds_no_sql(module: Path) -> None:
    assert sql_strings(module.read_text(encoding="utf-8")) == []


def test_sql_files_lie_in_store() -> None:
    assert [path for path in PACKAGE.rglob("*.sql") if not path.is_relative_to(STORE)] == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1",
        "\n    SELECT id\n      FROM leads",
        "-- the roster\nSELECT id FROM leads",
        "select id from leads",
        "INSERT INTO leads VALUES (%s)",
        "UPDATE leads SET status = 'bad'",
        "update leads set status = 'bad'",
        "DELETE FROM leads",
        "WITH due AS (SELECT 1) SELECT 2",
        "CREATE UNIQUE INDEX one ON leads (id)",
        "SET LOCAL lock_timeout = '1s'",
        "COPY leads FROM STDIN",
        "NOTIFY fairlead",
    ],
)
@pytest.mark.parametrize("form", ["connection.execute({!r})", "QUERY = f{!r}", "QUERY = 'x', {!r}"])
def test_statement_is_found(statement: str, form: str) -> None:
    assert len(sql_strings(form.format(statement))) == 1


def test_statement_with_a_gap_is_found() -> None:
    assert sql_strings("f'SELECT {columns} FROM {table}'") != []


@pytest.mark.parametrize(
    "prose",
    [
        "Select a lead from the list",
        "update the ledger",
        "set the pointer",
        "Insert coins into it",
        "with care as such",
    ],
)
def test_prose_is_not_sql(prose: str) -> None:
    assert sql_strings(f"say({prose!r})") == []


def test_docstring_is_prose() -> None:
    assert sql_strings('def f():\n    """SELECT is not spoken here."""\n') == []
