"""The order of locks is looked at in every test of a flow: here, that the look finds what is out of order."""

import pytest

from fairlead.store.audit.log import OPERATOR, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.joined import JoinedDatabase
from fairlead.store.leads.rows import clock
from tests.flows.audit_log_last import objection, out_of_order


def write_to_log(conn: Connection) -> None:
    append_audit(conn, [AuditEvent(OPERATOR, "niche.created", "niche", "1")], clock(conn))


def found_in(database: Database, *statements: str) -> list[str]:
    """What is found where these follow upon an entry of the log, in one call that is undone."""

    def work(conn: Connection) -> None:
        write_to_log(conn)
        for statement in statements:
            conn.execute(statement.encode())
        raise InterruptedError

    with pytest.raises(InterruptedError):
        database.run(work)
    found = [each.partition(":")[0] for each in out_of_order]
    out_of_order.clear()
    return found


def test_what_is_locked_after_the_log_is_found(database: Database) -> None:
    assert found_in(database, "select from leads order by id for no key update") == ["locks"]
    assert found_in(database, "update providers set name = name", "select 1") == ["update providers"]
    assert found_in(database, "with gone as (delete from jobs returning id) select id from gone") == ["delete jobs"]


def test_reading_and_the_log_itself_may_follow(database: Database) -> None:
    assert found_in(database, "select count(*) from leads", "update idempotency_keys set status = 'done'") == []


def test_the_next_call_begins_anew(database: Database) -> None:
    database.run(write_to_log)
    database.run(lambda conn: conn.execute("select from leads for no key update").rowcount)
    assert out_of_order == []


def test_the_locks_of_a_part_that_was_undone_are_gone(database: Database) -> None:
    def fail(conn: Connection) -> None:
        write_to_log(conn)
        raise InterruptedError

    def work(conn: Connection) -> None:
        with pytest.raises(InterruptedError):
            JoinedDatabase(database, conn).run(fail)
        conn.execute("select from leads for no key update")

    database.run(work)
    assert out_of_order == []


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ("select 1 from leads for no key update", "locks"),
        ("select 1 from leads where id = 1 for update of leads skip locked", "locks"),
        ("select 1 from leads for key share", "locks"),
        ("select pg_advisory_xact_lock(1)", "locks"),
        ("insert into jobs (task) values ('x')", "insert jobs"),
        ("insert into jobs (id) values (1) on conflict (id) do update set id = 1", "insert jobs, update set"),
        ("-- update leads\nselect 1", None),
        ("select updated_at from leads", None),
        ("select from audit_head for no key update", None),
        ("update audit_head set seq = 1", None),
    ],
)
def test_what_may_follow(statement: str, wrong: str | None) -> None:
    assert objection(statement) == wrong
