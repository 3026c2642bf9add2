"""The transaction of a distribution: what it takes, what it refuses, and that only locked balances count."""

from typing import Any

import pytest

from fairlead.core import batch as batch_of_core
from fairlead.core import gates
from fairlead.core.decide import decide
from fairlead.core.decision import Decision
from fairlead.core.errors import Refused
from fairlead.core.model import Balance, Lead
from fairlead.core.roster import Roster
from fairlead.flows.distribute import LastKnownBalances, distribute
from fairlead.flows.explaining.decision_lines import decision_lines
from fairlead.flows.explaining.explain import explain_lead, explain_provider
from fairlead.flows.proving.verify import verify
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.distribution.rosters import RosterCache
from fairlead.store.ids import new_id
from tests.core.toy_gates import with_toy_gates
from tests.flows.marketplaces import HOSTING, declare, provider_id

MAIL = """
[[niche]]
slug = "mail"
name = "Mail"
level = [{ name = "only", price_cents = 100, max_recipients = 1, order_position = 1 }]

[[provider]]
email = "anchor@example.com"
limits = { leads_per_day = 20, spend_cents_per_month = 900000 }
subscription = [{ niche = "mail", level = "only" }]
"""


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
    rosters, last_known_balances = RosterCache(), LastKnownBalances()
    first = distribute(database, rosters, last_known_balances, niche_id, 2)
    assert first is not None
    assert [decision.lead_id for decision in first.decisions] == leads[:2]
    named = distribute(database, rosters, last_known_balances, niche_id, 1, leads[2])
    assert named is not None
    assert [decision.lead_id for decision in named.decisions] == leads[2:]
    assert named.head.seq == int(one(database, "select journal_seq from niches"))
    assert distribute(database, rosters, last_known_balances, niche_id, 2) is None
    assert distribute(database, rosters, last_known_balances, niche_id, 1, leads[0]) is None, "R1: it was sold"


@pytest.mark.parametrize("expected_cents", [0, 10**9])
def test_balances_that_were_expected_wrongly_change_nothing(
    database: Database, niche_id: str, expected_cents: int
) -> None:
    submit(database, 1)
    providers = [provider_id(database, f"{name}@example.com") for name in ("anchor", "bowline")]
    last_known_balances = LastKnownBalances({each: Balance(expected_cents, 0, 99) for each in providers}, {niche_id})
    batch = distribute(database, RosterCache(), last_known_balances, niche_id, 1)
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
    assert all(last_known_balances.balances[each].ledger_seq == seq for each, (_, seq) in truth.items())


def test_what_a_provider_paid_in_one_niche_is_expected_in_the_others(
    database: Database, niche_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its balance and its limits: no lead is decided once more only because another niche came between."""
    declare(database, MAIL)
    other_id = one(database, "select id::text from niches where slug = 'mail'")
    rosters, last_known_balances = RosterCache(), LastKnownBalances()
    decided: list[Lead] = []

    def counting(roster: Roster, lead: Lead, *arguments: Any) -> Decision:
        decided.append(lead)
        return decide(roster, lead, *arguments)

    monkeypatch.setattr(batch_of_core, "decide", counting)
    anchor = provider_id(database, "anchor@example.com")
    for _ in range(2):
        submit(database, 1)
        submit_leads(database, "mail", [{}], OPERATOR, approve=True)
        for each in (niche_id, other_id):
            decided.clear()
            batch = distribute(database, rosters, last_known_balances, each, 1)
            assert batch is not None
            assert anchor in {own.provider_id for own in batch.decisions[0].recipients}
    assert len(decided) == 1
    submit(database, 1)
    decided.clear()
    assert distribute(database, rosters, last_known_balances, niche_id, 1) is not None
    assert len(decided) == 1


def test_an_unknown_and_an_inactive_niche_are_refused(database: Database, niche_id: str) -> None:
    with pytest.raises(Refused, match="there is no niche") as unknown:
        distribute(database, RosterCache(), LastKnownBalances(), new_id(), 1)
    declare(database, '[[niche]]\nslug = "hosting"\nactive = false')
    with pytest.raises(Refused, match="inactive") as inactive:
        distribute(database, RosterCache(), LastKnownBalances(), niche_id, 1)
    assert (unknown.value.code, inactive.value.code) == ("niche_unknown", "niche_inactive")


def test_a_gate_that_is_added_is_in_the_decision_the_explanation_and_the_proof(
    monkeypatch: pytest.MonkeyPatch, database: Database, niche_id: str
) -> None:
    # `monkeypatch` comes first, so that the registry is put back after the marketplace was proven.
    anchor = provider_id(database, "anchor@example.com")
    own = gates.REGISTRY
    # Kept to odd and to even days alike, it is refused whatever the day is.
    monkeypatch.setattr(gates, "REGISTRY", with_toy_gates(own, anchor, keeps_even_days=False))
    [lead] = submit(database, 1)
    batch = distribute(database, RosterCache(), LastKnownBalances(), niche_id, 1)
    assert batch is not None
    assert anchor not in [recipient.provider_id for recipient in batch.decisions[0].recipients]
    story = explain_provider(database, lead, anchor)
    assert "odd_day" in {standing.refusal.reason for _, standing in story.standings if standing.refusal}
    decided = explain_lead(database, lead)
    told = [line.text for line in decision_lines(decided, decided.decisions[0], 1)]
    assert any("is odd" in line for line in told)
    assert verify(database).holds
    monkeypatch.setattr(gates, "REGISTRY", own)
    assert not verify(database).holds, "another registry decides otherwise"
    monkeypatch.setattr(gates, "REGISTRY", with_toy_gates(own, anchor, keeps_even_days=False))
