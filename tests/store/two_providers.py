"""Two providers who have something in every table that holds something of providers."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fairlead.core.permissions import Role
from fairlead.flows.access.api_keys import create_api_key
from fairlead.flows.access.invitations import invite_user
from fairlead.flows.configuration.billing_details import WantedDetails, change_billing_details
from fairlead.flows.distributor import Distributor
from fairlead.flows.idempotency import idempotency_key_for, run_idempotent
from fairlead.flows.money.close_months import close_months
from fairlead.flows.payments.auto_top_up import WantedTopUp, change_auto_top_up
from fairlead.flows.payments.gateways import sandbox_gateway
from fairlead.flows.payments.request_payment import answer_as_test, request_payment
from fairlead.flows.payments.saving_methods import open_saving
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.simulated_clock import SimulatedClock
from tests.flows.notifications.stage import ANCHOR, BOWLINE, set_endpoint
from tests.flows.sales import Sale, query, sell

AFTER_A_MONTH = timedelta(days=33)


@dataclass(frozen=True)
class Side:
    """One provider: what it has, by id."""

    provider: str
    assignment: str
    subscription: str
    endpoint: str
    key: str


@dataclass(frozen=True)
class Sides:
    """Both bought `sale.lead_id`, Anchor at gold and Bowline at silver; Anchor alone bought another lead at silver.

    A third lead was not sold.
    """

    sale: Sale
    anchor: Side
    bowline: Side
    gold: str
    silver: str
    niche: str


def two_providers(database: Database) -> Sides:
    """Both have bought a lead, and have an endpoint, a key, a user and messages."""
    sale = sell(database)
    submit_leads(database, "hosting", [{"cores": 2, "region": "south"}], OPERATOR, approve=True)
    [(niche_id,)] = query(database, "select id::text from niches")
    Distributor(database).distribute_waiting(niche_id)
    submit_leads(database, "hosting", [{"cores": 2, "region": "north"}], OPERATOR, approve=False)
    sides: dict[str, Side] = {}
    for email, provider_id, assignment_id in (
        (ANCHOR, sale.anchor_id, sale.anchor),
        (BOWLINE, sale.bowline_id, sale.bowline),
    ):
        endpoint = set_endpoint(database, f"https://{email.partition('@')[0]}.example.com/leads", email)
        key = create_api_key(database, "CRM", ["own:read"], OPERATOR, provider_id=provider_id)
        invite_user(database, f"desk-of-{email}", "The desk", Role.PROVIDER, OPERATOR, provider_id=provider_id)
        [(subscription_id,)] = query(
            database, "select subscription_id::text from assignments where id = %s", assignment_id
        )
        sides[email] = Side(provider_id, assignment_id, subscription_id, endpoint.endpoint_id, key.key_id)
        gateway = sandbox_gateway(database)
        payment = request_payment(database, gateway, provider_id, 5000, OPERATOR)
        answer_as_test(database, provider_id, payment.request_id, "pays")
        open_saving(database, gateway, provider_id, "/back", OPERATOR)
        change_billing_details(database, provider_id, WantedDetails("Both GmbH", "Kai 4", "DE"), OPERATOR)
        change_auto_top_up(database, provider_id, WantedTopUp(100, 100, 100, is_on=False), OPERATOR)
        once = idempotency_key_for(f"provider:{provider_id}", "k-1", "POST /reports", None)
        database.bound_to(provider_id).run(lambda conn, once=once: run_idempotent(conn, once, Sale, lambda: sale))
    with Database(database.url, "fairlead", simulated_clock=SimulatedClock(datetime.now(UTC) + AFTER_A_MONTH)) as then:
        assert close_months(then)
    levels = dict(query(database, "select name, id::text from competition_levels"))
    return Sides(sale, sides[ANCHOR], sides[BOWLINE], levels["gold"], levels["silver"], niche_id)


def rows(database: Database, statement: str, *values: object) -> list[Any]:
    """What a statement finds, in one transaction of this database."""
    with database.transaction() as conn:
        return conn.execute(statement.encode(), values).fetchall()


def changed(database: Database, statement: str, *values: object) -> int:
    """How many rows a statement changes, in one transaction of this database."""
    with database.transaction() as conn:
        return conn.execute(statement.encode(), values).rowcount
