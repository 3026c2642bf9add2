"""Auto top-up: charged once when the balance falls below the threshold, within the month, and off when refused."""

from dataclasses import replace

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.delivery.stripe_gateway import StripeGateway
from fairlead.flows.configuration.marketplace import change_marketplace
from fairlead.flows.configuration.versions import UNCHANGED
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.money.deposit import deposit
from fairlead.flows.payments.ask_again import ask_about
from fairlead.flows.payments.auto_top_up import change_auto_top_up, read_auto_top_up, switch_top_up_off
from fairlead.flows.payments.charge_top_ups import top_up
from fairlead.flows.payments.doubts import close_doubt, credit_doubt
from fairlead.flows.payments.gateways import sandbox_gateway
from fairlead.flows.payments.saving_methods import forget_method
from fairlead.flows.payments.take_report import take_report
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.money.payment_requests import payment_request
from tests.flows.marketplaces import HOSTING, declare, provider_id
from tests.flows.payments.paying import GATEWAY, MEMO, PAYER, ask_now, balance, doubts
from tests.flows.payments.topping_up import (
    WANTED,
    Gateway,
    charge_now,
    make_due,
    requests,
    save_card,
    seen_row,
    standing,
    switch_on,
)
from tests.flows.sales import ANCHOR, BOWLINE, query, told


def fall(database: Database, bowline: str, cents: int) -> None:
    """The balance falls by so much."""
    adjust_balance(database, bowline, "debit", cents, MEMO, OPERATOR)


def test_a_low_balance_is_charged_once_and_on_the_balance(database: Database) -> None:
    bowline = switch_on(database)
    assert charge_now(database) == 1
    assert (balance(database, bowline), requests(database)) == (2000, [("succeeded", None, 1400)])
    assert charge_now(database) == 0, "enough is there"
    assert (standing(database), told(database, "auto_top_up_failed")) == ((True, None, 0, False), [])
    [(payment_id,)] = query(database, "select payment_id::text from payment_requests")
    [(_, detail)] = told(database, "balance_topped_up")
    assert detail == {"amount_cents": 1400, "payment_id": payment_id}


def test_only_a_fall_below_the_threshold_is_due(database: Database) -> None:
    bowline = switch_on(database)
    charge_now(database)
    fall(database, bowline, 1300)
    assert (balance(database, bowline), charge_now(database)) == (700, 0), "at the threshold there is enough"
    fall(database, bowline, 1)
    assert (charge_now(database), balance(database, bowline)) == (1, 2099)
    deposit(database, bowline, 100, "bank", "1", OPERATOR)
    assert charge_now(database) == 0


def test_one_charge_that_is_too_small_is_followed_by_another_until_it_is_enough(database: Database) -> None:
    bowline = switch_on(database, wanted=replace(WANTED, threshold_cents=3000))
    assert [charge_now(database) for _ in range(3)] == [1, 1, 0]
    assert balance(database, bowline) == 600 + 2 * 1400


def test_the_monthly_limit_is_not_passed_and_told_once(database: Database) -> None:
    bowline = switch_on(database, wanted=replace(WANTED, monthly_limit_cents=4199))
    for _ in range(2):
        charge_now(database)
        fall(database, bowline, 1400)
    assert (charge_now(database), len(requests(database)), balance(database, bowline)) == (0, 2, 600)
    [(_, detail)] = told(database, "auto_top_up_failed")
    assert (detail["reason"], detail["amount_cents"]) == ("monthly_limit", 1400)
    ends = read_auto_top_up(database, bowline).month_ends
    [(due_at,)] = query(database, "select due_at from auto_top_ups")
    assert (due_at, standing(database)) == (ends, (True, None, 0, True)), "it is tried again when the next month begins"
    fall(database, bowline, 1)
    assert charge_now(database) == 0
    change_auto_top_up(database, bowline, WANTED, PAYER)
    assert (charge_now(database), balance(database, bowline)) == (1, 1999), "with a higher limit it goes on at once"


