"""Every POST that has an effect, once and in an order in which each of them can have it."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.core.permissions import Permission
from fairlead.flows.distributor import Distributor
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.money.bad_leads import report_bad_lead
from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.flows.payments.saving_methods import ask_about_savings
from fairlead.flows.payments.take_report import take_report
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin, anonymous, application, machine
from tests.api.keys import operators_key
from tests.api.portal import level
from tests.flows.access.people import add_admin, value
from tests.flows.given_up import give_up_lead, give_up_notification
from tests.flows.intake.senders import link, open_niche
from tests.flows.payments.paying import SETTINGS
from tests.flows.sales import PORTAL, Sale, sell

ADMIN, OWN = "/api/v1/admin", "/api/v1/provider"
MEMO = {"memo": "the number is not in use"}
WHY = {"reason": "their certificate has expired"}
ANY = {"If-Match": "*"}
LEAD = {"cores": 8, "region": "north"}
FROM_OUTSIDE: dict[str, Any] = {
    "niche": "relocation",
    "attributes": {"age": 41, "city": "Canarytown"},
    "contact_name": "Cora Canary",
    "contact_email": "cora@example.com",
    "consent": {"text": "I agree to be called."},
}


@dataclass(frozen=True)
class Post:
    """A request that is to have an effect, and who sends it. Its answer is sent back to the generator."""

    who: TestClient = field(repr=False)
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


Posts = Generator[Post, Any, None]


@dataclass(frozen=True)
class Cast:
    """An operator, a user of Anchor and one of Bowline, and a lead that both of these bought."""

    app: FastAPI
    database: Database
    sale: Sale
    ann: TestClient
    sam: TestClient
    bea: TestClient


def cast_of(database: Database) -> Cast:
    """All of them, and niches that take leads in from outside."""
    sale = sell(database)
    open_niche(database, "relocation", is_public=True)
    app = application(database, webhook_allow_private=True, payment_gateway="test")
    ann, sam = an_admin(app, database), a_provider(app, database, sale.anchor_id)
    return Cast(app, database, sale, ann, sam, a_provider(app, database, sale.bowline_id, "sales@bowline.example"))


def every_post(cast: Cast) -> Posts:
    """All of them."""
    for some in (
        _of_market,
        _of_payments,
        _of_people,
        _of_leads,
        _of_inbox,
        _of_subscriptions,
        _of_endpoints,
        _of_failures,
    ):
        yield from some(cast)
    yield from _from_outside(cast)


def _of_market(cast: Cast) -> Posts:
    ann = cast.ann
    yield Post(ann, f"{ADMIN}/setup/keys-copied")
    yield Post(ann, f"{ADMIN}/setup/dismiss")
    yield Post(ann, f"{ADMIN}/postcode-tables", {"name": "de", "content": "10115,52.5337,13.3872"})
    levels = [{"name": "Open", "price_cents": 900, "max_recipients": 5}]
    moving = {"template": "moving", "slug": "removals", "name": "Removals", "levels": levels}
    yield Post(ann, f"{ADMIN}/niche-templates", moving)
    niche = (yield Post(ann, f"{ADMIN}/niches", {"slug": "roofing", "name": "Roofing"}))["niche"]["niche_id"]
    made = yield Post(ann, f"{ADMIN}/niches/{niche}/levels", {"name": "tin", "price_cents": 100, "max_recipients": 1})
    schema = {"version": 1, "fields": [{"key": "age", "label": "Age", "type": "number"}]}
    changed = ann.put(f"{ADMIN}/niches/{niche}/form", json={"form_schema": schema}, headers=ANY)
    assert changed.status_code == 200, changed.text
    yield Post(ann, f"{ADMIN}/niches/{niche}/form/versions/1/restore", headers=ANY)
    new = {"email": "new@example.com", "name": "New", "status": "pending"}
    provider = (yield Post(ann, f"{ADMIN}/providers", new))["provider"]["provider_id"]
    for verb in ("approve", "suspend", "reactivate"):
        yield Post(ann, f"{ADMIN}/providers/{provider}/{verb}", MEMO)
    yield Post(ann, f"{ADMIN}/providers/{provider}/invitations", {"email": "nan@new.example", "name": "Nan"})
    yield Post(ann, f"{ADMIN}/providers/{provider}/notes", {"note": "pays late"})
    wish = {"provider_id": provider, "level_id": made["level"]["level_id"]}
    own = (yield Post(ann, f"{ADMIN}/subscriptions", wish))["subscription"]["subscription_id"]
    for verb in ("pause", "resume"):
        yield Post(ann, f"{ADMIN}/subscriptions/{own}/{verb}", MEMO)
    yield _renewal(cast, niche, own)
    yield Post(
        ann,
        f"{ADMIN}/providers/{provider}/adjustments",
        {"direction": "credit", "amount_cents": 500, "memo": MEMO["memo"]},
    )
    parts = {"subject": "New", "html": "<p>{{ lead_id }}</p>", "text": "{{ lead_id }}", "memo": "ours"}
    saved = ann.put(f"{ADMIN}/templates/lead_assigned", json=parts, headers=ANY)
    assert saved.status_code == 200, saved.text
    yield Post(ann, f"{ADMIN}/templates/lead_assigned/restore", {"version": None}, ANY)
    yield Post(ann, f"{ADMIN}/conflict-groups", {"name": "One owner"})
    for verb in ("archive", "restore"):
        yield Post(ann, f"{ADMIN}/niches/{niche}/{verb}", MEMO, ANY)


def _renewal(cast: Cast, niche: str, subscription: str) -> Post:
    """Of the subscription's filter, which goes by the first version of a postcode table that has a second."""
    ann = cast.ann
    schema = {"version": 1, "fields": [{"key": "zip", "label": "Postcode", "type": "text"}]}
    rule = {"field_key": "zip", "operator": "within_km", "value": {"table": "de", "postcode": "10115", "km": 5}}
    new_filter = {"filter_rules": {"version": 2, "rules": [rule]}}
    second = {"name": "de", "content": "10115,52.5337,13.3872\n10117,52.5170,13.3889"}
    for answered in (
        ann.put(f"{ADMIN}/niches/{niche}/form", json={"form_schema": schema}, headers=ANY),
        ann.put(f"{ADMIN}/subscriptions/{subscription}/filter", json=new_filter, headers=ANY),
        ann.post(f"{ADMIN}/postcode-tables", json=second),
    ):
        assert answered.status_code in (200, 201), answered.text
    return Post(ann, f"{ADMIN}/postcode-tables/de/renew-filters", {})


