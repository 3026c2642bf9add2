"""Row-level security holds without the queries' own conditions: statements that forget whose rows they mean."""

from contextlib import suppress

import pytest
from psycopg import errors

from fairlead.core.errors import Broken, Refused, Unavailable
from fairlead.flows.idempotency import idempotency_key_for, run_idempotent
from fairlead.store.audit.log import OPERATOR, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.leads.rows import clock
from tests.flows.sales import Sale, query
from tests.store.two_providers import changed, rows, two_providers

OWNED = {
    "providers": "select id::text, id::text from providers",
    "subscriptions": "select id::text, provider_id::text from subscriptions",
    "assignments": "select id::text, provider_id::text from assignments",
    "leads": "select l.id::text, a.provider_id::text from leads l left join assignments a on a.lead_id = l.id",
    "payments": "select id::text, provider_id::text from payments",
    "ledger_entries": "select provider_id || '/' || seq, provider_id::text from ledger_entries",
    "notifications": "select id::text, provider_id::text from notifications",
    "webhook_endpoints": "select id::text, provider_id::text from webhook_endpoints",
    "users": "select id::text, provider_id::text from users",
    "api_keys": "select id::text, provider_id::text from api_keys",
    "idempotency_keys": "select actor || '/' || key, provider_id::text from idempotency_keys",
    "payment_requests": "select id::text, provider_id::text from payment_requests",
    "sandbox_charges": "select request_id::text, provider_id::text from sandbox_charges",
    "auto_top_ups": "select provider_id::text, provider_id::text from auto_top_ups",
    "saved_methods": "select id::text, provider_id::text from saved_methods",
    "receipts": "select number::text, provider_id::text from receipts",
    "billing_details": "select provider_id::text, provider_id::text from billing_details",
    "statements": "select provider_id || '/' || month, provider_id::text from statements",
}
"""Of every table with something of providers: what names a row, and whose it is."""

CHANGEABLE = {
    "providers": "notification_preferences",
    "subscriptions": "is_active",
    "assignments": "viewed_at",
    "notifications": "last_answer",
    "webhook_endpoints": "url",
    "api_keys": "revoked_by",
    "idempotency_keys": "body",
    "payment_requests": "ask_at",
    "auto_top_ups": "off_reason",
    "billing_details": "address",
    "saved_methods": "ask_at",
}


def _names(table: str) -> str:
    """A query for what names each row of the table, which forgets to say whose."""
    return OWNED[table].partition(", ")[0] + f" from {table}" + (" l" if table == "leads" else "")


def test_every_table_with_something_of_providers_is_tried(database: Database) -> None:
    reach = """
        select c.relname from pg_class c, portal_role p
        where c.relnamespace = current_schema::regnamespace and c.relkind in ('r', 'p')
          and has_any_column_privilege(p.role_name, c.oid, %s) and (c.relname in ('providers', 'leads') or exists (
              select from pg_attribute a where a.attrelid = c.oid and a.attname = 'provider_id'))
    """
    assert {name for (name,) in query(database, reach, "select")} == {*OWNED}
    assert {name for (name,) in query(database, reach, "update")} == {*CHANGEABLE}


def test_what_is_not_said_to_be_ones_own_is_not_found(database: Database) -> None:
    sides = two_providers(database)
    for table, whose in OWNED.items():
        all_rows = query(database, whose)
        for side in (sides.anchor, sides.bowline):
            own = {name for name, provider in all_rows if provider == side.provider}
            found = [name for (name,) in rows(database.bound_to(side.provider), _names(table))]
            assert (sorted(found), own != set()) == (sorted(own), True), table
            assert len(found) < len({name for name, _ in all_rows}), table


@pytest.mark.parametrize("table", CHANGEABLE)
def test_a_change_without_where_reaches_ones_own(database: Database, table: str) -> None:
    sides = two_providers(database)
    column = CHANGEABLE[table]
    by_provider = [provider for _, provider in query(database, OWNED[table])]
    count = by_provider.count(sides.anchor.provider)
    assert 0 < count < len(by_provider)
    assert changed(database.bound_to(sides.anchor.provider), f"update {table} set {column} = {column}") == count
    assert changed(database, f"update {table} set {column} = {column}") == len(by_provider)


def test_nothing_can_be_deleted(database: Database) -> None:
    bound = database.bound_to(two_providers(database).anchor.provider)
    for table in (
        *OWNED,
        "niches",
        "competition_levels",
        "niche_journal",
        "audit_log",
        "audit_head",
    ):
        with pytest.raises(errors.InsufficientPrivilege, match="permission denied"):
            changed(bound, f"delete from {table}")


