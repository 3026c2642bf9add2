"""The transaction of a distribution: what it takes, what it refuses, and that only locked balances count."""

import pytest

from fairlead.core.errors import Refused
from fairlead.core.model import Purse
from fairlead.flows.distribute import LastKnown, distribute
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.distribution.rosters import RosterCache
from fairlead.store.ids import new_id
from tests.flows.marketplaces import HOSTING, declare, provider_id


@pytest.fixture
def niche_id(database: Database) -> str:
    declare(database, HOSTING)
    return one(database, "select id::text from niches")


def one(database: Database, query: str) -> str:
    with database.snapshot() as conn:
        [(value,)] = conn.execute(query.encode()).fetchall()
        return value


def submit(database: Database, count: int) -> list[str]:
    return submit_leads(database, "hosting", [{"cores": 8, "region": "north"}] * count, OPERATOR, approve=True)


def test_the_oldest_waiting_leads_are_decided_up_to_the_limit(database: Database, niche_id: str) -> None:
    leads = submit(database, 3)
    rosters, last_known = RosterCache(), LastKnown()
    first = distribute(database, rosters, last_known, niche_id, 2)
    assert first is not None
    assert [decision.lead_id for decision in first.decisions] == leads[:2]
    named = distribute(database, rosters, last_known, niche_id, 1, leads[2])
    assert named is not None
    assert [decision.lead_id for decision in named.decisions] == leads[2:]
    assert named.head.seq == int(one(database, "select journal_seq from niches"))
    assert distribute(database, rosters, last_known, niche_id, 2) is None
    assert distribute(database, rosters, last_known, niche_id, 1, leads[0]) is None, "R1: it was sold"


@pytest.mark.parametrize("expected_cents", [0, 10**9])
def test_balances_that_were_expected_wrongly_change_nothing(
    database: Database, niche_id: str, expected_cents: int
) -> None:
    submit(database, 1)
    providers = [provider_id(database, f"{name}@example.com") for name in ("anchor", "bowline")]
    last_known: LastKnown = {niche_id: {each: Purse(expected_cents, 0, 99) for each in providers}}
    batch = distribute(database, RosterCache(), last_known, niche_id, 1)
    assert batch is not None
    recipients = batch.decisions[0].recipients
    assert recipients
    truth = {each.provider_id: (each.balance_before_cents, each.ledger_seq) for each in recipients}
    with database.snapshot() as conn:
        rows = conn.execute(
            "select provider_id::text, balance_after_cents - amount_cents, seq from ledger_entries "
            "where kind = 'lead_purchase'"
        ).fetchall()
    assert {provider: (before, seq) for provider, before, seq in rows} == truth
    assert all(last_known[niche_id][each].ledger_seq == seq for each, (_, seq) in truth.items())


def test_an_unknown_and_an_inactive_niche_are_refused(database: Database, niche_id: str) -> None:
    with pytest.raises(Refused, match="there is no niche") as unknown:
        distribute(database, RosterCache(), LastKnown(), new_id(), 1)
    declare(database, '[[niche]]\nslug = "hosting"\nactive = false')
    with pytest.raises(Refused, match="inactive") as inactive:
        distribute(database, RosterCache(), LastKnown(), niche_id, 1)
    assert (unknown.value.code, inactive.value.code) == ("niche_unknown", "niche_inactive")
