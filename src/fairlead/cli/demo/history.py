"""The demo's history: a year in which its marketplace grew, made by the flows of every day at that year's times."""

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count, islice

from fairlead.cli.demo.busy_days import BusyMoment, busy_moments
from fairlead.cli.demo.past_changes import changes_since, demo_marketplace, first_marketplace
from fairlead.cli.demo.providers_desk import Reaction, react, reaction
from fairlead.cli.demo.stream import by_niche, demo_leads
from fairlead.core.decision import Recipient
from fairlead.core.errors import Refused
from fairlead.flows.approve_lead import approve_leads
from fairlead.flows.declaring.apply_marketplace import apply_marketplace
from fairlead.flows.distributor import Distributor
from fairlead.flows.lead_jobs import withdraw_needless_jobs
from fairlead.flows.money.bad_leads import accept_bad_lead, mark_lead_bad, reject_bad_lead
from fairlead.flows.money.deposit import deposit
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.notifications.hand_over import hand_over_emails
from fairlead.flows.reject_lead import reject_leads
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import count_of_leads, newest_lead_at, niches_with_waiting_leads, providers_out_of_funds
from fairlead.store.reports.pieces import forget_spans
from fairlead.store.simulated_clock import SimulatedClock

SENDER = Actor("demo", "system")
"""In whose name the demo sends leads and sets up the marketplace."""
REVIEWER = Actor("demo", "admin")
NO_EMAIL_LEAVES = "the demo sends no email"

LEFT_SINCE, LEFT_SHARE = timedelta(hours=20), 0.4
"""Of what came in so shortly before the end, so much waits for a person."""
REJECTED_SHARE, MARKED_BAD_SHARE, REFUNDED_SHARE, RIGHT_REPORTS = 0.05, 0.004, 0.001, 0.6
WHY_LEAD_REJECTED = ("A test of the form.", "Advertising, not a request.", "Asks for something that is not sold here.")
TOP_UPS_CENTS = (30_000, 50_000, 80_000, 100_000, 150_000)
MOST_AT_ONCE = 500
"""More leads than ever wait in a niche."""
REACTION_HOURS, LATE_HOURS, DECISION_HOURS, PAYMENT_HOURS = 7.0, 120.0, 40.0, 22.0
"""How long it takes on average: providers to answer, or at least to look; reports to be decided; money to be paid."""

Task = Callable[[], object]


@dataclass(frozen=True, slots=True)
class MadeHistory:
    """From when to when a history goes, and how many leads came in."""

    first: datetime
    until: datetime
    leads: int


def make_history(
    database: Database,
    seed: int,
    days: int,
    on_progress: Callable[[datetime, datetime, datetime], None] | None = None,
    until: datetime | None = None,
) -> MadeHistory:
    """The marketplace has a history up to now, or to the time that is given.

    A new one, without a lead, is set up as it was so many days ago, and becomes what its file says. In one that has
    leads, what is missing is the time since the newest of them: it goes on as the days before, without further changes.
    `on_progress` is told its beginning, how far it has come, and its end. The same for the same seed and times. Stopped
    on its way it can be called again. Raises `Unavailable`.
    """
    now, newest_at = database.read(lambda conn: (clock(conn), newest_lead_at(conn)))
    until = until or now
    first = until - timedelta(days=days) if newest_at is None else newest_at
    moments = list(busy_moments(first, until, seed))
    simulated = SimulatedClock(first, seed)
    with Database(
        database.url, database.schema_name, direct_url=database.direct_url, simulated_clock=simulated
    ) as then:
        marketplace = demo_marketplace()
        if newest_at is None:
            apply_marketplace(then, first_marketplace(marketplace), SENDER)
        history = History(then, simulated, seed, until)
        if newest_at is None:
            for each in changes_since(marketplace, first, until):
                history.plan(each.at, partial(each.change, then, SENDER))
        for moment in moments:
            history.live(moment)
            if on_progress is not None:
                on_progress(first, moment.at, until)
    database.run(forget_spans)
    return MadeHistory(first, until, sum(each.leads for each in moments))


