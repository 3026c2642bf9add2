"""Every statement of store is one that a sharded schema carries out: those in its modules, and its SQL files."""

from pathlib import Path

import pytest
from pglast.parser import ParseError, split

from tests.tidy.sharding import objections
from tests.tidy.statements import statements_of

STORE = Path(__file__).parents[2] / "src" / "fairlead" / "store"
MODULES = sorted(STORE.rglob("*.py"))
SQL_FILES = sorted(STORE.rglob("*.sql"))

WRITES_NO_SCHEMA = ("embedded/",)
"""The embedded server makes its login and database as the superuser that owns it: nothing of that is in a schema."""


def _is_schemas_own(module: Path) -> bool:
    return not module.relative_to(STORE).as_posix().startswith(WRITES_NO_SCHEMA)


def _objections_in(module: Path) -> list[str]:
    found: list[str] = []
    for line, statement in statements_of(module.read_text(encoding="utf-8")):
        try:
            found += [f"line {line}: {each}" for each in objections(statement)]
        except ParseError:
            continue  # composed when it is run: not read here
    return found


@pytest.mark.parametrize(
    "module", [path for path in MODULES if _is_schemas_own(path)], ids=lambda path: path.relative_to(STORE).as_posix()
)
def test_statements_of_module_shard(module: Path) -> None:
    assert _objections_in(module) == []


def test_nearly_all_statements_are_read() -> None:
    read = 0
    composed = 0
    for module in MODULES:
        for _, statement in statements_of(module.read_text(encoding="utf-8")):
            try:
                objections(statement)
                read += 1
            except ParseError:
                composed += 1
    assert read > 400
    assert composed < 20


@pytest.mark.parametrize(
    "file", [path for path in SQL_FILES if _is_schemas_own(path)], ids=lambda path: path.relative_to(STORE).as_posix()
)
def test_statements_of_file_shard(file: Path) -> None:
    found: list[str] = []
    for statement in split(file.read_text(encoding="utf-8").replace(':"portal"', '"p"').replace(':"schema"', '"s"')):
        assert isinstance(statement, str)
        found += objections(statement, has_parameters=False)
    assert found == []


@pytest.mark.parametrize(
    ("statement", "objection"),
    [
        ("select 1; select 2", "2 commands in one statement"),
        ("select * from fairlead.leads", "schema name: fairlead.leads"),
        ("select fairlead.f()", "schema name: fairlead.f()"),
        ("create extension pgcrypto", "extension"),
        ("alter system set fsync = off", "AlterSystemStmt needs a superuser"),
        ("copy leads from '/tmp/leads'", "copy from or to the server's machine needs a superuser"),
        ("create function f() returns int language c as 'f'", "function in c needs a superuser"),
        ("with a as (delete from b returning id) select * from a", "writing CTE: a"),
        ("with a as (insert into b values (%s) returning id) update c set d = id from a", "writing CTE: a"),
        ("insert into a values ((select max(b) from b))", "insert ... values with a subquery"),
        (
            "insert into a select (select n from b) from jsonb_to_recordset(%s::jsonb) as x (id int)",
            "insert ... select from a table calls jsonb_to_recordset()",
        ),
        (
            "with c as (select id from b) insert into a select jsonb_build_object('id', id) from c",
            "insert ... select from a table calls jsonb_build_object()",
        ),
        ("insert into a select id, now() from b", "insert ... select from a table calls now()"),
        ("insert into a select id, current_user from b", "insert ... select from a table calls current_user()"),
        (
            "insert into a values (1) on conflict (b) do update set c = statement_timestamp()",
            "on conflict do update calls statement_timestamp()",
        ),
        ("update a set b = clock_timestamp()", "update calls clock_timestamp()"),
        (
            "update a set b = 1 where id in (select id from c where d < clock_timestamp())",
            "update calls clock_timestamp()",
        ),
        ("delete from a where b < clock_timestamp()", "delete calls clock_timestamp()"),
        (
            "update a set b = case when %s > 0 then statement_timestamp() end",
            "update calls statement_timestamp() in a case or coalesce",
        ),
        ("update a set b = b + make_interval(secs => %s)", "update adds to a time of the row: b"),
        ("update a set b = statement_timestamp() + (c - d)", "update adds to a time of the row: b"),
        ("create policy p on a using (exists (select from b))", "policy with a subquery: p"),
        (
            "create policy p on a for insert with check (f() is not null)",
            "policy that asks whether a function is null: p",
        ),
        (
            "create trigger t after insert on a for each row execute function tell()",
            "trigger that is no append-only guard: tell",
        ),
        (
            "create function f() returns trigger language plpgsql as "
            "$$ begin if exists (select from leads) then raise exception 'no'; end if; return new; end $$",
            "function that names a table: f (leads)",
        ),
        (
            "create function f() returns bigint language sql as $$ select count(*) from leads $$",
            "function that names a table: f (leads)",
        ),
        ("alter table a add column id bigint generated always as identity", "identity added to a table: id"),
        ("alter table a alter column id add generated always as identity", "identity added to a table: id"),
        ("alter table a add column id bigserial", "identity added to a table: id"),
        ("alter table a alter column b set storage external", "alteration that no cluster carries out: AT_SetStorage"),
    ],
)
def test_statement_does_not_shard(statement: str, objection: str) -> None:
    assert objections(statement) == [objection]


@pytest.mark.parametrize(
    "statement",
    [
        "insert into a select id, %(t)s from unnest(%(ids)s::uuid[]) as x (id) on conflict do nothing returning id",
        "insert into a select clock_timestamp(), jsonb_build_object('a', x) from unnest(%s::int[]) as x",
        "insert into a select id from b on conflict (id) do update set n = excluded.n",
        "update a set b = statement_timestamp() from unnest(%s::int[]) as x (id) where a.id = x.id",
        "with c as (select id from a for update skip locked) update a set n = 0 from c where a.id = c.id",
        "select id from a where b < clock_timestamp() for no key update skip locked",
        "select count(*) from pg_catalog.pg_class",
        "create policy p on a for insert with check (b = 'x' and owner = f())",
        "create trigger t before update or delete or truncate on a for each statement execute function refuse_change()",
        "select * from a where b like '50%%'",
    ],
)
def test_statement_shards(statement: str) -> None:
    assert objections(statement) == []


def test_statement_joined_from_parts_is_read_whole() -> None:
    source = """
_SHOWN = "id, name"
QUERY = f"select {_SHOWN} from a " + ("where b" if x else "")
conn.execute(SQL("select {} from {table}").format(Identifier(x), table=y))
"""
    assert [text for _, text in statements_of(source)] == ["select id, name from a where b", "select x from table"]
