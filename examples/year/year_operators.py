"""What operators do in the year: tax rates, billing details, credit notes, and weights."""

import random
from collections import Counter
from contextlib import suppress

from year_events import ACTOR, TOP_UPS_CENTS
from year_marketplace import WEIGHTS

from fairlead.core.errors import Refused
from fairlead.flows.configuration.billing_details import WantedDetails, change_billing_details
from fairlead.flows.configuration.marketplace import PapersChange, change_marketplace
from fairlead.flows.configuration.versions import UNCHANGED
from fairlead.flows.configuration.weights import set_subscription_weight
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.money.receipts import issue_credit_note, list_receipts
from fairlead.store.connection import Database
from fairlead.store.money.receipts import ReceiptFilter

FIRST_RATE, LATER_RATE = 1_900, 1_600
"""In hundredths of a percent."""
DAY_OF_LATER_RATE = 182
MOVING_SHARE, CREDIT_NOTE_SHARE, WEIGHING_SHARE = 0.3, 0.1, 0.1
"""On how many days a provider moves, a receipt is taken back, and a weight becomes another."""
TAKEN_BACK = "The deposit was recorded twice."


def open_for_business(database: Database) -> None:
    """Papers name the marketplace and its first rate of tax."""
    papers = PapersChange("Year Marketplace GmbH", "1 Harbour Road, Hamburg", "DE", "DE123456789", FIRST_RATE)
    change_marketplace(database, "EUR", ACTOR, papers=papers)


class Operators:
    """Their days, drawn from the dice. `counts` has what they did, by its kind."""

    def __init__(self, database: Database, dice: random.Random, counts: Counter[str]) -> None:
        self._database, self._dice, self._counts = database, dice, counts
        self._addresses: Counter[str] = Counter()
        with database.snapshot() as conn:
            self._provider_ids = [row[0] for row in conn.execute("select id::text from providers order by id")]
            # A level that no provider takes all of: the shares that are counted afterwards are of weights that stay.
            weighed = """
                select s.id::text from subscriptions s join competition_levels l on l.id = s.competition_level_id
                where l.name = 'premium' order by 1
            """
            self._weighed_ids = [row[0] for row in conn.execute(weighed)]
        for provider_id in self._provider_ids[::2]:
            self._name_address(provider_id)

    def begin_the_day(self, day: int) -> None:
        """What they do on that day of the year, before anything else happens."""
        if day == DAY_OF_LATER_RATE:
            change_marketplace(self._database, UNCHANGED, ACTOR, papers=PapersChange(tax_rate_basis_points=LATER_RATE))
        if self._dice.random() < MOVING_SHARE:
            self._name_address(self._dice.choice(self._provider_ids))
        if self._dice.random() < CREDIT_NOTE_SHARE:
            self._take_receipt_back()
        if self._weighed_ids and self._dice.random() < WEIGHING_SHARE:
            subscription_id, weight = self._dice.choice(self._weighed_ids), self._dice.choice(WEIGHTS)
            set_subscription_weight(self._database, subscription_id, weight, ACTOR)
            self._counts["weights set"] += 1

    def _name_address(self, provider_id: str) -> None:
        """The provider's address begins with how many it has had."""
        self._addresses[provider_id] += 1
        details = WantedDetails("Provider GmbH", f"{self._addresses[provider_id]} Main Street, Kiel", "DE")
        change_billing_details(self._database, provider_id, details, ACTOR)

    def _take_receipt_back(self) -> None:
        """One of the newest, and where the money is there still, it is taken off the balance."""
        open_ones = [
            each
            for each in list_receipts(self._database, ReceiptFilter(), None, 20).items
            if each.kind == "receipt" and each.corrected_by is None and each.gross_cents <= max(TOP_UPS_CENTS)
        ]
        if not open_ones:
            return
        receipt = self._dice.choice(open_ones)
        issue_credit_note(self._database, receipt.number, TAKEN_BACK, ACTOR)
        self._counts["credit notes"] += 1
        with suppress(Refused):
            adjust_balance(self._database, receipt.provider_id, "debit", receipt.gross_cents, TAKEN_BACK, ACTOR)
            self._counts["debits"] += 1
