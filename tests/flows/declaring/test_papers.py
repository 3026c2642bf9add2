"""A marketplace file says what papers name: the marketplace, its tax, and each provider."""

import json
from dataclasses import replace

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.configuration.billing_details import read_billing_details
from fairlead.flows.configuration.marketplace import read_marketplace
from fairlead.flows.declaring.export_marketplace import export_marketplace
from fairlead.flows.money.receipts import list_receipts
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.money.billing_details import BillingDetails
from fairlead.store.money.receipts import ReceiptFilter
from tests.flows.marketplaces import HOSTING, declare, everything, provider_id
from tests.flows.sales import ANCHOR, BOWLINE, audited

PAPERS = """
[marketplace.papers]
legal_name = " Harbour GmbH "
address = "Kai 1\\r\\n28195 Bremen"
country = "DE"
tax_id = "DE987"
tax_rate_basis_points = 1900
"""
DETAILS = """
[provider.billing]
legal_name = "Bowline Hosting GmbH "
address = "Kai 4\\n20457 Hamburg"
country = "DE"
tax_id = "DE123"
email = "books@BOWLINE.example.com"
"""
OF_BOWLINE = f'[[provider]]\nemail = "{BOWLINE}"\n'
BILLED = BillingDetails("", "Bowline Hosting GmbH", "Kai 4\n20457 Hamburg", "DE", "DE123", "books@bowline.example.com")


def details(database: Database, email: str = BOWLINE) -> BillingDetails | None:
    row = read_billing_details(database, provider_id(database, email)).row
    return row and replace(row, provider_id="")


def papers(database: Database) -> tuple[object, ...]:
    found = read_marketplace(database)
    return found.legal_name, found.address, found.country, found.tax_id, found.tax_rate_basis_points


def test_what_is_declared_is_on_the_receipts_of_the_same_file(database: Database) -> None:
    declare(database, PAPERS + HOSTING + DETAILS)
    [receipt] = list_receipts(database, ReceiptFilter(provider_id(database, BOWLINE)), None, 10).items
    issuer, recipient = receipt.parties.issuer, receipt.parties.recipient
    assert (issuer.legal_name, issuer.address, issuer.tax_id) == ("Harbour GmbH", "Kai 1\n28195 Bremen", "DE987")
    assert (recipient.legal_name, recipient.country, recipient.name) == ("Bowline Hosting GmbH", "DE", "Bowline")
    assert (receipt.gross_cents, receipt.tax_rate_basis_points, receipt.tax_cents) == (600, 1_900, 96)
    assert details(database) == BILLED
    assert details(database, ANCHOR) is None
    before = everything(database)
    assert declare(database, PAPERS + HOSTING + DETAILS).changes == ()
    assert everything(database) == before


def test_what_a_file_does_not_name_stays_and_an_empty_text_takes_away(database: Database) -> None:
    declare(database, PAPERS + HOSTING + DETAILS)
    for silent in (HOSTING, "[marketplace.papers]\n", f"{OF_BOWLINE}[provider.billing]\n"):
        assert declare(database, silent).changes == ()
    said = declare(database, f'[marketplace.papers]\ncountry = "AT"\n{OF_BOWLINE}billing = {{ country = "AT" }}')
    assert [each.line for each in said.changes] == [
        "~ marketplace papers: country DE -> AT",
        f"~ billing_details {BOWLINE}: country DE -> AT",
    ]
    assert papers(database) == ("Harbour GmbH", "Kai 1\n28195 Bremen", "AT", "DE987", 1_900)
    assert details(database) == replace(BILLED, country="AT")
    declare(
        database,
        f"""
        [marketplace.papers]
        legal_name = ""
        address = ""
        country = ""
        tax_id = ""
        tax_rate_basis_points = ""
        {OF_BOWLINE}
        billing = {{ tax_id = "", email = "" }}
        """,
    )
    assert papers(database) == (None,) * 5
    assert details(database) == replace(BILLED, country="AT", tax_id=None, email=None)
    declare(database, "[marketplace.papers]\ntax_rate_basis_points = 0")
    assert papers(database)[-1] == 0, "no tax at a rate is not the same as no tax named"


