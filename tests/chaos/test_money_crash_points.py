"""Struck at every statement of money, payments and erasures that no other file of crash points strikes: done once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.core.retention import RetentionPolicy
from fairlead.flows.access.principal import Client
from fairlead.flows.configuration.billing_details import WantedDetails, change_billing_details
from fairlead.flows.create_lead import EnteredLead, create_lead
from fairlead.flows.erasure.erase import erase_person
from fairlead.flows.erasure.own_erasure import erase_request
from fairlead.flows.erasure.person_file import person_file
from fairlead.flows.erasure.retention import change_retention
from fairlead.flows.intake.own_request import withdraw_request
from fairlead.flows.intake.policy import change_intake_policy
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.maintenance.retain import retain
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.money.bad_leads import mark_lead_bad, report_bad_lead
from fairlead.flows.money.close_months import close_months
from fairlead.flows.money.deposit import deposit
from fairlead.flows.money.receipts import issue_credit_note
from fairlead.flows.payments.ask_again import ask_about
from fairlead.flows.payments.auto_top_up import WantedTopUp, change_auto_top_up, switch_top_up_off
from fairlead.flows.payments.doubts import close_doubt, credit_doubt
from fairlead.flows.payments.gateways import sandbox_gateway
from fairlead.flows.payments.request_payment import answer_as_test, open_checkout, request_payment
from fairlead.flows.payments.saving_methods import answer_as_test_card, ask_about_savings, forget_method, open_saving
from fairlead.flows.payments.take_report import take_report
from fairlead.flows.reject_lead import reject_lead
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.intake import IntakePolicy
from fairlead.store.leads.retention import policies
from fairlead.store.money.payment_requests import payment_request
from fairlead.store.simulated_clock import SimulatedClock
from tests.chaos.proxy import Proxy
from tests.chaos.struck import AT_COMMITS, Flow, Row, strike_at_every_statement
from tests.chaos.test_configuration_crash_points import id_in, market
from tests.chaos.test_refund_crash_points import ending as ending_of_refund
from tests.chaos.test_refund_crash_points import sold
from tests.flows.intake.senders import LEAD, VISITOR, visit
from tests.flows.intake.test_own_request import own_link
from tests.flows.payments.paying import GATEWAY, PAYER, SETTINGS
from tests.flows.sales import MEMO, PORTAL, query

pytestmark = [pytest.mark.chaos, pytest.mark.slow]

CENTS = 1_000
"""With it the provider of a market, who has 400 cents, can pay for its level."""
WANTED = WantedTopUp(threshold_cents=500, amount_cents=CENTS, monthly_limit_cents=CENTS, is_on=True)
DETAILS = WantedDetails("A company", "A street", "DE")
Act = Callable[[Database, Database, str], object]


def provider_of(direct: Database, slug: str) -> str:
    return id_in(direct, "providers", "name", slug)


def request_of(direct: Database, slug: str) -> str:
    return id_in(direct, "payment_requests", "provider_id", provider_of(direct, slug))


def ending_of_money(database: Database, slug: str) -> Row:
    """What there is of the provider's money, its payments, and what was told of both."""
    provider_id = provider_of(database, slug)
    rows = query(
        database,
        """
        select p.balance_cents, p.ledger_seq,
               (select array_agg((s.is_active, s.deactivation_reason)) from subscriptions s
                where s.provider_id = p.id)::text,
               (select array_agg((r.state, r.state_reason, r.checkout_url is not null, r.payment_id is not null)
                                 order by r.id) from payment_requests r where r.provider_id = p.id)::text,
               (select array_agg((c.answer, c.amount_cents)) from sandbox_charges c where c.provider_id = p.id)::text,
               (select array_agg((m.state, m.page_url is not null, m.label, m.test_card) order by m.id)
                from saved_methods m where m.provider_id = p.id)::text,
               (select array_agg((t.threshold_cents, t.is_on, t.off_reason, t.refusal_count, t.due_at is not null))
                from auto_top_ups t where t.provider_id = p.id)::text,
               (select array_agg((d.kind, d.resolution) order by d.id)
                from payment_doubts d join payment_requests r on r.id = d.request_id
                where r.provider_id = p.id)::text,
               (select array_agg(n.kind order by n.kind) from notifications n where n.provider_id = p.id),
               (select array_agg(r.kind order by r.number) from receipts r where r.provider_id = p.id),
               (select count(*) from audit_log a
                where a.new ->> 'provider_id' = p.id::text or a.entity_id = p.id::text
                   or a.entity_id in (select m.id::text from saved_methods m where m.provider_id = p.id)
                   or a.entity_id in (select r.id::text from payment_requests r where r.provider_id = p.id))
        from providers p where p.id = %s
        """,
        provider_id,
    )
    billing = query(
        database, "select legal_name, address, country from billing_details where provider_id = %s", provider_id
    )
    return [*rows, *billing]


