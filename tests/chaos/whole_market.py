"""A marketplace in which everything happened that a flow records, so that there is something of it to tamper with."""

from datetime import timedelta

from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.core.money.report_rules import ReportRules
from fairlead.core.returns import RefundPolicy
from fairlead.delivery.sandbox_gateway import TestCard
from fairlead.flows.approve_lead import approve_lead, trigger_distribution
from fairlead.flows.assignment_actions import accept_assignment, reject_assignment, view_assignment
from fairlead.flows.configuration.bad_lead_window import change_bad_lead_window
from fairlead.flows.configuration.form_schemas import change_form_schema
from fairlead.flows.configuration.levels import create_level, delete_level
from fairlead.flows.configuration.niches import NicheChange, change_niche, create_niche
from fairlead.flows.configuration.own_provider import OwnProfileChange, change_own_profile
from fairlead.flows.configuration.postcode_tables import load_postcode_table
from fairlead.flows.configuration.price_rules import set_price_rules
from fairlead.flows.configuration.provider_status import suspend_provider
from fairlead.flows.configuration.providers import ProviderChange, change_provider
from fairlead.flows.configuration.refund_policy import change_refund_policy
from fairlead.flows.configuration.report_rules import change_report_rules
from fairlead.flows.configuration.subscriptions import pause_subscription, subscribe, unsubscribe
from fairlead.flows.create_lead import EnteredLead, create_lead
from fairlead.flows.distributor import Distributor
from fairlead.flows.erasure.erase import erase_lead
from fairlead.flows.idempotency import idempotency_key_for
from fairlead.flows.intake.confirmation import confirm_lead
from fairlead.flows.intake.own_request import request_token, withdraw_request
from fairlead.flows.intake.policy import change_intake_policy
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.money.bad_leads import accept_bad_lead, mark_lead_bad, reject_bad_lead, report_bad_lead
from fairlead.flows.money.close_months import close_months
from fairlead.flows.money.deposit import deposit
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.payments.auto_top_up import WantedTopUp, change_auto_top_up
from fairlead.flows.payments.charge_top_ups import charge_top_ups
from fairlead.flows.payments.doubts import close_doubt, credit_doubt
from fairlead.flows.payments.gateways import sandbox_gateway
from fairlead.flows.payments.request_payment import request_payment
from fairlead.flows.payments.saving_methods import answer_as_test_card, ask_about_savings, open_saving
from fairlead.flows.payments.take_report import take_report
from fairlead.flows.reject_lead import reject_lead
from fairlead.flows.submit_leads import submit_leads
from fairlead.settings import Settings
from fairlead.store.audit.log import OPERATOR
from fairlead.store.configuration.rows import NichePolicy, ReofferPolicy
from fairlead.store.connection import Database
from fairlead.store.distribution.snapshots import state_before, write_snapshot
from fairlead.store.leads.intake import IntakePolicy
from fairlead.store.leads.rows import clock
from fairlead.store.simulated_clock import SimulatedClock
from tests.chaos.named_on_papers import name_on_papers
from tests.flows.intake.senders import BY_EMAIL, VISITOR, lead, link, open_niche, send, visit
from tests.flows.marketplaces import HOSTING, declare, provider_id
from tests.flows.notifications.stage import set_endpoint
from tests.flows.sales import MEMO, PORTAL, query

