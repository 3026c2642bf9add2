"""Niches that take leads in from outside, and those who send them."""

from dataclasses import replace
from typing import Any

from fairlead.flows.access.principal import Client
from fairlead.flows.access.tokens import hash_of, new_token
from fairlead.flows.intake.lead import GivenConsent, IntakeLead, TakenIn
from fairlead.flows.intake.policy import change_intake_policy
from fairlead.flows.intake.take_in import public_sender, take_in_lead
from fairlead.store.audit.log import OPERATOR, Actor
from fairlead.store.connection import Database
from fairlead.store.leads.confirmations import insert_confirmation_token
from fairlead.store.leads.intake import IntakePolicy, intake_of_lead
from fairlead.store.leads.rows import clock
from tests.flows.niches import add_niche

ADDRESS = "Cora.Canary@example.com"
PHONE = "+49 30 7654321"
DETAILS = {"contact_name": "Cora Canary", "contact_email": ADDRESS, "contact_phone": PHONE}
CONSENT = GivenConsent(
    "I agree to be called about moving.",
    source_url="https://moving.example.com/offer",
    certificate_url="https://cert.example.com/abc",
    ip="203.0.113.5",
    user_agent="Canary Browser 1.0",
)
LEAD = IntakeLead("moving", {"age": 41, "city": "Canarytown"}, DETAILS, CONSENT)
CANARIES = ("canary", "7654321", "203.0.113.5", "198.51.100.7")

PARTNER, OTHER_PARTNER = (
    Actor("key:aaaabbbbcccc", "admin", "request-1"),
    Actor("key:ddddeeeeffff", "admin", "request-2"),
)
CLIENT = Client("192.0.2.1", "partner/1.0", "request-1")
VISITOR = Client("198.51.100.7", "Canary Browser 2.0", "request-3")


def rule(*any_of: list[str], **more: Any) -> dict[str, Any]:
    """A duplicate rule: leads of the niche of the last 90 days, refused."""
    return {
        "version": 1,
        "any_of": list(any_of),
        "duplicate_window_days": 90,
        "scope": "niche",
        "action": "refuse",
    } | more


BY_EMAIL = rule(["contact_email"])


def open_niche(database: Database, slug: str = "moving", **policy: Any) -> str:
    """A niche that takes leads in as the policy says; its id."""
    niche_id = add_niche(database, slug)
    change_intake_policy(database, slug, IntakePolicy(**policy), OPERATOR)
    return niche_id


def lead(**details: str) -> IntakeLead:
    """The lead with these details instead."""
    return replace(LEAD, details={**DETAILS, **details})


def send(database: Database, sent: IntakeLead = LEAD, actor: Actor = PARTNER, **more: Any) -> TakenIn:
    """A partner sends the lead."""
    return take_in_lead(database, sent, "key", actor, CLIENT, **more)


def visit(database: Database, sent: IntakeLead = LEAD, client: Client = VISITOR, **more: Any) -> TakenIn:
    """A visitor without a key sends the lead."""
    return take_in_lead(database, sent, "public", public_sender(client), client, **more)


def link(database: Database, lead_id: str) -> str:
    """A token that confirms the lead, as its message would bring it."""
    token = new_token()
    with database.transaction() as conn:
        intake = intake_of_lead(conn, lead_id)
        assert intake is not None
        assert intake.confirm_by is not None
        insert_confirmation_token(conn, hash_of(token), lead_id, clock(conn), intake.confirm_by)
    return token
