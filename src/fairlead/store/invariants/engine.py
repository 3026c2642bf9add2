"""The invariants that SQL can see in the tables, each a query that must return no row.

Each says beside it how many things it looked at: a check over nothing proves nothing. What needs a fold of the journal
(hashes, replay, order) is in `flows/proving/verify`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fairlead.store.connection import Connection
from fairlead.store.invariants.by_hand import INVARIANTS_BY_HAND
from fairlead.store.invariants.invariant import Invariant
from fairlead.store.invariants.of_audit import INVARIANTS_OF_AUDIT
from fairlead.store.invariants.of_configuration import INVARIANTS_OF_CONFIGURATION
from fairlead.store.invariants.of_decisions import INVARIANTS_OF_DECISIONS
from fairlead.store.invariants.of_erasures import INVARIANTS_OF_ERASURES
from fairlead.store.invariants.of_intake import INVARIANTS_OF_INTAKE
from fairlead.store.invariants.of_journals import INVARIANTS_OF_JOURNALS
from fairlead.store.invariants.of_leads import INVARIANTS_OF_LEADS
from fairlead.store.invariants.of_ledgers import INVARIANTS_OF_LEDGERS
from fairlead.store.invariants.of_limits import INVARIANTS_OF_LIMITS
from fairlead.store.invariants.of_notifications import INVARIANTS_OF_NOTIFICATIONS
from fairlead.store.invariants.of_papers import INVARIANTS_OF_PAPERS
from fairlead.store.invariants.of_payments import INVARIANTS_OF_PAYMENTS
from fairlead.store.invariants.of_recipients import INVARIANTS_OF_RECIPIENTS
from fairlead.store.invariants.of_references import INVARIANTS_OF_REFERENCES

DIFFERENCES_SHOWN = 5


# The one list: `flows/proving/verify` makes these checks, and so does the nightly `flows.maintenance.reconcile`.
INVARIANTS: tuple[Invariant, ...] = (
    *INVARIANTS_OF_LEDGERS,
    *INVARIANTS_OF_DECISIONS,
    *INVARIANTS_OF_AUDIT,
    *INVARIANTS_OF_LEADS,
    *INVARIANTS_OF_NOTIFICATIONS,
    *INVARIANTS_OF_JOURNALS,
    *INVARIANTS_OF_CONFIGURATION,
    *INVARIANTS_BY_HAND,
    *INVARIANTS_OF_INTAKE,
    *INVARIANTS_OF_ERASURES,
    *INVARIANTS_OF_REFERENCES,
    *INVARIANTS_OF_LIMITS,
    *INVARIANTS_OF_PAYMENTS,
    *INVARIANTS_OF_RECIPIENTS,
    *INVARIANTS_OF_PAPERS,
)


@dataclass(frozen=True, slots=True)
class Found:
    """What an invariant came to: its subjects, how many violations, and the first of them in words."""

    invariant: Invariant
    checked: int
    violation_count: int
    first: tuple[str, ...]


def check_invariants(conn: Connection, invariants: Sequence[Invariant]) -> Iterator[Found]:
    """What each came to, in order, as soon as it is known. Needs a transaction, whose planner is told to join by hash.

    One after the other: of a pipeline the first answer is known when the last is, and how far it is could not be said.
    """
    plan_for_whole_tables(conn)
    for invariant in invariants:
        [(checked, violation_count, first)] = conn.execute(counted(invariant)).fetchall()
        yield Found(invariant, checked, violation_count, tuple(first))


def plan_for_whole_tables(conn: Connection) -> None:
    """Until the transaction ends, the planner does not loop over a table for each row of another.

    It would where it believes tables to be small, as it does before they are first analysed, which after a burst or a
    crash they are not: then a check takes quadratic time. Memory is bounded by `work_mem`, for each step of a plan;
    what does not fit goes to temporary files.
    """
    with conn.pipeline():
        conn.execute("set local enable_nestloop = off")
        conn.execute("set local jit = off")
        conn.execute("set local work_mem = '32MB'")


def counted(invariant: Invariant) -> bytes:
    """The query of a check: how many subjects, how many violations, and the first of them."""
    # No part of it is ours to fill in, and a % stands for format(), not for the driver, which sees none without values.
    return (
        f"with violation (line) as materialized ({invariant.violations}) "  # noqa: S608 - constants of our own
        f"select ({invariant.population}), (select count(*) from violation), "
        f"array(select line from violation limit {DIFFERENCES_SHOWN})"
    ).encode()


def undecided_leads(conn: Connection) -> list[str]:
    """Leads that no worker will decide: they await it without a job, or were given up without a dead letter.

    When the faults have stopped there must soon be none. Those of inactive niches are meant to wait.
    """
    rows = conn.execute(
        """
        select l.id::text from leads l join niches n on n.id = l.niche_id
        where l.awaits_decision and n.is_active and not exists (
            select from jobs j where j.task = 'distribute_lead'
            and j.payload ->> 'lead_id' = l.id::text and j.state in ('waiting', 'running'))
        union all
        select l.id::text from leads l
        where l.status = 'approved' and not l.awaits_decision and l.last_outcome = 'failed'
          and not exists (select from dead_letters d where d.lead_id = l.id)
          and l.last_attempt_at > clock_timestamp() - interval '30 days' -- letters are not kept for longer
        """
    ).fetchall()
    return [row[0] for row in rows]
