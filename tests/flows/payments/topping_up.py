"""Auto top-up of Bowline, which has 600 cents: charged 1400 below 700, at most 4200 in a month."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.delivery.payment_gateway import ChargeToMake, GatewayUnavailable
from fairlead.delivery.sandbox_gateway import SandboxGateway, TestCard
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.payments.auto_top_up import SeenAutoTopUp, WantedTopUp, change_auto_top_up
from fairlead.flows.payments.charge_top_ups import charge_top_ups
from fairlead.flows.payments.gateways import sandbox_gateway
from fairlead.flows.payments.saving_methods import answer_as_test_card, ask_about_savings, open_saving
from fairlead.store.connection import Database
from tests.flows.marketplaces import HOSTING, declare, provider_id
from tests.flows.payments.paying import PAYER, SETTINGS
from tests.flows.sales import BOWLINE, query

WANTED = WantedTopUp(threshold_cents=700, amount_cents=1400, monthly_limit_cents=4200, is_on=True)


def save_card(database: Database, bowline: str, card: TestCard) -> None:
    """The provider saves this card at the test gateway, which is asked for it."""
    url = open_saving(database, sandbox_gateway(database), bowline, "/back", PAYER)
    answer_as_test_card(database, bowline, url.rsplit("/", 1)[1], card)
    assert ask_about_savings(Maintenance(database, SETTINGS))["methods"] == 1


def switch_on(database: Database, card: TestCard = "pays", wanted: WantedTopUp = WANTED) -> str:
    """The marketplace, with Bowline's auto top-up on, and due: Bowline's id."""
    declare(database, HOSTING)
    bowline = provider_id(database, BOWLINE)
    save_card(database, bowline, card)
    change_auto_top_up(database, bowline, wanted, PAYER)
    return bowline


def charge_now(database: Database) -> int:
    """What is due is charged; returns how many charges were tried."""
    return charge_top_ups(Maintenance(database, SETTINGS))["charges"]


def make_due(database: Database) -> None:
    """What is put off is looked at now."""
    query(database, "update auto_top_ups set due_at = now() where due_at is not null returning 1")


def requests(database: Database) -> list[tuple[str, str | None, int]]:
    """Every charge of auto top-up: its state, why, and its amount."""
    return query(
        database,
        "select state, state_reason, amount_cents from payment_requests where method_reference is not null order by id",
    )


def standing(database: Database) -> tuple[bool, str | None, int, bool]:
    """Whether it is on, why it went off, its refusals, and whether it is to be looked at."""
    [row] = query(database, "select is_on, off_reason, refusal_count, due_at is not null from auto_top_ups")
    return row


@dataclass
class Gateway(SandboxGateway):
    """The test gateway, with a memory of what it was asked to charge, and answers of the test's own."""

    database: Database
    answers: list[GatewayReport | None] = field(default_factory=list[GatewayReport | None])
    """In their order; None: the charge is made, and its answer is lost."""
    charged: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        own = sandbox_gateway(self.database)
        self._charge_of, self._card_of = own._charge_of, own._card_of  # pyright: ignore[reportPrivateUsage]

    def charge(self, charge: ChargeToMake) -> GatewayReport:
        """As the next answer has it; once for each request, as a gateway with idempotency keys does."""
        if charge.request_id not in self.charged:
            self.charged.append(charge.request_id)
        answer = self.answers.pop(0) if self.answers else super().charge(charge)
        if answer is None:
            raise GatewayUnavailable("the answer is lost")
        return replace(answer, request_id=charge.request_id)

    def look_up_charge(self, charge: ChargeToMake) -> Sequence[GatewayReport]:
        """What was charged, as paid."""
        if charge.request_id not in self.charged:
            return []
        reference = f"test_{charge.request_id}"
        return [GatewayReport(ReportKind.PAID, charge.request_id, reference, charge.amount_cents, charge.currency)]


def seen_row(seen: SeenAutoTopUp) -> tuple[bool, str | None]:
    """Whether it is on, and why not."""
    assert seen.row is not None
    return seen.row.is_on, seen.row.off_reason
