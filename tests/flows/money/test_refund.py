"""A refund gives back the full price, once, and the provider gets back what it can pay for."""

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.flows.distributor import Distributor
from fairlead.flows.explaining.explain import explain_lead
from fairlead.flows.money.bad_leads import report_bad_lead
from fairlead.flows.money.refund import refund_assignment
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.by_hand import PROVIDER, rows_by_hand
from tests.flows.marketplaces import activity, declare, everything, notices
from tests.flows.sales import ANCHOR, MEMO, PORTAL, audited, balances, query, sell, told

UNKNOWN = "01900000-0000-7000-8000-000000000000"


def test_the_full_price_is_back_told_and_audited(database: Database) -> None:
    sale = sell(database)
    assert activity(database)["bowline silver"] == "insufficient_funds"
    done = refund_assignment(database, sale.bowline, MEMO, OPERATOR)
    assert (done.assignment_id, done.lead_id, done.provider_id) == (sale.bowline, sale.lead_id, sale.bowline_id)
    assert (done.amount_cents, done.ledger_seq, done.balance_after_cents) == (500, 3, 600)
    assert len(done.reactivated_subscription_ids) == 1
    assert activity(database)["bowline silver"] == "active"
    assert notices(database)[-1] == "subscription_reactivated bowline silver"
    assert balances(database) == {"Anchor": 3000, "Bowline": 600}
    states = query(database, "select status, refunded_at is not null from assignments order by price_cents")
    assert states == [("refunded", True), ("active", False)]
    [entry] = query(database, "select kind, assignment_id::text, actor, memo from ledger_entries where seq = 3")
    assert entry == ("refund", sale.bowline, "operator", MEMO)
    [(entity, old, new, memo, _)] = audited(database, "assignment.refunded")
    assert (entity, old, memo) == (sale.bowline, {"status": "active"}, MEMO)
    assert (new["amount_cents"], new["balance_after_cents"], new["provider_id"]) == (500, 600, sale.bowline_id)


def test_the_provider_is_told_without_what_the_operator_wrote(database: Database) -> None:
    sale = sell(database)
    refund_assignment(database, sale.anchor, "Ms Sample at 555 0100 is not interested", OPERATOR)
    assert told(database, "refund_issued") == [("Anchor", None)]
    [job] = query(
        database,
        "select count(*) from jobs where task = 'dispatch_notifications' and state = 'waiting'",
    )
    assert job > (0,)


def test_a_second_refund_is_refused_and_changes_nothing(database: Database) -> None:
    sale = sell(database)
    refund_assignment(database, sale.anchor, MEMO, OPERATOR)
    before = everything(database)
    with pytest.raises(Refused, match="was refunded already") as caught:
        refund_assignment(database, sale.anchor, MEMO, OPERATOR)
    assert caught.value.code == "assignment_refunded"
    assert everything(database) == before


def test_the_price_is_the_one_that_was_paid(database: Database) -> None:
    sale = sell(database)
    declare(database, '[[niche]]\nslug = "hosting"\nlevel = [{ name = "gold", price_cents = 7777 }]')
    assert refund_assignment(database, sale.anchor, MEMO, OPERATOR).amount_cents == 2000


def test_other_niches_come_back_too(database: Database) -> None:
    sale = sell(database)
    other = '[[niche]]\nslug = "storage"\nname = "Storage"\nlevel = [{ name = "one", price_cents = 4000, '
    declare(database, other + "max_recipients = 1, order_position = 1 }]")
    mine = 'subscription = [{ niche = "storage", level = "one" }]'
    declare(database, f'[[provider]]\nemail = "{ANCHOR}"\n{mine}')
    assert activity(database)["anchor one"] == "insufficient_funds"
    assert len(refund_assignment(database, sale.anchor, MEMO, OPERATOR).reactivated_subscription_ids) == 1
    assert activity(database)["anchor one"] == "active"


@rows_by_hand(PROVIDER)
def test_a_low_balance_that_is_not_low_any_more_is_forgotten(database: Database) -> None:
    sale = sell(database)
    query(
        database,
        "update providers set low_balance_threshold_cents = 600, low_balance_alerted_at = now() "
        "where name = 'Bowline' returning 1",
    )
    refund_assignment(database, sale.bowline, MEMO, OPERATOR)
    assert query(database, "select low_balance_alerted_at from providers where name = 'Bowline'") == [(None,)]


def test_a_refund_accepts_an_open_report(database: Database) -> None:
    sale = sell(database)
    report_bad_lead(database, sale.anchor_id, sale.anchor, "spam", None, PORTAL)
    refund_assignment(database, sale.anchor, MEMO, OPERATOR)
    [row] = query(
        database,
        "select bad_lead_decision, bad_lead_decided_by, bad_lead_memo, bad_lead_decided_at = refunded_at "
        "from assignments where id = %s",
        sale.anchor,
    )
    assert row == ("accepted", "operator", MEMO, True)
    assert audited(database, "assignment.refunded")[0][2]["bad_lead_decision"] == "accepted"


def test_the_sale_stays_sold_and_explained(database: Database) -> None:
    """A refund gives back money, not the past: place in the order, decision and lead stay."""
    sale = sell(database)
    story = explain_lead(database, sale.lead_id)
    refund_assignment(database, sale.anchor, MEMO, OPERATOR)
    assert query(database, "select status, awaits_decision from leads") == [("distributed", False)]
    [(niche_id,)] = query(database, "select id::text from niches")
    assert not len(Distributor(database).distribute_waiting(niche_id))
    assert query(database, "select max(served_seq) from subscriptions") == [(2,)]
    assert explain_lead(database, sale.lead_id) == story


def test_what_cannot_be_refunded(database: Database) -> None:
    with pytest.raises(Refused) as caught:
        refund_assignment(database, UNKNOWN, MEMO, OPERATOR)
    assert caught.value.code == "assignment_unknown"
    for memo in ("too short", "x" * 1001):
        with pytest.raises(BadInput, match="memo: must be one line of 10 to 1,000 characters"):
            refund_assignment(database, UNKNOWN, memo, OPERATOR)
    with pytest.raises(BadInput, match="is no assignment id"):
        refund_assignment(database, "first", MEMO, OPERATOR)


@pytest.mark.parametrize(
    "statement",
    [
        "update assignments set status = 'refunded'",
        "update assignments set refunded_at = now()",
        "insert into ledger_entries (provider_id, seq, kind, amount_cents, balance_after_cents, assignment_id, actor, "
        "created_at) select provider_id, 99, 'refund', price_cents, 1, id, 'x', now() from assignments",
        "insert into ledger_entries (provider_id, seq, kind, amount_cents, balance_after_cents, actor, memo, "
        "created_at) select id, 99, 'manual_debit', -9999, -1, 'x', 'moved by a test', now() from providers",
    ],
)
def test_the_database_itself_keeps_halves_out(statement: str, database: Database) -> None:
    sell(database)
    with pytest.raises(Exception, match="violates check constraint"):
        query(database, statement)
