"""Whose turn is said to be next is whose turn it then is."""

from collections.abc import Iterator
from typing import Any

from fairlead.flows.configuration.subscriptions import pause_subscription
from fairlead.flows.distributor import Distributor
from fairlead.flows.explaining.niche_queues import StandingQueue, read_niche_queues
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import an_admin, application
from tests.flows.marketplaces import declare
from tests.flows.sales import query

LEVELS = """
[[niche]]
slug = "hosting"
name = "Hosting"
level = [
    { name = "gold", price_cents = 20, max_recipients = 1, order_position = 2 },
    { name = "silver", price_cents = 5, max_recipients = 2, order_position = 5, order = "weighted" },
]
"""


def open_niche(database: Database, names: str = "abcd") -> str:
    """Providers that can pay for everything at both levels; the niche's id."""
    providers = [
        f"""
[[provider]]
email = "{name}@example.com"
name = "{name}"
deposit = [{{ external_id = "opening-{name}", amount_cents = 100000 }}]
subscription = [{{ niche = "hosting", level = "gold" }}, {{ niche = "hosting", level = "silver" }}]
"""
        for name in names
    ]
    declare(database, LEVELS + "".join(providers))
    return query(database, "select id::text from niches")[0][0]


def decisions(database: Database, niche_id: str, count: int) -> Iterator[Any]:
    """What the journal says of so many leads, one after the other."""
    distributor = Distributor(database)
    for _ in range(count):
        submit_leads(database, "hosting", [{}], OPERATOR, approve=True)
        assert len(distributor.distribute_waiting(niche_id)) == 1
        yield query(database, "select payload from niche_journal where kind = 'decision' order by seq desc limit 1")[0][
            0
        ]


def order_of(queue: StandingQueue) -> list[str]:
    """The providers at its head."""
    return [each.provider_id for each in queue.head]


def test_the_next_lead_goes_to_those_whose_turn_was_said_to_be_next(database: Database) -> None:
    niche_id = open_niche(database)
    before = read_niche_queues(database, niche_id)
    starts: set[str] = set()
    for payload in decisions(database, niche_id, 9):
        expected: list[str] = []
        queues = {each.level.level_id: each for each in before.levels}
        assert payload["levels"][0]["level_id"] == before.next_level_id
        for level in payload["levels"]:
            queue = queues[level["level_id"]]
            turn = [each for each in order_of(queue) if each not in expected][: queue.level.max_recipients]
            assert [each["provider_id"] for each in level["recipients"]] == turn
            expected += turn
        starts.add(str(before.next_level_id))
        before = read_niche_queues(database, niche_id)
    assert len(starts) == 2, "both levels had their turn"


def test_the_reason_for_the_order_is_counted_in_leads(database: Database) -> None:
    niche_id = open_niche(database)
    queues = read_niche_queues(database, niche_id)
    assert [each.leads_since for queue in queues.levels for each in queue.head] == [None] * 8
    payloads = list(decisions(database, niche_id, 7))
    for queue in read_niche_queues(database, niche_id).levels:
        for each in queue.head:
            ago = [
                number
                for number, payload in enumerate(reversed(payloads))
                for level in payload["levels"]
                for recipient in level["recipients"]
                if recipient["subscription_id"] == each.subscription_id
            ]
            assert each.leads_since == (min(ago) if ago else None)


def test_who_can_receive_nothing_is_counted_beside_the_queue(database: Database) -> None:
    niche_id = open_niche(database)
    gold = read_niche_queues(database, niche_id).levels[0]
    pause_subscription(database, gold.head[0].subscription_id, OPERATOR, of_provider_id=None)
    after = read_niche_queues(database, niche_id, head_length=2).levels[0]
    assert (after.queued_count, dict(after.not_queued)) == (3, {"subscription_inactive": 1})
    assert order_of(after) == order_of(gold)[1:3]


def test_the_api_says_the_same(database: Database) -> None:
    niche_id = open_niche(database)
    list(decisions(database, niche_id, 3))
    queues = read_niche_queues(database, niche_id)
    ann = an_admin(application(database), database)
    shown = ann.get(f"/api/v1/admin/niches/{niche_id}/queues").json()
    assert shown["next_level_id"] == queues.next_level_id
    assert [[each["provider_id"] for each in level["items"]] for level in shown["levels"]] == [
        order_of(each) for each in queues.levels
    ]
    unknown = ann.get("/api/v1/admin/niches/01900000-0000-7000-8000-000000000000/queues")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "niche_unknown")
