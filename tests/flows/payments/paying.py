"""Payments of Bowline, which has 600 cents and cannot pay for gold, for tests of what gateways report."""

from dataclasses import dataclass, replace

from fairlead.core.model import MAX_AMOUNT_CENTS, MAX_BALANCE_CENTS
from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.payments.ask_again import ask_gateways
from fairlead.flows.payments.gateways import sandbox_gateway
from fairlead.flows.payments.request_payment import open_checkout, request_payment
from fairlead.settings import Settings
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Database
from tests.flows.marketplaces import HOSTING, declare, provider_id
from tests.flows.sales import ANCHOR, BOWLINE, query

GATEWAY = "test_gateway"
PAYER = Actor("user:sam", "provider")
MEMO = "looked at with the gateway"
SETTINGS = Settings.model_validate({"payment_gateway": "test"})


@dataclass(frozen=True)
class Asked:
    """A payment that Bowline asked for."""

    request_id: str
    bowline_id: str
    anchor_id: str

    @property
    def paid(self) -> GatewayReport:
        """It was paid as it was asked for."""
        return GatewayReport(ReportKind.PAID, self.request_id, "charge-1", 1400, "EUR")

    def reported(self, **other: object) -> GatewayReport:
        """The same with something else."""
        return replace(self.paid, **other)  # pyright: ignore[reportArgumentType]


def ask(database: Database, amount_cents: int = 1400) -> Asked:
    """Bowline asks to pay 1400 cents, with which it can pay for gold."""
    declare(database, HOSTING)
    return ask_once_more(database, amount_cents)


def ask_once_more(database: Database, amount_cents: int = 1400) -> Asked:
    """The same in a marketplace that is there."""
    bowline, anchor = provider_id(database, BOWLINE), provider_id(database, ANCHOR)
    gateway = sandbox_gateway(database)
    done = request_payment(database, gateway, bowline, amount_cents, PAYER)
    open_checkout(database, gateway, bowline, done.request_id, "/back")
    return Asked(done.request_id, bowline, anchor)


def state_of(database: Database, asked: Asked) -> tuple[str, str | None]:
    """The request's state, and why."""
    [row] = query(database, "select state, state_reason from payment_requests where id = %s", asked.request_id)
    return row


def doubts(database: Database) -> list[tuple[str, str | None]]:
    """Every payment in doubt: its kind and resolution."""
    return query(database, "select kind, resolution from payment_doubts order by id")


def balance(database: Database, provider: str) -> int:
    """What the provider has."""
    return query(database, "select balance_cents from providers where id = %s", provider)[0][0]


def ask_now(database: Database) -> int:
    """Gateways are asked about all that is pending; returns about how many payments."""
    query(database, "update payment_requests set ask_at = now() where ask_at is not null returning 1")
    return ask_gateways(Maintenance(database, SETTINGS))["payments"]


def fill(database: Database, provider: str) -> None:
    """The provider's balance holds no cent more."""
    room = MAX_BALANCE_CENTS - balance(database, provider)
    whole, rest = divmod(room, MAX_AMOUNT_CENTS)
    amounts = [MAX_AMOUNT_CENTS] * whole + [rest]
    deposits = ", ".join(f'{{ external_id = "d{i}", amount_cents = {each} }}' for i, each in enumerate(amounts))
    declare(database, f'[[provider]]\nemail = "{BOWLINE}"\ndeposit = [{deposits}]\n')
    assert balance(database, provider) == MAX_BALANCE_CENTS
