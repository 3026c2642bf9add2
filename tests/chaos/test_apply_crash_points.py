"""Struck at every statement, files that declare postcode tables, intake, terms of auto top-ups, and a dearer level."""

import pytest

from fairlead.flows.declaring.apply_marketplace import apply_marketplace, parse_declaration
from fairlead.flows.payments.auto_top_up import change_auto_top_up
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.chaos.proxy import Proxy
from tests.chaos.struck import EVERYWHERE, Flow, Row, strike_at_every_statement
from tests.chaos.test_configuration_crash_points import ending_of_market, id_in, market
from tests.flows.marketplaces import declare
from tests.flows.payments.paying import PAYER
from tests.flows.payments.topping_up import WANTED, save_card
from tests.flows.sales import query

pytestmark = [pytest.mark.chaos, pytest.mark.slow]

LIMITED = """
[[provider]]
email = "{slug}@example.com"
subscription = [{{ niche = "{slug}", level = "only", max_price_cents = 1050 }}]
"""
NEWER = """
[[postcode_table]]
name = "{slug}"
content = "10115,52.53,13.38\\n20095,53.55,10.0\\n"

[[niche]]
slug = "{slug}"
field = [{{ key = "zip", label = "Postcode", type = "text" }}]
level = [{{ name = "only", price_cents = 1100 }}]

[niche.intake]
public = true
approves = true
duplicate_rule = {{ version = 1, any_of = [["contact_email"]], scope = "niche", action = "flag" }}

[[provider]]
email = "{slug}@example.com"
auto_top_up = {{ threshold_cents = 700, amount_cents = 1400, monthly_limit_cents = 4200 }}

[[provider.subscription]]
niche = "{slug}"
level = "only"
filter_version = 2
filter = [{{ field_key = "zip", operator = "within_km", value = {{ table = "{slug}", postcode = "10115", km = 5 }} }}]
"""
SWITCHED_OFF = """
[[provider]]
email = "{slug}@example.com"
auto_top_up = {{ amount_cents = 1500, on = false }}
"""
SECOND_VERSION = """
[[postcode_table]]
name = "{slug}"
version = 3
content = "10115,52.53,13.38\\n"
"""


def applied(database: Database, _: Database, slug: str, text: str) -> None:
    apply_marketplace(database, parse_declaration(text.format(slug=slug)), OPERATOR)


def limited(database: Database, slug: str) -> str:
    """The provider pays at most less than the file has the level ask."""
    market(database, slug)
    declare(database, LIMITED.format(slug=slug))
    return slug


def topping_up(database: Database, slug: str) -> str:
    """The provider's auto top-up is on, and due."""
    market(database, slug)
    own_id = id_in(database, "providers", "name", slug)
    save_card(database, own_id, "pays")
    change_auto_top_up(database, own_id, WANTED, PAYER)
    return slug


def with_table(database: Database, slug: str) -> str:
    """A file loaded the first version of a table."""
    market(database, slug)
    declare(database, f'[[postcode_table]]\nname = "{slug}"\ncontent = "10115,52.53,13.38\\n10117,52.52,13.39\\n"\n')
    return slug


def ending_of_file(database: Database, slug: str) -> Row:
    """What `ending_of_market` has, and what else a file writes; the slug aside."""
    rows = query(
        database,
        """
        select n.intake_is_public, n.intake_approves, n.duplicate_rule::text,
               (select array_agg((t.version, t.postcode_count, t.content_sha256) order by t.version)
                from postcode_tables t where t.name = n.slug)::text,
               (select array_agg((a.threshold_cents, a.amount_cents, a.monthly_limit_cents, a.is_on,
                                  a.due_at is not null))
                from auto_top_ups a where a.provider_id = p.id)::text,
               (select array_agg((m.kind, m.detail) order by m.kind) from notifications m
                where m.provider_id = p.id)::text,
               (select array_agg(a.action order by a.seq) from audit_log a
                where a.entity_id in (n.id::text, p.id::text) or a.entity_id like n.slug || '/%%')::text
        from niches n, providers p where n.slug = %s and p.email = n.slug || '@example.com'
        """,
        slug,
    )
    return [
        *(tuple(str(value).replace(slug, "SLUG") for value in row) for row in rows),
        *ending_of_market(database, slug),
    ]


FILES = {
    "a table, what is let in, terms, and a dearer level": Flow(
        limited, lambda own, direct, slug: applied(own, direct, slug, NEWER), ending_of_file
    ),
    "an auto top-up off, with other terms": Flow(
        topping_up, lambda own, direct, slug: applied(own, direct, slug, SWITCHED_OFF), ending_of_file
    ),
    "a later version of a table": Flow(
        with_table, lambda own, direct, slug: applied(own, direct, slug, SECOND_VERSION), ending_of_file
    ),
}


@pytest.mark.parametrize("how", EVERYWHERE)
@pytest.mark.parametrize("name", FILES)
def test_what_breaks_at_any_statement_of_a_file_is_done_once(
    name: str, how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    strike_at_every_statement(FILES[name], how, database, database_url, proxy)