ENGINES_OWN = [
    "update providers set balance_cents = balance_cents + 1",
    "update providers set credit_limit_cents = 1",
    "update providers set status = 'active'",
    "update competition_levels set price_cents = 1",
    "update niches set next_start_level_order_position = 1",
    "update niches set last_served_seq = 0",
    "update subscriptions set served_seq = 1",
    "update subscriptions set provider_id = provider_id",
    "update assignments set price_cents = 1",
    "update assignments set refunded_at = now()",
    "update assignments set bad_lead_decision = 'accepted'",
    "update notifications set provider_id = provider_id",
    "update idempotency_keys set provider_id = provider_id",
    "update leads set status = 'bad'",
    "insert into ledger_entries default values",
    "insert into payments default values",
    "insert into receipts default values",
    "update receipts set gross_cents = 1",
    "update billing_details set provider_id = provider_id",
    "update payment_requests set state = 'succeeded'",
    "update payment_requests set amount_cents = 1",
    "insert into payment_requests (id, state) values (gen_random_uuid(), 'succeeded')",
    "update payment_requests set method_reference = 'cus_1:pm_1'",
    "insert into payment_requests (id, method_reference) values (gen_random_uuid(), 'cus_1:pm_1')",
    "insert into saved_methods (id, method_reference) values (gen_random_uuid(), 'cus_1:pm_1')",
    "update sandbox_charges set answer = 'pays'",
    "select from payment_doubts",
    "insert into assignments default values",
    "insert into providers default values",
    "insert into leads default values",
    "insert into niches default values",
    "insert into users default values",
    "select bad_lead_memo from assignments",
    "select attributes_salt from leads",
    "select approved_by from leads",
    "select password_hash from users",
    "select totp_seed from users",
    "select email from users",
    "select from sessions",
    "select from recovery_codes",
    "select from one_time_tokens",
    "select from niche_journal",
    "select from audit_log",
    "select from audit_events",
    "select from provider_notes",
    "select from dead_letters",
    "select from rate_buckets",
    "truncate subscriptions cascade",
    "alter table assignments disable row level security",
    "drop policy of_bound_provider on assignments",
]


def test_what_is_the_engines_and_the_operators_is_out_of_reach(database: Database) -> None:
    bound = database.bound_to(new_id())
    for statement in ENGINES_OWN:
        with pytest.raises(errors.InsufficientPrivilege, match=r"permission denied|must be owner"):
            changed(bound, statement)


FOR_ANOTHER = {
    "a subscription": """
        insert into subscriptions (id, provider_id, competition_level_id, niche_id, is_active, created_at)
        select %(new)s, %(bowline)s, id, niche_id, true, now() from competition_levels limit 1""",
    "a message": """
        insert into notifications (id, kind, channel, provider_id, subscription_id, created_at)
        values (%(new)s, 'filter_invalidated', 'email', %(bowline)s, %(subscription)s, now())""",
    "an endpoint": """
        insert into webhook_endpoints (id, provider_id, url, secret, created_at)
        values (%(new)s, %(bowline)s, 'https://example.com', '', now())""",
    "a key": """
        insert into api_keys (id, prefix, secret_hash, name, scopes, provider_id, created_by, created_at)
        values (%(new)s, 'abcdefghijkl', sha256('x'), 'x', '{own:read}', %(bowline)s, 'x', now())""",
    "an entry of the journal": """
        insert into niche_journal (niche_id, seq, kind, payload, recorded_at, prev_hash, hash)
        select id, journal_seq + 1, 'subscription', jsonb_build_object('provider_id', %(bowline)s::text), now(),
               journal_head, journal_head from niches""",
    "a decision": """
        insert into niche_journal (niche_id, seq, kind, payload, recorded_at, prev_hash, hash)
        select id, journal_seq + 1, 'decision', jsonb_build_object('provider_id', %(anchor)s::text), now(),
               journal_head, journal_head from niches""",
    "a job that sends": "insert into jobs (queue, task) values ('email', 'send_email')",
    "a job that sells": "insert into jobs (queue, task) values ('x', 'distribute_lead')",
}


def test_nothing_can_be_made_for_another(database: Database) -> None:
    sides = two_providers(database)
    names = {
        "new": new_id(),
        "anchor": sides.anchor.provider,
        "bowline": sides.bowline.provider,
        "subscription": sides.bowline.subscription,
    }
    bound = database.bound_to(sides.anchor.provider)
    for statement in FOR_ANOTHER.values():
        with pytest.raises(errors.InsufficientPrivilege, match="row-level security"), bound.transaction() as conn:
            conn.execute(statement.encode(), names)


def test_no_provider_is_audited_as_an_operator(database: Database) -> None:
    def audit(conn: Connection) -> None:
        append_audit(conn, [AuditEvent(OPERATOR, "refund.issued", "assignment", "1")], clock(conn))

    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
        database.bound_to(new_id()).run(audit)


def test_jobs_are_neither_seen_nor_withdrawn(database: Database) -> None:
    bound = database.bound_to(two_providers(database).anchor.provider)
    [(before,)] = query(database, "select count(*) from jobs")
    assert before > 0
    assert changed(bound, "delete from jobs") == 0
    assert changed(bound, "update jobs set state = 'running'") == 0
    assert {task for (task,) in rows(bound, "select task from jobs")} <= {"dispatch_notifications"}
    assert query(database, "select count(*) from jobs") == [(before,)]


