"""Fifty deposits, fifty decisions on reports, fifty erasures at once, each against its like: exact in the end."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from fairlead.flows.distributor import Distributor
from fairlead.flows.erasure.erase import erase_lead
from fairlead.flows.money.bad_leads import report_bad_lead
from fairlead.flows.money.deposit import deposit
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.marketplaces import HOSTING, declare, provider_id
from tests.flows.sales import BOWLINE, PORTAL, balances, query, told
from tests.race.processes import Workers, deadlocks, decide_all, opened
from tests.race.test_limits import open_market
from tests.race.test_money_by_hand import accept, attempt, refund, reject

FIFTY, PEOPLE = 50, 8


def test_fifty_deposits_announced_twice_at_once_are_all_there_once(database: Database, database_url: str) -> None:
    """And the subscription that lacked money starts once."""
    declare(database, HOSTING)
    bowline = provider_id(database, BOWLINE)
    start = threading.Barrier(PEOPLE)

    def announce(opened_database: Database, person: int) -> int:
        start.wait()
        numbers = [number % FIFTY for number in range(person, 2 * FIFTY, PEOPLE)]
        done = [deposit(opened_database, bowline, 100, "test", f"payment {n}", OPERATOR) for n in numbers]
        return sum(not each.was_recorded for each in done)

    with opened(database_url, PEOPLE) as shared, ThreadPoolExecutor(PEOPLE) as pool:
        credited = [call.result() for call in [pool.submit(announce, shared, person) for person in range(PEOPLE)]]
    assert sum(credited) == FIFTY
    assert balances(database)["Bowline"] == 600 + 100 * FIFTY
    assert query(
        database,
        "select count(*), max(seq), max(balance_after_cents) from ledger_entries where provider_id = %s",
        bowline,
    ) == [(FIFTY + 1, FIFTY + 1, 600 + 100 * FIFTY)]
    assert query(
        database,
        "select s.is_active, (select count(*) from niche_journal j where j.kind = 'subscription'"
        " and j.payload ->> 'subscription_id' = s.id::text) from subscriptions s"
        " join competition_levels l on l.id = s.competition_level_id where s.provider_id = %s and l.name = 'gold'",
        bowline,
    ) == [(True, 2)]
    assert deadlocks(database_url) == 0


def sold(database: Database, count: int) -> tuple[str, list[tuple[str, str, str]]]:
    """So many leads that two providers bought for 100 cents each: the niche, and assignments with provider and lead."""
    [niche_id] = open_market(database, ("one",), "", "")
    submit_leads(database, "one", [{}] * count, OPERATOR, approve=True)
    Distributor(database).distribute_waiting(niche_id)
    return niche_id, query(database, "select id::text, provider_id::text, lead_id::text from assignments order by id")


def test_two_operators_decide_on_fifty_reports_at_once(database: Database, database_url: str) -> None:
    """All that is open, one from the front and one from the back, several at a time: each is decided once."""
    _, bought = sold(database, FIFTY // 2)
    ids = [assignment_id for assignment_id, *_ in bought]
    assert len(ids) == FIFTY
    for assignment_id, own_provider_id, _ in bought:
        report_bad_lead(database, own_provider_id, assignment_id, "spam", None, PORTAL)
    with opened(database_url, PEOPLE) as shared, ThreadPoolExecutor(PEOPLE) as pool:
        both = [(accept, each) for each in ids], [(reject, each) for each in reversed(ids)]
        calls = [pool.submit(attempt, shared, *call) for pair in zip(*both, strict=True) for call in pair]
        outcomes = Counter(call.result() for call in calls)
    assert outcomes == {"done": FIFTY, "bad_lead_decided": FIFTY}
    decided = dict(query(database, "select bad_lead_decision, count(*) from assignments group by 1"))
    assert sum(decided.values()) == FIFTY
    accepted = decided.get("accepted", 0)
    assert query(database, "select count(*) from assignments where status = 'refunded'") == [(accepted,)]
    assert sum(balances(database).values()) == 2 * 900_000 - 100 * (FIFTY - accepted)
    actions = dict(
        query(database, "select action, count(*) from audit_log where action like 'bad_lead.%%ed' group by 1")
    )
    assert (actions.get("bad_lead.accepted", 0), actions.get("bad_lead.rejected", 0)) == (accepted, FIFTY - accepted)
    assert deadlocks(database_url) == 0


def test_fifty_leads_are_erased_while_all_of_their_assignments_are_refunded(
    database: Database, database_url: str
) -> None:
    _, bought = sold(database, FIFTY)
    leads = sorted({lead_id for *_, lead_id in bought})
    with opened(database_url, PEOPLE) as shared, ThreadPoolExecutor(PEOPLE) as pool:

        def erase(lead_id: str) -> bool:
            return erase_lead(shared, lead_id, "consumer_request", OPERATOR).was_already

        refunds = [pool.submit(attempt, shared, refund, assignment_id) for assignment_id, *_ in bought]
        erasures = [pool.submit(erase, lead_id) for lead_id in [*reversed(leads), *leads]]
        assert {call.result() for call in refunds} == {"done"}
        assert Counter(call.result() for call in erasures) == {False: FIFTY, True: FIFTY}
    assert balances(database) == {"anchor": 900_000, "bowline": 900_000}
    assert query(database, "select count(*) from leads where erased_at is null or attributes_salt is not null") == [
        (0,)
    ]
    assert query(database, "select count(*) from erasures") == [(FIFTY,)]
    assert len(told(database, "refund_issued")) == 2 * FIFTY
    assert deadlocks(database_url) == 0


def test_fifty_leads_are_erased_while_they_are_sold(database: Database, database_url: str) -> None:
    """Each is sold and then erased, or erased and never sold."""
    [niche_id] = open_market(database, ("one",), "", "")
    leads = submit_leads(database, "one", [{}] * FIFTY, OPERATOR, approve=True)
    workers = Workers()
    for _ in range(2):
        workers.start(decide_all, database_url, [niche_id], 2)
    with opened(database_url, PEOPLE) as shared, ThreadPoolExecutor(PEOPLE) as pool:
        # From the back, where no worker is yet.
        for call in [
            pool.submit(erase_lead, shared, lead_id, "consumer_request", OPERATOR) for lead_id in reversed(leads)
        ]:
            call.result()
    workers.results()
    states = query(
        database,
        "select l.status, (select count(*) from assignments a where a.lead_id = l.id), l.erased_at is not null"
        " from leads l",
    )
    assert {*states} <= {("distributed", 2, True), ("rejected", 0, True)}
    assert len(states) == FIFTY
    count = sum(status == "distributed" for status, *_ in states)
    assert sum(balances(database).values()) == 2 * 900_000 - 200 * count
    assert deadlocks(database_url) == 0