FITS = {"cores": 8, "region": "north"}
PEOPLE = """
[[provider]]
email = "cleat@example.com"
name = "Cleat"
timezone = "Europe/Madrid"
credit_limit_cents = 500
low_balance_threshold_cents = 700
low_balance_days = 5
deposit = [{ external_id = "opening-cleat", amount_cents = 9000 }]
subscription = [{ niche = "hosting", level = "silver" }]
"""
LIMITED = """
[[niche]]
slug = "storage"
name = "Storage"
max_recipients_per_lead = 3

[[niche.level]]
name = "only"
price_cents = 100
max_recipients = 2
order_position = 1
order = "weighted"
price_rules = { version = 1, rules = [{ name = "Fresh", price_cents = 90, lead_age_minutes = { below = 60 } }] }

[[provider]]
email = "dinghy@example.com"
name = "Dinghy"
timezone = "Europe/Madrid"
language = "de"
conflict_group = "One owner"
limits = { leads_total = 5, spend_cents_per_month = 100000 }
deposit = [{ external_id = "opening-dinghy", amount_cents = 9000 }]

[[provider.subscription]]
niche = "storage"
level = "only"
limits = { leads_per_week = 50 }
max_price_cents = 95
weight = 3

[[provider]]
email = "eider@example.com"
name = "Eider"
schedule = { holidays = { country = "ES", region = "MD" } }
deposit = [{ external_id = "opening-eider", amount_cents = 9000 }]
subscription = [{ niche = "storage", level = "only", schedule = { paused_until = "2999-01-01T00:00:00Z" } }]
"""


BY_FILE = """
[[postcode_table]]
name = "it"
content = "00118,41.89,12.48\\n20121,45.47,9.19\\n"

[[niche]]
slug = "storage"
[niche.intake]
public = true
duplicate_rule = { version = 1, any_of = [["contact_email"]], scope = "niche", action = "flag" }

[[provider]]
email = "fender@example.com"
name = "Fender"
auto_top_up = { threshold_cents = 700, amount_cents = 1400, monthly_limit_cents = 4200 }
"""


def play(database: Database) -> None:
    """Leads come in, are approved, sold, rejected, confirmed, reported and refunded; all that can change is changed."""
    declare(database, HOSTING + PEOPLE)
    anchor, bowline, cleat = (provider_id(database, f"{name}@example.com") for name in ("anchor", "bowline", "cleat"))
    [(niche_id,)] = query(database, "select id::text from niches where slug = 'hosting'")
    load_postcode_table(database, "de", "10115,52.5337,13.3872\n14467,52.3988,13.0657", OPERATOR)
    _configure(database, niche_id, anchor, cleat)
    _limited(database)
    _pay(database, cleat)
    name_on_papers(database, cleat)
    _top_up(database)
    declare(database, BY_FILE)
    _sell(database, niche_id)
    _afterwards(database, anchor, bowline)
    _unsold(database, niche_id)
    _from_outside(database)
    _erase(database)
    # The last change of all stops a subscription that a provider has to be told of.
    adjust_balance(database, anchor, "debit", 1, MEMO, OPERATOR)
    _snapshot(database, niche_id)
    _close_months(database)


def _close_months(database: Database) -> None:
    """Two months are over, as they will be some day."""
    later = SimulatedClock(database.read(clock) + timedelta(days=65))
    with Database(database.url, "fairlead", simulated_clock=later) as then:
        assert close_months(then)


def _limited(database: Database) -> None:
    """One provider receives within its limits, the other is closed."""
    declare(database, LIMITED)
    submit_leads(database, "storage", [{}, {}], OPERATOR, approve=True)
    [(niche_id,)] = query(database, "select id::text from niches where slug = 'storage'")
    decided = Distributor(database).distribute_waiting(niche_id).decisions
    assert [len(decision.recipients) for decision in decided] == [1, 1]
    # The level then asks more than the one pays at most, of which it is told.
    dearer = {"name": "Fresh", "price_cents": 96, "lead_age_minutes": {"below": 60}}
    [(level_id,)] = query(database, "select id::text from competition_levels where niche_id = %s", niche_id)
    assert set_price_rules(database, level_id, {"version": 1, "rules": [dearer]}, OPERATOR).left_out_subscription_ids


def _erase(database: Database) -> None:
    """A lead that was sold and one that was rejected say nothing of a person any more."""
    for status in ("distributed", "rejected"):
        [(lead_id,)] = query(
            database, "select id::text from leads where status = %s order by created_at, id limit 1", status
        )
        erase_lead(database, lead_id, "consumer_request", OPERATOR)


