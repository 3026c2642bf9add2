"""Struck at every statement of an erasure, the lead is erased once and whole, and its providers are told once."""

import psycopg
import pytest

from fairlead.flows.distributor import Distributor
from fairlead.flows.erasure.erase import ErasedLead, erase_lead
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.chaos.proxy import Proxy, Session, Strike, cut_before, swallow_answer
from tests.flows.sales import query
from tests.race.marketplaces import Provider, Terms, add_leads, add_providers, open_niche, subscribe
from tests.race.processes import opened

pytestmark = [pytest.mark.chaos, pytest.mark.slow]


def sold(database: Database, slug: str) -> str:
    """A lead that one provider bought; its id."""
    provider = Provider("buyer", 10_000, (1,))
    with database.transaction() as conn:
        niche = open_niche(conn, slug, [Terms(1_000, 1, 1)])
        subscribe(conn, niche, [provider], add_providers(conn, [provider], slug))
        add_leads(conn, niche, [40])
    [decision] = Distributor(database).distribute_waiting(niche.niche_id).decisions
    return decision.lead_id


def ending(database: Database, lead_id: str) -> list[tuple[object, ...]]:
    """Where the erasure left everything, told without ids and times."""
    return query(
        database,
        """
        select l.status, l.attributes, l.attributes_salt, l.contact_email, l.erased_at is not null,
               (select array_agg(e.scope) from erasures e where e.lead_id = l.id),
               (select array_agg((n.kind, n.state) order by n.kind) from assignments a
                join notifications n on n.assignment_id = a.id where a.lead_id = l.id)::text,
               (select count(*) from audit_log g where g.entity_id = l.id::text and g.action = 'lead.erased')
        from leads l where l.id = %s
        """,
        lead_id,
    )


def terminate(server_url: str) -> Strike:
    """The backend is ended before it gets the message."""

    def strike(session: Session, deliver: object) -> None:
        with psycopg.connect(server_url, autocommit=True) as conn:
            query_text = "select pg_terminate_backend(pid, 10000) from pg_stat_activity where client_port = %s"
            assert conn.execute(query_text, (session.port,)).fetchone() == (True,)

    return strike


@pytest.mark.parametrize("how", ["terminated", "cut", "answer lost"])
def test_an_erasure_whose_connection_breaks_at_any_statement_is_made_once(
    how: str, database: Database, database_url: str, server_url: str, proxy: Proxy
) -> None:
    strike = {"terminated": terminate(server_url), "cut": cut_before, "answer lost": swallow_answer}[how]
    url = proxy.url(database_url)
    calm = sold(database, "calm")
    points, _done = _erase(proxy, url, calm)
    expected = ending(database, calm)
    commit = points.index("query: COMMIT")
    points = points[: commit + 1]
    for words in ("insert into committed_calls", "from leads", "update leads", "insert into erasures"):
        assert any(words in point for point in points), f"{words} not in {points}"
    # Only a Query and a Sync are answered at once; within a pipeline an Execute is not.
    numbers = [n for n, point in enumerate(points) if how != "answer lost" or not point.startswith("execute")]
    for number in numbers:
        lead_id = sold(database, f"struck-{number}")
        _, again = _erase(proxy, url, lead_id, number, strike)
        assert ending(database, lead_id) == expected, f"{how} at {points[number]}"
        assert again == ErasedLead(lead_id, False, True, 1)


def _erase(
    proxy: Proxy, url: str, lead_id: str, number: int | None = None, strike: Strike | None = None
) -> tuple[list[str], ErasedLead]:
    """The points that an erasure met, and what its caller was told."""
    with opened(url) as relayed:
        query(relayed, "select 1")  # connected before anything is counted
        points = proxy.watch(number, strike)
        done = erase_lead(relayed, lead_id, "consumer_request", OPERATOR)
        proxy.ignore()
    return points, done
