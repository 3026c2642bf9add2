"""What a superuser changes of what was done by hand is found out by `verify`, by the promise it breaks."""

import pytest

from fairlead.flows.idempotency import idempotency_key_for
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.money.bad_leads import accept_bad_lead, mark_lead_bad, report_bad_lead
from fairlead.flows.proving.verify import verify
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.invariants.by_hand import INVARIANTS_BY_HAND
from tests.flows.sales import MEMO, PORTAL, sell

REFUNDED = "an assignment is refunded exactly when its refund is in the ledger"
REPORTS = "an accepted report of a bad lead was paid back, and a refund leaves no report open"
BAD = "no provider has paid for a bad lead"
BY_HAND = "what was moved by hand says who did it and why, and leaves no debt"
TOLD = "every refund is told to its provider"
KEYS = "every idempotency key leads to a result"

DAMAGE: dict[str, tuple[str, str]] = {
    "a refund is gone": ("delete from ledger_entries where kind = 'refund' and amount_cents = 500", REFUNDED),
    "a refund was made again": ("update assignments set status = 'active', refunded_at = null", REFUNDED),
    "when it was refunded": ("update assignments set refunded_at = refunded_at - interval '1 day'", REFUNDED),
    "a report is open again": (
        """
        update assignments set bad_lead_decision = null, bad_lead_decided_at = null, bad_lead_decided_by = null,
                               bad_lead_memo = null where bad_lead_reported_at is not null
        """,
        REPORTS,
    ),
    "when it was decided": ("update assignments set bad_lead_decided_at = bad_lead_decided_at + '1 day'", REPORTS),
    "a decision of nothing": (
        "update assignments set bad_lead_reported_at = null where bad_lead_reported_at is not null",
        REPORTS,
    ),
    "a provider paid for a bad lead": (
        "update assignments set status = 'active', refunded_at = null where bad_lead_reported_at is null",
        BAD,
    ),
    "why money was given": ("update ledger_entries set memo = null where kind = 'manual_credit'", BY_HAND),
    "why it was refunded": ("update ledger_entries set memo = 'short' where kind = 'refund'", BY_HAND),
    "who gave it": ("update ledger_entries set actor = '' where kind = 'manual_credit'", BY_HAND),
    "a message is gone": ("delete from notifications where kind = 'refund_issued'", TOLD),
    "a result is gone": ("update idempotency_keys set body = null, status = 'begun'", KEYS),
}


@pytest.fixture
def story(damaged_database: Database) -> Database:
    """A credit, an accepted report of a bad lead, and the lead itself marked as bad; all of it holds."""
    sale = sell(damaged_database)
    once = idempotency_key_for("operator", "k-1", "POST /it", None)
    adjust_balance(damaged_database, sale.bowline_id, "credit", 700, MEMO, OPERATOR, once)
    report_bad_lead(damaged_database, sale.anchor_id, sale.anchor, "spam", None, PORTAL)
    accept_bad_lead(damaged_database, sale.anchor, MEMO, OPERATOR)
    mark_lead_bad(damaged_database, sale.lead_id, MEMO, OPERATOR)
    checks = {check.name: check for check in verify(damaged_database).checks}
    assert all(check.holds for check in checks.values())
    assert all(checks[each.name].checked for each in INVARIANTS_BY_HAND), "a check over nothing proves nothing"
    return damaged_database


@pytest.mark.parametrize("what", DAMAGE)
def test_what_was_done_by_hand_cannot_be_changed_unseen(what: str, story: Database) -> None:
    statement, broken = DAMAGE[what]
    with story.transaction() as conn:
        conn.execute("set local session_replication_role = replica")  # no trigger, no foreign key
        for table, name in conn.execute(
            "select conrelid::regclass::text, conname from pg_constraint where contype = 'c' "
            "and conrelid in ('assignments'::regclass, 'ledger_entries'::regclass, 'idempotency_keys'::regclass)"
        ).fetchall():
            conn.execute(f"alter table {table} drop constraint {name}".encode())
        assert conn.execute(statement.encode()).rowcount > 0, "nothing was damaged"
    assert broken in {check.name for check in verify(story).checks if not check.holds}


def test_every_promise_is_broken_by_some_damage() -> None:
    assert {broken for _, broken in DAMAGE.values()} == {each.name for each in INVARIANTS_BY_HAND}
