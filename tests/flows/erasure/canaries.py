"""A lead with a unique text in every field, walked through everything, and a search for those texts in all that is
stored: every column of every table, as text and as bytes, and the pieces of files unpacked."""

import zlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Client, Principal
from fairlead.flows.approve_lead import approve_lead
from fairlead.flows.assignment_actions import reject_assignment, view_assignment
from fairlead.flows.distributor import Distributor
from fairlead.flows.exporting.export import export
from fairlead.flows.exporting.requests import request_export
from fairlead.flows.exporting.rows import ExportRequest
from fairlead.flows.idempotency import idempotency_key_for
from fairlead.flows.intake.confirmation import confirm_lead
from fairlead.flows.intake.lead import GivenConsent, IntakeLead
from fairlead.flows.intake.policy import change_intake_policy
from fairlead.flows.lead_views import NewView, save_view
from fairlead.flows.maintenance.fingerprint import fingerprint
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.money.bad_leads import report_bad_lead
from fairlead.settings import Settings
from fairlead.store.audit.log import OPERATOR, Actor
from fairlead.store.connection import Database
from fairlead.store.leads.intake import IntakePolicy
from tests.delivery.mail_servers import Inbox, mail_server
from tests.delivery.receiver import receiver, says
from tests.flows.exporting.exports import ANN, built
from tests.flows.intake.senders import link, rule, send, visit
from tests.flows.marketplaces import HOSTING, declare
from tests.flows.notifications.stage import set_endpoint, settings_for, work_off
from tests.flows.sales import query

MARKET = (
    HOSTING.replace("field = [", 'field = [\n    { key = "wishes", label = "Wishes", type = "text" },', 1)
    .replace("amount_cents = 5000", "amount_cents = 500000")
    .replace("amount_cents = 600 ", "amount_cents = 600000 ")
)
"""Both providers can pay for everything: what they are told is told of leads."""

CANARIES: dict[str, str] = {
    "answer": "quokkawish",
    "contact_name": "Quokkaname Zyx",
    "contact_email": "quokkamail@example.com",
    "contact_phone": "+34 600 717 273",
    "utm_source": "quokkasource",
    "utm_medium": "quokkamedium",
    "utm_campaign": "quokkacampaign",
    "referrer": "https://quokkareferrer.example.com/",
    "consent_text": "quokkaconsent",
    "source_url": "https://quokkapage.example.com/",
    "certificate_url": "https://quokkacertificate.example.com/",
    "ip": "203.0.113.77",
    "user_agent": "quokkabrowser",
    "rejection": "quokkarejection",
    "note": "quokkanote",
    "evidence": "550 quokkaevidence",
    "answered": "quokkaserver",
}

NEEDLES = tuple(
    needle.lower()
    for needle in (
        "quokka", "717273", "717 273", "203.0.113.77", "quokkaname", CANARIES["contact_email"],
    )
)  # fmt: skip

P = Actor("p", "provider")

EDITOR = Principal(
    OPERATOR, None, None, frozenset(Permission), True, None, datetime(2026, 3, 1, tzinfo=UTC), session_id="s"
)
"""An operator who saves views for all."""


@dataclass(frozen=True)
class Walked:
    """The two leads of one person: one that the public sent, one that a partner sent."""

    public_id: str
    partner_id: str

    @property
    def ids(self) -> tuple[str, str]:
        return self.public_id, self.partner_id


def sent() -> IntakeLead:
    names = ("contact_name", "contact_email", "contact_phone", "utm_source", "utm_medium", "utm_campaign", "referrer")
    return IntakeLead(
        "hosting",
        {"cores": 8, "region": "north", "wishes": CANARIES["answer"]},
        {name: CANARIES[name] for name in names},
        GivenConsent(
            CANARIES["consent_text"],
            source_url=CANARIES["source_url"],
            certificate_url=CANARIES["certificate_url"],
            ip=CANARIES["ip"],
            user_agent=CANARIES["user_agent"],
        ),
        "de",
    )


