"""A year of a synthetic marketplace in minutes: every hour of 2024 is lived through by the flows of that hour.

    export FAIRLEAD_DATA_DIR=/tmp/fairlead-year
    python examples/year/live_a_year.py --leads 1000000

wants an empty database, and ends with what `year_checks.py` counted independently. `fairlead verify` takes the year again.
"""

import argparse
import random
import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from year_books import check_books
from year_checks import TO_BE_ERASED, Check, independent_checks
from year_events import ACTOR, Events, close_for_a_while, open_again
from year_marketplace import NUMBER_OF, POSTCODES, REGIONS, Size, Table
from year_operators import Operators
from year_set_up import hurried, maintenance_of, niche_ids_of, set_up

from fairlead.cli.marketplace import marketplace
from fairlead.cli.progress import progress_bar
from fairlead.core.errors import Broken, Refused
from fairlead.flows.distributor import Distributor
from fairlead.flows.lead_jobs import withdraw_needless_jobs
from fairlead.flows.maintenance.reoffer import CHUNK_LEADS, reoffer, reopen
from fairlead.flows.maintenance.retain import retain
from fairlead.flows.maintenance.snapshot_rosters import snapshot_rosters
from fairlead.flows.money.close_months import close_months
from fairlead.flows.notifications.hand_over import hand_over_emails
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.connection import Database
from fairlead.store.lookups import count_of_leads, niches_with_waiting_leads
from fairlead.store.session_settings import allow_long_reading
from fairlead.store.simulated_clock import SimulatedClock

FIRST, HOURS = datetime(2024, 1, 1, tzinfo=UTC), 366 * 24
"""A leap year."""
HOUR = timedelta(hours=1)
FEWEST_PER_STEP, LONGEST_STEP_HOURS = 4, 55
"""A year with few leads goes by in longer steps, whose length is no part of a day: they come to every hour of it."""
WEIGHT_OF_HOUR = (1, 1, 1, 1, 1, 2, 4, 7, 9, 10, 10, 8, 7, 9, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1)
"""By the hour of UTC: providers on the other side of the world are asleep when most leads come, and awake for the rest."""
SHARE_OF_NICHE = {"vps-hosting": 5, "solar-panels": 3, "car-insurance": 2}
ERASED_SHARE = 0.005
CLOSED_IN_SUMMER, CLOSED_DAYS = "solar-panels", range(200, 214)
_POSTCODES = sorted(POSTCODES)
MOST_AT_ONCE = 500
NO_TIMEOUT = 0
NO_EMAIL_LEAVES = "the year sends no email"


@dataclass
class Tally:
    """What has happened so far."""

    leads: int = 0
    decisions: int = 0
    assignments: int = 0
    reopened: int = 0
    counts: Mapping[str, int] = field(default_factory=dict[str, int])


