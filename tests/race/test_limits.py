"""Limits under real concurrency: a hundred leads at one cap, and one provider's cap over five niches."""

import pytest

from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.marketplaces import declare
from tests.flows.sales import query
from tests.race.processes import Workers, deadlocks, decide_all

SLUGS = ("one", "two", "three", "four", "five")
NICHE = """
[[niche]]
slug = "{slug}"
name = "{slug}"
level = [{{ name = "only", price_cents = 100, max_recipients = 2, order_position = 1 }}]
"""
PROVIDER = """
[[provider]]
email = "{name}@example.com"
name = "{name}"
{terms}
deposit = [{{ external_id = "{name}", amount_cents = 900000 }}]
subscription = [{subscriptions}]
"""


def open_market(database: Database, slugs: tuple[str, ...], terms: str, own_limits: str) -> list[str]:
    """A provider with limits and one without, subscribed everywhere; returns the ids of the niches."""
    subscriptions = [f'{{ niche = "{slug}", level = "only"{own_limits} }}' for slug in slugs]
    plain = [f'{{ niche = "{slug}", level = "only" }}' for slug in slugs]
    text = "".join(NICHE.format(slug=slug) for slug in slugs)
    text += PROVIDER.format(name="anchor", terms=terms, subscriptions=", ".join(subscriptions))
    text += PROVIDER.format(name="bowline", terms="", subscriptions=", ".join(plain))
    declare(database, text)
    return [query(database, "select id::text from niches where slug = %s", slug)[0][0] for slug in slugs]


def received(database: Database) -> dict[str, int]:
    return dict(
        query(
            database, "select p.name, count(*) from assignments a join providers p on p.id = a.provider_id group by 1"
        )
    )


@pytest.mark.parametrize(
    ("slugs", "terms", "own_limits", "most"),
    [
        (SLUGS[:1], "", ", limits = { leads_total = 37 }", 37),
        (SLUGS, "limits = { leads_total = 23, spend_cents_per_month = 100000 }", "", 23),
    ],
)
def test_no_worker_oversteps_a_limit(
    slugs: tuple[str, ...], terms: str, own_limits: str, most: int, database: Database, database_url: str
) -> None:
    niche_ids = open_market(database, slugs, terms, own_limits)
    for slug in slugs:
        submit_leads(database, slug, [{}] * (100 // len(slugs)), OPERATOR, approve=True)
    workers = Workers()
    for number in range(5):
        turn = number % len(niche_ids)  # each begins at another niche
        workers.start(decide_all, database_url, niche_ids[turn:] + niche_ids[:turn], 3)
    reports = workers.results()
    assert sum(bool(report.batches) for report in reports) > 1, "one worker did everything"
    assert received(database) == {"anchor": most, "bowline": 100}
    assert deadlocks(database_url) == 0