def asked(database: Database, slug: str) -> str:
    """The provider asked to pay in."""
    market(database, slug)
    request_payment(database, sandbox_gateway(database), provider_of(database, slug), CENTS, PAYER)
    return slug


def opened_checkout(database: Database, slug: str) -> str:
    """And has the page before it."""
    asked(database, slug)
    return pay_at(database, database, slug)


def pay_at(database: Database, direct: Database, slug: str) -> str:
    ids = provider_of(direct, slug), request_of(direct, slug)
    open_checkout(database, sandbox_gateway(direct), *ids, "/back")
    return slug


def answered(database: Database, slug: str) -> str:
    """And paid there."""
    opened_checkout(database, slug)
    answer_as_test(database, provider_of(database, slug), request_of(database, slug), "pays")
    return slug


def in_doubt(database: Database, slug: str) -> str:
    """And paid a cent less."""
    opened_checkout(database, slug)
    request_id = request_of(database, slug)
    paid = GatewayReport(ReportKind.PAID, request_id, f"charge of {request_id}", CENTS - 1, "EUR")
    assert take_report(database, GATEWAY, paid).doubt is not None
    return slug


def doubt_of(direct: Database, slug: str) -> str:
    return id_in(direct, "payment_doubts", "request_id", request_of(direct, slug))


def method_of(direct: Database, slug: str) -> str:
    return id_in(direct, "saved_methods", "provider_id", provider_of(direct, slug))


def at_card_page(database: Database, slug: str) -> str:
    market(database, slug)
    open_saving(database, sandbox_gateway(database), provider_of(database, slug), "/back", PAYER)
    return slug


def card_chosen(database: Database, slug: str) -> str:
    at_card_page(database, slug)
    answer_as_test_card(database, provider_of(database, slug), method_of(database, slug), "pays")
    return slug


def card_saved(database: Database, slug: str) -> str:
    card_chosen(database, slug)
    assert ask_about_savings(Maintenance(database, SETTINGS))["methods"] == 1
    return slug


def card_replaced(database: Database, slug: str) -> str:
    """Another card took the place of the first, which the gateway is to keep no more."""
    topping_up(database, slug)
    page = open_saving(database, sandbox_gateway(database), provider_of(database, slug), "/back", PAYER)
    answer_as_test_card(database, provider_of(database, slug), page.rsplit("/", 1)[1], "pays_later")
    assert ask_about_savings(Maintenance(database, SETTINGS))["methods"] == 1
    return slug


def topping_up(database: Database, slug: str) -> str:
    card_saved(database, slug)
    change_auto_top_up(database, provider_of(database, slug), WANTED, PAYER)
    return slug


def ask_gateway(database: Database, direct: Database, slug: str) -> None:
    request = direct.read(lambda conn: payment_request(conn, request_of(direct, slug)))
    assert request is not None
    ask_about(database, sandbox_gateway(direct), request)


def receipt_of(direct: Database, slug: str) -> int:
    return query(direct, "select number from receipts where provider_id = %s", provider_of(direct, slug))[0][0]


def of_provider(verb: Callable[[Database, str], object]) -> Act:
    return lambda database, direct, slug: verb(database, provider_of(direct, slug))