class Year:
    """The marketplace's life. Its database was opened with the clock that it sets."""

    def __init__(self, database: Database, clock: SimulatedClock, size: Size, seed: int) -> None:
        self._database, self._clock, self._size = database, clock, size
        self._dice = random.Random(seed)
        self._distributor = Distributor(database, MOST_AT_ONCE)
        self._maintenance = maintenance_of(database)
        self._events = Events(database, clock, self._maintenance, self._dice)
        self._operators = Operators(database, self._dice, self._events.counts)
        self.tally = Tally(counts=self._events.counts)
        self._niche_ids = niche_ids_of(database)
        self._closed: set[str] = set()
        self._decided_ids: list[str] = []
        self._beside = ThreadPoolExecutor(1)
        self._chores = self._beside.submit(lambda: None)

    def live(self) -> Iterator[Tally]:
        """Step after step to the end of the year, and what is left to be done after it; yields after each day."""
        step = min(LONGEST_STEP_HOURS, max(1, FEWEST_PER_STEP * HOURS // max(1, self._size.leads)))
        hours = range(0, HOURS, step)
        come = _spread(self._size.leads, [WEIGHT_OF_HOUR[hour % 24] for hour in hours])
        day = -1
        for hour, leads in zip(hours, come, strict=True):
            self._clock.advance_to(FIRST + hour * HOUR + timedelta(minutes=self._dice.uniform(5, 55)))
            for begun in range(day + 1, hour // 24 + 1):
                self._operators.begin_the_day(begun)
            self._events.do_what_is_due()
            self._submit(leads)
            self._reopen()
            self._distribute()
            if hour // 24 > day:
                day = hour // 24
                self._end_the_day(day)
                yield self.tally
        self._clock.advance_to(FIRST + (HOURS + 48) * HOUR)
        self._events.do_what_is_due(or_ever_will_be=True)
        self._end_the_day(day + 2)
        self._chores.result()
        self._beside.shutdown()
        yield self.tally

    def _reopen(self) -> None:
        while count := reopen(self._maintenance)["leads"]:
            self.tally.reopened += count
            if count < CHUNK_LEADS:
                break

    def _submit(self, leads: int) -> None:
        drawn = self._dice.choices(list(SHARE_OF_NICHE), weights=list(SHARE_OF_NICHE.values()), k=leads)
        for slug in SHARE_OF_NICHE:
            if slug in self._closed or not (mine := drawn.count(slug)):
                continue
            submitted = [self._answers(slug) for _ in range(mine)]
            erased = [self._dice.random() < ERASED_SHARE for _ in range(mine)]
            details = [self._contact(is_erased=each) for each in erased]
            lead_ids = submit_leads(self._database, slug, submitted, ACTOR, approve=True, details=details)
            self.tally.leads += mine
            for lead_id, is_erased in zip(lead_ids, erased, strict=True):
                if is_erased:
                    self._events.erase_later(lead_id)

    def _answers(self, slug: str) -> Table:
        key, lowest, highest = NUMBER_OF[slug]
        last = {"vps-hosting": "managed", "solar-panels": "storage", "car-insurance": "changes_insurer"}[slug]
        answers: Table = {
            key: self._dice.randint(lowest, highest),
            "region": self._dice.choice(REGIONS),
            last: self._dice.random() < 0.5,
        }
        return answers | ({"postcode": self._dice.choice(_POSTCODES)} if slug == "solar-panels" else {})

    def _contact(self, *, is_erased: bool) -> dict[str, str]:
        """One in twenty leaves an address, and each who will ask for its erasure."""
        if is_erased:
            return {"contact_email": f"person-{self._dice.randrange(10**9)}@{TO_BE_ERASED}"}
        if self._dice.random() >= 0.05:
            return {}
        return {"contact_email": f"person-{self._dice.randrange(10**9)}@example.com"}

    def _distribute(self) -> None:
        with self._database.snapshot() as conn:
            waiting = [
                each.niche_id for each in niches_with_waiting_leads(conn, None) if each.is_active and each.waiting_count
            ]
        for niche_id in waiting:
            while self._decide_some(niche_id) == MOST_AT_ONCE:
                pass

    def _decide_some(self, niche_id: str) -> int:
        result = self._distributor.distribute_waiting(niche_id)
        if result.failures:
            raise Broken(f"a decision raised: {result.failures[0].error}")
        for decision in result.decisions:
            self.tally.decisions += 1
            self.tally.assignments += len(decision.recipients)
            sold = [(each.provider_id, each.assignment_id) for each in decision.recipients]
            if sold:
                self._events.sold(decision.lead_id, sold)
        self._decided_ids += [decision.lead_id for decision in result.decisions]
        return len(result)

    def _end_the_day(self, day: int) -> None:
        reoffer(self._maintenance)
        self._chores.result()
        self._chores = self._beside.submit(self._do_chores, self._decided_ids)
        self._decided_ids = []
        self._events.pay_in()
        retain(self._maintenance)
        self._events.counts["statements"] += close_months(self._database)
        niche_id = self._niche_ids[CLOSED_IN_SUMMER]
        if day in CLOSED_DAYS and CLOSED_IN_SUMMER not in self._closed:
            close_for_a_while(self._database, niche_id)
            self._closed.add(CLOSED_IN_SUMMER)
        elif day >= CLOSED_DAYS.stop and CLOSED_IN_SUMMER in self._closed:
            open_again(self._database, niche_id)
            self._closed.remove(CLOSED_IN_SUMMER)

    def _do_chores(self, decided_ids: Sequence[str]) -> None:
        """What nothing that is decided depends on, done while the next day goes on."""
        withdraw_needless_jobs(self._database, decided_ids)
        hand_over_emails(self._database, NO_EMAIL_LEAVES)
        snapshot_rosters(self._maintenance)


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


def live_through(database: Database, size: Size, seed: int) -> Tally:
    """The year happens in the database, which has no marketplace yet. Raises `Refused` where it has leads."""
    with database.snapshot() as conn:
        if count_of_leads(conn):
            raise Refused("year_not_here", "there are leads already: the year wants an empty database")
    clock = SimulatedClock(FIRST, seed)
    with (
        hurried(database),
        Database(database.url, database.schema_name, direct_url=database.direct_url, simulated_clock=clock) as then,
    ):
        set_up(then, clock, size, seed)
        year, tally = Year(then, clock, size, seed), Tally()
        with progress_bar("leads") as bar:
            task = bar.add_task("the year", total=size.leads)
            for tally in year.live():
                bar.update(task, completed=tally.leads)
                if bar.disable and clock.now().day == 1:  # a log has no bar, and a line a month
                    print(f"{clock.now():%Y-%m-%d} {tally}", file=sys.stderr, flush=True)
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
        what = ", ".join(f"{count:,} {name}" for name, count in sorted(tally.counts.items()))
        print(
            f"2024 in {seconds:,.0f} s: {tally.leads:,} leads ({tally.leads / seconds:,.0f}/s), {tally.decisions:,} decisions,"
            f" {tally.assignments:,} assignments, {what}, {tally.reopened:,} offered again when a limit or schedule opened;"
            f" {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:,} MB at most, without PostgreSQL"
        )
        started = time.monotonic()
        with database.transaction() as conn:
            allow_long_reading(conn, NO_TIMEOUT)
            checks = [_told(check) for check in independent_checks(conn)]
        checks += [_told(check) for check in check_books(database)]
        print(f"checked in {time.monotonic() - started:,.0f} s")
        return 1 if any(check.violations for check in checks) else 0


def _told(check: Check) -> Check:
    verdict = "FAILED " if check.violations else "SKIPPED" if check.skipped else "ok     "
    print(
        f"{verdict} {check.checked:>12,}  {check.name}",
        *check.violations,
        *([check.skipped] * bool(check.skipped)),
        sep=": ",
    )
    return check


if __name__ == "__main__":
    sys.exit(main())
