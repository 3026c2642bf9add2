"""What a `distribute_lead` job does: its lead is decided, and with it the niche's other waiting leads."""

import threading
import time
from collections import Counter
from collections.abc import Callable

from fairlead.core.decision import Decision
from fairlead.core.errors import Refused
from fairlead.flows.distributor import Distributed, Distributor
from fairlead.flows.lead_jobs import withdraw_needless_jobs
from fairlead.store.connection import Connection
from fairlead.store.leads.rows import LeadProgress, states_of
from fairlead.store.leads.state import begin_isolated
from fairlead.telemetry import metrics
from fairlead.telemetry.logs import correlation, get_logger
from fairlead.telemetry.traces import span

log = get_logger(__name__)


class LeadDistribution:
    """One process's way to run lead jobs.

    With `take_turn`, which waits until one more lead may be distributed, every job decides its own lead alone: that is
    what a limit of so many leads per second means.
    """

    def __init__(self, distributor: Distributor, take_turn: Callable[[], None] | None = None) -> None:
        self._distributor = distributor
        self._take_turn = take_turn
        self._one_at_a_time = threading.Lock()

    def run(self, lead_id: str) -> list[Distributed]:
        """The lead awaits no decision any more, or its failed run is on record and a retry enqueued.

        Leads that waited in the niche may have been decided as well, and their own jobs are withdrawn. A lead that
        awaits nothing, and one of an inactive niche, is left as it is. Safe to run any number of times at once.

        Raises `Unavailable`.
        """
        done: list[Distributed] = []
        fruitless = 0
        # Twice without a result means that another worker is at it: once may mean that the lead has just been set
        # apart.
        while fruitless < 2 and (lead := self._waiting(lead_id)) is not None:
            started = time.monotonic()
            with span("distribute", lead_id=lead_id, niche=lead.niche_slug):
                result = self._decide(lead)
            _tell(lead.niche_slug, result, time.monotonic() - started)
            done.append(result)
            fruitless += not len(result)
            if any(failure.lead_id == lead_id for failure in result.failures):
                break
        return done

    def _decide(self, lead: LeadProgress) -> Distributed:
        try:
            if lead.isolated:
                return self._alone(lead)
            if self._take_turn is not None:
                self._take_turn()
                return self._distributor.distribute_waiting(lead.niche_id, lead.lead_id)
            result = self._distributor.distribute_waiting(lead.niche_id)
        except Refused as refused:
            if refused.code != "niche_inactive":
                raise
            return Distributed(())  # switched off a moment ago: its leads wait
        self._withdraw_other_jobs(lead.lead_id, result)
        return result

    def _alone(self, lead: LeadProgress) -> Distributed:
        """One such lead at a time in this process, so that it is clear which one killed it."""
        with self._one_at_a_time:
            if self._take_turn is not None:
                self._take_turn()
            self._distributor.database.run(lambda conn: begin_isolated(conn, lead.lead_id))
            return self._distributor.distribute_waiting(lead.niche_id, lead.lead_id)

    def _withdraw_other_jobs(self, lead_id: str, result: Distributed) -> None:
        others = [decision.lead_id for decision in result.decisions if decision.lead_id != lead_id]
        withdraw_needless_jobs(self._distributor.database, others)

    def _waiting(self, lead_id: str) -> LeadProgress | None:
        def work(conn: Connection) -> LeadProgress | None:
            return states_of(conn, [lead_id]).get(lead_id)

        lead = self._distributor.database.run(work)
        return lead if lead is not None and lead.awaits_decision and lead.niche_is_active else None


def _tell(niche_slug: str, result: Distributed, seconds: float) -> None:
    """What was decided is in the log, each line with the request that asked for it, and counted."""
    assigned, refused = Counter[str](), Counter[str]()
    for decision in result.decisions:
        request = result.requests[decision.lead_id]
        # A lead that is asked for again was not waiting since its approval.
        waited = [(decision.decided_at - request.approved_at).total_seconds()] if decision.attempt == 1 else []
        metrics.distributed(niche_slug, decision.outcome.value, seconds, waited if decision.recipients else [])
        _count(decision, assigned, refused)
        with correlation(request.correlation_id, lead_id=decision.lead_id, niche=niche_slug):
            outcome, count = decision.outcome.value, len(decision.recipients)
            log.info("lead decided", outcome=outcome, assignment_count=count, journal_seq=decision.seq)
    for level_name, count in assigned.items():
        metrics.assigned(niche_slug, level_name, count)
    for reason, count in refused.items():
        metrics.refused(niche_slug, reason, count)
    for failure in result.failures:
        kind = failure.error.partition(":")[0]
        metrics.distribution_failed(niche_slug, kind)
        log.error("distribution failed", lead_id=failure.lead_id, niche=niche_slug, error=kind)


def _count(decision: Decision, assigned: Counter[str], refused: Counter[str]) -> None:
    for result in decision.levels:
        assigned[result.level.name] += len(result.recipients)
        refused.update(each.refusal.reason for each in result.refused)
        refused.update(result.counts)
