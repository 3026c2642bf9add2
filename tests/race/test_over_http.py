"""The same thing asked for by twenty at once over HTTP, of two web processes' worth of servers: it happens once."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import httpx2
import pytest

from fairlead.api.openapi import api_routes
from fairlead.api.serve import serve_in_thread
from fairlead.flows.money.bad_leads import report_bad_lead
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import COOKIE, application
from tests.flows.access.people import enrolled_admin
from tests.flows.given_up import give_up_lead
from tests.flows.sales import MEMO, PORTAL, Sale, balances, query, sell, told
from tests.race.processes import deadlocks, opened, wait_until_blocked
from tests.waiting import PATIENCE_SECONDS

AT_ONCE = 20
KEY = "one-and-the-same"


@dataclass(frozen=True)
class Asked:
    """A request that a client sends."""

    path: str
    body: Mapping[str, object]
    key: str | None = None


@dataclass(frozen=True)
class Site:
    """Two servers, each with connections of its own, and an operator who is known to both."""

    addresses: Sequence[str]
    token: str
    url: str

    def at_once(self, held: bytes, *requests: Asked) -> list[httpx2.Response]:
        """The answers to twenty requests, these in turn, sent while another transaction holds what `held` locks.

        They all wait for a lock in the database before that is let go.
        """
        with opened(self.url, 2) as database, ThreadPoolExecutor(AT_ONCE) as pool:
            with database.transaction() as conn:
                conn.execute(held)
                running = [pool.submit(self._send, number, requests) for number in range(AT_ONCE)]
                wait_until_blocked(self.url, *running)
            answers = [each.result() for each in running]
        assert deadlocks(self.url) == 0
        return answers

    def _send(self, number: int, requests: Sequence[Asked]) -> httpx2.Response:
        asked = requests[number % len(requests)]
        headers = {"Cookie": f"{COOKIE}={self.token}", "Idempotency-Key": asked.key or f"request-{number}"}
        # Of each kind, as many to one server as to the other.
        address = self.addresses[number // len(requests) % len(self.addresses)]
        return httpx2.post(address + asked.path, json=asked.body, headers=headers, timeout=PATIENCE_SECONDS)


@pytest.fixture
def site(database: Database, database_url: str) -> Iterator[Site]:
    """Two servers over the test's marketplace."""
    token = enrolled_admin(database).token
    with ExitStack() as stack:
        servers = []
        for _ in range(2):
            own = stack.enter_context(opened(database_url, AT_ONCE // 2 + 2))
            app = application(own)
            # The framework finishes its routes when they are first asked for, and hides a warning meanwhile, which it
            # can do for one server of a process at a time.
            list(api_routes(app))
            servers.append(stack.enter_context(serve_in_thread(app, "127.0.0.1", 0)))
        yield Site([f"http://127.0.0.1:{server.port}" for server in servers], token, database_url)


def outcomes(answers: Sequence[httpx2.Response]) -> Counter[tuple[int, str]]:
    """How often each status came, with its code where it is a problem."""
    return Counter((each.status_code, each.json().get("code", "")) for each in answers)


PROVIDERS, LEADS = b"select from providers for no key update", b"select from leads for no key update"
ASSIGNMENTS = b"select from assignments for no key update"
ADMIN = "/api/v1/admin"


def test_twenty_adjustments_with_one_key_are_one(database: Database, site: Site) -> None:
    sale = sell(database)
    credit = {"direction": "credit", "amount_cents": 700, "memo": MEMO}
    answers = site.at_once(PROVIDERS, Asked(f"{ADMIN}/providers/{sale.anchor_id}/adjustments", credit, KEY))
    assert outcomes(answers) == {(201, ""): AT_ONCE}
    assert len({each.text for each in answers}) == 1, "each of them is told the same"
    assert balances(database)["Anchor"] == 3700
    assert query(database, "select count(*) from ledger_entries where kind = 'manual_credit'") == [(1,)]
    assert query(database, "select count(*) from audit_log where action = 'balance.credited'") == [(1,)]


@pytest.mark.parametrize("key", [KEY, None])
def test_twenty_refunds_are_one(database: Database, site: Site, key: str | None) -> None:
    sale = sell(database)
    answers = site.at_once(LEADS, Asked(f"{ADMIN}/assignments/{sale.bowline}/refund", {"memo": MEMO}, key))
    if key is None:
        assert outcomes(answers) == {(200, ""): 1, (409, "assignment_refunded"): AT_ONCE - 1}
    else:
        assert outcomes(answers) == {(200, ""): AT_ONCE}
        assert len({each.text for each in answers}) == 1
    _assert_one_refund(database, sale)


def _assert_one_refund(database: Database, sale: Sale) -> None:
    assert balances(database) == {"Anchor": 3000, "Bowline": 600}
    assert query(database, "select assignment_id::text from ledger_entries where kind = 'refund'") == [(sale.bowline,)]
    assert len(told(database, "refund_issued")) == 1


@pytest.mark.parametrize("key", [KEY, None])
def test_twenty_requests_for_a_distribution_enqueue_one_job(database: Database, site: Site, key: str | None) -> None:
    sell(database)
    [lead_id] = submit_leads(database, "hosting", [{"cores": 1, "region": "south"}], OPERATOR, approve=True)
    # As if it had been tried and found no provider.
    query(database, "update leads set awaits_decision = false where id = %s returning 1", lead_id)
    query(database, "delete from jobs where payload ->> 'lead_id' = %s returning 1", lead_id)
    asked = Asked(f"{ADMIN}/leads/{lead_id}/distribute", {"reason": "manual_trigger"}, key)
    answers = site.at_once(LEADS, asked)
    assert outcomes(answers) == {(202, ""): AT_ONCE}
    assert len({each.text for each in answers}) == 1, "each of them is told of the same job"
    jobs = query(database, "select id from jobs where payload ->> 'lead_id' = %s", lead_id)
    assert jobs == [(answers[0].json()["job_id"],)]
    assert query(database, "select count(*) from audit_log where action = 'distribution.triggered'") == [(1,)]


def test_twenty_wishes_for_an_api_key_are_one_key(database: Database, site: Site) -> None:
    """Nothing but the idempotency key says so: the answer, with the secret in it, is kept with the effect."""
    [(user_id,)] = query(database, "select id::text from users")
    wish = {"name": "a machine", "scopes": ["leads:read"], "user_id": user_id}
    answers = site.at_once(b"select from users for update", Asked(f"{ADMIN}/keys", wish, KEY))
    assert outcomes(answers) == {(201, ""): AT_ONCE}
    assert len({each.json()["key"] for each in answers}) == 1
    assert sum("idempotency-replayed" in each.headers for each in answers) == AT_ONCE - 1
    assert query(database, "select count(*) from api_keys") == [(1,)]


def test_those_who_retry_the_same_dead_letters_in_any_order_never_wait_in_a_circle(
    database: Database, site: Site
) -> None:
    """Each request has a key, and is one transaction: all leads are locked before the first entry in the audit log."""
    letters = [give_up_lead(database, slug)[2] for slug in ("moving", "storage", "cleaning")]
    path = f"{ADMIN}/dead-letter-retries"
    there, back = (Asked(path, {"dead_letter_ids": each}) for each in (letters, letters[::-1]))
    answers = site.at_once(LEADS, there, back)
    assert outcomes(answers) == {(200, ""): AT_ONCE}
    closed = [letter for each in answers for letter in each.json()["closed"]]
    assert sum(each["took_effect"] for each in closed) == len(letters)
    assert len(closed) == AT_ONCE * len(letters)


def test_twenty_decisions_about_a_report_are_one(database: Database, site: Site) -> None:
    sale = sell(database)
    report_bad_lead(database, sale.anchor_id, sale.anchor, "spam", None, PORTAL)
    report = f"{ADMIN}/bad-lead-reports/{sale.anchor}"
    body = {"memo": MEMO}
    answers = site.at_once(ASSIGNMENTS, Asked(f"{report}/accept", body), Asked(f"{report}/reject", body))
    assert outcomes(answers) == {(200, ""): 1, (409, "bad_lead_decided"): AT_ONCE - 1}
    [done] = [each.json() for each in answers if each.status_code == 200]
    [(decision, balance)] = query(
        database,
        "select bad_lead_decision, p.balance_cents from assignments a join providers p on p.id = a.provider_id "
        "where a.id = %s",
        sale.anchor,
    )
    assert (decision, balance) == (done["decision"], {"accepted": 5000, "rejected": 3000}[decision])


def test_a_lead_is_bad_once_while_one_of_its_assignments_is_refunded(database: Database, site: Site) -> None:
    sale = sell(database)
    body = {"memo": MEMO}
    marking = Asked(f"{ADMIN}/leads/{sale.lead_id}/mark-bad", body)
    answers = site.at_once(LEADS, marking, Asked(f"{ADMIN}/assignments/{sale.anchor}/refund", body))
    refunded = sum(len(each.json().get("refunds", [1])) for each in answers if each.status_code == 200)
    assert refunded == 2, outcomes(answers)
    assert balances(database) == {"Anchor": 5000, "Bowline": 600}
    assert len(told(database, "refund_issued")) == 2


def test_whichever_of_all_that_give_money_back_come_at_once_each_is_paid_once(database: Database, site: Site) -> None:
    sale = sell(database)
    for provider_id, assignment_id in ((sale.anchor_id, sale.anchor), (sale.bowline_id, sale.bowline)):
        report_bad_lead(database, provider_id, assignment_id, "spam", None, PORTAL)
    body = {"memo": MEMO}
    ways = [
        Asked(f"{ADMIN}/{path}", body)
        for path in (
            f"leads/{sale.lead_id}/mark-bad",
            f"assignments/{sale.anchor}/refund",
            f"assignments/{sale.bowline}/refund",
            f"bad-lead-reports/{sale.anchor}/accept",
            f"bad-lead-reports/{sale.bowline}/accept",
        )
    ]
    answers = site.at_once(LEADS, *ways)
    assert {code for _, code in outcomes(answers)} <= {"", "assignment_refunded", "bad_lead_decided"}
    assert balances(database) == {"Anchor": 5000, "Bowline": 600}
    assert len(told(database, "refund_issued")) == 2
    decided = query(database, "select distinct status, bad_lead_decision from assignments")
    assert decided == [("refunded", "accepted")]