def test_a_key_that_another_used_is_used(database: Database) -> None:
    sides = two_providers(database)
    once = idempotency_key_for("key:shared", "k-1", "POST /reports", None)

    def ask(asked: Database) -> Sale:
        return asked.run(lambda conn: run_idempotent(conn, once, Sale, lambda: sides.sale))

    anchor, bowline = database.bound_to(sides.anchor.provider), database.bound_to(sides.bowline.provider)
    assert ask(anchor) == ask(anchor) == sides.sale
    with pytest.raises(Refused) as refused:
        ask(bowline)
    assert refused.value.code == "idempotency_key_reused"


def _who(conn: Connection) -> tuple[bool, str, int]:
    """Whether the role is the login's, on whose behalf, and how many providers are seen."""
    [row] = conn.execute(
        """
        select current_user = session_user, coalesce(current_setting('fairlead.provider_id', true), ''),
               (select count(*) from providers)
        """
    ).fetchall()
    return row


def test_a_connection_forgets_for_whom_it_was(database_url: str) -> None:
    with Database(database_url, "fairlead", max_connections=1) as database:
        sides = two_providers(database)
        anchor = database.bound_to(sides.anchor.provider)
        bowline = database.bound_to(sides.bowline.provider)

        def fail(conn: Connection) -> None:
            conn.execute("select 1 / 0")

        def give_up(conn: Connection) -> None:
            raise Refused("given_up", "half-way")

        # More than once, so that statements come to be prepared for one and run for another.
        for work in [_who, fail, give_up, _who] * 4:
            with suppress(errors.DivisionByZero, Refused):
                anchor.run(work)
            assert database.run(_who) == (True, "", 2)
            assert bowline.run(_who) == (False, sides.bowline.provider, 1)
            assert anchor.run(_who) == (False, sides.anchor.provider, 1)


def test_every_way_into_the_database_is_bound(database: Database) -> None:
    sides = two_providers(database)
    bound = database.bound_to(sides.anchor.provider)
    expected = (False, sides.anchor.provider, 1)
    with bound.transaction() as conn:
        assert _who(conn) == expected
    with bound.snapshot() as conn:
        assert _who(conn) == expected
        assert conn.execute("show transaction_isolation").fetchone() == ("repeatable read",)
        assert conn.execute("show transaction_read_only").fetchone() == ("on",)
    assert bound.run(_who) == bound.read(_who) == expected
    assert bound.read(lambda conn: conn.execute("show transaction_isolation").fetchone()) == ("repeatable read",)
    assert database.bound_to(sides.bowline.provider).bound_to(sides.anchor.provider).run(_who) == expected


def test_a_bound_database_leaves_the_connections_open(database: Database) -> None:
    with pytest.raises(Broken, match="shares its connections"):
        database.bound_to(new_id()).__exit__()
    assert database.run(_who)[0]


def test_what_is_no_provider_id_binds_nothing(database: Database) -> None:
    with pytest.raises(ValueError, match="badly formed"):
        database.bound_to("' or true; reset role; --")


def test_the_role_without_a_provider_sees_nothing(database: Database) -> None:
    two_providers(database)
    [(role_name,)] = query(database, "select role_name from portal_role")
    for table in OWNED:
        with database.transaction() as conn:
            conn.execute(f"set local role {role_name}".encode())
            assert conn.execute(_names(table).encode()).fetchall() == [], table


def test_without_the_role_nothing_is_done_and_it_is_found_when_it_is_made(database: Database) -> None:
    sides = two_providers(database)
    bound = database.bound_to(sides.anchor.provider)
    [(role_name,)] = query(database, "select role_name from portal_role")
    changed(database, "update portal_role set role_name = 'gone'")
    assert bound.run(_who)[2] == 1, "it was found before"
    fresh = Database(database.url, "fairlead")
    with fresh:
        anew = fresh.bound_to(sides.anchor.provider)
        for _ in range(2):
            with pytest.raises(Unavailable, match=r"role that providers' requests run in is missing"):
                anew.run(_who)
        changed(database, "update portal_role set role_name = %s", role_name)
        assert anew.run(_who) == (False, sides.anchor.provider, 1)
        changed(database, "delete from portal_role")
    with Database(database.url, "fairlead") as unmade, pytest.raises(Unavailable, match="is missing"):
        unmade.bound_to(sides.anchor.provider).run(_who)


def test_switched_off_the_first_guard_is_the_only_one(database: Database) -> None:
    sides = two_providers(database)
    with Database(database.url, "fairlead", row_level_security=False) as unguarded:
        assert unguarded.bound_to(sides.anchor.provider).run(_who) == (True, "", 2)


def test_the_owner_pays_nothing_for_it(database: Database) -> None:
    sides = two_providers(database)

    def plan(asked: Database, table: str) -> str:
        return "\n".join(line for (line,) in rows(asked, f"explain (costs off) {_names(table)}"))

    for table in OWNED:
        assert "bound_provider_id" not in plan(database, table)
        assert "Filter" not in plan(database, table)
        assert "fairlead.provider_id" in plan(database.bound_to(sides.anchor.provider), table)
