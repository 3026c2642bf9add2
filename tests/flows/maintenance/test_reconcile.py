"""The books are compared with themselves: what does not agree is found, alarmed and left as it is."""

from typing import Any

import pytest

from fairlead.flows.distributor import Distributor
from fairlead.flows.maintenance.reconcile import reconcile, reconcile_task
from fairlead.flows.proving.verify import verify
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.invariants.engine import DIFFERENCES_SHOWN, INVARIANTS
from tests.flows.maintenance.workers import maintenance_of, rows
from tests.flows.marketplaces import everything
from tests.lost_answers import answers_lost
from tests.race.marketplaces import Provider, Terms, add_leads, add_providers, open_niche, subscribe

DIFFERS = "select new from audit_log where action = 'reconciliation.differs'"
PURCHASES = "every assignment has one purchase of its price, every purchase its assignment"
LEDGERS = "ledgers are contiguous and each balance follows from the one before"
BALANCES = "every balance is its ledger's sum and last balance, and not below its floor"
REFUNDS = "every refund returns one purchase in full, once"
DEPOSITS = "every payment that succeeded is one deposit of its amount"
REFUNDED = "an assignment is refunded exactly when its refund is in the ledger"
REPORTS = "an accepted report of a bad lead was paid back, and a refund leaves no report open"
BAD = "no provider has paid for a bad lead"
BY_HAND = "what was moved by hand says who did it and why, and leaves no debt"
OF_THE_BOOKS = (PURCHASES, LEDGERS, BALANCES, REFUNDS, DEPOSITS, REFUNDED, REPORTS, BAD, BY_HAND)
PAID = "every payment is in the audit log as it is stored, with gateway and currency"

LAST_PURCHASE = "(provider_id, seq) = (select provider_id, max(seq) from ledger_entries group by 1 order by 1 limit 1)"
REFUND = """
    insert into ledger_entries (provider_id, seq, kind, amount_cents, balance_after_cents, assignment_id, actor, memo,
                                created_at)
    select provider_id, seq + {step}, 'refund', {amount}, balance_after_cents + {amount}, assignment_id, 'x',
           'made by a test', now()
    from ledger_entries where {where}"""

# What is done to the books, and which promises of theirs it breaks, how often.
DAMAGE: dict[str, tuple[str, dict[str, int]]] = {
    "a price": ("update assignments set price_cents = price_cents + 1", {PURCHASES: 2}),
    "a purchase is gone": (
        f"delete from ledger_entries where {LAST_PURCHASE}",
        {PURCHASES: 1, BALANCES: 1},
    ),
    "an assignment is gone": ("delete from assignments", {PURCHASES: 2}),
    "a purchase of another provider": (
        "update assignments set provider_id = gen_random_uuid() where ledger_seq = 2 and provider_id = "
        "(select min(provider_id::text)::uuid from assignments)",
        {PURCHASES: 1},
    ),
    "an amount": (
        f"update ledger_entries set amount_cents = amount_cents - 1 where {LAST_PURCHASE}",
        {PURCHASES: 1, LEDGERS: 1, BALANCES: 1},
    ),
    "a balance in the ledger": (
        f"update ledger_entries set balance_after_cents = balance_after_cents + 5 where {LAST_PURCHASE}",
        {LEDGERS: 1, BALANCES: 1},
    ),
    "a gap in a ledger": (
        f"update ledger_entries set seq = seq + 1 where {LAST_PURCHASE}",
        {PURCHASES: 1, LEDGERS: 1, BALANCES: 1},
    ),
    "a balance": ("update providers set balance_cents = balance_cents + 1", {BALANCES: 2}),
    "a place in a ledger": ("update providers set ledger_seq = ledger_seq + 1", {BALANCES: 2}),
    "a refund of half": (
        REFUND.format(step=1, amount=500, where=LAST_PURCHASE),
        {BALANCES: 1, REFUNDS: 1, REFUNDED: 1},
    ),
    "a refund that is in no ledger": ("update assignments set status = 'refunded', refunded_at = now()", {REFUNDED: 2}),
    "an accepted report without a refund": (
        """
        update assignments set bad_lead_reported_at = now(), bad_lead_reason = 'spam', bad_lead_decision = 'accepted',
                               bad_lead_decided_at = now(), bad_lead_decided_by = 'x', bad_lead_memo = 'by a test of it'
        """,
        {REPORTS: 2},
    ),
    "a bad lead that was paid for": ("update leads set status = 'bad'", {BAD: 2}),
    "a debit without an actor": (
        """
        insert into ledger_entries (provider_id, seq, kind, amount_cents, balance_after_cents, actor, memo, created_at)
        select provider_id, seq + 1, 'manual_debit', -1, balance_after_cents - 1, '', 'moved by a test', now()
        from ledger_entries where """
        + LAST_PURCHASE,
        {BALANCES: 1, BY_HAND: 1},
    ),
    "a debit into debt": (
        """
        insert into ledger_entries (provider_id, seq, kind, amount_cents, balance_after_cents, actor, memo, created_at)
        select provider_id, seq + 1, 'manual_debit', -balance_after_cents - 1, -1, 'x', 'moved by a test', now()
        from ledger_entries where """
        + LAST_PURCHASE,
        {BALANCES: 1, BY_HAND: 1},
    ),
    "a payment is gone": ("delete from payments", {DEPOSITS: 2}),
    "a payment's amount": ("update payments set amount_cents = amount_cents + 1", {DEPOSITS: 2}),
    "a deposit is gone": (
        "delete from ledger_entries where kind = 'deposit'",
        {LEDGERS: 2, BALANCES: 2, DEPOSITS: 2},
    ),
    "whose payment it was": (
        "update payments set provider_id = (select max(id::text)::uuid from providers)",
        {DEPOSITS: 1},
    ),
}