def _pay(database: Database, cleat: str) -> None:
    """One payment is credited, one fails, one waits; three others are in doubt."""
    gateway = sandbox_gateway(database)
    asked = [request_payment(database, gateway, cleat, 700, PORTAL).request_id for _ in range(4)]
    for number, (request_id, cents) in enumerate(((asked[0], 700), (asked[0], 700), (asked[1], 600), (None, 500))):
        paid = GatewayReport(ReportKind.PAID, request_id, f"charge-{number}", cents, "EUR")
        take_report(database, gateway.name, paid)
    failed = GatewayReport(ReportKind.FAILED, asked[2], reason="card_declined")
    take_report(database, gateway.name, failed)
    twice, other = query(database, "select id::text from payment_doubts where request_id is not null order by id")
    credit_doubt(database, twice[0], MEMO, OPERATOR)
    close_doubt(database, other[0], MEMO, OPERATOR)


def _top_up(database: Database) -> None:
    """Auto top-up of one provider is on, and charged its card; that of another went off when its card was refused."""
    maintenance = Maintenance(database, Settings.model_validate({"payment_gateway": "test"}))
    cards: tuple[tuple[str, TestCard], ...] = (("dinghy", "pays"), ("eider", "declines_for_good"))
    for name, card in cards:
        own = provider_id(database, f"{name}@example.com")
        page = open_saving(database, sandbox_gateway(database), own, "/back", PORTAL)
        answer_as_test_card(database, own, page.rsplit("/", 1)[1], card)
        ask_about_savings(maintenance)
        wanted = WantedTopUp(_balance(database, own) + 100, 300, 10_000, is_on=True)
        change_auto_top_up(database, own, wanted, PORTAL)
        assert charge_top_ups(maintenance)["charges"] == 1


def _snapshot(database: Database, niche_id: str) -> None:
    """How the niche stands now, as it would be on record if its journal were longer."""
    with database.transaction() as conn:
        [(seq,)] = conn.execute("select journal_seq from niches where id = %s", (niche_id,)).fetchall()
        assert write_snapshot(conn, state_before(conn, niche_id, seq + 1))


def _configure(database: Database, niche_id: str, anchor: str, cleat: str) -> None:
    set_endpoint(database, "https://cleat.example.com/leads", "cleat@example.com")
    change_bad_lead_window(database, niche_id, 30, OPERATOR)
    change_refund_policy(database, niche_id, RefundPolicy(returns_turn=True, leaves_limits=True), OPERATOR)
    change_report_rules(database, ReportRules(most_a_day=20), OPERATOR)
    change_niche(database, niche_id, NicheChange(name="Web hosting", reoffer=ReofferPolicy(30, 3, 48)), OPERATOR)
    create_niche(database, "closed", "Over", OPERATOR, is_active=False)
    create_niche(database, "manual", "By hand", OPERATOR, policy=NichePolicy(auto_distribute=False, phone_region="ES"))
    change_provider(
        database,
        anchor,
        ProviderChange(credit_limit_cents=100, timezone="Europe/Rome", language="de"),
        OPERATOR,
        memo=MEMO,
    )
    change_own_profile(database, anchor, OwnProfileChange(low_balance_threshold_cents=900), PORTAL)
    fields = [
        {"key": "cores", "label": "Cores", "type": "number"},
        {"key": "region", "label": "Region", "type": "select", "options": ["north", "south", "west"]},
    ]
    change_form_schema(database, niche_id, {"version": 1, "fields": fields}, OPERATOR, memo="the west is new")


def _sell(database: Database, niche_id: str) -> None:
    submit_leads(database, "hosting", [FITS, FITS], OPERATOR, approve=True)
    created = create_lead(database, EnteredLead("hosting", FITS), OPERATOR, approve=False)
    approve_lead(database, created.lead_id, PORTAL)
    create_lead(database, EnteredLead("hosting", FITS), OPERATOR, approve=True)
    assert Distributor(database).distribute_waiting(niche_id)