MONEY: dict[str, tuple[Callable[[Database, str], str], Act]] = {
    "credit by hand": (
        market,
        of_provider(lambda own, each: adjust_balance(own, each, "credit", CENTS, MEMO, OPERATOR)),
    ),
    "debit by hand": (market, of_provider(lambda own, each: adjust_balance(own, each, "debit", 300, MEMO, OPERATOR))),
    "a deposit": (market, of_provider(lambda own, each: deposit(own, each, CENTS, "cash", f"of {each}", OPERATOR))),
    "billing details": (
        market,
        of_provider(lambda own, each: change_billing_details(own, each, DETAILS, OPERATOR)),
    ),
    "a credit note": (
        market,
        lambda own, direct, slug: issue_credit_note(own, receipt_of(direct, slug), MEMO, OPERATOR),
    ),
    "ask to pay": (
        market,
        of_provider(lambda own, each: request_payment(own, sandbox_gateway(own), each, CENTS, PAYER)),
    ),
    "open the page to pay at": (asked, pay_at),
    "pay at the test gateway": (
        opened_checkout,
        lambda own, direct, slug: answer_as_test(own, provider_of(direct, slug), request_of(direct, slug), "pays"),
    ),
    "ask the gateway": (answered, ask_gateway),
    "credit a payment in doubt": (
        in_doubt,
        lambda own, direct, slug: credit_doubt(own, doubt_of(direct, slug), MEMO, OPERATOR),
    ),
    "close a payment in doubt": (
        in_doubt,
        lambda own, direct, slug: close_doubt(own, doubt_of(direct, slug), MEMO, OPERATOR),
    ),
    "open the page to save a method at": (
        market,
        lambda own, direct, slug: open_saving(own, sandbox_gateway(direct), provider_of(direct, slug), "/back", PAYER),
    ),
    "choose a test card": (
        at_card_page,
        lambda own, direct, slug: answer_as_test_card(own, provider_of(direct, slug), method_of(direct, slug), "pays"),
    ),
    "save a method": (card_chosen, lambda own, *_: ask_about_savings(Maintenance(own, SETTINGS))),
    "switch auto top-up on": (card_saved, of_provider(lambda own, each: change_auto_top_up(own, each, WANTED, PAYER))),
    "switch auto top-up off": (topping_up, of_provider(lambda own, each: switch_top_up_off(own, each, MEMO, OPERATOR))),
    "forget a method that was replaced": (
        card_replaced,
        lambda own, *_: ask_about_savings(Maintenance(own, SETTINGS)),
    ),
    "forget a method": (
        topping_up,
        of_provider(lambda own, each: forget_method(own, sandbox_gateway(own), each, PAYER)),
    ),
}
UNAUDITED = {"pay at the test gateway", "choose a test card", "open the page to pay at"}
"""What is the test gateway's own, and a page that is opened, the audit log does not tell."""