def open_market(database: Database) -> None:
    """Two providers, one with a webhook endpoint, in a niche that takes leads from outside and compares them."""
    declare(database, MARKET)
    policy = IntakePolicy(is_public=True, duplicate_rule=rule(["contact_phone"], action="flag"))
    change_intake_policy(database, "hosting", policy, OPERATOR)


def walk(database: Database) -> Walked:
    """Both leads have come as far as leads come: sold, sent by mail and webhook, seen, answered, reported, exported."""
    open_market(database)
    visitor = Client(CANARIES["ip"], CANARIES["user_agent"], "request-7")
    public_id = visit(database, sent(), visitor).lead_id
    key = idempotency_key_for("key:aaaabbbbcccc", "k-1", "POST /api/v1/leads", {"lead": dict(sent().details)})
    partner_id = send(database, sent(), idempotency_key=key).lead_id
    inbox = Inbox(answer_to_data=f"250 queued for {CANARIES['contact_name']} {CANARIES['contact_email']}")
    with mail_server(inbox) as port, receiver(says(200, body=b"quokkareceiver")) as crm:
        set_endpoint(database, crm.url())
        work_off(database, settings_for(port))
        confirm_lead(database, link(database, public_id), visitor)
        for lead_id in (public_id, partner_id):
            approve_lead(database, lead_id, OPERATOR)
        distribute(database)
        work_off(database, settings_for(port))
    for lead_id in (public_id, partner_id):
        for assignment_id, provider_id in bought(database, lead_id):
            view_assignment(database, provider_id, assignment_id)
    [first, *_], [other, *_] = bought(database, public_id), bought(database, partner_id)
    reject_assignment(database, first[1], first[0], CANARIES["rejection"], P)
    report_bad_lead(database, other[1], other[0], "other", CANARIES["note"], P, evidence=CANARIES["evidence"])
    built(database, ExportRequest("leads"))
    built(database, ExportRequest("leads", without_contact_data=True))
    of_source = {"source": CANARIES["utm_source"]}
    request_export(database, ExportRequest("leads", filters=of_source), ANN)
    export(database, ExportRequest("leads", filters=of_source), BytesIO(), OPERATOR)
    save_view(database, NewView("Ours", of_source, is_shared=True), EDITOR)
    fingerprint(Maintenance(database, Settings()))
    return Walked(public_id, partner_id)


def distribute(database: Database) -> None:
    """What waits in the niche is decided."""
    [(niche_id,)] = query(database, "select id::text from niches where slug = 'hosting'")
    Distributor(database).distribute_waiting(niche_id)


def bought(database: Database, lead_id: str) -> list[tuple[str, str]]:
    """The lead's assignments and their providers, by id."""
    return query(
        database, "select id::text, provider_id::text from assignments where lead_id = %s order by id", lead_id
    )


def found(database: Database, needles: tuple[str, ...] = NEEDLES) -> list[str]:
    """Where one of the texts is, as table and column; nowhere, where nothing personal is left."""
    places: list[str] = []
    with database.transaction() as conn:
        columns = conn.execute(
            """
            select table_name, column_name, data_type from information_schema.columns
            where table_schema = %s and table_name in (
                select tablename from pg_tables where schemaname = %s) order by 1, ordinal_position
            """,
            (database.schema_name, database.schema_name),
        ).fetchall()
        for table, column, kind in columns:
            for (value,) in conn.execute(f'select "{column}" from {table} where "{column}" is not null'.encode()):
                texts = _texts(value) if kind == "bytea" else [str(value)]
                if any(needle in text.lower() for text in texts for needle in needles):
                    places.append(f"{table}.{column}")
    return sorted(set(places))


def _texts(value: Any) -> list[str]:
    texts = [bytes(value).decode("latin-1")]
    with suppress(zlib.error):
        texts.append(zlib.decompress(bytes(value)).decode("latin-1"))
    return texts