def test_a_month_is_the_marketplaces_own(database: Database) -> None:
    bowline = switch_on(database)
    change_marketplace(database, UNCHANGED, OPERATOR, timezone="Pacific/Kiritimati")
    east = read_auto_top_up(database, bowline).month_ends
    change_marketplace(database, UNCHANGED, OPERATOR, timezone="Pacific/Pago_Pago")
    west = read_auto_top_up(database, bowline).month_ends
    assert (west - east).total_seconds() % 86_400 == 3_600, "they are a day and an hour apart, or a month less"
    assert west != east


def test_a_refusal_is_tried_again_twice_and_then_it_is_off(database: Database) -> None:
    bowline = switch_on(database, "declines")
    for number in (1, 2):
        assert charge_now(database) == 1
        assert standing(database) == (True, None, number, True)
        assert charge_now(database) == 0, "not at once"
        make_due(database)
    assert charge_now(database) == 1
    assert standing(database) == (False, "insufficient_funds", 3, False)
    assert requests(database) == [("failed", "insufficient_funds", 1400)] * 3
    assert (balance(database, bowline), charge_now(database)) == (600, 0)
    tried_again = [detail["tried_again_at"] is not None for _, detail in told(database, "auto_top_up_failed")]
    assert tried_again == [True, True, False]


@pytest.mark.parametrize(
    ("card", "reason"), [("declines_for_good", "lost_card"), ("asks_its_owner", "authentication_required")]
)
def test_what_would_be_refused_again_switches_it_off_at_once(database: Database, card: str, reason: str) -> None:
    bowline = switch_on(database, card)  # pyright: ignore[reportArgumentType]
    charge_now(database)
    assert seen_row(read_auto_top_up(database, bowline)) == (False, reason)
    [(_, detail)] = told(database, "auto_top_up_failed")
    assert (detail["reason"], detail["tried_again_at"]) == (reason, None)
    fall(database, bowline, 100)
    assert charge_now(database) == 0
    save_card(database, bowline, "pays")
    assert charge_now(database) == 0, "a new card alone switches nothing on"
    change_auto_top_up(database, bowline, WANTED, PAYER)
    assert (charge_now(database), balance(database, bowline)) == (1, 1900)
    assert standing(database) == (True, None, 0, False), "refusals count anew"


def test_a_refusal_is_forgotten_when_a_charge_succeeds(database: Database) -> None:
    bowline = switch_on(database, "declines")
    charge_now(database)
    save_card(database, bowline, "pays")
    make_due(database)
    assert (charge_now(database), standing(database)) == (1, (True, None, 0, False))


def test_an_answer_that_is_lost_is_asked_for_and_nothing_is_charged_twice(database: Database) -> None:
    bowline = switch_on(database)
    gateway = Gateway(database, answers=[None])
    assert top_up(database, gateway, bowline)
    assert (requests(database), balance(database, bowline)) == ([("pending", None, 1400)], 600)
    assert not top_up(database, gateway, bowline), "one is under way"
    fall(database, bowline, 1)
    assert not top_up(database, gateway, bowline)
    [(request_id,)] = query(database, "select id::text from payment_requests")
    request = database.read(lambda conn: payment_request(conn, request_id))
    assert request is not None
    for _ in range(2):
        ask_about(database, gateway, request)
    assert (gateway.charged, balance(database, bowline)) == ([request_id], 1999)


def test_a_charge_that_was_never_made_is_made_when_it_is_asked_about(database: Database) -> None:
    bowline = switch_on(database)
    gateway = Gateway(database, answers=[None])
    top_up(database, gateway, bowline)
    gateway.charged.clear()  # the call did not arrive
    [(request_id,)] = query(database, "select id::text from payment_requests")
    request = database.read(lambda conn: payment_request(conn, request_id))
    assert request is not None
    ask_about(database, gateway, request)
    assert (gateway.charged, balance(database, bowline)) == ([request_id], 2000)


