"""A gateway that reports nothing is asked, again and again, and then an operator is."""

from collections.abc import Mapping, Sequence

from fairlead.core.money.payments import GatewayReport
from fairlead.delivery.payment_gateway import Checkout, EventRefused, GatewayUnavailable, PaymentToCollect
from fairlead.delivery.sandbox_gateway import SandboxGateway
from fairlead.flows.payments.ask_again import ASKED_AGAIN_AFTER, FIRST_ASKED_AFTER, ask_about
from fairlead.flows.payments.doubts import close_doubt
from fairlead.flows.payments.gateways import sandbox_gateway
from fairlead.flows.payments.request_payment import request_payment
from fairlead.flows.payments.take_report import take_report
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.money.payment_requests import payment_request
from tests.flows.marketplaces import HOSTING, declare, provider_id
from tests.flows.payments.paying import GATEWAY, MEMO, PAYER, Asked, ask, ask_now, balance, doubts, state_of
from tests.flows.sales import ANCHOR, BOWLINE, query


class Silent(SandboxGateway):
    """A gateway that cannot be reached, and how often that was tried, each time outside of any transaction."""

    def __init__(self, database: Database) -> None:
        super().__init__(lambda _: None, lambda _: None)
        self.database, self.asked = database, 0

    def open_checkout(self, payment: PaymentToCollect, return_url: str) -> Checkout:
        raise GatewayUnavailable("it cannot be reached")

    def look_up(self, payment: PaymentToCollect) -> Sequence[GatewayReport]:
        self.asked += 1
        open_ones = (
            "select count(*) from pg_stat_activity where state like 'idle in transaction%%'"
            " and datname = current_database()"
        )
        assert query(self.database, open_ones) == [(0,)]
        raise GatewayUnavailable("it cannot be reached")

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> Sequence[GatewayReport]:
        raise EventRefused("it sends none")


def next_asked_after(database: Database) -> float | None:
    """After how many seconds from now the gateway is asked again."""
    [(seconds,)] = query(database, "select extract(epoch from ask_at - now())::float8 from payment_requests")
    return seconds


def ask_it(database: Database, gateway: Silent, asked: Asked) -> None:
    request = database.read(lambda conn: payment_request(conn, asked.request_id))
    assert request is not None
    ask_about(database, gateway, request)


def test_a_gateway_without_an_answer_is_asked_more_and_more_rarely_and_then_an_operator_is_told(
    database: Database,
) -> None:
    asked, gateway = ask(database), Silent(database)
    first = next_asked_after(database)
    assert first is not None
    assert abs(first - FIRST_ASKED_AFTER.total_seconds()) < 60
    for delay in ASKED_AGAIN_AFTER:
        ask_it(database, gateway, asked)
        after = next_asked_after(database)
        assert after is not None
        assert abs(after - delay.total_seconds()) < 60
        assert doubts(database) == []
    ask_it(database, gateway, asked)
    assert (next_asked_after(database), doubts(database)) == (None, [("no_answer", None)])
    assert gateway.asked == len(ASKED_AGAIN_AFTER) + 1
    assert state_of(database, asked) == ("pending", None)


def test_money_that_comes_after_the_doubt_or_its_end_is_credited_all_the_same(database: Database) -> None:
    asked, gateway = ask(database), Silent(database)
    for _ in range(len(ASKED_AGAIN_AFTER) + 1):
        ask_it(database, gateway, asked)
    [(doubt_id,)] = query(database, "select id::text from payment_doubts")
    close_doubt(database, doubt_id, MEMO, OPERATOR)
    assert state_of(database, asked) == ("failed", "no_answer")
    take_report(database, GATEWAY, asked.paid)
    assert (balance(database, asked.bowline_id), state_of(database, asked)) == (2000, ("succeeded", None))


def test_a_gateway_that_is_not_there_any_more_is_no_answer(database: Database) -> None:
    asked = ask(database)
    request = database.read(lambda conn: payment_request(conn, asked.request_id))
    assert request is not None
    ask_about(database, None, request)
    assert query(database, "select ask_count from payment_requests") == [(1,)]


def test_a_page_that_was_never_opened_has_failed(database: Database) -> None:
    declare(database, HOSTING)
    bowline, anchor = provider_id(database, BOWLINE), provider_id(database, ANCHOR)
    requested = request_payment(database, sandbox_gateway(database), bowline, 1400, PAYER)
    asked = Asked(requested.request_id, bowline, anchor)
    assert (ask_now(database), state_of(database, asked)) == (1, ("failed", "not_begun"))
    take_report(database, GATEWAY, asked.paid)
    assert (balance(database, bowline), state_of(database, asked)) == (2000, ("succeeded", None)), "opened just then"
