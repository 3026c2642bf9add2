"""Struck at every statement of what changes a marketplace or decides on a report: it is done once, whole, and told.

The flows are a table: each prepares a marketplace of its own, acts on it, and says where that left everything.
"""

import pytest

from fairlead.flows.configuration.conflict_groups import create_conflict_group, set_conflict_group
from fairlead.flows.configuration.filter_renewals import renew_filters
from fairlead.flows.configuration.local_time import set_provider_limits
from fairlead.flows.configuration.niche_archive import archive_niche
from fairlead.flows.configuration.postcode_tables import load_postcode_table
from fairlead.flows.configuration.price_rules import set_price_rules
from fairlead.flows.configuration.subscriptions import set_filter
from fairlead.flows.declaring.apply_marketplace import apply_marketplace, parse_declaration
from fairlead.flows.money.bad_leads import accept_bad_lead, reject_bad_lead, report_bad_lead
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.chaos.proxy import Proxy
from tests.chaos.struck import EVERYWHERE, Flow, Row, strike_at_every_statement
from tests.chaos.test_refund_crash_points import ending as ending_of_refund
from tests.chaos.test_refund_crash_points import sold
from tests.flows.marketplaces import declare
from tests.flows.sales import MEMO, PORTAL, query

pytestmark = [pytest.mark.chaos, pytest.mark.slow]

MARKET = """
[[niche]]
slug = "{slug}"
name = "{slug}"
level = [{{ name = "only", price_cents = 1000, max_recipients = 1, order_position = 1 }}]

[[provider]]
email = "{slug}@example.com"
name = "{slug}"
deposit = [{{ external_id = "{slug}", amount_cents = 400 }}]
subscription = [{{ niche = "{slug}", level = "only" }}]
"""
EVERYTHING = """
[marketplace.papers]
legal_name = "{slug}"
tax_rate_basis_points = 1900

[[niche]]
slug = "{slug}"
name = "All of {slug}"
max_recipients_per_lead = 2
refunds = {{ returns_turn = true, leaves_limits = true }}
field = [{{ key = "age", type = "number" }}]

[[niche.level]]
name = "only"
exclusive = true
[niche.level.price_rules]
version = 1
rules = [{{ name = "Old", price_cents = 300, lead_age_minutes = {{ from = 60 }} }}]

[[niche.level]]
name = "new"
price_cents = 200
max_recipients = 2
order_position = 2

[[provider]]
email = "{slug}@example.com"
timezone = "America/Havana"
conflict_group = "owner of {slug}"
limits = {{ leads_per_day = 3 }}
schedule = {{ weekly = [{{ days = ["mon"], opens = "22:00", closes = "06:00" }}] }}
billing = {{ legal_name = "Company {slug}", address = "Quay 1", country = "DE" }}
deposit = [{{ external_id = "{slug} 2", amount_cents = 50 }}]
[[provider.subscription]]
niche = "{slug}"
level = "new"
filter_version = 2
filter = [{{ any = [
  {{ field_key = "age", operator = "lte", value = 20 }}, {{ field_key = "age", operator = "gte", value = 60 }},
] }}]
limits = {{ leads_total = 9 }}
max_price_cents = 250
"""
PRICE_RULES = {"version": 1, "rules": [{"name": "Old", "price_cents": 300, "lead_age_minutes": {"from": 60}}]}
"""Its provider has 400 cents: it can pay what the level may ask from now on, and its subscription starts."""


def market(database: Database, slug: str) -> str:
    declare(database, MARKET.format(slug=slug))
    return slug


def id_in(database: Database, table: str, column: str, value: str) -> str:
    [(found,)] = query(database, f"select id::text from {table} where {column} = %s", value)
    return str(found)


def reported(database: Database, slug: str) -> str:
    assignment_id = sold(database, slug)
    [(own_id,)] = query(database, "select provider_id::text from assignments where id = %s", assignment_id)
    report_bad_lead(database, own_id, assignment_id, "spam", None, PORTAL)
    return assignment_id


def ending_of_report(database: Database, assignment_id: str) -> Row:
    decided = query(
        database,
        "select bad_lead_decision, bad_lead_decided_by is not null from assignments where id = %s",
        assignment_id,
    )
    return [*decided, *ending_of_refund(database, assignment_id)]