class History:
    """What happened between two times, in the order of time. Its database was opened with the clock that it sets."""

    def __init__(self, database: Database, clock: SimulatedClock, seed: int, until: datetime) -> None:
        self._database = database
        self._clock = clock
        self._until = until
        self._dice = random.Random(f"{seed}/{clock.now().date()}")  # noqa: S311  # reproducible, nothing secret
        self._distributor = Distributor(database, MOST_AT_ONCE)
        with database.snapshot() as conn:
            self._niche_ids = {niche.slug: niche.niche_id for niche in niches_with_waiting_leads(conn, None)}
            self._leads = demo_leads(seed, count_of_leads(conn))
        self._due: list[tuple[datetime, int, Task]] = []
        self._reactions: list[tuple[datetime, int, Recipient, Reaction]] = []
        self._numbers = count()
        self._will_pay: set[str] = set()

    def plan(self, at: datetime, task: Task) -> None:
        """The task is done at that time, if the history lasts as long."""
        heappush(self._due, (at, next(self._numbers), task))

    def live(self, moment: BusyMoment) -> None:
        """All that happens until the moment, and then: leads come in, are reviewed and sold, and emails are sent."""
        while self._due and self._due[0][0] <= moment.at:
            at, _, task = heappop(self._due)
            self._clock.advance_to(at)
            # Two things may concern one assignment: what comes second is refused, as it would be on a page.
            with suppress(Refused):
                task()
        self._clock.advance_to(moment.at)
        self._react()
        self._watch_funds()
        if moment.leads:
            self._review(self._come_in(moment.leads), is_left=self._until - moment.at < LEFT_SINCE)
            hand_over_emails(self._database, NO_EMAIL_LEAVES)

    def _come_in(self, number: int) -> list[str]:
        lead_ids: list[str] = []
        for slug, leads in by_niche(list(islice(self._leads, number))).items():
            attributes, details = [each.attributes for each in leads], [each.details for each in leads]
            lead_ids += submit_leads(self._database, slug, attributes, SENDER, approve=False, details=details)
        return lead_ids

    def _review(self, lead_ids: Sequence[str], *, is_left: bool) -> None:
        """The operator looks at them after a while, lets most of them through, and they are sold."""
        self._pass(minutes=self._dice.uniform(2, 25))
        rest = [each for each in lead_ids if not is_left or self._dice.random() >= LEFT_SHARE]
        rejected = [each for each in rest if self._dice.random() < REJECTED_SHARE]
        approved = [each for each in rest if each not in rejected]
        if rejected:
            reject_leads(self._database, rejected, self._dice.choice(WHY_LEAD_REJECTED), REVIEWER)
        if approved:
            approve_leads(self._database, approved, REVIEWER)
            self._sell()

    def _sell(self) -> None:
        """What waits is decided; the jobs that asked for it find nothing to do, and are withdrawn."""
        decided: list[str] = []
        for niche_id in self._niche_ids.values():
            self._pass(minutes=self._dice.uniform(0.005, 0.05))
            for decision in self._distributor.distribute_waiting(niche_id).decisions:
                decided.append(decision.lead_id)
                self._foresee(decision.lead_id, decision.recipients)
        withdraw_needless_jobs(self._database, decided)

    def _foresee(self, lead_id: str, recipients: Sequence[Recipient]) -> None:
        """What the recipients will do with the lead, and when; and seldom that all of it turns out to be bad."""
        if recipients and self._dice.random() < MARKED_BAD_SHARE:
            memo = "Sent under another person's name."
            self._later(60, partial(mark_lead_bad, self._database, lead_id, memo, REVIEWER))
        for each in recipients:
            drawn, hours = reaction(self._dice), REACTION_HOURS
            if drawn is None:
                drawn, hours = Reaction("viewed"), LATE_HOURS
            heappush(self._reactions, (self._in(hours), next(self._numbers), each, drawn))
            if self._dice.random() < REFUNDED_SHARE:
                memo = "Agreed on the telephone."
                self._later(90, partial(refund_assignment, self._database, each.assignment_id, memo, REVIEWER))

    def _react(self) -> None:
        now, done = self._clock.now(), list[tuple[Recipient, Reaction]]()
        while self._reactions and self._reactions[0][0] <= now:
            _, _, recipient, drawn = heappop(self._reactions)
            done.append((recipient, drawn))
        react(self._database, done)
        for recipient, drawn in done:
            if drawn.kind == "reported":
                is_right = self._dice.random() < RIGHT_REPORTS
                self._later(DECISION_HOURS, partial(self._decide, recipient.assignment_id, is_right=is_right))

    def _decide(self, assignment_id: str, *, is_right: bool) -> None:
        if is_right:
            accept_bad_lead(self._database, assignment_id, "Tried it ourselves: the report is right.", REVIEWER)
        else:
            reject_bad_lead(self._database, assignment_id, "The contact answered us at once.", REVIEWER)

    def _watch_funds(self) -> None:
        with self._database.snapshot() as conn:
            out_of_funds = providers_out_of_funds(conn)
        for provider_id in out_of_funds:
            if provider_id not in self._will_pay:
                self._will_pay.add(provider_id)
                self._later(PAYMENT_HOURS, partial(self._pay, provider_id))

    def _pay(self, provider_id: str) -> None:
        self._will_pay.discard(provider_id)
        amount_cents = self._dice.choice(TOP_UPS_CENTS)
        external_id = f"top-up-{new_id(self._database)}"
        deposit(self._database, provider_id, amount_cents, "demo", external_id, SENDER)

    def _later(self, mean_hours: float, task: Task) -> None:
        self.plan(self._in(mean_hours), task)

    def _in(self, mean_hours: float) -> datetime:
        return self._clock.now() + timedelta(hours=self._dice.expovariate(1 / mean_hours))

    def _pass(self, minutes: float) -> None:
        self._clock.advance_to(self._clock.now() + timedelta(minutes=minutes))
