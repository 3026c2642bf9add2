"""What providers' requests may do with each table is what was reviewed: `portal_privileges.txt`, table by table.

A new table or column is not in it, and fails here until it has been reviewed. What is granted goes into
`store/migrations/portal_grants.sql`, and this prints the lines as they would have to be.
"""

from pathlib import Path

from fairlead.store.connection import Database
from tests.flows.sales import query

REVIEWED = Path(__file__).with_name("portal_privileges.txt")

PRIVILEGES = """
    select c.relname, privilege,
           case when privilege = 'delete' then '' else (
               select string_agg(a.attname, ' ' order by a.attnum) from pg_attribute a
               where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                 and has_column_privilege(p.role_name, c.oid, a.attnum, privilege)) end
    from portal_role p, pg_class c, unnest(array['select', 'insert', 'update', 'delete']) with ordinality
         as asked (privilege, number)
    where c.relnamespace = current_schema::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
      and case when privilege = 'delete' then has_table_privilege(p.role_name, c.oid, privilege)
               else has_any_column_privilege(p.role_name, c.oid, privilege) end
    order by c.relname, number
"""
TABLES = """
    select relname from pg_class
    where relnamespace = current_schema::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f') order by 1
"""
OPEN_TO_ALL_ROWS = {"marketplace", "niches", "postcode_tables", "competition_levels", "closed_months", "audit_head"}
"""The same for every provider, or written without being read."""


def test_what_the_portal_may_do_is_what_was_reviewed(database: Database) -> None:
    granted = query(database, PRIVILEGES)
    lines: list[str] = []
    for (table,) in query(database, TABLES):
        of_table = [f"{table} {privilege}: {columns}".rstrip() for name, privilege, columns in granted if name == table]
        lines += of_table or [f"{table}: nothing"]
    reviewed = REVIEWED.read_text(encoding="utf-8").splitlines()
    missing, stale = (
        [*filter(lambda line: line not in reviewed, lines)],
        [*filter(lambda line: line not in lines, reviewed)],
    )
    assert (missing, stale) == ([], []), "\n".join([f"{REVIEWED.name} has to say", *missing, "and not", *stale])


def test_what_the_portal_reaches_has_policies(database: Database) -> None:
    without = query(
        database,
        """
        select c.relname from pg_class c, portal_role p
        where c.relnamespace = current_schema::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
          and not c.relrowsecurity and has_any_column_privilege(p.role_name, c.oid, 'select, insert, update')
        """,
    )
    assert {name for (name,) in without} == OPEN_TO_ALL_ROWS


def test_the_owner_is_not_bound(database: Database) -> None:
    assert query(database, "select relname from pg_class where relforcerowsecurity") == []
