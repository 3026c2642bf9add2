"""Looking for a lead by its fingerprints: the newest, and never itself."""

from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from fairlead.store.leads.fingerprints import newest_with
from tests.flows.access.people import rows
from tests.flows.intake.senders import open_niche, rule, send


def test_the_newest_is_found_by_each_fingerprint_and_a_lead_is_never_its_own_repetition(database: Database) -> None:
    niche_id = open_niche(database, duplicate_rule=rule(["contact_email"], ["contact_phone"], action="flag"))
    first, second = send(database).lead_id, send(database).lead_id
    prints = [bytes(each) for each in rows(database, "select distinct fingerprint from lead_fingerprints")]
    assert len(prints) == 2

    def found(prints: list[bytes], own: str, where: str | None) -> list[str]:
        matches = database.read(lambda conn: newest_with(conn, prints, own, where, None))
        return [lead.lead_id for lead in matches.values()]

    assert found(prints, new_id(), niche_id) == [second, second]
    assert found(prints, second, niche_id) == [first, first]
    assert found(prints, second, new_id()) == []
    assert found(prints, second, None) == [first, first]
    assert found([bytes(32)], new_id(), niche_id) == []
    assert found([], new_id(), niche_id) == []
