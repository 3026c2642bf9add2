"""The portal's role is made where that is allowed, asked for where it is not, and has what this version grants."""

import psycopg
import pytest
from psycopg import errors

from fairlead.core.errors import Unavailable
from fairlead.store.connection import Database
from fairlead.store.row_level_security.portal_role import PortalRoleState, portal_role_name, portal_role_state
from fairlead.store.schema import migrate
from tests.closing_sweep import sweep
from tests.conftest import drop_unused_portal_roles
from tests.flows.sales import query
from tests.store.owners import as_superuser, owned_database
from tests.store.two_providers import rows, two_providers


def _guard(database: Database) -> PortalRoleState:
    with database.snapshot() as conn:
        return portal_role_state(conn, database.schema_name)


def _holds(database: Database) -> bool:
    """Whether a provider sees itself alone. Needs a marketplace."""
    [(provider_id,)] = query(database, "select id::text from providers where name = 'Anchor'")
    return rows(database.bound_to(provider_id), "select id::text from providers") == [(provider_id,)]


def test_an_ordinary_owner_that_may_make_roles_needs_no_superuser(server_url: str) -> None:
    with owned_database(server_url, may_create_roles=True) as url, Database(url, "fairlead") as database:
        assert migrate(database).has_portal_role
        assert _guard(database).is_ready
        two_providers(database)
        assert _holds(database)
        role_name = _guard(database).role_name
        assert query(
            database,
            "select rolcanlogin or rolsuper or rolbypassrls or rolcreaterole from pg_roles where rolname = %s",
            role_name,
        ) == [(False,)]
        assert migrate(database).has_portal_role
        sweep(database)


def test_an_ordinary_owner_that_may_not_is_told_what_to_ask_for(server_url: str) -> None:
    with owned_database(server_url, may_create_roles=False) as url, Database(url, "fairlead") as database:
        assert not migrate(database).has_portal_role
        missing = _guard(database)
        assert (missing.is_ready, missing.problem) == (False, f"the role {missing.role_name} is missing")
        with pytest.raises(Unavailable, match="role that providers' requests run in is missing"):
            database.bound_to("01900000-0000-7000-8000-000000000000").run(lambda conn: conn.execute("select 1"))
        create, grant = missing.remedy
        with psycopg.connect(server_url, autocommit=True) as superuser:
            superuser.execute(create.encode())
            assert _guard(database).remedy == (grant,), "it is there, and not for this login yet"
            assert not migrate(database).has_portal_role
            superuser.execute(grant.encode())
        waiting = _guard(database)
        assert (waiting.remedy, str(waiting.problem).endswith("other rights than this version grants it")) == ((), True)
        assert migrate(database).has_portal_role
        assert _guard(database).is_ready
        two_providers(database)
        assert _holds(database)
        sweep(database)


def test_rights_added_by_hand_are_gone_after_the_next_change_of_the_file(server_url: str) -> None:
    with owned_database(server_url, may_create_roles=True) as url, Database(url, "fairlead") as database:
        migrate(database)
        role_name = _guard(database).role_name
        rights = """
            select has_column_privilege(role_name, 'providers', 'balance_cents', 'update'),
                   has_table_privilege(role_name, 'sessions', 'select') from portal_role
        """
        with database.transaction() as conn:
            conn.execute(f"grant update (balance_cents) on providers to {role_name}".encode())
            conn.execute(f"grant select on sessions to {role_name}".encode())
            conn.execute("update portal_role set grants_sha256 = sha256('an older release')")
        assert query(database, rights) == [(True, True)]
        assert not _guard(database).is_ready
        migrate(database)
        assert query(database, rights) == [(False, False)]
        assert _guard(database).is_ready


def test_rights_that_did_not_come_along_with_a_dump_are_given_again(server_url: str) -> None:
    with owned_database(server_url, may_create_roles=True) as url, Database(url, "fairlead") as database:
        migrate(database)
        two_providers(database)
        role_name = _guard(database).role_name
        with database.transaction() as conn:
            conn.execute(f"revoke all on all tables in schema fairlead from {role_name}".encode())
            conn.execute(f"revoke all on schema fairlead from {role_name}".encode())
        assert not _guard(database).is_ready
        assert migrate(database).has_portal_role
        assert _guard(database).is_ready
        assert _holds(database)


@pytest.mark.parametrize(
    "how", ["alter role {role} bypassrls", "alter role {role} superuser", "grant {owner} to {role}"]
)
def test_a_role_above_the_policies_is_no_guard(server_url: str, how: str) -> None:
    with owned_database(server_url, may_create_roles=True) as url, Database(url, "fairlead") as database:
        migrate(database)
        role_name, [(owner,)] = _guard(database).role_name, query(database, "select current_user::text")
        with psycopg.connect(server_url, autocommit=True) as superuser:
            # A member of the role cannot be what it is a member of.
            superuser.execute(f"revoke {role_name} from {owner} cascade".encode())
            superuser.execute(how.format(role=role_name, owner=owner).encode())
        with Database(as_superuser(server_url, url), "fairlead") as as_it_likes:
            found = _guard(as_it_likes)
            assert "bypasses row-level security" in str(found.problem)
            assert found.remedy == ()
            assert not migrate(as_it_likes).has_portal_role
        with psycopg.connect(server_url, autocommit=True) as superuser:
            superuser.execute(f"alter role {role_name} nosuperuser nobypassrls".encode())
            superuser.execute(f"revoke {owner} from {role_name}".encode())


def test_the_owner_of_another_marketplace_on_the_server_does_not_get_in(server_url: str) -> None:
    with (
        owned_database(server_url, may_create_roles=True) as one,
        owned_database(server_url, may_create_roles=True) as other,
        Database(one, "fairlead") as database,
        Database(other, "fairlead") as neighbour,
    ):
        migrate(database)
        migrate(neighbour)
        role_name = _guard(database).role_name
        assert role_name != _guard(neighbour).role_name
        into = other.rsplit("/", 1)[0] + "/" + one.rsplit("/", 1)[1]
        with psycopg.connect(into) as conn, pytest.raises(errors.InsufficientPrivilege):
            conn.execute(f"set role {role_name}".encode())


def test_a_copy_of_a_database_keeps_the_role(database_url: str) -> None:
    with Database(database_url, "fairlead") as database:
        found = _guard(database)
        assert found.is_ready
        assert found.role_name != portal_role_name(database_url.rsplit("/", 1)[1], "fairlead")


def test_roles_of_databases_that_are_gone_are_dropped(server_url: str) -> None:
    with owned_database(server_url, may_create_roles=True) as url:
        with Database(url, "fairlead") as database:
            migrate(database)
            role_name = _guard(database).role_name
        there = "select count(*) from pg_roles where rolname = %s"
        with psycopg.connect(server_url, autocommit=True) as conn:
            drop_unused_portal_roles(conn)
            assert conn.execute(there, (role_name,)).fetchone() == (1,), "it is in use"
    with psycopg.connect(server_url, autocommit=True) as conn:
        assert conn.execute(there, (role_name,)).fetchone() == (0,)


def test_a_name_fits_and_is_not_shared() -> None:
    long = "s" * 63
    names = [portal_role_name(name, schema) for name in ("one", "two") for schema in ("a", long, long[:-1] + "t")]
    assert len({*names}) == 6
    assert max(map(len, names)) == 63
