"""The gateway that collects deposits here, as the settings have it."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from typing import cast

from fairlead.core.errors import Refused
from fairlead.delivery.payment_gateway import GatewayUnavailable, PaymentGateway
from fairlead.delivery.sandbox_gateway import Answer, SandboxCharge, SandboxGateway, TestCard
from fairlead.delivery.stripe_gateway import StripeGateway
from fairlead.settings import Settings
from fairlead.store.connection import Database
from fairlead.store.leads.rows import clock
from fairlead.store.money.sandbox_charges import sandbox_charge
from fairlead.store.money.saved_methods import saved_method
from fairlead.telemetry.errors import error_kind
from fairlead.telemetry.logs import get_logger

log = get_logger(__name__)


def open_gateway(database: Database, settings: Settings) -> PaymentGateway | None:
    """What collects deposits; None where nothing does.

    Raises `Refused`: `payments_off`, without the library that it takes.
    """
    if settings.deposit_gateway == "none":
        return None
    if settings.deposit_gateway == "test":
        return sandbox_gateway(database)
    if find_spec("stripe") is None:
        raise Refused("payments_off", "what speaks to Stripe is not installed: pip install 'fairlead[stripe]'")
    assert settings.stripe_secret_key is not None, "the settings ask for it"
    assert settings.stripe_webhook_secrets is not None, "the settings ask for it"
    secrets = settings.stripe_webhook_secrets.get_secret_value().split(",")
    return _stripe_gateway(settings.stripe_secret_key.get_secret_value(), tuple(each.strip() for each in secrets))


@cache
def _stripe_gateway(secret_key: str, webhook_secrets: tuple[str, ...]) -> StripeGateway:
    """One for each account in a process: it keeps its connections."""
    return StripeGateway(secret_key, webhook_secrets)


@contextmanager
def needing_an_answer(gateway: PaymentGateway) -> Generator[None]:
    """What asks the gateway in here needs its answer. Raises `Refused`: `gateway_unavailable`, where it gives none."""
    try:
        yield
    except GatewayUnavailable as error:
        log.warning("payment gateway gave no answer", action=gateway.name, error=error_kind(error))
        raise Refused("gateway_unavailable", "the payment gateway gave no answer; try again") from None


def sandbox_gateway(database: Database) -> SandboxGateway:
    """The test gateway, whose memory is a table of this database's."""

    def charge_of(request_id: str) -> SandboxCharge | None:
        row = database.read(lambda conn: sandbox_charge(conn, request_id, clock(conn)))
        if row is None:
            return None
        return SandboxCharge(cast(Answer, row.answer), row.amount_cents, row.currency, row.is_due)

    def card_of(setup_id: str) -> TestCard | None:
        row = database.read(lambda conn: saved_method(conn, setup_id))
        return None if row is None else cast("TestCard | None", row.test_card)

    return SandboxGateway(charge_of, card_of)
