"""What happens to what was sold: reports and refunds, leads that are bad or erased, deposits and auto top-ups, an archive."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from heapq import heappop, heappush
from itertools import count

from fairlead.core.errors import Refused
from fairlead.flows.configuration.niche_archive import archive_niche, restore_niche
from fairlead.flows.configuration.niches import NicheChange, change_niche
from fairlead.flows.erasure.erase import erase_lead
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.money.bad_leads import accept_bad_lead, mark_lead_bad, reject_bad_lead, report_bad_lead
from fairlead.flows.money.deposit import deposit
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.payments.auto_top_up import WantedTopUp, change_auto_top_up
from fairlead.flows.payments.charge_top_ups import charge_top_ups
from fairlead.flows.payments.gateways import sandbox_gateway
from fairlead.flows.payments.saving_methods import answer_as_test_card, ask_about_savings, open_saving
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Database
from fairlead.store.lookups import providers_out_of_funds
from fairlead.store.simulated_clock import SimulatedClock

ACTOR = Actor("year", "admin")
REFUNDED_SHARE, REPORTED_SHARE, BAD_SHARE = 0.003, 0.01, 0.0005
ACCEPTED_SHARE, DEPOSITING_SHARE = 0.6, 0.7
TOP_UPS_CENTS = (50_000, 100_000, 300_000)
CATEGORIES = ("unreachable", "wrong_contact", "not_interested", "spam")
ONE_IN_SO_MANY_TOPS_UP = 8
MEMO = "Agreed on the telephone."


@dataclass(order=True)
class Later:
    """Something that is due at a number of seconds, and what is done then."""

    at_seconds: float
    number: int
    do: Callable[[], None] = field(compare=False)


class Events:
    """What is due at some time of the year. `counts` has what has happened, by its kind."""

    def __init__(
        self, database: Database, clock: SimulatedClock, maintenance: Maintenance, dice: random.Random
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._database, self._clock, self._maintenance, self._dice = database, clock, maintenance, dice
        self._later: list[Later] = []
        self._numbers = count()

    def sold(self, lead_id: str, assignments: Sequence[tuple[str, str]]) -> None:
        """What is going to happen to a lead that was just sold, by provider and assignment, is planned."""
        for provider_id, assignment_id in assignments:
            drawn = self._dice.random()
            if drawn < REFUNDED_SHARE:
                self._plan(lambda each=assignment_id: self._refund(each))
            elif drawn < REFUNDED_SHARE + REPORTED_SHARE:
                self._plan(lambda each=assignment_id, owner=provider_id: self._report(owner, each))
        if self._dice.random() < BAD_SHARE:
            self._plan(lambda: self._mark_bad(lead_id))

    def erase_later(self, lead_id: str) -> None:
        """The lead's consumer is going to ask for its erasure."""
        self._plan(lambda: self._erase(lead_id))

    def do_what_is_due(self, *, or_ever_will_be: bool = False) -> None:
        """What was planned up to now is done."""
        now = self._clock.now().timestamp()
        while self._later and (or_ever_will_be or self._later[0].at_seconds <= now):
            due = heappop(self._later)
            # Two things may concern one assignment: what comes second is refused, as it would be on a page.
            with suppress(Refused):
                due.do()

    def _plan(self, do: Callable[[], None], most_hours: float = 300) -> None:
        at = self._clock.now() + timedelta(hours=self._dice.uniform(1, most_hours))
        heappush(self._later, Later(at.timestamp(), next(self._numbers), do))

    def _refund(self, assignment_id: str) -> None:
        refund_assignment(self._database, assignment_id, MEMO, ACTOR)
        self.counts["refunds"] += 1

    def _report(self, provider_id: str, assignment_id: str) -> None:
        category = self._dice.choice(CATEGORIES)
        report_bad_lead(self._database, provider_id, assignment_id, category, None, Actor("provider", "provider"))
        self.counts["reports"] += 1
        self._plan(lambda: self._answer_report(assignment_id), most_hours=72)

    def _answer_report(self, assignment_id: str) -> None:
        if self._dice.random() < ACCEPTED_SHARE:
            accept_bad_lead(self._database, assignment_id, MEMO, ACTOR)
            self.counts["refunds"] += 1
        else:
            reject_bad_lead(self._database, assignment_id, MEMO, ACTOR)

    def _mark_bad(self, lead_id: str) -> None:
        marked = mark_lead_bad(self._database, lead_id, "Sent under another person's name.", ACTOR)
        self.counts["refunds"] += len(marked.refunds)

    def _erase(self, lead_id: str) -> None:
        erase_lead(self._database, lead_id, "consumer_request", ACTOR)
        self.counts["erased"] += 1

    def pay_in(self) -> None:
        """Saved cards are charged where a balance is low; of the other providers without funds most make a deposit."""
        self.counts["top-ups"] += charge_top_ups(self._maintenance)["charges"]
        with self._database.snapshot() as conn:
            out_of_funds = providers_out_of_funds(conn)
        for provider_id in out_of_funds:
            if self._dice.random() < DEPOSITING_SHARE:
                self.counts["deposits"] += 1
                amount_cents = self._dice.choice(TOP_UPS_CENTS)
                external_id = f"deposit-{self.counts['deposits']}"
                deposit(self._database, provider_id, amount_cents, "year", external_id, ACTOR)


def save_cards(database: Database, clock: SimulatedClock, maintenance: Maintenance, provider_ids: Sequence[str]) -> int:
    """One provider in so many has a card at the test gateway, and an auto top-up that charges it; returns how many."""
    chosen = provider_ids[::ONE_IN_SO_MANY_TOPS_UP]
    for provider_id in chosen:
        page = open_saving(database, sandbox_gateway(database), provider_id, "/back", ACTOR)
        answer_as_test_card(database, provider_id, page.rsplit("/", 1)[1], "pays")
    clock.advance_to(clock.now() + timedelta(minutes=1))
    while ask_about_savings(maintenance)["methods"]:
        pass
    for provider_id in chosen:
        change_auto_top_up(database, provider_id, WantedTopUp(40_000, 100_000, 5_000_000, is_on=True), ACTOR)
    return len(chosen)


def close_for_a_while(database: Database, niche_id: str) -> None:
    """The niche is archived: it takes in no lead and decides none."""
    archive_niche(database, niche_id, ACTOR, memo="Closed for the summer.")


def open_again(database: Database, niche_id: str) -> None:
    """The niche is back, and active."""
    restore_niche(database, niche_id, ACTOR)
    change_niche(database, niche_id, NicheChange(is_active=True), ACTOR)