def _afterwards(database: Database, anchor: str, bowline: str) -> None:
    deposit(database, bowline, 3000, "manual", "more-bowline", OPERATOR)
    adjust_balance(
        database, bowline, "credit", 700, MEMO, OPERATOR, idempotency_key_for("operator", "k-1", "POST /it", None)
    )
    bought = query(
        database, "select id::text, provider_id::text, lead_id::text from assignments order by served_seq desc"
    )
    of_anchor = [row for row in bought if row[1] == anchor]
    assert len(of_anchor) >= 2, bought
    assert len(bought) >= 7, bought
    accepted, rejected = of_anchor[:2]
    report_bad_lead(database, anchor, accepted[0], "spam", "they laughed", PORTAL)
    accept_bad_lead(database, accepted[0], MEMO, OPERATOR)
    report_bad_lead(database, anchor, rejected[0], "duplicate", None, PORTAL)
    reject_bad_lead(database, rejected[0], MEMO, OPERATOR)
    others = [row for row in bought if row[1] != anchor]
    view_assignment(database, others[0][1], others[0][0])
    accept_assignment(database, others[0][1], others[0][0], PORTAL)
    reject_assignment(database, others[1][1], others[1][0], "too far away", PORTAL)
    refund_assignment(database, others[2][0], MEMO, OPERATOR)
    last_lead = query(database, "select id::text from leads order by distributed_at, id desc limit 1")[0][0]
    mark_lead_bad(database, last_lead, MEMO, OPERATOR)


def _unsold(database: Database, niche_id: str) -> None:
    """Every subscription ends or stops: what comes now is not sold; two leads still wait, one was triggered again.

    One in another niche stays: what it used of its limits would be forgotten with its end.
    """
    for (subscription_id,) in query(
        database, "select id::text from subscriptions where deleted_at is null order by id limit 1"
    ):
        pause_subscription(database, subscription_id, OPERATOR, of_provider_id=None)
    for (subscription_id,) in query(
        database,
        "select id::text from subscriptions "
        "where deactivation_reason is distinct from 'paused' and limits is null order by id",
    ):
        unsubscribe(database, subscription_id, OPERATOR, of_provider_id=None)
    unsold, again = submit_leads(database, "hosting", [FITS, FITS], OPERATOR, approve=True)
    Distributor(database).distribute_waiting(niche_id)
    trigger_distribution(database, again, OPERATOR)
    pending = create_lead(database, EnteredLead("hosting", FITS), OPERATOR, approve=False)
    reject_lead(database, pending.lead_id, "it is a test, they said", OPERATOR)
    submit_leads(database, "hosting", [FITS], OPERATOR, approve=False)
    submit_leads(database, "hosting", [FITS], OPERATOR, approve=True)
    assert unsold
    [(cleat, gold)] = query(
        database,
        "select p.id::text, l.id::text from providers p, competition_levels l "
        "where p.name = 'Cleat' and l.name = 'gold'",
    )
    [(bowline,)] = query(database, "select id::text from providers where name = 'Bowline'")
    subscribe(database, cleat, gold, OPERATOR)
    adjust_balance(database, cleat, "debit", _balance(database, cleat), MEMO, OPERATOR)
    suspend_provider(database, bowline, OPERATOR, memo=MEMO)
    bronze = create_level(database, niche_id, "bronze", 100, 1, OPERATOR)
    delete_level(database, bronze.row.level.level_id, OPERATOR)


def _balance(database: Database, provider: str) -> int:
    return query(database, "select balance_cents from providers where id = %s", provider)[0][0]


def _from_outside(database: Database) -> None:
    open_niche(database, is_public=True, approves=True, duplicate_rule=BY_EMAIL | {"action": "flag"})
    change_intake_policy(
        database, "hosting", IntakePolicy(is_public=True, approves=False, duplicate_rule=None), OPERATOR
    )
    send(database)
    send(database)
    regretted = link(database, visit(database, lead(contact_email="fred@example.com")).lead_id)
    confirm_lead(database, regretted, VISITOR)
    withdraw_request(database, request_token(regretted), VISITOR)
    confirm_lead(database, link(database, visit(database, lead(contact_email="dora@example.com")).lead_id), VISITOR)
    link(database, visit(database, lead(contact_email="erin@example.com")).lead_id)