def test_after_its_key_may_be_forgotten_nothing_is_charged_that_the_gateway_does_not_know(database: Database) -> None:
    bowline = switch_on(database)
    gateway = Gateway(database, answers=[None])
    top_up(database, gateway, bowline)
    gateway.charged.clear()
    [(request_id,)] = query(database, "select id::text from payment_requests")
    request = database.read(lambda conn: payment_request(conn, request_id))
    assert request is not None
    old = replace(request, created_at=request.created_at.replace(year=request.created_at.year - 1))
    ask_about(database, gateway, old)
    assert (gateway.charged, requests(database)) == ([], [("pending", None, 1400)])


def test_a_charge_that_is_reported_late_is_credited_once(database: Database) -> None:
    bowline = switch_on(database, "pays_later")
    assert charge_now(database) == 1
    assert requests(database) == [("pending", None, 1400)]
    assert charge_now(database) == 0
    assert ask_now(database) == 1
    assert ask_now(database) == 1
    assert (balance(database, bowline), requests(database)) == (2000, [("succeeded", None, 1400)])


def test_another_currency_is_not_credited_and_nothing_more_is_charged_until_an_operator_decides(
    database: Database,
) -> None:
    bowline = switch_on(database)
    gateway = Gateway(database, answers=[GatewayReport(ReportKind.PAID, None, "pi_1", 1400, "USD")])
    top_up(database, gateway, bowline)
    assert (balance(database, bowline), doubts(database)) == (600, [("other_currency", None)])
    assert (requests(database), charge_now(database)) == ([("in_review", "other_currency", 1400)], 0)
    [(doubt_id,)] = query(database, "select id::text from payment_doubts")
    close_doubt(database, doubt_id, MEMO, OPERATOR)
    assert (charge_now(database), balance(database, bowline)) == (1, 2000)


def test_what_came_of_another_amount_is_credited_by_an_operator(database: Database) -> None:
    bowline = switch_on(database)
    gateway = Gateway(database, answers=[GatewayReport(ReportKind.PAID, None, "pi_1", 1300, "EUR")])
    top_up(database, gateway, bowline)
    [(doubt_id,)] = query(database, "select id::text from payment_doubts")
    credit_doubt(database, doubt_id, MEMO, OPERATOR)
    assert (balance(database, bowline), standing(database)) == (1900, (True, None, 0, False))
    assert [detail["amount_cents"] for _, detail in told(database, "balance_topped_up")] == [1300]


def test_what_is_credited_to_another_provider_topped_up_neither(database: Database) -> None:
    bowline = switch_on(database)
    top_up(database, Gateway(database, answers=[GatewayReport(ReportKind.PAID, None, "pi_1", 1300, "EUR")]), bowline)
    [(doubt_id,)] = query(database, "select id::text from payment_doubts")
    credit_doubt(database, doubt_id, MEMO, OPERATOR, provider_id=provider_id(database, ANCHOR))
    assert told(database, "balance_topped_up") == []
    assert (balance(database, bowline), standing(database)) == (600, (True, None, 0, True))


def test_a_payment_that_succeeds_after_it_was_refused_counts(database: Database) -> None:
    bowline = switch_on(database, "declines")
    charge_now(database)
    [(request_id,)] = query(database, "select id::text from payment_requests")
    take_report(database, GATEWAY, GatewayReport(ReportKind.PAID, request_id, "late", 1400, "EUR"))
    make_due(database)
    assert (charge_now(database), balance(database, bowline)) == (0, 2000)


