"""Money moved by hand, at once: one key, one refund, one decision has one effect, and no two deadlock."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fairlead.core.errors import Refused
from fairlead.core.returns import RefundPolicy
from fairlead.flows.configuration.local_time import set_provider_limits
from fairlead.flows.configuration.refund_policy import change_refund_policy
from fairlead.flows.declaring.apply_marketplace import apply_marketplace, parse_declaration
from fairlead.flows.distributor import Distributor
from fairlead.flows.idempotency import idempotency_key_for
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.money.bad_leads import accept_bad_lead, mark_lead_bad, reject_bad_lead, report_bad_lead
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.proving.verify import verify
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.sales import MEMO, PORTAL, balances, query, sell, told
from tests.race.marketplaces import Provider, Terms, add_leads, add_providers, open_niche, subscribe
from tests.race.processes import Report, Workers, deadlocks, decide_all, opened, wait_until_blocked
from tests.race.writers import deposit_now_and_then
from tests.waiting import PATIENCE_SECONDS

AT_ONCE = 20


def attempt(database: Database, verb: Callable[[Database, str], object], target: str) -> str:
    """One call: `done`, or the code of its refusal."""
    try:
        verb(database, target)
    except Refused as refused:
        return refused.code
    return "done"


def at_once(url: str, held: bytes, *calls: tuple[Callable[[Database, str], object], str]) -> Counter[str]:
    """What came of twenty calls, these in turn, each on a connection of its own and waiting for a lock when all were.

    Meanwhile another transaction holds what `held` locks.
    """
    with opened(url, AT_ONCE + 1) as database, ThreadPoolExecutor(AT_ONCE) as pool:
        with database.transaction() as conn:
            conn.execute(held)
            running = [pool.submit(attempt, database, *calls[number % len(calls)]) for number in range(AT_ONCE)]
            wait_until_blocked(url, *running)
        results = Counter(call.result() for call in running)
    assert deadlocks(url) == 0
    return results


def credit_with_one_key(database: Database, target: str) -> None:
    request = idempotency_key_for("operator", "k-1", "POST /adjustments", {"cents": 700})
    done = adjust_balance(database, target, "credit", 700, MEMO, OPERATOR, request)
    assert (done.amount_cents, done.ledger_seq, done.balance_after_cents) == (700, 3, 3700), done


def refund(database: Database, target: str) -> None:
    refund_assignment(database, target, MEMO, OPERATOR)


def accept(database: Database, target: str) -> None:
    accept_bad_lead(database, target, MEMO, OPERATOR)


def reject(database: Database, target: str) -> None:
    reject_bad_lead(database, target, MEMO, OPERATOR)


def mark_bad(database: Database, target: str) -> None:
    mark_lead_bad(database, target, MEMO, OPERATOR)


def debit_all(database: Database, target: str) -> None:
    adjust_balance(database, target, "debit", 3000, MEMO, OPERATOR)


PROVIDERS, ASSIGNMENTS = b"select from providers for no key update", b"select from assignments for no key update"
LEADS = b"select from leads for no key update"


def test_one_key_has_one_effect_and_one_result(database: Database, database_url: str) -> None:
    sale = sell(database)
    seen = at_once(database_url, PROVIDERS, (credit_with_one_key, sale.anchor_id))
    assert seen == {"done": AT_ONCE}  # each of them was told the same
    assert balances(database)["Anchor"] == 3700


def test_one_refund(database: Database, database_url: str) -> None:
    sale = sell(database)
    seen = at_once(database_url, LEADS, (refund, sale.bowline))
    assert seen == {"done": 1, "assignment_refunded": AT_ONCE - 1}
    assert balances(database)["Bowline"] == 600
    assert len(told(database, "refund_issued")) == 1


def test_fifty_refunds_at_once_give_each_turn_and_place_back_once(database: Database, database_url: str) -> None:
    """Of ten providers with a limit over all niches, in two niches, while leads of both are decided."""
    names = [f"p{number}" for number in range(10)]
    with database.transaction() as conn:
        providers = [Provider(name, 1_000_000, (1,)) for name in names]
        ids = add_providers(conn, providers, "all")
        niches = [open_niche(conn, slug, [Terms(100, 5, 1)]) for slug in SLUGS]
        for niche in niches:
            subscribe(conn, niche, providers, ids)
            add_leads(conn, niche, [40] * 10)
    both = RefundPolicy(returns_turn=True, leaves_limits=True)
    for niche in niches:
        change_refund_policy(database, niche.niche_id, both, OPERATOR)
    provider_ids = [row[0] for row in query(database, "select id::text from providers order by id")]
    for provider_id in provider_ids:
        set_provider_limits(database, provider_id, {"leads_per_month": 6}, OPERATOR)
    distributor = Distributor(database)
    for niche in niches:
        distributor.distribute_waiting(niche.niche_id)
    sold = [row[0] for row in query(database, "select id::text from assignments order by id")]
    assert len(sold) == 60
    with opened(database_url, 12) as pooled, ThreadPoolExecutor(12) as pool:
        refunds = [pool.submit(refund, pooled, assignment_id) for assignment_id in sold[:50]]
        deciding = [pool.submit(_decide_more, pooled, slug) for slug in SLUGS]
        for call in [*refunds, *deciding]:
            call.result()
    for slug in SLUGS:  # what was left is used up, and not one place more
        _decide_more(database, slug, leads=20)
    counted = query(
        database,
        "select count(*) from assignments where not left_limits group by provider_id order by 1",
    )
    assert counted == [(6,)] * 10
    assert query(database, "select count(*) from assignments where turn_returned and left_limits") == [(50,)]
    assert deadlocks(database_url) == 0
    assert verify(database).holds


def _decide_more(database: Database, slug: str, leads: int = 5) -> None:
    submit_leads(database, slug, [{"age": 40}] * leads, OPERATOR, approve=True)
    [(niche_id,)] = query(database, "select id::text from niches where slug = %s", slug)
    Distributor(database).distribute_waiting(niche_id)


def test_one_decision(database: Database, database_url: str) -> None:
    sale = sell(database)
    report_bad_lead(database, sale.anchor_id, sale.anchor, "spam", None, PORTAL)
    seen = at_once(database_url, ASSIGNMENTS, (accept, sale.anchor), (reject, sale.anchor))
    assert seen == {"done": 1, "bad_lead_decided": AT_ONCE - 1}
    [(decision, balance)] = query(
        database,
        "select bad_lead_decision, p.balance_cents from assignments a join providers p on p.id = a.provider_id "
        "where a.id = %s",
        sale.anchor,
    )
    assert balance == {"accepted": 5000, "rejected": 3000}[decision]


def test_a_debit_takes_what_is_there_once(database: Database, database_url: str) -> None:
    sale = sell(database)
    seen = at_once(database_url, PROVIDERS, (debit_all, sale.anchor_id))
    assert seen == {"done": 1, "insufficient_balance": AT_ONCE - 1}
    assert balances(database)["Anchor"] == 0


def test_a_lead_is_marked_as_bad_once_while_one_of_its_assignments_is_refunded(
    database: Database, database_url: str
) -> None:
    sale = sell(database)
    seen = at_once(database_url, LEADS, (mark_bad, sale.lead_id), (refund, sale.anchor))
    assert seen["done"] in (AT_ONCE // 2, AT_ONCE // 2 + 1)  # marking again is no mistake, refunding again is one
    assert balances(database) == {"Anchor": 5000, "Bowline": 600}
    assert len(told(database, "refund_issued")) == 2
    assert query(database, "select count(*) from audit_log where action = 'lead.marked_bad'") == [(1,)]


# Against everything else ------------------------------------------------------------------------------------------

TERMS = (Terms(5000, 1, 1), Terms(2000, 2, 2), Terms(1000, 3, 5))
SLUGS = ("moving", "painting")


def move_by_hand_now_and_then(url: str, provider_ids: Sequence[str], seed: int, ready: Any, stop: Any) -> Report:
    """A credit and a debit, a refund, a bad lead, and again, of whom and of what by the dice, until told to stop."""
    dice, count = random.Random(seed), 0
    with opened(url) as database:
        while not stop.wait(dice.uniform(0, 0.02)):
            provider_id = dice.choice(provider_ids)
            adjust_balance(database, provider_id, "credit", 2_000, MEMO, OPERATOR)
            _try(lambda p=provider_id: adjust_balance(database, p, "debit", 1_500, MEMO, OPERATOR))
            sold = query(database, "select id::text, lead_id::text from assignments where status <> 'refunded'")
            for _ in range(2 if sold else 0):
                assignment_id, _ = dice.choice(sold)
                _try(lambda a=assignment_id: refund_assignment(database, a, MEMO, OPERATOR))
            if sold and count % 3 == 0:
                mark_lead_bad(database, dice.choice(sold)[1], MEMO, OPERATOR)
            count += 1
            ready.release()
    return Report(writes=count)


def _try(call: Callable[[], object]) -> None:
    try:
        call()
    except Refused as refused:
        if refused.code not in ("insufficient_balance", "assignment_refunded"):
            raise


@pytest.mark.parametrize("seed", [1])
def test_refunds_meet_distribution_and_deposits_on_the_same_providers(
    seed: int, database: Database, database_url: str
) -> None:
    people = [Provider(f"p{number}", 12_000, (1, 2, 5)) for number in range(6)]
    with database.transaction() as conn:
        ids = add_providers(conn, people, "all")
        niches = [open_niche(conn, slug, TERMS) for slug in SLUGS]
        lead_ids: list[str] = []
        for niche in niches:
            subscribe(conn, niche, people, ids)
            lead_ids += add_leads(conn, niche, [40] * 60)
    apply_marketplace(database, parse_declaration('[marketplace]\ncurrency = "EUR"\n'), OPERATOR)

    workers, writers = Workers(), Workers()
    stop, ready = workers.context.Event(), workers.context.Semaphore(0)
    by_hand = workers.context.Semaphore(0)
    for number in range(2):
        writers.start(move_by_hand_now_and_then, database_url, list(ids.values()), seed + number, by_hand, stop)
    writers.start(deposit_now_and_then, database_url, list(ids.values()), 3_000, seed, ready, stop)
    # Some rounds while all still have money: later a debit may find none at the provider that the dice choose.
    for writing in [ready] * 2 + [by_hand] * 4:
        assert writing.acquire(timeout=PATIENCE_SECONDS), "no writer writes"
    niche_ids = [niche.niche_id for niche in niches]
    for number in range(3):
        workers.start(decide_all, database_url, niche_ids[number % 2 :] + niche_ids[: number % 2], 2)
    try:
        decided = workers.results()
    finally:
        stop.set()
    written = [report.writes for report in writers.results()]

    assert Counter(lead_id for report in decided for lead_id in report.lead_ids) == Counter(lead_ids)
    assert min(written) > 0, written
    assert deadlocks(database_url) == 0
    kinds = dict(query(database, "select kind, count(*) from ledger_entries group by 1"))
    assert {"deposit", "lead_purchase", "refund", "manual_credit", "manual_debit"} == kinds.keys(), kinds
    moves = dict(
        query(database, "select kind, count(*) from notifications where subscription_id is not null group by 1")
    )
    assert moves.keys() == {"subscription_deactivated", "subscription_reactivated"}, moves
