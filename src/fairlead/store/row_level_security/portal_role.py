"""The portal's role, in which all providers' transactions run: its creation, and whether it is ready.

Every query names its provider in its `where`. Row-level security holds where one forgets it: in the portal's role such
a query finds the provider's own rows only, and what only the engine may write cannot be written. See ADR 12.

Roles belong to the server, not to a database, so the role's name holds a digest of the database's: the owner of another
marketplace on the same server is no member of it.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from psycopg import errors, sql

from fairlead.store.connection import Connection
from fairlead.store.sql_files import run_statements
from fairlead.store.typed_rows import one_row

GRANTS = Path(__file__).parents[1] / "migrations" / "portal_grants.sql"

LONGEST_NAME = 63
SEPARATES_SET = 160_000
"""The first version of PostgreSQL in which a member of a role may be kept from becoming it."""


@dataclass(frozen=True, slots=True)
class PortalRoleState:
    """Whether the portal's role is there and has exactly what this version grants.

    `problem` is None when it is; else one line, and `remedy` has the statements for a login that may create roles here,
    none where `fairlead migrate` alone puts it right.
    """

    role_name: str
    problem: str | None
    remedy: tuple[str, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Whether providers' requests can run in it."""
        return self.problem is None


def portal_role_name(database_name: str, schema_name: str) -> str:
    """The name of the portal's role for this marketplace, at most 63 bytes long.

    >>> portal_role_name("fairlead", "fairlead")
    'fairlead_portal_da70abed'
    """
    digest = hashlib.sha256(f"{database_name}/{schema_name}".encode()).hexdigest()[:8]
    ending = f"_portal_{digest}"
    return schema_name[: LONGEST_NAME - len(ending)] + ending


def role_statements(role_name: str, owner: str, server_version: int, *, exists: bool) -> tuple[str, ...]:
    """What makes the role, and lets the owner of the tables become it. `server_version` as in 160004.

    >>> role_statements("fairlead_portal_da70abed", "fairlead", 150_000, exists=True)
    ('grant "fairlead_portal_da70abed" to "fairlead"',)
    """
    role, member = (sql.Identifier(name).as_string(None) for name in (role_name, owner))
    how = " with set true, inherit false" if server_version >= SEPARATES_SET else ""
    grant = f"grant {role} to {member}{how}"
    return (grant,) if exists else (f"create role {role} nologin", grant)


def set_up_portal_role(conn: Connection, schema_name: str) -> bool:
    """The portal's role has exactly what this version grants; False, and nothing is changed, where it cannot be had.

    It is made where it is missing, if the login may create roles. Needs the migration's lock and a transaction.
    """
    role_name, found = _role(conn, schema_name)
    if not (found and found.is_usable) and not _make(conn, role_name, exists=found is not None):
        return False
    if _is_arranged(conn, role_name):
        return True
    run_statements(conn, _grants(role_name, schema_name))
    conn.execute(
        """
        insert into portal_role (role_name, grants_sha256) values (%s, %s)
        on conflict (is_only_row) do update set role_name = excluded.role_name, grants_sha256 = excluded.grants_sha256
        """,
        (role_name, _digest()),
    )
    return True


def portal_role_state(conn: Connection, schema_name: str) -> PortalRoleState:
    """Whether the portal's role is ready. Needs the schema at its newest revision."""
    role_name, found = _role(conn, schema_name)
    if found is None or not found.is_usable:
        statements = role_statements(role_name, _login(conn), conn.info.server_version, exists=found is not None)
        if found is not None and found.is_above_policies:
            return PortalRoleState(role_name, f"the role {role_name} bypasses row-level security")
        why = "is missing" if found is None else "is not for this login to become"
        return PortalRoleState(role_name, f"the role {role_name} {why}", statements)
    if not _is_arranged(conn, role_name):
        return PortalRoleState(role_name, f"the role {role_name} has other rights than this version grants it")
    return PortalRoleState(role_name, None)


@dataclass(frozen=True, slots=True)
class _Role:
    """`is_above_policies`: a superuser, one with BYPASSRLS, or one that has the rights of the tables' owner."""

    may_become: bool
    is_above_policies: bool

    @property
    def is_usable(self) -> bool:
        return self.may_become and not self.is_above_policies


def _role(conn: Connection, schema_name: str) -> tuple[str, _Role | None]:
    """The role's name, and what it is.

    A copy of a database keeps the role of the original as long as it can be used.
    """
    stored = _stored(conn)
    if stored is not None and (found := _look_up(conn, stored[0])) is not None and found.is_usable:
        return stored[0], found
    name = portal_role_name(conn.info.dbname, schema_name)
    return name, _look_up(conn, name)


def _look_up(conn: Connection, role_name: str) -> _Role | None:
    return one_row(
        conn,
        _Role,
        """
        select pg_has_role(current_user, r.oid, %s) as may_become,
               r.rolsuper or r.rolbypassrls or pg_has_role(r.oid, c.relowner, 'usage') as is_above_policies
        from pg_roles r, pg_class c where r.rolname = %s and c.oid = 'assignments'::regclass
        """,
        ("set" if conn.info.server_version >= SEPARATES_SET else "member", role_name),
    )


def _make(conn: Connection, role_name: str, *, exists: bool) -> bool:
    row = conn.execute("select rolsuper, rolcreaterole from pg_roles where rolname = current_user").fetchone()
    assert row is not None, "a login has a role"
    is_superuser, may_create = row
    if not (is_superuser or may_create):
        return False
    statements = role_statements(role_name, _login(conn), conn.info.server_version, exists=exists)
    try:
        with conn.transaction():
            # A superuser may become any role.
            for statement in statements[: -1 if is_superuser else None]:
                conn.execute(statement.encode())
    except (errors.InsufficientPrivilege, errors.DuplicateObject):
        return False  # another owner's role, of whatever kind: an operator has to look at it
    found = _look_up(conn, role_name)
    return found is not None and found.is_usable


def _is_arranged(conn: Connection, role_name: str) -> bool:
    """Whether this version's grants were carried out; a dump that was restored without privileges only says so."""
    has_usage = conn.execute("select has_schema_privilege(%s, current_schema, 'usage')", (role_name,)).fetchone()
    return has_usage == (True,) and _stored(conn) == (role_name, _digest())


def _stored(conn: Connection) -> tuple[str, bytes] | None:
    row = conn.execute("select role_name, grants_sha256 from portal_role").fetchone()
    return None if row is None else (row[0], bytes(row[1]))


def _login(conn: Connection) -> str:
    return conn.execute("select current_user::text").fetchall()[0][0]


def _digest() -> bytes:
    return hashlib.sha256(GRANTS.read_bytes()).digest()


def _grants(role_name: str, schema_name: str) -> str:
    text = GRANTS.read_text(encoding="utf-8")
    for variable, name in ((':"portal"', role_name), (':"schema"', schema_name)):
        text = text.replace(variable, sql.Identifier(name).as_string(None))
    return text
