"""Every check is linear in the rows, whatever the planner believes of the tables: nothing here depends on a clock.

The server's own plans are read: nothing that grows is gone through again for each row of something that grows. And they
are carried out, and the rows that each step handled are counted: three times the past is three times the work.
"""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from bench.population import POPULATIONS, create_niche, sell
from fairlead.flows.money.refund import refund_assignment
from fairlead.store.connection import Connection, Database, Timeouts
from fairlead.store.invariants.engine import INVARIANTS, counted, plan_for_whole_tables
from fairlead.store.invariants.invariant import Invariant
from tests.chaos.whole_market import play
from tests.flows.sales import MEMO, PORTAL

BELIEFS = {
    "nothing": "set reltuples = -1, relpages = 0",
    "that all tables are empty": "set reltuples = 0, relpages = 1",
    "what was analysed": "",
}
"""What the planner may believe: a new table, one that was analysed before the burst, and one that was since."""

SMALL_TABLES = {"marketplace", "audit_head"}
"""Tables of one row."""

SCANS = {"Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan", "CTE Scan", "WorkTable Scan", "Sample Scan"}


@contextmanager
def believing(database: Database, belief: str) -> Iterator[Connection]:
    """A transaction in which the planner believes this, rolled back at the end."""
    with database.transaction() as conn:
        if change := BELIEFS[belief]:
            schema = "current_schema()::regnamespace"
            of_ours = f"select oid from pg_class where relnamespace = {schema}"
            conn.execute(f"delete from pg_statistic where starelid in ({of_ours})".encode())
            conn.execute(f"update pg_class {change} where relnamespace = {schema} and relkind = 'r'".encode())
        else:
            conn.execute("analyze")
        plan_for_whole_tables(conn)
        yield conn
        raise psycopg.Rollback


def plan_of(conn: Connection, query: bytes, *, carried_out: bool = False) -> dict[str, Any]:
    """The server's plan of the query."""
    words = b"analyze, timing off, " if carried_out else b""
    [(plans,)] = conn.execute(b"explain (" + words + b"format json) " + query).fetchall()
    return (json.loads(plans) if isinstance(plans, str) else plans)[0]["Plan"]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The plan and every step of it."""
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


def growing_scans(plan: dict[str, Any]) -> list[str]:
    """What of the plan reads something that grows."""
    return [
        str(node.get("Relation Name") or node.get("CTE Name"))
        for node in nodes(plan)
        if node["Node Type"] in SCANS and node.get("Relation Name") not in SMALL_TABLES
    ]


def repeated_scans(plan: dict[str, Any]) -> list[str]:
    """What is read again for each row of what grows: the inner side of a loop, and subplans that are not hashed."""
    found: list[str] = []
    hashed = json.dumps(plan)
    for node in nodes(plan):
        sides = {part["Parent Relationship"]: part for part in node.get("Plans", [])}
        if node["Node Type"] == "Nested Loop" and growing_scans(sides["Outer"]):
            found += growing_scans(sides["Inner"])
        for part in node.get("Plans", []):
            if part["Parent Relationship"] == "SubPlan" and f"hashed {part['Subplan Name']}" not in hashed:
                found += growing_scans(part)
    return found


def work_of(plan: dict[str, Any]) -> float:
    """How many rows all steps of a plan that was carried out have handled."""
    return sum(
        node["Actual Loops"]
        * (
            node["Actual Rows"]
            + node.get("Rows Removed by Filter", 0)
            + node.get("Rows Removed by Join Filter", 0)
            + node.get("Rows Removed by Index Recheck", 0)
        )
        for node in nodes(plan)
    )


@pytest.fixture(scope="module")
def whole_market(server_url: str) -> Iterator[Database]:
    """A marketplace in which everything happened that a check looks at; its tests change nothing."""
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute("create database plans_of_checks template fairlead_template")
        url = server_url.rsplit("/", 1)[0] + "/plans_of_checks"
        with Database(url, "fairlead", Timeouts(60_000, 10_000, 60_000)) as database:
            play(database)
            yield database
        conn.execute("drop database plans_of_checks with (force)")


@pytest.mark.parametrize("belief", BELIEFS)
def test_no_check_goes_through_what_grows_again_and_again(belief: str, whole_market: Database) -> None:
    with believing(whole_market, belief) as conn:
        found = {each.name: again for each in INVARIANTS if (again := repeated_scans(plan_of(conn, counted(each))))}
        assert not found


QUADRATIC = {
    "a condition that is no equality": "select a.id::text from assignments a join leads l on a.id::text > l.id::text",
    "a subquery for each row": """
        select id::text from assignments a
        where a.price_cents <> (select sum(amount_cents) from ledger_entries e where e.created_at = a.assigned_at)
    """,
    "either of two equalities": """
        select a.id::text from assignments a join notifications n
        on n.assignment_id = a.id or n.subscription_id = a.subscription_id
    """,
}


@pytest.mark.parametrize("shape", QUADRATIC)
@pytest.mark.parametrize("belief", BELIEFS)
def test_a_check_that_would_is_noticed(shape: str, belief: str, whole_market: Database) -> None:
    query = counted(Invariant("one of bad shape", "select 0", QUADRATIC[shape]))  # pyright: ignore[reportArgumentType]
    with believing(whole_market, belief) as conn:
        assert repeated_scans(plan_of(conn, query))


@pytest.mark.parametrize("belief", BELIEFS)
def test_three_times_the_past_is_three_times_the_work(belief: str, database: Database) -> None:
    dice, refunded = random.Random(1), 0
    niche_id = create_niche(database, POPULATIONS[0], 20, 0, 1)
    work: list[dict[str, float]] = []
    for size in (300, 900):
        sell(database, niche_id, size, dice)
        refunded += refund_some(database, size // 15 - refunded)
        with believing(database, belief) as conn:
            work.append({each.name: work_of(plan_of(conn, counted(each), carried_out=True)) for each in INVARIANTS})
    before, after = work
    assert max(after[name] / before[name] for name in before) > 2.5, "no check looked at what grew"
    # A few of them had next to nothing to look at before: those may look at every row of today once.
    with database.snapshot() as conn:
        stored = rows_stored(conn)
    too_much = {name: (before[name], after[name]) for name in before if after[name] > 3.5 * before[name] + stored}
    assert not too_much


def rows_stored(conn: Connection) -> int:
    """How many rows the tables hold that a check may have to look at."""
    tables = ("assignments", "ledger_entries", "leads", "notifications", "niche_journal", "audit_log")
    return sum(conn.execute(f"select count(*) from {table}".encode()).fetchall()[0][0] for table in tables)


def refund_some(database: Database, count: int) -> int:
    """So many assignments that were not are refunded; returns how many."""
    with database.snapshot() as conn:
        query = "select id::text from assignments where status <> 'refunded' order by id limit %s"
        ids = [row[0] for row in conn.execute(query, (count,)).fetchall()]
    for assignment_id in ids:
        refund_assignment(database, assignment_id, MEMO, PORTAL)
    return len(ids)