def ending_of_market(database: Database, slug: str) -> Row:
    """The slug itself aside, which each market has its own."""
    rows = query(
        database,
        """
        select n.name, n.journal_seq, n.is_active, n.is_archived, n.max_recipients_per_lead, n.refund_returns_turn,
               n.form_schema::text, p.status, p.low_balance_threshold_cents, p.credit_limit_cents,
               p.balance_cents, p.ledger_seq, p.timezone, p.limits::text,
               p.schedule::text, p.conflict_group_id is not null,
               (select array_agg((l.name, l.price_cents, l.max_recipients, l.is_exclusive, l.price_rules,
                                  l.order_position, l.queue_order, l.deleted_at is not null) order by l.name)
                from competition_levels l where l.niche_id = n.id)::text,
               (select array_agg((s.is_active, s.deactivation_reason, s.filter_rules, s.limits, s.max_price_cents,
                                  s.weight, s.deleted_at is not null) order by s.filter_rules::text)
                from subscriptions s where s.niche_id = n.id)::text,
               (select array_agg((r.tax_cents, r.parties #>> '{issuer,legal_name}',
                                  r.parties #>> '{recipient,legal_name}')::text order by r.number desc)
                from receipts r where r.provider_id = p.id)[1],
               (select (d.legal_name, d.address, d.country) from billing_details d where d.provider_id = p.id)::text,
               (select array_agg(j.kind order by j.seq) from niche_journal j where j.niche_id = n.id),
               (select array_agg(m.kind order by m.kind) from notifications m where m.provider_id = p.id),
               (select count(*) from audit_log a where a.entity_id in (n.id::text, p.id::text)
                or a.entity_id in (select l.id::text from competition_levels l where l.niche_id = n.id)
                or a.entity_id in (select s.id::text from subscriptions s where s.niche_id = n.id))
        from niches n, providers p where n.slug = %s and p.email = n.slug || '@example.com'
        """,
        slug,
    )
    return [tuple(str(value).replace(slug, "SLUG") for value in row) for row in rows]


def change_prices(database: Database, direct: Database, slug: str) -> None:
    niche_id = id_in(direct, "niches", "slug", slug)
    set_price_rules(database, id_in(direct, "competition_levels", "niche_id", niche_id), PRICE_RULES, OPERATOR)


def change_limits(database: Database, direct: Database, slug: str) -> None:
    set_provider_limits(database, id_in(direct, "providers", "name", slug), {"leads_per_day": 3}, OPERATOR)


def join_group(database: Database, direct: Database, slug: str) -> None:
    group_id = id_in(direct, "conflict_groups", "name", f"owner of {slug}")
    set_conflict_group(database, id_in(direct, "providers", "name", slug), group_id, OPERATOR)


def with_group(database: Database, slug: str) -> str:
    create_conflict_group(database, f"owner of {slug}", OPERATOR)
    return market(database, slug)


def archive(database: Database, direct: Database, slug: str) -> None:
    archive_niche(database, id_in(direct, "niches", "slug", slug), OPERATOR)


def apply_everything(database: Database, _: Database, slug: str) -> None:
    apply_marketplace(database, parse_declaration(EVERYTHING.format(slug=slug)), OPERATOR)


def load_table(database: Database, _: Database, name: str) -> None:
    load_postcode_table(database, name, "10115,52.53,13.38\n20095,53.55,10.0\n", OPERATOR)


def ending_of_table(database: Database, name: str) -> Row:
    return query(
        database,
        "select t.version, t.postcode_count, (select count(*) from audit_log a where a.entity_id = t.name || '/1')"
        " from postcode_tables t where t.name = %s",
        name,
    )


BY_TABLE = """
[[niche]]
slug = "{slug}"
name = "{slug}"
field = [{{ key = "zip", label = "Postcode", type = "text" }}]
level = [{{ name = "gold", price_cents = 100, max_recipients = 1, order_position = 1 }}]
[[provider]]
email = "{slug}@example.com"
name = "{slug}"
subscription = [{{ niche = "{slug}", level = "gold" }}]
"""


def market_by_table(database: Database, slug: str) -> str:
    """A filter goes by the first version of a table, of which there is a second."""
    declare(database, BY_TABLE.format(slug=slug))
    load_table(database, database, slug)
    circle = {"table": slug, "postcode": "10115", "km": 5}
    rule = {"field_key": "zip", "operator": "within_km", "value": circle}
    subscription_id = id_in(database, "subscriptions", "niche_id", id_in(database, "niches", "slug", slug))
    set_filter(database, subscription_id, {"version": 2, "rules": [rule]}, OPERATOR, of_provider_id=None)
    load_postcode_table(database, slug, "10115,52.53,13.38\n10117,52.52,13.39\n", OPERATOR)
    return slug


FLOWS = {
    "accept a report": Flow(
        reported, lambda own, _, target: accept_bad_lead(own, target, MEMO, OPERATOR), ending_of_report
    ),
    "reject a report": Flow(
        reported, lambda own, _, target: reject_bad_lead(own, target, MEMO, OPERATOR), ending_of_report
    ),
    "change price rules": Flow(market, change_prices, ending_of_market),
    "change limits": Flow(market, change_limits, ending_of_market),
    "join a conflict group": Flow(with_group, join_group, ending_of_market),
    "archive a niche": Flow(market, archive, ending_of_market),
    "apply a file with everything": Flow(market, apply_everything, ending_of_market),
    "renew filters": Flow(market_by_table, lambda own, _, slug: renew_filters(own, slug, OPERATOR), ending_of_market),
    "load a postcode table": Flow(lambda _, name: name, load_table, ending_of_table),
}


@pytest.mark.parametrize("how", EVERYWHERE)
@pytest.mark.parametrize("name", FLOWS)
def test_what_breaks_at_any_statement_is_done_once(
    name: str, how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    strike_at_every_statement(FLOWS[name], how, database, database_url, proxy)
