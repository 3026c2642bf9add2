"""What a `distribute_lead` job does: its lead is decided, and with it whoever else waits in the niche."""

import threading
from collections.abc import Callable

from fairlead.core.errors import Refused
from fairlead.flows.distribute import Distributed, Distributor
from fairlead.store.connection import Connection
from fairlead.store.jobs.queue import withdraw_lead_jobs
from fairlead.store.lead_runs import begin_alone
from fairlead.store.leads import LeadProgress, states_of


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
        # Twice without a result means that somebody else is at it: once may mean that the lead has just been set apart.
        while fruitless < 2 and (lead := self._waiting(lead_id)) is not None:
            result = self._decide(lead)
            done.append(result)
            fruitless += not len(result)
            if any(failure.lead_id == lead_id for failure in result.failures):
                break
        return done

    def _decide(self, lead: LeadProgress) -> Distributed:
        try:
            if lead.decide_alone:
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
            self._distributor.database.run(lambda conn: begin_alone(conn, lead.lead_id))
            return self._distributor.distribute_waiting(lead.niche_id, lead.lead_id)

    def _withdraw_other_jobs(self, lead_id: str, result: Distributed) -> None:
        others = [decision.lead_id for decision in result.decisions if decision.lead_id != lead_id]
        if others:
            # Not in the decisions' transaction: it would only make it longer, and a job too many does no harm.
            self._distributor.database.run(lambda conn: withdraw_lead_jobs(conn, others))

    def _waiting(self, lead_id: str) -> LeadProgress | None:
        def work(conn: Connection) -> LeadProgress | None:
            return states_of(conn, [lead_id]).get(lead_id)

        lead = self._distributor.database.run(work)
        return lead if lead is not None and lead.awaits_decision and lead.niche_is_active else None
