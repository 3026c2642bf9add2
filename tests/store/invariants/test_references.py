"""What a row names and no foreign key checks: each orphan is found, by the check that is for it; and no row goes."""

from collections.abc import Generator

import psycopg
import pytest
from psycopg import errors

from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Connection, Database
from fairlead.store.invariants.engine import check_invariants
from fairlead.store.invariants.of_decisions import INVARIANTS_OF_DECISIONS
from fairlead.store.invariants.of_references import INVARIANTS_OF_REFERENCES
from tests.flows.marketplaces import HOSTING, declare

ASSIGNMENT = "every assignment names a lead, a provider and a subscription that are there and belong together"
DECISION = "a lead is distributed exactly when it has assignments, all of one decision of it, and names their providers"
ELSEWHERE = "gen_random_uuid()"

ORPHANS = {
    "assignments.lead_id": (f"update assignments set lead_id = {ELSEWHERE}", ASSIGNMENT),
    "assignments.provider_id": (f"update assignments set provider_id = {ELSEWHERE}", ASSIGNMENT),
    "assignments.subscription_id": (f"update assignments set subscription_id = {ELSEWHERE}", ASSIGNMENT),
    "assignments.competition_level_id": (f"update assignments set competition_level_id = {ELSEWHERE}", ASSIGNMENT),
    "assignments.niche_id": (f"update assignments set niche_id = {ELSEWHERE}", ASSIGNMENT),
    "assignments.journal_seq": ("update assignments set journal_seq = 1000", DECISION),
    "ledger_entries.provider_id": (
        f"update ledger_entries set provider_id = {ELSEWHERE}",
        "every ledger is a provider's",
    ),
    "ledger_entries.assignment_id": (
        f"update ledger_entries set assignment_id = {ELSEWHERE} where kind = 'lead_purchase'",
        "every ledger entry names an assignment that is there",
    ),
    "niche_journal.niche_id": (
        f"update niche_journal set niche_id = {ELSEWHERE} where kind = 'decision'",
        "every journal is a niche's",
    ),
    "notifications.provider_id": (
        f"update notifications set provider_id = {ELSEWHERE}",
        "every notification names a provider and an assignment that are there",
    ),
    "notifications.assignment_id": (
        f"update notifications set assignment_id = {ELSEWHERE}",
        "every notification names a provider and an assignment that are there",
    ),
    "a provider that is gone": ("delete from providers", ASSIGNMENT),
    "a subscription that is gone": ("delete from subscriptions", ASSIGNMENT),
    "a subscription of another provider": (f"update subscriptions set provider_id = {ELSEWHERE}", ASSIGNMENT),
    "a lead that is gone": ("delete from leads", ASSIGNMENT),
    "a niche that is gone": ("delete from niches", "every journal is a niche's"),
}


@pytest.fixture
def sold(database: Database) -> Database:
    """A lead was sold."""
    declare(database, HOSTING)
    submit_leads(database, "hosting", [{"cores": 4, "region": "north"}], OPERATOR, approve=True)
    with database.snapshot() as conn:
        [(niche_id,)] = conn.execute("select id::text from niches").fetchall()
    assert Distributor(database).distribute_waiting(niche_id).decisions[0].recipients
    return database


@pytest.fixture
def behind(sold: Database) -> Generator[Connection]:
    """A transaction behind Fairlead's back, without triggers and foreign keys, rolled back at the end."""
    with sold.transaction() as conn:
        conn.execute("set local session_replication_role = replica")
        yield conn
        raise psycopg.Rollback


def broken(conn: Connection) -> set[str]:
    checks = (*INVARIANTS_OF_REFERENCES, *INVARIANTS_OF_DECISIONS)
    return {found.invariant.name for found in check_invariants(conn, checks) if found.violation_count}


@pytest.mark.parametrize("orphan", ORPHANS)
def test_each_reference_that_no_key_checks_is_checked(orphan: str, behind: Connection) -> None:
    change, check = ORPHANS[orphan]
    assert broken(behind) == set()
    assert behind.execute(change.encode()).rowcount > 0
    assert check in broken(behind)


@pytest.mark.parametrize("table", ["niches", "competition_levels", "providers", "subscriptions", "leads"])
@pytest.mark.parametrize(
    "statement",
    ["delete from {}", "truncate {} cascade", "update {} set id = gen_random_uuid()", "update {} set id = id"],
)
def test_what_others_name_stays_under_its_id(sold: Database, table: str, statement: str) -> None:
    with pytest.raises(errors.RestrictViolation, match=r"keeps its rows|append-only"), sold.transaction() as conn:
        conn.execute(statement.format(table).encode())


@pytest.mark.parametrize(
    ("statement", "key"),
    [
        ("competition_level_id = gen_random_uuid()", "assignments_are_subscribed_to"),
        ("provider_id = gen_random_uuid()", "assignments_are_"),
        ("ledger_seq = ledger_seq + 1000", "assignments_are_paid"),
    ],
)
def test_the_keys_that_stayed_refuse(sold: Database, statement: str, key: str) -> None:
    with sold.transaction() as conn:
        conn.execute("alter table assignments disable trigger assignments_keep_their_terms")
        with pytest.raises(errors.ForeignKeyViolation, match=key):
            conn.execute(f"update assignments set {statement}".encode())
        raise psycopg.Rollback
