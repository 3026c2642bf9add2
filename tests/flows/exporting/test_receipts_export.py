"""Receipts and credit notes as a file: what papers say, of a span of time, with details for those who may see them."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.core.permissions import Permission
from fairlead.flows.configuration.billing_details import change_billing_details
from fairlead.flows.exporting.requests import request_export
from fairlead.flows.exporting.rows import ExportRequest
from fairlead.flows.money.deposit import deposit
from fairlead.flows.money.receipts import issue_credit_note, read_receipt
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.simulated_clock import SimulatedClock
from tests.flows.exporting.exports import ANN, built, fetched, lines, without
from tests.flows.money.test_receipts import ANCHOR, name_marketplace
from tests.flows.sales import MEMO, Sale, sell


@pytest.fixture
def sale(database: Database) -> Sale:
    """Two opening deposits: receipts 1 and 2, without tax or details; then 3 with both, taken back by number 4."""
    sale = sell(database)
    name_marketplace(database)
    change_billing_details(database, sale.anchor_id, ANCHOR, OPERATOR)
    deposit(database, sale.anchor_id, 11_900, "manual", "taxed", OPERATOR)
    issue_credit_note(database, 3, MEMO, OPERATOR)
    return sale


def exported(database: Database, **request: Any) -> list[dict[str, Any]]:
    row = built(database, ExportRequest("receipts", "jsonl", **request))
    return [json.loads(line) for line in lines(fetched(database, row.export_id))]


def test_a_row_says_what_the_paper_says(database: Database, sale: Sale) -> None:
    rows = exported(database)
    assert [(each["number"], each["kind"]) for each in rows] == [
        (1, "receipt"),
        (2, "receipt"),
        (3, "receipt"),
        (4, "credit_note"),
    ]
    assert [(each["corrects_number"], each["corrected_by"]) for each in rows[2:]] == [(None, 4), (3, None)]
    for each in rows:
        paper = read_receipt(database, each["number"])
        assert (each["gross_cents"], each["net_cents"], each["tax_cents"], each["tax_rate_basis_points"]) == (
            paper.gross_cents,
            paper.net_cents,
            paper.tax_cents,
            paper.tax_rate_basis_points,
        )
        assert (
            (each["gateway"], each["paid_by"]) == (paper.gateway, paper.paid_by) == ("manual", "recorded_by_operator")
        )
        assert (each["provider_id"], each["payment_id"], each["currency"], each["sha256"]) == (
            paper.provider_id,
            paper.payment_id,
            paper.currency,
            paper.sha256.hex(),
        )
        parties = {"issuer": asdict(paper.parties.issuer), "recipient": asdict(paper.parties.recipient)}
        for party, said in parties.items():
            shown = {name: value for name, value in said.items() if f"{party}_{name}" in each}
            assert shown == {name: each[f"{party}_{name}"] for name in shown}
            assert shown.keys() >= {"name", "legal_name", "address", "country", "tax_id"}, party


def test_of_one_provider_and_of_a_span(database: Database, sale: Sale) -> None:
    assert {each["provider_id"] for each in exported(database, provider=sale.bowline_id)} == {sale.bowline_id}
    assert len(exported(database, provider=sale.anchor_id)) == 3
    later = datetime.now(UTC) + timedelta(days=40)
    with Database(database.url, "fairlead", simulated_clock=SimulatedClock(later)) as then:
        deposit(then, sale.bowline_id, 500, "manual", "later", OPERATOR)
        issued_at = read_receipt(then, 5).issued_at
    assert [each["number"] for each in exported(database, time_from=issued_at)] == [5]
    assert [each["number"] for each in exported(database, time_before=issued_at)] == [1, 2, 3, 4]
    for wrong in (ExportRequest("receipts", niche_slug="hosting"), ExportRequest("receipts", columns=("parties",))):
        with pytest.raises(BadInput):
            request_export(database, wrong, ANN)


def test_billing_details_are_for_those_who_may_see_them(database: Database, sale: Sale) -> None:
    with pytest.raises(Refused):
        request_export(database, ExportRequest("receipts"), without(Permission.MONEY_READ))
    reader = without(Permission.PROVIDERS_READ)
    row = built(database, ExportRequest("receipts", "jsonl"), reader)
    assert not row.with_contact_data
    text = fetched(database, row.export_id, reader).decode()
    first, _, third, _ = (json.loads(line) for line in text.splitlines())
    hidden = [f"recipient_{name}" for name in ("legal_name", "address", "tax_id", "email")]
    assert {third[name] for name in hidden} == {"withheld"}
    assert {first[name] for name in hidden} == {None}
    assert (third["recipient_name"], third["recipient_country"]) == ("Anchor", "DE")
    assert third["issuer_legal_name"] == "Harbour GmbH"
    for said in ("Anchor Hosting", "Kai 4", "DE123", "books@"):
        assert said not in text
