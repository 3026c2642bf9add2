"""Receipts: one of every deposit, numbered without a gap, that say for ever what was true when they were issued."""

from datetime import timedelta

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.flows.configuration.billing_details import (
    WantedDetails,
    change_billing_details,
    read_billing_details,
)
from fairlead.flows.configuration.marketplace import PapersChange, change_marketplace
from fairlead.flows.configuration.versions import UNCHANGED
from fairlead.flows.idempotency import idempotency_key_for
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.money.close_months import close_months
from fairlead.flows.money.deposit import deposit
from fairlead.flows.money.receipts import issue_credit_note, list_receipts, read_receipt
from fairlead.flows.money.statements import read_statement
from fairlead.flows.payments.ask_again import ask_gateways
from fairlead.flows.payments.take_report import take_report
from fairlead.flows.proving.paper_check import receipt_differences
from fairlead.store.audit.log import OPERATOR, Actor
from fairlead.store.connection import Database
from fairlead.store.money.receipts import ReceiptFilter, ReceiptRow
from fairlead.store.simulated_clock import SimulatedClock
from tests.chaos.tampering import tampering
from tests.flows.payments.paying import GATEWAY, SETTINGS, ask, ask_once_more
from tests.flows.payments.topping_up import charge_now, switch_on
from tests.flows.sales import MEMO, PORTAL, audited, query, sell

ANCHOR = WantedDetails("Anchor Hosting GmbH", "Kai 4\n20457 Hamburg", "DE", "DE123", "books@anchor.example.com")


def latest(database: Database, provider_id: str | None = None) -> ReceiptRow:
    return list_receipts(database, ReceiptFilter(provider_id), None, 1).items[0]


def name_marketplace(database: Database, legal_name: str = "Harbour GmbH", rate: int | None = 1_900) -> None:
    change_marketplace(database, UNCHANGED, OPERATOR, papers=PapersChange(legal_name, "Kai 1", "DE", "DE1", rate))


def test_every_way_to_deposit_leads_to_a_receipt(database: Database) -> None:
    sale = sell(database)  # two opening deposits, by the marketplace's file
    deposit(database, sale.anchor_id, 1_190, "manual", "by hand", OPERATOR)
    deposit(database, sale.anchor_id, 1_190, "manual", "by hand", OPERATOR)
    asked = ask(database, 700)
    for _ in range(2):
        take_report(database, GATEWAY, GatewayReport(ReportKind.PAID, asked.request_id, "charge", 700, "EUR"))
    found = list_receipts(database, ReceiptFilter(), None, 10)
    deposits = query(database, "select payment_id::text, amount_cents from ledger_entries where kind = 'deposit'")
    assert sorted((each.payment_id, each.gross_cents) for each in found.items) == sorted(deposits)
    assert [each.number for each in found.items] == list(range(len(deposits), 0, -1))
    page = list_receipts(database, ReceiptFilter(), None, 1)
    assert [each.number for each in list_receipts(database, ReceiptFilter(), page.next_after, 10).items] == [
        each.number for each in found.items[1:]
    ]
    told = audited(database, "deposit.credited")[-1][2]
    assert (told["receipt_number"], told["receipt_sha256"]) == (found.items[0].number, found.items[0].sha256.hex())


def test_a_receipt_whose_deposit_is_gone_is_held_against_its_hash(database: Database) -> None:
    sell(database)
    with tampering(database) as conn:
        conn.execute("delete from ledger_entries where kind = 'deposit'")
        conn.execute("update receipts set gross_cents = gross_cents + 1 where number = 1")
        differences = list(receipt_differences(conn))
    assert differences == ["receipt 1 says something else now", None]


def test_a_receipt_tells_how_it_was_paid(database: Database) -> None:
    bowline = switch_on(database)  # two opening deposits, by the marketplace's file
    assert charge_now(database) == 1
    ask_gateways(Maintenance(database, SETTINGS))
    asked = ask_once_more(database, 700)
    take_report(database, GATEWAY, GatewayReport(ReportKind.PAID, asked.request_id, "charge", 700, "EUR"))
    deposit(database, bowline, 900, "bank_transfer", "by a key", Actor("key:aaaabbbbcccc", "admin"))
    deposit(database, bowline, 950, "cash", "by a person", Actor("user:ann", "admin"))
    issue_credit_note(database, latest(database).number, MEMO, OPERATOR)
    found = list_receipts(database, ReceiptFilter(), None, 20).items
    assert [(each.kind, each.gross_cents, each.gateway, each.paid_by) for each in reversed(found)][2:] == [
        ("receipt", 1_400, "test_gateway", "auto_top_up"),
        ("receipt", 700, "test_gateway", "checkout"),
        ("receipt", 900, "bank_transfer", "recorded_by_key"),
        ("receipt", 950, "cash", "recorded_by_operator"),
        ("credit_note", 950, "cash", "recorded_by_operator"),
    ]
    assert {each.paid_by for each in found[-2:]} == {"recorded_by_operator"}
    own = database.bound_to(bowline)
    assert [read_receipt(own, each.number, bowline) for each in found[:5]] == list(found[:5])


