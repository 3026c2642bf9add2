"""A year of a synthetic marketplace in minutes: every hour of 2024 is lived through by the flows of that hour.

    export FAIRLEAD_DATA_DIR=/tmp/fairlead-year
    python examples/year/live_a_year.py --leads 1000000

wants an empty database, and ends with what `year_checks.py` counted independently. `fairlead verify` takes the year again.
"""

import argparse
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count

import tomli_w
from year_checks import Check, independent_checks
from year_marketplace import NUMBER_OF, REGIONS, Size, Table, year_marketplace

from fairlead.cli.marketplace import marketplace
from fairlead.cli.progress import progress_bar
from fairlead.core.errors import Refused
from fairlead.core.returns import RefundPolicy
from fairlead.flows.configuration.refund_policy import change_refund_policy
from fairlead.flows.declaring.apply_marketplace import apply_marketplace
from fairlead.flows.declaring.declaration import parse_declaration
from fairlead.flows.distribute_niche import distribute_niche
from fairlead.flows.distributor import Distributor
from fairlead.flows.erasure.erase import erase_lead
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.maintenance.reoffer import reoffer, reopen
from fairlead.flows.maintenance.snapshot_rosters import snapshot_rosters
from fairlead.flows.money.bad_leads import mark_lead_bad
from fairlead.flows.money.deposit import deposit
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.notifications.hand_over import hand_over_emails
from fairlead.flows.submit_leads import submit_leads
from fairlead.settings import load_settings
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Database
from fairlead.store.lookups import count_of_leads, niches_with_waiting_leads, providers_out_of_funds
from fairlead.store.simulated_clock import SimulatedClock

FIRST, HOURS = datetime(2024, 1, 1, tzinfo=UTC), 366 * 24
"""A leap year."""
HOUR = timedelta(hours=1)
FEWEST_PER_STEP, LONGEST_STEP_HOURS = 4, 55
"""A year with few leads goes by in longer steps, whose length is no part of a day: they come to every hour of it."""
ACTOR = Actor("year", "admin")
WEIGHT_OF_HOUR = (1, 1, 1, 1, 1, 2, 4, 7, 9, 10, 10, 8, 7, 9, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1)
"""By the hour of UTC: providers on the other side of the world are asleep when most leads come, and awake for the rest."""
REFUNDED_SHARE, BAD_SHARE, ERASED_SHARE = 0.005, 0.0005, 0.0005
TOP_UPS_CENTS = (50_000, 100_000, 300_000)
MOST_AT_ONCE = 500
NO_EMAIL_LEAVES = "the year sends no email"


@dataclass(order=True)
class Later:
    """Something that is due at a time: an assignment refunded, a lead marked bad or erased."""

    at: datetime
    number: int
    verb: str = field(compare=False)
    of_id: str = field(compare=False)


@dataclass
class Tally:
    """What has happened so far."""

    leads: int = 0
    decisions: int = 0
    assignments: int = 0
    refunds: int = 0
    erased: int = 0
    deposits: int = 0
    reopened: int = 0


