"""The marketplace as a file: applied where it came from it changes nothing, applied elsewhere it makes the same."""

import tomllib
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from pydantic import BaseModel

from fairlead.cli import demo
from fairlead.flows.declaring.export_marketplace import MarketplaceFile, export_marketplace
from fairlead.flows.declaring.tables import (
    AutoTopUpTable,
    BillingTable,
    IntakeTable,
    LevelTable,
    MarketplaceTable,
    NicheTable,
    PapersTable,
    PostcodesTable,
    ProviderTable,
    SubscriptionTable,
)
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.schema import migrate
from tests.closing_sweep import sweep
from tests.flows.marketplaces import HOSTING, activity, declare

EVERY_KEY = r"""
[marketplace]
currency = "CHF"
min_deposit_cents = 1000
max_deposit_cents = 500000
name = "Harbour Leads"
timezone = "Europe/Zurich"

[marketplace.papers]
legal_name = "Harbour AG"
address = "Kai 1\n8001 Zürich"
country = "CH"
tax_id = "CHE-123.456.789 MWST"
tax_rate_basis_points = 810

[marketplace.reports]
categories = [
    { key = "unreachable" }, { key = "wrong_contact" }, { key = "duplicate", active = false },
    { key = "not_interested" }, { key = "outside_filter" }, { key = "spam" }, { key = "other" },
    { key = "too_far", label = "Too far away" },
]
most_a_day = 20
share = { percent = 25, days = 60 }
decision_days = 3

[[postcode_table]]
name = "de"
content = '''
zip;lat;lon
10115;52.5337;13.3872
14467;52.3988;13.0657
'''

[[niche]]
slug = "hosting"
name = 'Server "Ñ\" 日本'
active = false
auto_distribute = false
reoffer = { every_minutes = 60, max_times = 5, max_hours = 48 }
phone_region = "DE"
retention = { answers_days = 400, rejected_days = 30 }
refunds = { returns_turn = true, leaves_limits = false }
report_window_days = 21
max_recipients_per_lead = 4
intake = { public = true, approves = true, duplicate_rule = { version = 1, any_of = [
    ["contact_email"], ["contact_phone", "attributes.place"],
], scope = "marketplace", action = "flag" } }
field = [
    { key = "cores", label = "Cores", type = "number", required = true },
    { key = "region", label = "Region\nof use", type = "select", options = ["north", "south"] },
    { key = "place", label = "Place", type = "text" },
]

[[niche.level]]
name = "silver"
price_cents = 500
max_recipients = 3
order_position = 20

[niche.level.price_rules]
version = 1
timezone = "Europe/Berlin"

[[niche.level.price_rules.rules]]
name = "Nights"
price_cents = 700
hours = [{ days = ["mon", "sun"], opens = 22:00:00, closes = "06:00" }]

[[niche.level.price_rules.rules]]
name = "Old ones of the north"
price_cents = 200
lead_age_minutes = { from = 60, below = 1440 }
filter = { version = 1, rules = [{ field_key = "region", operator = "eq", value = "north" }] }

[[niche.level]]
name = "gold"
price_cents = 2000
max_recipients = 1
order_position = 3
active = false
exclusive = true
price_rules = { version = 1, rules = [{ name = "Later", price_cents = 1500, lead_age_minutes = { from = 60 } }] }

[[niche]]
slug = "bare"
name = "Bare"

[[provider]]
email = "anchor@example.com"
name = "Anchor"
status = "pending"
timezone = "Asia/Kathmandu"
language = "de"
credit_limit_cents = 700
low_balance_threshold_cents = 300
low_balance_days = 5
conflict_group = "One owner"
limits = { leads_per_week = 50, spend_cents_per_month = 90000 }

[provider.billing]
legal_name = "Anchor \"Hosting\" GmbH"
address = "Kai 4\n20457 Hamburg"
country = "DE"
tax_id = "DE123456789"
email = "books@anchor.example.com"

[provider.auto_top_up]
threshold_cents = 500
amount_cents = 2000
monthly_limit_cents = 10000

[provider.schedule]
weekly = [{ days = ["mon"], opens = 22:00:00, closes = "06:00" }, { days = ["tue"], opens = "08:00", closes = "12:30" }]
dates_off = [2027-02-28, { from = "2027-12-24", to = 2028-01-03 }]
holidays = { country = "DE", region = "BY" }
paused_until = 2026-12-27T08:00:00+01:00

[[provider.subscription]]
niche = "hosting"
level = "silver"
active = false
max_price_cents = 600
limits = { leads_per_day = 2 }
schedule = { dates_off = ["2026-12-24"] }
filter_version = 2
filter = [
    { field_key = "cores", operator = "between", value = [4, 64.5] },
    { any = [
        { field_key = "region", operator = "exists", value = true },
        { field_key = "place", operator = "within_km", value = { table = "de", postcode = "10 115", km = 40 } },
        { not = { field_key = "place", operator = "within_km", value = { point = [52.52, 13.405], km = 25 } } },
    ] },
]
"""