def test_receipts_of_some_days_are_found_though_numbers_are_not_quite_in_the_order_of_time(database: Database) -> None:
    sale = sell(database)
    start = latest(database).issued_at + timedelta(days=1)
    for minute in (5, 1, 3, 2, 4):  # a transaction may read the time first, and draw its number last
        clock = SimulatedClock(start + timedelta(minutes=minute), minute)
        with Database(database.url, "fairlead", simulated_clock=clock) as then:
            deposit(then, sale.anchor_id if minute % 2 else sale.bowline_id, minute, "cash", f"{minute}", OPERATOR)

    def found(first: int, last: int, provider_id: str | None = None) -> list[int]:
        span = start + timedelta(minutes=first), start + timedelta(minutes=last)
        page = list_receipts(database, ReceiptFilter(provider_id, *span), None, 10)
        return [each.gross_cents for each in page.items]

    assert found(2, 5) == [4, 2, 3]
    assert (found(3, 6), found(1, 3)) == ([4, 3, 5], [2, 1]), "others have numbers between"
    assert found(2, 5, sale.anchor_id) == [3]
    assert found(0, 6, sale.bowline_id) == [4, 2]
    assert found(6, 9) == []
    first = list_receipts(database, ReceiptFilter(None, start), None, 2)
    rest = list_receipts(database, ReceiptFilter(None, start), first.next_after, 10)
    assert [each.gross_cents for each in (*first.items, *rest.items)] == [4, 2, 3, 1, 5]
    assert len(list_receipts(database, ReceiptFilter(None, None, start), None, 10).items) == 2


def test_a_deposit_that_is_refused_takes_no_number(database: Database) -> None:
    sale = sell(database)
    deposit(database, sale.anchor_id, 5, "manual", "once", OPERATOR)
    before = latest(database).number
    with pytest.raises(Refused, match="before"):
        deposit(database, sale.bowline_id, 5, "manual", "once", OPERATOR)
    deposit(database, sale.bowline_id, 5, "manual", "fits", OPERATOR)
    assert latest(database).number == before + 1


def test_a_receipt_says_for_ever_what_was_true(database: Database) -> None:
    sale = sell(database)
    name_marketplace(database)
    change_billing_details(database, sale.anchor_id, ANCHOR, PORTAL)
    deposit(database, sale.anchor_id, 11_900, "manual", "taxed", OPERATOR)
    row = latest(database)
    assert (row.gross_cents, row.net_cents, row.tax_cents, row.tax_rate_basis_points) == (11_900, 10_000, 1_900, 1_900)
    issuer, recipient = row.parties.issuer, row.parties.recipient
    assert (issuer.legal_name, issuer.address, issuer.country, issuer.tax_id) == ("Harbour GmbH", "Kai 1", "DE", "DE1")
    assert (recipient.name, recipient.legal_name, recipient.tax_id) == ("Anchor", "Anchor Hosting GmbH", "DE123")
    name_marketplace(database, "Port GmbH", rate=None)
    change_billing_details(database, sale.anchor_id, WantedDetails("Other", "Elsewhere", "FR"), OPERATOR)
    assert read_receipt(database, row.number) == row
    deposit(database, sale.anchor_id, 11_900, "manual", "untaxed", OPERATOR)
    after = latest(database)
    assert (after.parties.issuer.legal_name, after.parties.recipient.legal_name) == ("Port GmbH", "Other")
    assert (after.tax_rate_basis_points, after.tax_cents, after.net_cents) == (None, 0, 11_900)


def test_a_provider_sees_its_own_receipts_alone(database: Database) -> None:
    sale = sell(database)
    theirs = list_receipts(database, ReceiptFilter(sale.bowline_id), None, 10).items
    own = list_receipts(database, ReceiptFilter(sale.anchor_id), None, 10).items
    assert {each.provider_id for each in own} == {sale.anchor_id}
    assert {each.provider_id for each in theirs} == {sale.bowline_id}
    with pytest.raises(Refused, match="no receipt"):
        read_receipt(database, theirs[0].number, sale.anchor_id)
    with pytest.raises(Refused, match="no receipt"):
        read_receipt(database.bound_to(sale.anchor_id), theirs[0].number)
    assert read_receipt(database.bound_to(sale.anchor_id), own[0].number, sale.anchor_id) == own[0]