class Year:
    """The marketplace's life. Its database was opened with the clock that it sets."""

    def __init__(self, database: Database, clock: SimulatedClock, size: Size, seed: int) -> None:
        self.tally = Tally()
        self._database, self._clock, self._size = database, clock, size
        self._dice = random.Random(seed)
        self._distributor = Distributor(database, MOST_AT_ONCE)
        self._maintenance = Maintenance(database, load_settings())
        with database.snapshot() as conn:
            self._niche_ids = {each.slug: each.niche_id for each in niches_with_waiting_leads(conn, None)}
        self._later: list[Later] = []
        self._numbers = count()

    def live(self) -> Iterator[Tally]:
        """Step after step to the end of the year; yields after each day."""
        step = min(LONGEST_STEP_HOURS, max(1, FEWEST_PER_STEP * HOURS // max(1, self._size.leads)))
        hours = range(0, HOURS, step)
        come = _spread(self._size.leads, [WEIGHT_OF_HOUR[hour % 24] for hour in hours])
        day = -1
        for hour, leads in zip(hours, come, strict=True):
            self._clock.advance_to(FIRST + hour * HOUR + timedelta(minutes=self._dice.uniform(5, 55)))
            self._do_what_is_due()
            self.tally.reopened += reopen(self._maintenance)["leads"]
            self._submit(leads)
            self._distribute()
            if hour // 24 > day:
                day = hour // 24
                self._end_the_day()
                yield self.tally

    def _submit(self, leads: int) -> None:
        drawn = self._dice.choices(list(self._niche_ids), weights=(5, 3, 2), k=leads)
        for slug in self._niche_ids:
            if mine := drawn.count(slug):
                submitted = [self._answers(slug) for _ in range(mine)]
                details = [self._contact() for _ in range(mine)]
                submit_leads(self._database, slug, submitted, ACTOR, approve=True, details=details)
        self.tally.leads += leads

    def _answers(self, slug: str) -> Table:
        key, lowest, highest = NUMBER_OF[slug]
        last = {"vps-hosting": "managed", "solar-panels": "storage", "car-insurance": "changes_insurer"}[slug]
        return {
            key: self._dice.randint(lowest, highest),
            "region": self._dice.choice(REGIONS),
            last: self._dice.random() < 0.5,
        }

    def _contact(self) -> dict[str, str]:
        """One in twenty leaves an address."""
        if self._dice.random() >= 0.05:
            return {}
        return {"contact_email": f"person-{self._dice.randrange(10**9)}@example.com"}

    def _distribute(self) -> None:
        for niche_id in self._niche_ids.values():
            for result in distribute_niche(self._distributor, niche_id):
                for decision in result.decisions:
                    self.tally.decisions += 1
                    self.tally.assignments += len(decision.recipients)
                    self._foresee(decision.lead_id, [each.assignment_id for each in decision.recipients])

    def _foresee(self, lead_id: str, assignment_ids: Sequence[str]) -> None:
        for each in assignment_ids:
            if self._dice.random() < REFUNDED_SHARE:
                self._plan("refund", each)
        if assignment_ids and self._dice.random() < BAD_SHARE:
            self._plan("mark bad", lead_id)
        if self._dice.random() < ERASED_SHARE:
            self._plan("erase", lead_id)

    def _plan(self, verb: str, of_id: str) -> None:
        at = self._clock.now() + timedelta(hours=self._dice.uniform(1, 500))
        heappush(self._later, Later(at, next(self._numbers), verb, of_id))

    def _do_what_is_due(self) -> None:
        while self._later and self._later[0].at <= self._clock.now():
            due = heappop(self._later)
            # Two things may concern one assignment: what comes second is refused, as it would be on a page.
            with suppress(Refused):
                self._do(due)

    def _do(self, due: Later) -> None:
        match due.verb:
            case "refund":
                refund_assignment(self._database, due.of_id, "Agreed on the telephone.", ACTOR)
                self.tally.refunds += 1
            case "mark bad":
                marked = mark_lead_bad(self._database, due.of_id, "Sent under another person's name.", ACTOR)
                self.tally.refunds += len(marked.refunds)
            case _:
                erase_lead(self._database, due.of_id, "consumer_request", ACTOR)
                self.tally.erased += 1

    def _end_the_day(self) -> None:
        reoffer(self._maintenance)
        snapshot_rosters(self._maintenance)
        hand_over_emails(self._database, NO_EMAIL_LEAVES)
        with self._database.snapshot() as conn:
            out_of_funds = providers_out_of_funds(conn)
        for provider_id in out_of_funds:
            if self._dice.random() < 0.7:
                self.tally.deposits += 1
                amount_cents = self._dice.choice(TOP_UPS_CENTS)
                deposit(self._database, provider_id, amount_cents, "year", f"top-up-{self.tally.deposits}", ACTOR)


def _spread(total: int, weights: Sequence[int]) -> Iterator[int]:
    """So many in all, over places of these weights.

    >>> list(_spread(10, [1, 2, 1, 1]))
    [2, 4, 2, 2]
    """
    so_far = given = 0
    for weight in weights:
        so_far += weight
        due = total * so_far // sum(weights)
        yield due - given
        given = due


def set_up(database: Database, size: Size, seed: int) -> None:
    """The marketplace as its file says, and two niches whose refunds give something back."""
    declaration = parse_declaration(tomli_w.dumps(year_marketplace(size, seed)))
    apply_marketplace(database, declaration, ACTOR)
    with database.snapshot() as conn:
        niche_ids = {each.slug: each.niche_id for each in niches_with_waiting_leads(conn, None)}
    change_refund_policy(database, niche_ids["solar-panels"], RefundPolicy(leaves_limits=True), ACTOR)
    both = RefundPolicy(returns_turn=True, leaves_limits=True)
    change_refund_policy(database, niche_ids["car-insurance"], both, ACTOR)


def live_through(database: Database, size: Size, seed: int) -> Tally:
    """The year happens in the database, which has no marketplace yet. Raises `Refused` where it has leads."""
    with database.snapshot() as conn:
        if count_of_leads(conn):
            raise Refused("year_not_here", "there are leads already: the year wants an empty database")
    clock = SimulatedClock(FIRST, seed)
    with Database(database.url, database.schema_name, direct_url=database.direct_url, simulated_clock=clock) as then:
        set_up(then, size, seed)
        year, tally = Year(then, clock, size, seed), Tally()
        with progress_bar("leads") as bar:
            task = bar.add_task("the year", total=size.leads)
            for tally in year.live():
                bar.update(task, completed=tally.leads)
        return tally


def main(words: Sequence[str] | None = None) -> int:
    """Lives and checks. 0 if all of it holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, default=100_000, help="how many come in (default: 100000)")
    parser.add_argument("--providers", type=int, default=200, help="how many there are (default: 200)")
    parser.add_argument("--seed", type=int, default=7, help="another number, another year (default: 7)")
    options = parser.parse_args(words)
    size = Size(options.leads, options.providers)
    with marketplace() as database:
        started = time.monotonic()
        try:
            tally = live_through(database, size, options.seed)
        except Refused as refusal:
            print(f"year: {refusal}", file=sys.stderr)
            return 1
        seconds = time.monotonic() - started
        print(
            f"2024 in {seconds:,.0f} s: {tally.leads:,} leads, {tally.decisions:,} decisions ({tally.decisions / seconds:,.0f}/s),"
            f" {tally.assignments:,} assignments, {tally.refunds:,} refunds, {tally.deposits:,} deposits, {tally.erased:,} erased,"
            f" {tally.reopened:,} offered again when a limit or schedule opened"
        )
        with database.transaction() as conn:
            checks = [_told(check) for check in independent_checks(conn)]
        return 1 if any(check.violations for check in checks) else 0


def _told(check: Check) -> Check:
    verdict = "FAILED" if check.violations else "ok    "
    print(f"{verdict} {check.checked:>12,}  {check.name}", *check.violations, sep=": ")
    return check


if __name__ == "__main__":
    sys.exit(main())
