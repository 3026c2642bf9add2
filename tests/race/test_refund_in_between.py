"""A refund that commits while a batch waits for its provider: what was foreseen stays, or is decided once more."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fairlead.core import batch as batches
from fairlead.core.decide import decide
from fairlead.core.decision import Decision, Outcome
from fairlead.core.model import Lead
from fairlead.core.returns import RefundPolicy
from fairlead.core.roster import Roster
from fairlead.flows.configuration.refund_policy import change_refund_policy
from fairlead.flows.distributor import Distributor
from fairlead.flows.money import refund
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.race.marketplaces import Niche, Provider, Terms, add_leads, add_providers, open_niche, subscribe
from tests.race.processes import deadlocks, wait_until_blocked
from tests.waiting import PATIENCE_SECONDS

PRICE_CENTS = 1000
MEMO = "the number was never in use"


def opened(database: Database, cents: int, limits: str | None = None) -> tuple[Niche, str]:
    """A niche with one provider that has so much money, and a lead that waits."""
    one = Provider("one", cents, (1,), limits=limits)
    with database.transaction() as conn:
        niche = open_niche(conn, "own", (Terms(PRICE_CENTS, 1, 1),))
        ids = add_providers(conn, [one], "own")
        subscribe(conn, niche, [one], ids)
        add_leads(conn, niche, [40])
    return niche, ids["one"]


def counted_decisions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the leads that are decided from now on, each as often as it is."""
    found: list[str] = []

    def counting(roster: Roster, lead: Lead, *words: Any) -> Decision:
        found.append(lead.lead_id)
        return decide(roster, lead, *words)

    monkeypatch.setattr(batches, "decide", counting)
    return found


def counts(database: Database) -> tuple[int, ...]:
    """How many decisions, assignments, purchases, refunds and messages of a new lead there are."""
    with database.transaction() as conn:
        row = conn.execute(
            """
            select (select count(*) from niche_journal where kind = 'decision'), (select count(*) from assignments),
                   (select count(*) from ledger_entries where kind = 'lead_purchase'),
                   (select count(*) from ledger_entries where kind = 'refund'),
                   (select count(*) from notifications where kind = 'lead_assigned')
            """
        ).fetchone()
    assert row is not None
    return row


def ledger_end(database: Database, provider_id: str) -> tuple[int, int]:
    """The provider's balance in cents, and how many entries its ledger has."""
    with database.transaction() as conn:
        row = conn.execute("select balance_cents, ledger_seq from providers where id = %s", (provider_id,)).fetchone()
    assert row is not None
    return row


def refund_while_a_batch_waits(
    database: Database, database_url: str, niche: Niche, distributor: Distributor, monkeypatch: pytest.MonkeyPatch
) -> tuple[Any, list[str]]:
    """The lead sold first is refunded, and commits once the batch of those that wait is blocked by it."""
    with database.transaction() as conn:
        row = conn.execute("select id::text from assignments").fetchone()
    assert row is not None
    holds, may_commit = threading.Event(), threading.Event()
    append = refund.append_audit

    def waiting(*words: Any) -> Any:
        holds.set()
        assert may_commit.wait(PATIENCE_SECONDS)
        return append(*words)

    monkeypatch.setattr(refund, "append_audit", waiting)
    decisions = counted_decisions(monkeypatch)
    with ThreadPoolExecutor(2) as pool:
        refunding = pool.submit(refund.refund_assignment, database, row[0], MEMO, OPERATOR)
        assert holds.wait(PATIENCE_SECONDS)
        deciding = pool.submit(distributor.distribute_waiting, niche.niche_id)
        wait_until_blocked(database_url, deciding)
        may_commit.set()
        refunding.result(PATIENCE_SECONDS)
        done = deciding.result(PATIENCE_SECONDS)
    return done, decisions


def test_a_refund_of_a_provider_that_can_pay_anyway_decides_nothing_again(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    niche, _ = opened(database, 90_000)
    distributor = Distributor(database)
    distributor.distribute_waiting(niche.niche_id)
    with database.transaction() as conn:
        waiting = add_leads(conn, niche, [40, 41])
    done, decisions = refund_while_a_batch_waits(database, database_url, niche, distributor, monkeypatch)

    assert decisions == waiting
    paid = [(each.balance_before_cents, each.ledger_seq) for own in done.decisions for each in own.recipients]
    assert paid == [(90_000, 4), (89_000, 5)]  # deposit, purchase, refund, and these two
    assert counts(database) == (3, 3, 3, 1, 3)
    assert deadlocks(database_url) == 0


def test_a_refund_of_a_provider_switched_off_for_money_decides_again_and_does_nothing_twice(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must be decided again: the money that the refund brings is what the provider lacked."""
    niche, provider_id = opened(database, 2 * PRICE_CENTS)
    distributor = Distributor(database)
    distributor.distribute_waiting(niche.niche_id)
    with database.transaction() as conn:
        waiting = add_leads(conn, niche, [40, 41])  # of which it can pay for the first alone
    done, decisions = refund_while_a_batch_waits(database, database_url, niche, distributor, monkeypatch)

    assert decisions == waiting * 2
    assert [own.outcome for own in done.decisions] == [Outcome.SUCCESS, Outcome.SUCCESS]
    assert counts(database) == (3, 3, 3, 1, 3)
    assert ledger_end(database, provider_id) == (0, 5)
    assert deadlocks(database_url) == 0


def test_after_a_refund_that_left_its_limits_one_batch_is_decided_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must be: what was used is recorded with the lead. A return needs the niche's lock, so it is never between."""
    niche, provider_id = opened(database, 90_000, '{"leads_per_day":9}')
    distributor = Distributor(database, batch_limit=1)
    change_refund_policy(database, niche.niche_id, RefundPolicy(returns_turn=False, leaves_limits=True), OPERATOR)
    distributor.distribute_waiting(niche.niche_id)
    with database.transaction() as conn:
        row = conn.execute("select id::text from assignments").fetchone()
        assert row is not None
        first, second = add_leads(conn, niche, [40, 41])
    refund.refund_assignment(database, row[0], MEMO, OPERATOR)
    decisions = counted_decisions(monkeypatch)
    distributor.distribute_waiting(niche.niche_id)
    distributor.distribute_waiting(niche.niche_id)

    assert decisions == [first, first, second]
    assert counts(database) == (3, 3, 3, 1, 3)
    assert ledger_end(database, provider_id) == (88_000, 5)
