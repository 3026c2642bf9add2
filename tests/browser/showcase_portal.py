"""What a provider of the showcase has done with its leads, so that every state of one is on its pages."""

from fairlead.flows.assignment_actions import accept_assignment, reject_assignment, view_assignment
from fairlead.flows.money.bad_leads import report_bad_lead
from fairlead.flows.notifications.endpoints import create_webhook_endpoint
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Database
from tests.flows.access.people import BOX, rows, value

_CONTACTS = (
    ("Ada Lovelace", "ada@example.com", "+44 20 7946 0001"),
    ("Grace Hopper", "grace@example.com", None),
    ("Emmy Noether", None, "+49 30 23125 002"),
    (None, "office@example.com", "+351 21 555 0103"),
)


def answer_leads(database: Database, provider_id: str) -> None:
    """Its leads have contacts; the newest are unread, of the others some are accepted, rejected, reported."""
    assignments = rows(
        database,
        "select id::text, lead_id::text from assignments where provider_id = %s "
        "and status = 'active' and bad_lead_reported_at is null order by ledger_seq desc limit 40",
        provider_id,
    )
    actor = Actor("user:desk", "provider", None)
    create_webhook_endpoint(database, BOX, provider_id, "https://93.184.216.34/leads", None, actor, allow_private=False)
    for number, (assignment_id, lead_id) in enumerate(assignments):
        name, email, phone = _CONTACTS[number % len(_CONTACTS)]
        value(
            database,
            "update leads set contact_name = %s, contact_email = %s, contact_phone = %s where id = %s",
            name,
            email,
            phone,
            lead_id,
        )
        if number < 2:
            continue
        view_assignment(database, provider_id, assignment_id)
        if number % 4 == 2:
            accept_assignment(database, provider_id, assignment_id, actor)
        elif number % 4 == 3:
            reject_assignment(database, provider_id, assignment_id, "outside our region", actor)
        elif number == 4:
            note = "The number is not in service."
            report_bad_lead(database, provider_id, assignment_id, "unreachable", note, actor)