DEMO = Path(demo.__file__).with_name("marketplace.toml")


@pytest.fixture
def other_database(server_url: str) -> Generator[Database]:
    """A second marketplace, empty."""
    with Database(server_url, f"other_{uuid4().hex[:8]}") as other:
        migrate(other)
        yield other
        sweep(other)
        with other.transaction() as conn:
            conn.execute(f"drop schema {other.schema_name} cascade".encode())


def exported(database: Database) -> MarketplaceFile:
    return export_marketplace(database, OPERATOR)


def test_applied_where_it_came_from_it_changes_nothing_and_elsewhere_it_makes_the_same(
    database: Database, other_database: Database
) -> None:
    declare(database, EVERY_KEY)
    file = exported(database)
    assert file.left_out == ()
    assert declare(database, file.text).changes == ()
    declare(other_database, file.text)
    assert exported(other_database) == file
    assert declare(other_database, EVERY_KEY).changes == ()


@pytest.mark.parametrize("text", [HOSTING, DEMO.read_text(encoding="utf-8")], ids=["hosting", "demo"])
def test_money_and_what_it_switched_off_are_not_in_it(database: Database, other_database: Database, text: str) -> None:
    declare(database, text)
    file = exported(database)
    assert declare(database, file.text).changes == ()
    assert text != HOSTING or "insufficient_funds" in activity(database).values()
    declare(other_database, file.text)
    assert exported(other_database) == file


@pytest.mark.parametrize(
    ("model", "at"),
    [
        (MarketplaceTable, ("marketplace",)),
        (PapersTable, ("marketplace", "papers")),
        (NicheTable, ("niche",)),
        (IntakeTable, ("niche", "intake")),
        (LevelTable, ("niche", "level")),
        (ProviderTable, ("provider",)),
        (BillingTable, ("provider", "billing")),
        (AutoTopUpTable, ("provider", "auto_top_up")),
        (PostcodesTable, ("postcode_table",)),
        (SubscriptionTable, ("provider", "subscription")),
    ],
)
def test_every_key_of_the_file_is_exported(database: Database, model: type[BaseModel], at: tuple[str, ...]) -> None:
    """A new key goes into EVERY_KEY, and into the document by which applying sees what changes."""
    declare(database, EVERY_KEY)
    table: Any = tomllib.loads(exported(database).text)
    for name in at:
        found = table[name]
        table = cast("list[Any]", found)[0] if isinstance(found, list) else found
    # Deposits are money; what is deleted is not there; a provider itself says whether it is charged (on); a table's
    # content stands in the file or in one beside it.
    assert model.model_fields.keys() - table.keys() <= {"deposit", "deleted", "on", "file"}


def test_a_subscription_whose_filter_no_longer_fits_is_left_out(database: Database) -> None:
    declare(database, HOSTING)
    declare(database, '[[niche]]\nslug = "hosting"\nfield = [{ key = "region", type = "text" }]')
    file = exported(database)
    assert file.left_out == (
        "anchor@example.com hosting/gold: its filter no longer fits the form",
        "bowline@example.com hosting/silver: its filter no longer fits the form",
    )
    assert all(f"# Left out: {line}\n" in file.text for line in file.left_out)
    assert declare(database, file.text).changes == ()


def test_of_an_empty_marketplace_it_is_a_file_that_changes_nothing(database: Database) -> None:
    declare(database, '[marketplace]\ncurrency = "EUR"')
    assert tomllib.loads(exported(database).text) == {"marketplace": {"currency": "EUR"}, "niche": [], "provider": []}
    assert declare(database, exported(database).text).changes == ()


def test_a_duplicate_rule_that_no_longer_fits_is_left_out(database: Database, other_database: Database) -> None:
    rule = 'version = 1, any_of = [["attributes.region"]], scope = "niche", action = "flag"'
    text = '[[niche]]\nslug = "bare"\nname = "Bare"\n'
    declare(
        database, f'{text}field = [{{ key = "region", type = "text" }}]\nintake = {{ duplicate_rule = {{ {rule} }} }}'
    )
    declare(database, f'{text}field = [{{ key = "cores", type = "number" }}]')
    file = exported(database)
    assert file.left_out == ("bare: its duplicate rule no longer fits the form",)
    assert declare(database, file.text).changes == ()
    declare(other_database, file.text)
    assert exported(other_database).text.count("duplicate_rule") == 0
