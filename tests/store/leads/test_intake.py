"""What the database itself holds of intake: consents that stay, erasing, and invariants that see what is amiss."""

from collections.abc import Sequence

import pytest
from psycopg import errors

from fairlead.flows.erasure.erase import erase_lead
from fairlead.flows.intake.confirmation import confirm_lead
from fairlead.flows.proving.verify import verify
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.invariants.of_intake import INVARIANTS_OF_INTAKE
from fairlead.store.invariants.of_leads import INVARIANTS_OF_LEADS
from fairlead.store.leads.intake import consent_of_lead, forget_intake
from tests.by_hand import CLOSED
from tests.flows.access.people import rows, value
from tests.flows.intake.senders import BY_EMAIL, CANARIES, VISITOR, link, open_niche, send, visit
from tests.flows.marketplaces import everything

ERASE = (
    "update leads set contact_name = null, contact_email = null, contact_phone = null, email_key = null, "
    "phone_key = null, attributes = '{}'"
)


def _erase(database: Database, statement: str, lead_id: str) -> None:
    """What the lead says is gone, as far as the statement goes, and then what intake keeps beside it."""
    with database.transaction() as conn:
        conn.execute(f"{statement} where id = %s".encode(), (lead_id,))
        forget_intake(conn, [lead_id])


@pytest.mark.parametrize(
    "statement",
    [
        "delete from lead_consents",
        "update lead_consents set consent_text = 'anything'",
        "update lead_consents set ip = null",
        "truncate lead_consents",
    ],
)
def test_a_consent_stays_as_it_was_given(database: Database, statement: str) -> None:
    open_niche(database)
    send(database)
    with pytest.raises(errors.RestrictViolation, match="append-only"):
        value(database, statement)


def test_a_consent_does_not_go_before_the_lead_says_nothing(database: Database) -> None:
    open_niche(database)
    lead_id = send(database).lead_id
    parts = (
        "contact_name = null, ",
        "contact_email = null, ",
        "contact_phone = null, ",
        "email_key = null, ",
        "phone_key = null, ",
    )
    for left in parts:
        statement = ERASE.replace(left, "")
        assert statement != ERASE
        with pytest.raises(errors.RestrictViolation):
            _erase(database, statement, lead_id)
    assert database.read(lambda conn: consent_of_lead(conn, lead_id)) is not None
    _erase(database, ERASE, lead_id)
    assert database.read(lambda conn: consent_of_lead(conn, lead_id)) is None


def test_nothing_of_an_erased_lead_is_left(database: Database) -> None:
    open_niche(database, is_public=True, duplicate_rule=BY_EMAIL)
    kept, erased = send(database).lead_id, visit(database).lead_id
    token = link(database, erased)
    value(database, "update lead_fingerprints set fingerprint = sha256(fingerprint)")
    confirm_lead(database, token, VISITOR)
    erase_lead(database, erased, "consumer_request", OPERATOR)
    assert database.read(lambda conn: consent_of_lead(conn, erased)) is None
    assert database.read(lambda conn: consent_of_lead(conn, kept)) is not None
    for table in ("lead_fingerprints", "lead_consents", "confirmation_tokens", "lead_name_words"):
        assert erased not in {*rows(database, f"select lead_id::text from {table}")}
    erase_lead(database, kept, "consumer_request", OPERATOR)
    stored = "\n".join(line for lines in everything(database).values() for line in lines).lower()
    assert not [canary for canary in CANARIES if canary in stored]


def test_a_name_that_is_gone_and_still_found_is_seen(damaged_database: Database) -> None:
    database = damaged_database
    open_niche(database)
    lead_id = send(database).lead_id
    assert rows(database, "select count(*) > 0 from lead_name_words where lead_id = %s", lead_id) == [True]
    for change in ("created_at = created_at + interval '1 second'", "contact_name = null"):
        before = value(database, "select contact_name from leads where id = %s", lead_id)
        value(database, f"update {'leads' if 'name' in change else 'lead_name_words'} set {change}")
        broken = [check.name for check in verify(database, allow_empty=True).checks if not check.holds]
        assert broken == [INVARIANTS_OF_LEADS[-1].name]
        value(database, "update leads set contact_name = %s", before)
        value(database, "update lead_name_words w set created_at = l.created_at from leads l where l.id = w.lead_id")


@pytest.mark.parametrize(
    ("damage", "invariant", "others"),
    [
        ("update leads set status = 'pending_approval'", 0, []),
        ("update lead_intakes set confirmed_at = now()", 0, [CLOSED]),
        ("alter table lead_consents disable trigger user; delete from lead_consents", 0, []),
        ("delete from notifications", 1, []),
        ("update notifications set state = 'sent', sent_at = now()", 1, []),
        (
            """
            insert into lead_fingerprints select id, niche_id, attributes_salt || attributes_salt, created_at from leads
            """,
            3,
            [],
        ),
    ],
)
def test_what_is_amiss_is_seen(damaged_database: Database, damage: str, invariant: int, others: Sequence[str]) -> None:
    database = damaged_database
    open_niche(database, is_public=True)
    visit(database)
    before = verify(database, allow_empty=True)
    assert before.holds
    with database.transaction() as conn:
        for statement in damage.split(";"):
            conn.execute(statement.encode())
    broken = {check.name for check in verify(database, allow_empty=True).checks if not check.holds}
    assert broken == {INVARIANTS_OF_INTAKE[invariant].name, *others}


def test_a_fingerprint_of_another_time_or_niche_is_seen(damaged_database: Database) -> None:
    database = damaged_database
    open_niche(database, duplicate_rule=BY_EMAIL)
    other = open_niche(database, "cleaning")
    send(database)
    for change in ("created_at = now() - interval '1 day'", f"niche_id = '{other}'"):
        value(database, f"update lead_fingerprints set {change}")
        broken = [check.name for check in verify(database, allow_empty=True).checks if not check.holds]
        assert broken == [INVARIANTS_OF_INTAKE[3].name]
        value(
            database,
            """
            update lead_fingerprints f set created_at = l.created_at, niche_id = l.niche_id
            from leads l where l.id = f.lead_id
            """,
        )
