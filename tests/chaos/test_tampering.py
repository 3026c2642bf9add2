"""Whoever changes the past behind Fairlead's back, as a superuser can, is found out by `verify`."""

import pytest

from fairlead.core.errors import Refused
from fairlead.flows.approve_lead import approve_lead
from fairlead.flows.distribute import Distributor
from fairlead.flows.verify import verify
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.chaos.stories import begin

LAST_DECISION = "(niche_id, seq) = (select niche_id, max(seq) from niche_journal where kind = 'decision' group by 1)"

DAMAGE = {
    "the time of an entry": f"""
        update niche_journal set recorded_at = recorded_at - interval '1 second' where {LAST_DECISION}""",
    "who was served": f"""
        update niche_journal set payload = jsonb_set(payload, '{{levels,0,recipients}}', '[]') where {LAST_DECISION}""",
    "a hash": f"update niche_journal set hash = sha256(hash) where {LAST_DECISION}",
    "a lead's attributes": "update leads set attributes = '{\"age\": 99}'",
    "a price": "update assignments set price_cents = price_cents + 1",
    "a balance": "update providers set balance_cents = balance_cents + 1 where name = 'rich'",
    "an amount": "update ledger_entries set amount_cents = amount_cents - 1 where kind = 'lead_purchase'",
    "the pointer": "update niches set next_start_level_order_position = 3",
    "somebody's place": "update subscriptions set served_seq = 1 where served_seq = 2",
    "whether somebody is active": "update subscriptions set is_active = true, deactivation_reason = null",
    "who did it": "update audit_log set actor = 'somebody else'",
    "when it was done": "update audit_log set created_at = created_at - interval '1 second'",
    "a notification": "update notifications set provider_id = (select id from providers where name = 'poor')",
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_changed_past_is_found(what: str, damaged_database: Database) -> None:
    story = begin(damaged_database, "moving")
    assert len(Distributor(damaged_database).distribute_waiting(story.niche.niche_id)) == 3
    _something_audited(damaged_database, story.niche.niche_id)
    assert verify(damaged_database).holds

    with damaged_database.transaction() as conn:
        conn.execute("set local session_replication_role = replica")  # no trigger, no foreign key
        changed = conn.execute(DAMAGE[what].encode()).rowcount

    assert changed > 0, "nothing was damaged"
    assert not verify(damaged_database).holds


def _something_audited(database: Database, niche_id: str) -> None:
    with database.transaction() as conn:
        conn.execute(
            """
            insert into leads (id, niche_id, status, attributes, attributes_salt, dedupe_key, created_at)
            select gen_random_uuid(), %s, 'pending_approval', attributes, attributes_salt, 'another', created_at
            from leads limit 1
            """,
            (niche_id,),
        )
        row = conn.execute("select id::text from leads where status = 'pending_approval'").fetchone()
    assert row is not None
    approve_lead(database, row[0], OPERATOR)


def test_there_is_nothing_to_say_about_an_empty_marketplace(database: Database) -> None:
    with pytest.raises(Refused):
        verify(database)
