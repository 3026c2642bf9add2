"""Entering a lead by hand: all of it, once, and nothing of it anywhere else."""

from typing import Any

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.flows.create_lead import EnteredLead, create_lead
from fairlead.flows.idempotency import idempotency_key_for
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.marketplaces import everything
from tests.flows.niches import add_niche, audited, stored_leads

DETAILS = {"contact_name": "Canary Name", "contact_email": "canary@example.com", "contact_phone": "+49 30 1"}
ENTERED = EnteredLead("moving", {"age": 41, "city": "Canarytown", "pets": ["cat"]}, {**DETAILS, "utm_source": "fair"})


def test_a_lead_is_kept_as_it_was_entered(database: Database) -> None:
    niche_id = add_niche(database)
    made = create_lead(database, ENTERED, OPERATOR, approve=False)
    assert (made.status, made.awaits_decision) == ("pending_approval", False)
    assert stored_leads(
        database, "id::text, niche_id::text, status, attributes, contact_name, contact_email, contact_phone, utm_source"
    ) == [(made.lead_id, niche_id, "pending_approval", dict(ENTERED.attributes), *ENTERED.details.values())]
    assert audited(database, "lead.created") == [{"status": "pending_approval", "niche_id": niche_id}]


def test_an_approved_one_awaits_its_decision(database: Database) -> None:
    add_niche(database)
    made = create_lead(database, ENTERED, OPERATOR, approve=True)
    assert (made.status, made.awaits_decision) == ("approved", True)
    assert [made.lead_id in job for job in everything(database)["jobs"]] == [True]


def test_sent_again_it_is_the_same_lead_and_without_a_key_another(database: Database) -> None:
    add_niche(database)
    once = idempotency_key_for("operator", "k-1", "POST /leads", {"age": 41})
    first = create_lead(database, ENTERED, OPERATOR, approve=True, idempotency_key=once)
    assert create_lead(database, ENTERED, OPERATOR, approve=True, idempotency_key=once) == first
    assert create_lead(database, ENTERED, OPERATOR, approve=True) != first
    assert len(stored_leads(database)) == 2


def test_what_was_entered_is_in_the_lead_and_the_words_of_its_name_alone(database: Database) -> None:
    add_niche(database)
    create_lead(
        database, ENTERED, OPERATOR, approve=True, idempotency_key=idempotency_key_for("operator", "k", "POST", {})
    )
    found = [name for name, rows in everything(database).items() if any("canary" in row.lower() for row in rows)]
    assert sorted(found) == ["lead_name_words", "leads"]


@pytest.mark.parametrize(
    ("attributes", "details", "problem"),
    [
        ({}, {}, "attributes.age: Age is required"),
        ({"age": "41"}, {}, "attributes.age: Age: must be a number"),
        ({"age": 41, "rank": 1}, {}, "attributes.rank: the form has no field 'rank'"),
        ({"age": 41}, {"contact_name": "a\x00b"}, "contact_name: must be one line"),
        ({"age": 41}, {"contact_phone": "4.91512E+11"}, "contact_phone: is a number that a spreadsheet has rounded"),
        ({"age": 41}, {"contact_phone": "1" * 5_000}, "contact_phone: must be one line of at most 100"),
        ({"age": 41}, {"contact_email": "not an address"}, "contact_email: must be an email address"),
    ],
)
def test_what_does_not_fit_is_refused(
    database: Database, attributes: dict[str, Any], details: dict[str, str], problem: str
) -> None:
    add_niche(database)
    with pytest.raises(BadInput, match=problem.replace("(", r"\(")):
        create_lead(database, EnteredLead("moving", attributes, details), OPERATOR, approve=False)
    assert stored_leads(database) == []


def test_a_niche_that_is_not_there(database: Database) -> None:
    with pytest.raises(Refused) as caught:
        create_lead(database, EnteredLead("nowhere", {}), OPERATOR, approve=False)
    assert caught.value.code == "niche_unknown"
