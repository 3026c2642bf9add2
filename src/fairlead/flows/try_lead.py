"""A dry run: a lead that does not exist walks the whole way, and nothing comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fairlead.core.batch import NeedsBalances, decide_batch
from fairlead.core.calendar.limits import Counters
from fairlead.core.canonical import commit_to_attributes
from fairlead.core.decision import Decision
from fairlead.core.decision_entries import decision_payload
from fairlead.core.decision_queues import LevelQueue, queues_of
from fairlead.core.errors import BadInput, Broken, Refused
from fairlead.core.messages import Names
from fairlead.core.model import Lead, Subscription
from fairlead.core.postconditions import assert_room
from fairlead.flows.create_lead import fitting_answers
from fairlead.store.connection import Database
from fairlead.store.distribution.balances import read_balances
from fairlead.store.distribution.limit_counters import read_counters
from fairlead.store.distribution.rosters import head_of
from fairlead.store.distribution.snapshots import state_before
from fairlead.store.ids import new_id, new_salt
from fairlead.store.journal import read_niche
from fairlead.store.leads.rows import clock, niche_form
from fairlead.store.lookups import marketplace_currency, provider_names


@dataclass(frozen=True, slots=True)
class TriedLead:
    """The decision that the lead would have had at this moment, and the queues that it would have gone through.

    `is_later`: the moment was asked for, and has yet to come. `deactivated` are the subscriptions that its charges
    would have switched off (R9). `is_whole` as a recorded decision has it.
    """

    niche_slug: str
    currency: str
    tried_at: datetime
    is_later: bool
    decision: Decision
    levels: tuple[LevelQueue, ...]
    deactivated: tuple[Subscription, ...]
    provider_names: Mapping[str, str]
    level_names: Mapping[str, str]
    is_whole: bool = True

    @property
    def names(self) -> Names:
        """What a refusal's sentence needs."""
        return Names(self.level_names, self.currency, self.provider_names)

    @property
    def charged_cents(self) -> int:
        """What all recipients together would have paid."""
        return sum(each.price_cents for each in self.decision.recipients)

    @property
    def payload(self) -> Mapping[str, Any]:
        """The decision as the journal would have had it."""
        return decision_payload(self.decision)


LATEST = timedelta(days=366)
"""So far ahead a lead may be tried: every day of a year, whichever day it begins on."""


def try_lead(
    database: Database, niche_slug: str, attributes: Mapping[str, object], at: datetime | None = None
) -> TriedLead:
    """What would become of a lead with these answers if it were decided now: by the code that decides, from one moment.

    With `at`, as if it were that moment: schedules, the windows of limits and the hours of prices are those of then;
    turns, balances and filters are those of now, and nothing is taken to be bought until then.

    Nothing is written, no turn moves and no lock is held, so that a lead that comes next may be decided otherwise. It
    takes as long as a process's first distribution in the niche, whose roster is built for it.

    Raises `BadInput`, naming each answer that does not fit the form, and `at` where that is over or more than `LATEST`
    ahead, and `Refused`: `niche_unknown`, and
    `niche_inactive`, where every lead would wait.
    """
    with database.snapshot() as conn:
        form = niche_form(conn, niche_slug)
        niche = None if form is None else read_niche(conn, form.niche_id)
        if form is None or niche is None:
            raise Refused("niche_unknown", f"there is no niche {niche_slug!r}")
        if not niche.is_active:
            raise Refused("niche_inactive", f"the niche {niche_slug!r} is inactive: its leads wait")
        answers, problems = fitting_answers(form, attributes)
        present = clock(conn)
        now = present if at is None else at
        problems += _problems_of_moment(now, present)
        if problems:
            raise BadInput(problems)
        state = state_before(conn, niche.niche_id, niche.journal_seq + 1)
        if state.head != head_of(niche):
            raise Broken(f"the journal of niche {niche_slug!r} does not end where its row says: run `fairlead verify`")
        roster = state.roster()
        lead = Lead(new_id(database), answers, commit_to_attributes(new_salt(), answers), attempt=1)
        balances, counters = read_balances(conn, niche.niche_id), dict[str, Counters]()
        asked = decide_batch(roster, [lead], balances, now)
        while isinstance(asked, NeedsBalances):  # of limits alone: the balances of all its providers are known
            counters |= read_counters(conn, asked.windows)
            asked = asked.resume(roster, balances, counters)
        assert_room(roster, asked.decisions)
        [step] = asked.steps
        levels = queues_of(state, answers, step.decision, state.head.last_served_seq)
        return TriedLead(
            niche_slug,
            marketplace_currency(conn),
            now,
            now > present,
            step.decision,
            levels,
            step.deactivated,
            provider_names(conn, sorted(state.provider_ids)),
            {level.level_id: level.name for level in state.levels.values()},
        )


def _problems_of_moment(moment: datetime, present: datetime) -> list[str]:
    if moment < present:
        return ["at: this moment is over, and turns and balances are those of now"]
    if moment > present + LATEST:
        return [f"at: this is more than {LATEST.days} days ahead"]
    return []