CONSTRAINTS = (
    ("assignments", "assignments_accepted_report_is_refunded"),
    ("ledger_entries", "ledger_entries_by_hand_say_who_and_why"),
    ("ledger_entries", "ledger_entries_manual_debit_leaves_no_debt"),
)
"""What would keep even a superuser from some of it."""


def trade(database: Database) -> None:
    """Two providers with a deposit each, and a lead that both bought."""
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", [Terms(1000, 2, 1)])
        providers = [Provider("ana", 5000, (1,)), Provider("ben", 3000, (1,))]
        subscribe(conn, niche, providers, add_providers(conn, providers, "moving"))
        add_leads(conn, niche, [40])
    assert len(Distributor(database).distribute_waiting(niche.niche_id).decisions[0].recipients) == 2


def damage(database: Database, statement: str) -> None:
    with database.transaction() as conn:
        conn.execute("set local session_replication_role = replica")  # no trigger, no foreign key
        for table, constraint in CONSTRAINTS:
            conn.execute(f"alter table {table} drop constraint {constraint}".encode())
        assert conn.execute(statement.encode()).rowcount > 0, "nothing was damaged"


def alerts(database: Database) -> list[Any]:
    return rows(database, "select detail ->> 'lines' from notifications where kind = 'operator_alert'")


def books(database: Database) -> dict[str, list[str]]:
    """All that a reconciliation has no business to write."""
    own = {"reconciliations", "audit_log", "audit_head", "notifications", "jobs"}
    return {name: content for name, content in everything(database).items() if name not in own}


def test_books_that_agree(database: Database) -> None:
    trade(database)
    before = books(database)
    result = reconcile(database, OPERATOR)
    assert (result.difference_count, result.differing) == (0, ())
    # Two purchases, four entries, two balances, no refund, two payments, two assignments; nothing by hand.
    checked = {each.name: each.checked_count for each in result.comparisons}
    assert [checked[name] for name in OF_THE_BOOKS] == [2, 4, 2, 0, 2, 2, 0, 0, 0]
    assert rows(database, "select checked_count, difference_count, differences from reconciliations") == [
        (sum(checked.values()), 0, [])
    ]
    assert rows(database, "select ended_at >= started_at from reconciliations") == [True]
    assert (alerts(database), rows(database, DIFFERS)) == ([], [])
    assert books(database) == before


@pytest.mark.parametrize("what", DAMAGE)
def test_books_that_do_not_agree(what: str, damaged_database: Database) -> None:
    trade(damaged_database)
    statement, differing = DAMAGE[what]
    damage(damaged_database, statement)
    before = books(damaged_database)

    found_by_duty = reconcile_task(maintenance_of(damaged_database))

    assert books(damaged_database) == before, "it repairs nothing"
    [(count, found)] = rows(damaged_database, "select difference_count, differences from reconciliations")
    # Of the books exactly this; what journals and audit log have to say of it comes on top.
    counts = {each["check"]: each["count"] for each in found}
    assert {name: times for name, times in counts.items() if name in OF_THE_BOOKS} == differing
    assert all(len(each["first"]) == min(each["count"], DIFFERENCES_SHOWN) for each in found)
    assert found_by_duty == {"differences": count}
    assert count == sum(counts.values())
    [audited] = rows(damaged_database, DIFFERS)
    assert audited == {"difference_count": count, "differences": counts}
    [lines] = alerts(damaged_database)
    assert all(name in lines for name in counts)
    assert "fairlead reconcile" in lines


def test_every_promise_of_the_books_is_broken_by_some_damage() -> None:
    broken = {name for _, differing in DAMAGE.values() for name in differing}
    assert broken == {*OF_THE_BOOKS}


def test_what_is_compared_is_what_verify_checks_of_rows(database: Database) -> None:
    trade(database)
    compared = [each.name for each in reconcile(database, OPERATOR).comparisons]
    assert compared == [each.name for each in INVARIANTS]
    assert {*compared} < {each.name for each in verify(database).checks}


def test_what_only_the_audit_log_can_tell_is_found(damaged_database: Database) -> None:
    trade(damaged_database)
    damage(damaged_database, "update payments set gateway = 'another'")
    [found] = reconcile(damaged_database, OPERATOR).differing
    assert (found.name, found.difference_count) == (PAID, 2)


def test_many_differences_are_counted_and_the_first_are_told(damaged_database: Database) -> None:
    with damaged_database.transaction() as conn:
        add_providers(conn, [Provider(f"p{number}", 100, ()) for number in range(30)], "all")
    damage(damaged_database, "update providers set balance_cents = balance_cents + 1")
    result = reconcile(damaged_database, OPERATOR)
    [balances] = result.differing
    assert (balances.difference_count, len(balances.first_differences)) == (30, 5)
    assert not any("@" in line for line in balances.first_differences)


def test_it_is_on_record_once_although_the_answer_to_its_commit_was_lost(damaged_database: Database) -> None:
    trade(damaged_database)
    damage(damaged_database, "update providers set balance_cents = balance_cents + 1")
    with answers_lost() as lost:
        reconcile(damaged_database, OPERATOR)
    assert lost
    assert len(rows(damaged_database, "select from reconciliations")) == 1
    assert len(rows(damaged_database, DIFFERS)) == 1
    assert len(alerts(damaged_database)) == 1
