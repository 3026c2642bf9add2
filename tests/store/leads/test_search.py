"""Leads are found by a name, also at any age, and a provider's request finds no name at all."""

import pytest
from psycopg import errors

from fairlead.flows.create_lead import EnteredLead, create_lead
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads import search
from fairlead.store.leads.search import find_leads, leads_of_contact
from tests.flows.access.people import rows
from tests.flows.niches import add_niche
from tests.flows.sales import sell


def enter(database: Database, **details: str) -> str:
    return create_lead(database, EnteredLead("moving", {"age": 41}, details), OPERATOR, approve=False).lead_id


def found(database: Database, text: str) -> list[str]:
    """Page by page of one."""
    ids: list[str] = []
    after = None
    while page := database.read(lambda conn, after=after: find_leads(conn, text, after, 1)).leads:
        ids += [each.lead_id for each in page]
        after = page[-1].created_at, page[-1].lead_id
    return ids


@pytest.fixture
def names(database: Database) -> dict[str, str]:
    """Leads by the name of their contact."""
    add_niche(database)
    return {
        name: enter(database, contact_name=name)
        for name in ("Jörg Müller", "Ada Mullins", "Ada O\u2019Brien-Müller", "Beda Fadeeb", "100 % Räume")
    }


def test_words_and_their_beginnings_find_names_however_they_are_written(
    database: Database, names: dict[str, str]
) -> None:
    def named(text: str) -> list[str]:
        by_id = {lead_id: name for name, lead_id in names.items()}
        return sorted(by_id[each] for each in found(database, text))

    assert named("muller") == named("MÜLLER") == ["Ada O\u2019Brien-Müller", "Jörg Müller"]
    assert named("mull") == ["Ada Mullins", "Ada O\u2019Brien-Müller", "Jörg Müller"]
    assert named("müller ada") == named("ad  mülle") == ["Ada O\u2019Brien-Müller"]
    assert named("o'brien") == named("obri") == ["Ada O\u2019Brien-Müller"]
    assert named("beda") == named("fadeeb") == ["Beda Fadeeb"], "hexadecimal digits may be a name"
    assert named("%") == named("_") == named("' or true --") == named("üller") == []
    assert named("raume 100") == ["100 % Räume"]


def test_an_id_is_found_by_its_beginning_and_contacts_by_either_way(database: Database) -> None:
    add_niche(database)
    lead_id = enter(database, contact_email="cora@example.com", contact_phone="+49 30 5550102")
    assert found(database, lead_id) == found(database, lead_id[:13].upper()) == [lead_id]
    other = enter(database, contact_phone="+49 30 5550102")
    both = database.read(lambda conn: leads_of_contact(conn, "cora@example.com", "+49 30 5550102", None, 9))
    assert [each.lead_id for each in both] == [other, lead_id]
    assert database.read(lambda conn: leads_of_contact(conn, None, None, None, 9)) == ()


def test_a_name_that_many_have_is_said_to_be_found_in_part(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    add_niche(database)
    leads = [enter(database, contact_name=f"Ada Number{number}") for number in range(4)]
    monkeypatch.setattr(search, "SCANNED_ROWS", 3)
    result = database.read(lambda conn: find_leads(conn, "ada", None, 9))
    assert [each.lead_id for each in result.leads] == leads[:0:-1], "the newest of them"
    assert result.is_partial
    assert not database.read(lambda conn: find_leads(conn, "number2", None, 9)).is_partial


def test_no_provider_s_request_reaches_a_name(database: Database) -> None:
    sale = sell(database)
    bound = database.bound_to(sale.anchor_id)
    for work in (
        lambda conn: conn.execute("select word from lead_name_words").fetchall(),
        lambda conn: find_leads(conn, "ada", None, 9),
        lambda conn: conn.execute("select name from lead_views").fetchall(),
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            bound.read(work)


def test_words_are_those_of_the_name_and_as_old_as_the_lead(database: Database) -> None:
    add_niche(database)
    lead_id = enter(database, contact_name="  Ada   de la Cruz ")
    stored = rows(database, "select word from lead_name_words where lead_id = %s order by word", lead_id)
    assert stored == ["ada", "cruz", "de", "la"]
    assert (
        rows(database, "select w.created_at = l.created_at from lead_name_words w join leads l on l.id = w.lead_id")
        == [True] * 4
    )
