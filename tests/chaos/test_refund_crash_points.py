"""Struck at every statement of a refund, in three ways, the money is back once, and the caller is told the truth."""

import psycopg
import pytest

from fairlead.core.returns import RefundPolicy
from fairlead.flows.configuration.refund_policy import change_refund_policy
from fairlead.flows.distributor import Distributor
from fairlead.flows.money.refund import Refunded, refund_assignment
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.chaos.proxy import Proxy, Session, Strike, cut_before, swallow_answer
from tests.flows.sales import MEMO, query
from tests.race.marketplaces import Provider, Terms, add_leads, add_providers, open_niche, subscribe
from tests.race.processes import opened

pytestmark = [pytest.mark.chaos, pytest.mark.slow]

PRICE_CENTS = 1_000


def sold(database: Database, slug: str) -> str:
    """An assignment that took the last money of its provider, whose subscription stopped therefore."""
    provider = Provider("poor", PRICE_CENTS, (1,))
    with database.transaction() as conn:
        niche = open_niche(conn, slug, [Terms(PRICE_CENTS, 1, 1)])
        subscribe(conn, niche, [provider], add_providers(conn, [provider], slug))
        add_leads(conn, niche, [40])
    change_refund_policy(database, niche.niche_id, RefundPolicy(returns_turn=True, leaves_limits=True), OPERATOR)
    [decision] = Distributor(database).distribute_waiting(niche.niche_id).decisions
    return decision.recipients[0].assignment_id


def ending(database: Database, assignment_id: str) -> list[tuple[object, ...]]:
    """Where the refund left everything, told without ids and times."""
    return query(
        database,
        """
        select a.status, p.balance_cents, p.ledger_seq, s.is_active, s.served_seq, a.turn_returned, a.left_limits,
               (select count(*) from ledger_entries e where e.provider_id = p.id),
               (select array_agg(n.kind order by n.kind) from notifications n where n.provider_id = p.id),
               (select count(*) from audit_log l where l.entity_id = a.id::text),
               (select count(*) from niche_journal j where j.niche_id = a.niche_id)
        from assignments a join providers p on p.id = a.provider_id join subscriptions s on s.id = a.subscription_id
        where a.id = %s
        """,
        assignment_id,
    )


def terminate(server_url: str) -> Strike:
    """The backend is ended before it gets the message."""

    def strike(session: Session, deliver: object) -> None:
        with psycopg.connect(server_url, autocommit=True) as conn:
            query_text = "select pg_terminate_backend(pid, 10000) from pg_stat_activity where client_port = %s"
            assert conn.execute(query_text, (session.port,)).fetchone() == (True,)

    return strike


@pytest.mark.parametrize("how", ["terminated", "cut", "answer lost"])
def test_a_refund_whose_connection_breaks_at_any_statement_is_made_once(
    how: str, database: Database, database_url: str, server_url: str, proxy: Proxy
) -> None:
    strike = {"terminated": terminate(server_url), "cut": cut_before, "answer lost": swallow_answer}[how]
    url = proxy.url(database_url)
    calm = sold(database, "calm")
    points, done = _refund(proxy, url, calm)
    expected = ending(database, calm)
    assert [row[:7] for row in expected] == [("refunded", PRICE_CENTS, 3, True, None, True, True)]
    commit = points.index("query: COMMIT")
    points = points[: commit + 1]
    for words in ("insert into committed_calls", "from niches", "from leads", "from providers", "from assignments"):
        assert any(words in point for point in points), f"{words} not in {points}"
    # Only a Query and a Sync are answered at once; within a pipeline an Execute is not.
    numbers = [n for n, point in enumerate(points) if how != "answer lost" or not point.startswith("execute")]

    struck: list[str] = []
    for number in numbers:
        assignment_id = sold(database, f"struck-{number}")
        met, again = _refund(proxy, url, assignment_id, number, strike)
        struck += met[number:]
        assert ending(database, assignment_id) == expected, f"{how} at {points[number]}"
        assert (again.amount_cents, again.ledger_seq, again.balance_after_cents) == (
            done.amount_cents, done.ledger_seq, done.balance_after_cents,
        )  # fmt: skip
        assert len(again.reactivated_subscription_ids) == 1
    assert struck == [points[number] for number in numbers]
    assert commit in numbers


def _refund(
    proxy: Proxy, url: str, assignment_id: str, number: int | None = None, strike: Strike | None = None
) -> tuple[list[str], Refunded]:
    """The points that a refund met, and what its caller was told."""
    with opened(url) as relayed:
        query(relayed, "select 1")  # connected before anything is counted
        points = proxy.watch(number, strike)
        done = refund_assignment(relayed, assignment_id, MEMO, OPERATOR)
        proxy.ignore()
    return points, done