def test_a_credit_note_takes_a_receipt_back_whole_and_once(database: Database) -> None:
    sale = sell(database)
    name_marketplace(database)
    deposit(database, sale.anchor_id, 11_900, "manual", "taxed", OPERATOR)
    row = latest(database)
    change_billing_details(database, sale.anchor_id, ANCHOR, OPERATOR)
    key = idempotency_key_for("operator", "k-1", "POST /credit-note", None)
    note = issue_credit_note(database, row.number, MEMO, OPERATOR, key)
    assert issue_credit_note(database, row.number, MEMO, OPERATOR, key) == note
    assert (note.number, note.kind, note.corrects_number) == (row.number + 1, "credit_note", row.number)
    assert (note.gross_cents, note.tax_cents, note.parties) == (row.gross_cents, row.tax_cents, row.parties)
    assert read_receipt(database, row.number).corrected_by == note.number
    for number, code in ((row.number, "receipt_corrected"), (note.number, "receipt_not_correctable")):
        with pytest.raises(Refused) as refused:
            issue_credit_note(database, number, MEMO, OPERATOR)
        assert refused.value.code == code
    with pytest.raises(Refused, match="no receipt"):
        issue_credit_note(database, 999, MEMO, OPERATOR)
    with pytest.raises(BadInput, match="memo"):
        issue_credit_note(database, 1, "short", OPERATOR)
    assert query(database, "select last_number from receipt_head") == [(note.number,)]


@pytest.mark.parametrize(("cents", "notes"), [(700, 1), (300, 0)], ids=["whole", "a part"])
def test_a_refund_at_the_gateway_takes_the_receipt_back_if_it_is_whole(
    cents: int, notes: int, database: Database
) -> None:
    asked = ask(database, 700)
    take_report(database, GATEWAY, GatewayReport(ReportKind.PAID, asked.request_id, "charge", 700, "EUR"))
    row = latest(database)
    refund = GatewayReport(ReportKind.REFUNDED, None, "charge", cents, "EUR", detail=f"refunded-{cents}")
    for _ in range(2):
        take_report(database, GATEWAY, refund)
    found = query(database, "select corrects_number, gross_cents from receipts where kind = 'credit_note'")
    assert found == [(row.number, 700)] * notes


def test_a_statement_names_who_was_named_when_its_month_was_closed(database: Database) -> None:
    sale = sell(database)
    name_marketplace(database)
    change_billing_details(database, sale.anchor_id, ANCHOR, OPERATOR)
    [(now,)] = query(database, "select clock_timestamp()")
    month = f"{now:%Y-%m}"
    assert read_statement(database, sale.anchor_id, month).parties.recipient.legal_name == "Anchor Hosting GmbH"
    with Database(database.url, "fairlead", simulated_clock=SimulatedClock(now + timedelta(days=33))) as then:
        assert close_months(then)
    before = read_statement(database, sale.anchor_id, month)
    name_marketplace(database, "Port GmbH")
    change_billing_details(database, sale.anchor_id, WantedDetails("Other", "Elsewhere", "FR"), OPERATOR)
    assert read_statement(database, sale.anchor_id, month) == before
    assert before.parties.issuer.legal_name == "Harbour GmbH"


def test_what_is_changed_of_billing_details_is_audited_without_saying_to_what(database: Database) -> None:
    sale = sell(database)
    seen = read_billing_details(database, sale.anchor_id)
    assert seen.row is None
    change_billing_details(database, sale.anchor_id, ANCHOR, PORTAL, expected_version=seen.version)
    with pytest.raises(Refused, match="changed meanwhile"):
        change_billing_details(
            database, sale.anchor_id, WantedDetails("X", "Y", "FR"), PORTAL, expected_version=seen.version
        )
    change_billing_details(database, sale.anchor_id, ANCHOR, PORTAL)
    [event] = audited(database, "billing_details.changed")
    assert event[2] == {"changed": ["legal_name", "address", "country", "tax_id", "email"]}


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        (WantedDetails("", "Kai 4", "DE"), "legal_name"),
        (WantedDetails("Anchor", "x" * 501, "DE"), "address"),
        (WantedDetails("Anchor", "Kai 4", "Germany"), "country"),
        (WantedDetails("Anchor", "Kai 4", "DE", "DE\x00"), "tax_id"),
        (WantedDetails("Anchor", "Kai 4", "DE", None, "no address"), "email"),
    ],
)
def test_what_papers_cannot_say(wanted: WantedDetails, place: str, database: Database) -> None:
    sale = sell(database)
    with pytest.raises(BadInput, match=f"^{place}"):
        change_billing_details(database, sale.anchor_id, wanted, OPERATOR)