def test_without_a_method_it_cannot_be_on_and_goes_off_with_it(database: Database) -> None:
    declare(database, HOSTING)
    bowline = provider_id(database, BOWLINE)
    with pytest.raises(Refused) as caught:
        change_auto_top_up(database, bowline, WANTED, PAYER)
    assert caught.value.code == "payment_method_missing"
    save_card(database, bowline, "pays")
    change_auto_top_up(database, bowline, WANTED, PAYER)
    forget_method(database, sandbox_gateway(database), bowline, PAYER)
    seen = read_auto_top_up(database, bowline)
    assert (seen_row(seen), seen.method, charge_now(database)) == ((False, None), None, 0)
    forget_method(database, sandbox_gateway(database), bowline, PAYER)


def test_a_method_that_is_saved_while_another_is_forgotten_is_forgotten_too(database: Database) -> None:
    """Here and at the gateway: what a provider forgets can be charged by no one, whichever it was by then."""
    bowline = switch_on(database)

    class Forgetting(Gateway):
        forgotten: tuple[str, ...] = ()

        def forget_method(self, method_reference: str) -> None:
            if not self.forgotten:
                save_card(database, bowline, "pays_later")
            self.forgotten += (method_reference,)

    gateway = Forgetting(database)
    forget_method(database, gateway, bowline, PAYER)
    assert gateway.forgotten == ("test_card:pays", "test_card:pays_later")
    assert query(database, "select state from saved_methods") == [("forgotten",), ("forgotten",)]
    [(second,)] = query(database, "select id::text from saved_methods order by created_at desc limit 1")
    audited = query(database, "select entity_id from audit_log where action = 'payment_method.forgotten' order by seq")
    assert [entity_id for (entity_id,) in audited].count(second) == 1
    assert len(audited) == 2, "each once"


def test_an_operator_switches_it_off(database: Database) -> None:
    bowline = switch_on(database)
    assert seen_row(switch_top_up_off(database, bowline, MEMO, OPERATOR)) == (False, None)
    assert charge_now(database) == 0
    [(new, memo)] = query(
        database, "select new, memo from audit_log where entity = 'auto_top_up' order by seq desc limit 1"
    )
    assert (new["is_on"], memo) == (False, MEMO)


@pytest.mark.parametrize(
    "wanted",
    [
        replace(WANTED, threshold_cents=0),
        replace(WANTED, amount_cents=999),
        replace(WANTED, amount_cents=5001, monthly_limit_cents=9000),
        replace(WANTED, monthly_limit_cents=1399),
    ],
)
def test_terms_out_of_bounds_are_refused(database: Database, wanted: object) -> None:
    declare(database, HOSTING + "\n[marketplace]\nmin_deposit_cents = 1000\nmax_deposit_cents = 5000\n")
    with pytest.raises(BadInput):
        change_auto_top_up(database, provider_id(database, BOWLINE), wanted, PAYER)  # pyright: ignore[reportArgumentType]


def test_a_change_that_another_overtook_is_refused(database: Database) -> None:
    bowline = switch_on(database)
    version = read_auto_top_up(database, bowline).version
    more = replace(WANTED, amount_cents=1500)
    change_auto_top_up(database, bowline, more, PAYER, expected_version=version)
    with pytest.raises(Refused) as caught:
        change_auto_top_up(database, bowline, WANTED, PAYER, expected_version=version)
    assert caught.value.code == "version_conflict"


def test_a_suspended_provider_is_not_charged(database: Database) -> None:
    switch_on(database)
    declare(database, f'[[provider]]\nemail = "{BOWLINE}"\nstatus = "suspended"\n')
    assert (charge_now(database), requests(database)) == (0, [])
    declare(database, f'[[provider]]\nemail = "{BOWLINE}"\nstatus = "active"\n')
    make_due(database)
    assert charge_now(database) == 1


def test_a_method_of_another_gateway_is_not_charged(database: Database) -> None:
    bowline = switch_on(database)
    for gateway in (None, StripeGateway("sk_test", ["whsec_test"])):
        assert not top_up(database, gateway, bowline)
        make_due(database)
    assert (requests(database), standing(database)) == ([], (True, None, 0, True)), "it waits"
    assert (charge_now(database), balance(database, bowline)) == (1, 2000)
