"""A marketplace with something on every page: sold and unsold leads, money, reports, refunds, failures."""

from dataclasses import dataclass
from itertools import islice

from fairlead.cli.demo.history import make_history
from fairlead.cli.demo.past_changes import demo_marketplace
from fairlead.cli.demo.stream import DemoLead, by_niche, demo_leads
from fairlead.flows.approve_lead import approve_lead
from fairlead.flows.declaring.apply_marketplace import apply_marketplace
from fairlead.flows.distribute_niche import distribute_niche
from fairlead.flows.distributor import Distributor
from fairlead.flows.intake.confirmation import confirm_lead
from fairlead.flows.intake.lead import GivenConsent, IntakeLead
from fairlead.flows.intake.policy import change_intake_policy
from fairlead.flows.maintenance.count_entitlement import count_decisions
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.intake import IntakePolicy
from fairlead.store.lookups import count_of_leads, niches_with_waiting_leads
from tests.browser.showcase_exports import add_exports
from tests.browser.showcase_payments import add_payments
from tests.browser.showcase_portal import answer_leads
from tests.browser.showcase_terms import add_records, set_terms
from tests.browser.troubles import add_troubles
from tests.flows.access.people import Person, enrolled_admin, provider_user, value
from tests.flows.intake.senders import VISITOR, link, visit

PROVIDER_EMAIL = "sales@anchor-cloud.example"
_CONSENT = GivenConsent(
    "I agree that what I wrote here is passed on to up to 9 providers of VPS hosting, who may contact me about it by "
    "email or telephone.",
    source_url="https://hosting.example.com/compare",
    ip="203.0.113.5",
    user_agent="Browser 1.0",
)


@dataclass(frozen=True)
class Showcase:
    """Who can look at it."""

    operator: Person
    provider: Person
    provider_id: str


def fill_marketplace(database: Database, days: int = 62, leads: int = 12) -> None:
    """The demo's marketplace with so many days of history, so many leads decided now, and a few that wait."""
    make_history(database, 7, days)
    apply_marketplace(database, demo_marketplace(), OPERATOR)
    change_intake_policy(database, "vps-hosting", IntakePolicy(is_public=True), OPERATOR)
    provider_id = value(database, "select id::text from providers where email = %s", PROVIDER_EMAIL)
    set_terms(database, provider_id)
    stream = demo_leads(7, database.read(count_of_leads))
    _send(database, list(islice(stream, leads)), approve=True)
    send_from_form(database)
    distributor = Distributor(database, 50)
    with database.snapshot() as conn:
        niche_ids = [each.niche_id for each in niches_with_waiting_leads(conn, None)]
    for niche_id in niche_ids:
        for _ in distribute_niche(distributor, niche_id):
            pass
    _send(database, list(islice(stream, 12)), approve=False)
    add_troubles(database)
    add_exports(database)
    count_decisions(database)
    add_payments(database, provider_id)
    add_records(database, provider_id)


def seat_viewers(database: Database) -> Showcase:
    """An operator and a user of a provider, logged in, beside those that are there already."""
    number = value(database, "select count(*) from users")
    provider_id = value(database, "select id::text from providers where email = %s", PROVIDER_EMAIL)
    answer_leads(database, provider_id)
    return Showcase(
        enrolled_admin(database, f"ann{number}@example.com"),
        provider_user(database, provider_id, f"desk{number}@anchor-cloud.example"),
        provider_id,
    )


def send_from_form(database: Database) -> str:
    """A consumer's request, confirmed and approved; its id."""
    attributes = {
        "server_type": "general purpose",
        "cores": 4,
        "memory_gb": 8,
        "storage_gb": 80,
        "operating_system": "Debian",
        "budget_eur": 40,
        "region": "Europe",
        "extras": ["IPv6"],
        "is_business": True,
    }
    details = {"contact_name": "Cora Canary", "contact_email": "cora.canary@example.com"}
    sent = IntakeLead("vps-hosting", attributes, details, _CONSENT)
    lead_id = visit(database, sent).lead_id
    confirm_lead(database, link(database, lead_id), VISITOR)
    approve_lead(database, lead_id, OPERATOR)
    return lead_id


def _send(database: Database, stream: list[DemoLead], *, approve: bool) -> None:
    for slug, leads in by_niche(stream).items():
        attributes, details = [each.attributes for each in leads], [each.details for each in leads]
        submit_leads(database, slug, attributes, OPERATOR, approve=approve, details=details)