def _of_payments(cast: Cast) -> Posts:
    ann, sam, database = cast.ann, cast.sam, cast.database
    transfer = {"provider_id": cast.sale.anchor_id, "made_by": "bank_transfer", "external_id": "42"}
    yield Post(ann, f"{ADMIN}/deposits", {**transfer, "amount_cents": 5000})
    number = value(database, "select max(number) from receipts")
    yield Post(ann, f"{ADMIN}/receipts/{number}/credit-note", MEMO)
    asked = (yield Post(sam, f"{OWN}/payments", {"amount_cents": 5000}))["request_id"]
    yield Post(sam, f"{OWN}/payments/{asked}/test-answer", {"answer": "pays"})
    page = sam.post(f"{OWN}/auto-top-up/method").json()["url"].rsplit("/", 1)[1]
    yield Post(sam, f"{OWN}/auto-top-up/method/test-card", {"setup_id": page, "card": "pays"})
    ask_about_savings(Maintenance(database, SETTINGS))
    terms = {"threshold_cents": 1, "amount_cents": 500, "monthly_limit_cents": 500, "is_on": True}
    switched_on = sam.put(f"{OWN}/auto-top-up", json=terms, headers=ANY)
    assert switched_on.status_code == 200, switched_on.text
    yield Post(ann, f"{ADMIN}/providers/{cast.sale.anchor_id}/auto-top-up/switch-off", MEMO)
    for number, verb in enumerate(("credit", "close")):
        came = GatewayReport(ReportKind.PAID, asked, f"charge-{number}", 4000, "EUR")
        take_report(database, "test_gateway", came)
        doubt = value(database, "select id::text from payment_doubts where resolved_at is null")
        yield Post(ann, f"{ADMIN}/payment-doubts/{doubt}/{verb}", MEMO)


def _of_people(cast: Cast) -> Posts:
    ann, cat = cast.ann, add_admin(cast.database, "cat@example.com")
    yield Post(ann, f"{ADMIN}/users", {"email": "dan@example.com", "name": "Dan", "role": "admin"})
    for verb in ("disable", "enable", "reset-second-factor"):
        yield Post(ann, f"{ADMIN}/users/{cat}/{verb}")
    own = {"name": "a machine", "scopes": ["leads:read"], "user_id": ann.get("/api/v1/session").json()["user_id"]}
    yield Post(ann, f"{ADMIN}/keys", own)
    yield Post(cast.sam, f"{OWN}/keys", {"name": "our CRM", "scopes": ["own:read"]})


def _of_leads(cast: Cast) -> Posts:
    ann, leads = cast.ann, f"{ADMIN}/leads"
    entered = list[str]()
    for number in range(1, 6):
        lead = {"niche": "hosting", "attributes": {**LEAD, "cores": number}}
        entered.append((yield Post(ann, leads, lead))["lead_id"])
    yield Post(ann, f"{leads}/{entered[0]}/approve")
    yield Post(ann, f"{leads}/bulk/approve", {"lead_ids": entered[1:2]})
    yield Post(ann, f"{leads}/{entered[2]}/reject", WHY)
    yield Post(ann, f"{leads}/bulk/reject", {"lead_ids": entered[3:4], **WHY})
    yield Post(ann, f"{leads}/{entered[4]}/mark-bad", MEMO)
    yield Post(ann, f"{leads}/{entered[3]}/erase", {"reason": "test_data"})
    [unsold] = submit_leads(cast.database, "relocation", [FROM_OUTSIDE["attributes"]], OPERATOR, approve=True)
    _decide(cast.database, "relocation")
    yield Post(ann, f"{leads}/{unsold}/distribute", {"reason": "manual_trigger"})