def test_a_dry_run_shows_it_and_writes_nothing(database: Database) -> None:
    declare(database, HOSTING)
    before = everything(database)
    tried = declare(database, f"{PAPERS}{OF_BOWLINE}{DETAILS}", dry_run=True)
    assert [(each.kind, each.entity, each.name) for each in tried.changes] == [
        ("change", "marketplace", "papers"),
        ("create", "billing_details", BOWLINE),
    ]
    assert everything(database) == before


def test_the_audit_log_says_what_changed_and_of_providers_not_to_what(database: Database) -> None:
    declare(database, HOSTING)
    declare(database, f'{PAPERS}{OF_BOWLINE}{DETAILS}[marketplace]\nname = "Harbour"\n')
    [(_, old, new, _, _)] = audited(database, "marketplace.changed")
    assert (new["name"], new["legal_name"], new["tax_rate_basis_points"]) == ("Harbour", "Harbour GmbH", 1_900)
    assert old == dict.fromkeys(new)
    declare(database, f'{OF_BOWLINE}billing = {{ address = "Kai 5" }}')
    events = audited(database, "billing_details.changed")
    assert [event[0] for event in events] == [provider_id(database, BOWLINE)] * 2
    assert [event[2] for event in events] == [
        {"changed": ["legal_name", "address", "country", "tax_id", "email"]},
        {"changed": ["address"]},
    ]


def test_details_of_many_providers_keep_their_places(database: Database) -> None:
    texts = ("plain", 'with "quotes" and \\', "{NULL}", "NULL", "a,b", "two\nlines")
    file = "".join(
        f"[[provider]]\nemail = 'p{number}@example.com'\nname = 'P'\n[provider.billing]\n"
        f"legal_name = {json.dumps(f'P{number}')}\naddress = {json.dumps(text)}\ncountry = 'DE'\n"
        for number, text in enumerate(texts)
    )
    declare(database, file)
    for number, text in enumerate(texts):
        assert details(database, f"p{number}@example.com") == BillingDetails("", f"P{number}", text, "DE")
    assert declare(database, export_marketplace(database, OPERATOR).text).changes == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[marketplace.papers]\ncountry = "Germany"', "marketplace.papers.country: must be a country's code of two"),
        (
            "[marketplace.papers]\ntax_rate_basis_points = 10001",
            "marketplace.papers.tax_rate_basis_points: must be less",
        ),
        (
            '[marketplace.papers]\ntax_rate_basis_points = "19"',
            "marketplace.papers.tax_rate_basis_points: must be a whol",
        ),
        (
            "[marketplace.papers]\ntax_rate_basis_points = 19.0",
            "marketplace.papers.tax_rate_basis_points: must be a whol",
        ),
        ("[marketplace.papers]\ntax_rate = 19", "marketplace.papers.tax_rate: has no meaning here"),
        ('[marketplace.papers]\nlegal_name = "two\\nlines"', "marketplace.papers.legal_name: must be one line of"),
        ("[marketplace]\npapers = 5", "marketplace.papers: must be a table"),
        ('[marketplace]\ntimezone = "Moon"', "marketplace.timezone: must be an IANA time zone"),
        (f'{OF_BOWLINE}billing = {{ legal_name = "B" }}', "provider[0].billing.address: is missing, and bowline@"),
        (f'{OF_BOWLINE}billing = {{ legal_name = "" }}', "provider[0].billing.legal_name: must"),
        (f'{OF_BOWLINE}billing = {{ country = "ZZ" }}', "provider[0].billing.country: must be a country's code"),
        (f'{OF_BOWLINE}billing = {{ email = "books" }}', "provider[0].billing.email: must be an email address"),
        (f'{OF_BOWLINE}billing = {{ address = "{"x" * 501}" }}', "provider[0].billing.address: "),
        (f'{OF_BOWLINE}billing = {{ iban = "DE0" }}', "provider[0].billing.iban: has no meaning here"),
    ],
)
def test_what_papers_cannot_say_is_refused_by_its_key_and_nothing_is_written(
    database: Database, text: str, problem: str
) -> None:
    declare(database, HOSTING)
    before = everything(database)
    also = '\n[[niche]]\nslug = "other"\nname = "Other"\n'
    with pytest.raises(BadInput) as refused:
        declare(database, text + also)
    assert any(each.startswith(problem) for each in refused.value.problems), refused.value.problems
    assert everything(database) == before