@pytest.mark.parametrize("how", AT_COMMITS)
@pytest.mark.parametrize("name", MONEY)
def test_what_breaks_at_any_statement_of_money_is_done_once(
    name: str, how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    flow = Flow(*MONEY[name], ending_of_money, name not in UNAUDITED)
    strike_at_every_statement(flow, how, database, database_url, proxy)


# Months -------------------------------------------------------------------------------------------------------------

FIRST_MONTH = datetime(2026, 3, 2, tzinfo=UTC)


# psycopg cannot close a cursor of a connection that is gone, and says so of each.
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <function ServerCursor:pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize("how", AT_COMMITS)
def test_what_breaks_at_any_statement_of_closing_a_month_closes_it_once(
    how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    """One month after the other is closed: each is that of another statement."""
    months = dict[str, int]()
    with Database(database_url, "fairlead", simulated_clock=SimulatedClock(FIRST_MONTH)) as then:
        market(then, "first")
    with Database(database_url, "fairlead", simulated_clock=SimulatedClock(FIRST_MONTH + timedelta(days=31))) as then:
        assert close_months(then) == 1  # the first has no month before it, which is another way

    def next_month(_: Database, slug: str) -> str:
        months[slug] = len(months) + 2
        return slug

    def after(slug: str) -> SimulatedClock:
        return SimulatedClock(FIRST_MONTH + months[slug] * timedelta(days=31))

    def ending(_: Database, slug: str) -> Row:
        """What there is more than of the months before."""
        text = """
            select (select count(*) from closed_months) - %(n)s, (select count(*) from statements) - %(n)s,
                   (select count(*) from audit_log where action = 'month.closed') - %(n)s
            """
        with database.snapshot() as conn:
            return conn.execute(text.encode(), {"n": months[slug]}).fetchall()

    flow = Flow(next_month, lambda own, *_: close_months(own), ending, clock=after)
    strike_at_every_statement(flow, how, database, database_url, proxy)


# What becomes of leads ----------------------------------------------------------------------------------------------


def of_person(database: Database, slug: str) -> str:
    """A lead of a person of its own."""
    market(database, slug)
    details = {"contact_name": "Cora", "contact_email": f"{slug}@example.net"}
    create_lead(database, EnteredLead(slug, {}, details), OPERATOR, approve=False)
    return slug


def lead_of(direct: Database, slug: str) -> str:
    return id_in(direct, "leads", "niche_id", id_in(direct, "niches", "slug", slug))


ADDRESSES = count()
LINKS = dict[str, tuple[str, Client]]()
"""What leads consumers to their leads: the link's token, and the consumer, each at an address of its own."""


def linked(database: Database, slug: str) -> str:
    """And a link to it."""
    market(database, slug)
    change_intake_policy(database, slug, IntakePolicy(is_public=True), OPERATOR)
    each = next(ADDRESSES)
    consumer = replace(VISITOR, ip=f"198.51.{each // 250}.{each % 250}")
    lead_id = visit(database, replace(LEAD, niche_slug=slug, attributes={}), consumer).lead_id
    LINKS[slug] = own_link(database, lead_id), consumer
    return slug


def past_its_days(database: Database, slug: str) -> str:
    """It was rejected, and its niche alone keeps such leads for no more than a day."""
    for each in database.read(policies):
        change_retention(database, each.niche_id, RetentionPolicy(), OPERATOR)
    of_person(database, slug)
    reject_lead(database, lead_of(database, slug), MEMO, OPERATOR)
    niche_id = id_in(database, "niches", "slug", slug)
    change_retention(database, niche_id, replace(RetentionPolicy(), rejected_days=1), OPERATOR)
    return slug


def ending_of_lead(database: Database, slug: str) -> Row:
    return query(
        database,
        """
        select l.status, l.contact_name, l.erased_at is not null, l.attributes_salt is null,
               (select array_agg((e.scope, e.origin, e.reason)) from erasures e where e.lead_id = l.id)::text,
               (select array_agg(a.action order by a.seq) from audit_log a where a.entity_id = l.id::text),
               (select count(*) from audit_log a where a.action = 'person.disclosed'
                and a.new -> 'lead_ids' ? l.id::text),
               (select count(*) from consumer_links c where c.lead_id = l.id)
        from leads l where l.id = %s
        """,
        lead_of(database, slug),
    )


def erase(database: Database, _: Database, slug: str) -> None:
    erase_person(database, f"{slug}@example.net", "consumer_request", OPERATOR)


LEADS: dict[str, tuple[Callable[[Database, str], str], Act]] = {
    "erase a person": (of_person, erase),
    "hand a person's data out": (of_person, lambda own, _, slug: person_file(own, f"{slug}@example.net", OPERATOR)),
    "withdraw by its link": (linked, lambda own, _, slug: withdraw_request(own, *LINKS[slug])),
    "erase by its link": (linked, lambda own, _, slug: erase_request(own, *LINKS[slug])),
}


@pytest.mark.parametrize("how", AT_COMMITS)
@pytest.mark.parametrize("name", LEADS)
def test_what_breaks_at_any_statement_about_a_person_is_done_once(
    name: str, how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    strike_at_every_statement(Flow(*LEADS[name], ending_of_lead), how, database, database_url, proxy)


@pytest.mark.parametrize("how", AT_COMMITS)
def test_what_breaks_at_any_statement_of_the_daily_erasing_erases_once(
    how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    """Some days after the lead was rejected."""
    [(now,)] = query(database, "select clock_timestamp()")

    def retained(own: Database, *_: object) -> None:
        assert retain(Maintenance(own, SETTINGS))["rejected"] <= 1

    flow = Flow(
        past_its_days,
        retained,
        ending_of_lead,
        clock=lambda _: SimulatedClock(now + timedelta(days=3), next(ADDRESSES)),
    )
    strike_at_every_statement(flow, how, database, database_url, proxy)


# What was sold ------------------------------------------------------------------------------------------------------


def ending_of_sale(database: Database, assignment_id: str) -> Row:
    told = query(
        database,
        "select l.status, a.bad_lead_reason from assignments a join leads l on l.id = a.lead_id where a.id = %s",
        assignment_id,
    )
    return [*told, *ending_of_refund(database, assignment_id)]


def report(database: Database, direct: Database, assignment_id: str) -> None:
    [(own_id,)] = query(direct, "select provider_id::text from assignments where id = %s", assignment_id)
    report_bad_lead(database, own_id, assignment_id, "spam", "the number is dead", PORTAL)


def mark_bad(database: Database, direct: Database, assignment_id: str) -> None:
    [(lead_id,)] = query(direct, "select lead_id::text from assignments where id = %s", assignment_id)
    mark_lead_bad(database, lead_id, MEMO, OPERATOR)


SALES: dict[str, Act] = {"report a lead": report, "mark a lead bad": mark_bad}


@pytest.mark.parametrize("how", AT_COMMITS)
@pytest.mark.parametrize("name", SALES)
def test_what_breaks_at_any_statement_about_a_sale_is_done_once(
    name: str, how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    strike_at_every_statement(Flow(sold, SALES[name], ending_of_sale), how, database, database_url, proxy)