def _of_inbox(cast: Cast) -> Posts:
    ann, inbox, database = cast.ann, f"{OWN}/assignments", cast.database
    yield Post(cast.sam, f"{inbox}/{cast.sale.anchor}/view")
    yield Post(cast.sam, f"{inbox}/{cast.sale.anchor}/accept")
    yield Post(cast.bea, f"{inbox}/{cast.sale.bowline}/reject", WHY)
    yield Post(cast.sam, f"{inbox}/{cast.sale.anchor}/report", {"reason": "spam", "note": "called five times"})
    report_bad_lead(database, cast.sale.bowline_id, cast.sale.bowline, "spam", None, PORTAL)
    yield Post(ann, f"{ADMIN}/bad-lead-reports/{cast.sale.anchor}/accept", MEMO)
    yield Post(ann, f"{ADMIN}/bad-lead-reports/{cast.sale.bowline}/reject", MEMO)
    yield Post(ann, f"{ADMIN}/assignments/{cast.sale.bowline}/refund", MEMO)


def _of_subscriptions(cast: Cast) -> Posts:
    wish = {"level_id": level(cast.database, "tin")}
    own = (yield Post(cast.sam, f"{OWN}/subscriptions", wish))["subscription_id"]
    for verb in ("pause", "resume"):
        yield Post(cast.sam, f"{OWN}/subscriptions/{own}/{verb}")


def _of_endpoints(cast: Cast) -> Posts:
    own, of_all = f"{OWN}/webhook-endpoints", f"{ADMIN}/webhook-endpoints"
    made = (yield Post(cast.sam, own, {"url": "https://127.0.0.1:9/leads"}))["endpoint_id"]
    for verb in ("rotate-secret", "retire-secret"):
        yield Post(cast.sam, f"{own}/{made}/{verb}")
    for who, endpoints in ((cast.sam, own), (cast.ann, of_all)):
        for verb in ("pause", "resume"):
            yield Post(who, f"{endpoints}/{made}/{verb}", WHY)
    submit_leads(cast.database, "hosting", [LEAD], OPERATOR, approve=True)
    _decide(cast.database, "hosting")
    dispatch_notifications(cast.database)
    value(cast.database, "update notifications set state = 'sent', sent_at = now() where channel = 'webhook'")
    yield Post(cast.ann, f"{of_all}/{made}/replay", {"created_from": "2026-01-01T00:00:00Z"})


def _of_failures(cast: Cast) -> Posts:
    ann, letters, database = cast.ann, f"{ADMIN}/dead-letters", cast.database
    (_, _, first), (_, _, second) = (give_up_lead(database, slug) for slug in ("moving", "storage"))
    value(database, "update notifications set state = 'sent', sent_at = now() where state = 'queued'")
    notification, third = give_up_notification(database, "cleaning")
    yield Post(ann, f"{ADMIN}/verifications", {"niche": None})
    export = (yield Post(ann, f"{ADMIN}/exports", {"kind": "ledger"}))["export_id"]
    yield Post(ann, f"{ADMIN}/exports/{export}/cancel")
    yield Post(ann, f"{ADMIN}/dead-letter-retries", {"dead_letter_ids": [second, third]})
    yield Post(ann, f"{letters}/{first}/retry")
    _, _, fourth = give_up_lead(database, "painting")
    yield Post(ann, f"{letters}/{fourth}/resolve", MEMO)
    value(database, "update notifications set state = 'sent', sent_at = now() where id = %s", notification)
    yield Post(ann, f"{ADMIN}/deliveries/{notification}/replay")


def _from_outside(cast: Cast) -> Posts:
    partner = machine(cast.app, operators_key(cast.database, Permission.INTAKE_WRITE))
    yield Post(partner, "/api/v1/leads", FROM_OUTSIDE)
    visitor = anonymous(cast.app, "203.0.113.9")
    made = yield Post(visitor, "/api/v1/public/leads", {**FROM_OUTSIDE, "contact_email": "eva@example.com"})
    told = yield Post(visitor, "/api/v1/public/leads/confirm", {"token": link(cast.database, made["lead_id"])})
    yield Post(visitor, "/api/v1/public/leads/withdraw", {"token": told["request_token"]})
    yield Post(visitor, "/api/v1/public/leads/erase", {"token": told["request_token"]})


def _decide(database: Database, slug: str) -> None:
    """The leads that wait in the niche are decided."""
    Distributor(database).distribute_waiting(value(database, "select id::text from niches where slug = %s", slug))
