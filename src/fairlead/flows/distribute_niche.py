"""Distributing all that waits in a niche, by hand."""

from collections.abc import Iterator

from fairlead.flows.distributor import Distributed, Distributor
from fairlead.flows.lead_jobs import withdraw_needless_jobs
from fairlead.store.leads.runs import waiting_isolated


def distribute_niche(distributor: Distributor, niche_id: str) -> Iterator[Distributed]:
    """Every lead that waits in the niche is decided, batch by batch; isolated ones come last.

    Each of the latter is tried once, whatever comes of it. Yields what each transaction did; the jobs of leads that
    were decided are withdrawn. Raises `Unavailable`, and `Refused` for an inactive niche.
    """
    # Listed before the others are decided: one of those that fails now has been tried, and comes again later.
    with distributor.database.snapshot() as conn:
        isolated = waiting_isolated(conn, niche_id)
    while len(result := distributor.distribute_waiting(niche_id)):
        _withdraw_jobs(distributor, result)
        yield result
    for lead_id in isolated:
        result = distributor.distribute_waiting(niche_id, lead_id)
        _withdraw_jobs(distributor, result)
        yield result


def _withdraw_jobs(distributor: Distributor, result: Distributed) -> None:
    withdraw_needless_jobs(distributor.database, [decision.lead_id for decision in result.decisions])
