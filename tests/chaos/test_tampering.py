"""What a superuser changes of the past behind Fairlead's back is found out by `verify`, and where.

Beside single columns (test_tampering_columns): rows that are forged, removed or changed together, so that what a
careless hand would leave is in order again, and chains that are hashed anew after the edit.
"""

from collections.abc import Generator

import psycopg
import pytest

from fairlead.core.errors import Refused
from fairlead.flows.proving.verify import verify
from fairlead.store.connection import Database, Timeouts
from tests.chaos.edits import AUDIT, EDITS
from tests.chaos.tampering import drop_constraints, found, rehash_audit_log, rehash_journals, tampering
from tests.chaos.whole_market import play
from tests.conftest import TEMPLATE


@pytest.fixture(scope="module")
def market(server_url: str) -> Generator[Database]:
    """The marketplace in which everything happened, without what would keep a superuser's hand away."""
    name = "tampering"
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"create database {name} template {TEMPLATE}".encode())
        url = server_url.rsplit("/", 1)[0] + f"/{name}"
        with Database(url, "fairlead", Timeouts(30_000, 10_000, 30_000)) as database:
            play(database)
            assert verify(database).holds
            drop_constraints(database)
            yield database
        conn.execute(f"drop database {name} with (force)".encode())


@pytest.mark.parametrize("what", EDITS)
def test_a_changed_past_is_found(what: str, market: Database) -> None:
    change = EDITS[what]
    with tampering(market) as conn:
        changed = sum(max(conn.execute(statement.encode()).rowcount, 0) for statement in change.statements)
        assert changed, "nothing was changed"
        if change.rehashed == "audit":
            rehash_audit_log(conn)
        elif change.rehashed == "journal":
            rehash_journals(conn)
        broken = {check.name: check.differences for check in found(conn)}
    assert change.found_by in broken, sorted(broken)
    if change.rehashed:
        assert AUDIT not in broken, "the chain was not hashed again: the edit was found by its hash alone"


def test_every_chain_that_is_hashed_again_is_in_order(market: Database) -> None:
    with tampering(market) as conn:
        rehash_audit_log(conn)
        rehash_journals(conn)
        assert found(conn) == []


def test_what_is_unreadable_is_found_and_raises_nothing(market: Database) -> None:
    for statement in (
        "update niche_journal set payload = '[]'",
        "update niche_journal set kind = 'nonsense'",
        """update niche_journal set payload = payload || '{"levels": 7, "lead_id": "x"}' where kind = 'decision'""",
        "update audit_log set new = '[1]'",
        "update audit_log set entity_id = 'nonsense'",
        "delete from audit_head",
        "update niches set form_schema = '{}'",
    ):
        with tampering(market) as conn:
            assert conn.execute(statement.encode()).rowcount, statement
            assert found(conn), statement


def test_there_is_nothing_to_say_about_an_empty_marketplace(database: Database) -> None:
    with pytest.raises(Refused):
        verify(database)
