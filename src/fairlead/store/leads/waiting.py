"""The leads that await a decision: which come next, and locking them. Needs the niche's row lock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

from fairlead.core.canonical import commit_to_attributes
from fairlead.core.model import Lead
from fairlead.store.connection import Connection
from fairlead.store.simulated_clock import simulated_now


@dataclass(frozen=True, slots=True)
class LeadRequest:
    """When a lead was approved, and the request that last asked for its decision."""

    approved_at: datetime
    correlation_id: str | None


@dataclass(frozen=True, slots=True)
class LockedLeads:
    """The leads that this transaction will decide, in order, and the one time that it knows."""

    leads: tuple[Lead, ...]
    now: datetime | None
    requests: Mapping[str, LeadRequest]


def lock_waiting_leads(conn: Connection, niche_id: str, limit: int, only_lead_id: str | None = None) -> LockedLeads:
    """The niche's leads that await a decision, oldest approval first. Needs the niche's row lock.

    Isolated leads are left out, unless one is named. They are locked in ascending order of id,
    as every flow locks leads, and only then put in the order of approval.

    `now` is read here, after the niche's lock was granted: the transaction's own start may lie before a decision that
    it had to wait for. Order never depends on it.
    """
    rows = conn.execute(
        """
        select approved_at, id::text, attributes, attributes_salt, distribution_attempts + 1,
               (select coalesce(%s::timestamptz, clock_timestamp())), correlation_id, created_at
        from leads
        where awaits_decision and id = any(array(
            select id from leads
            where niche_id = %s and awaits_decision
              and case when %s::uuid is null then not isolated else id = %s::uuid end
            order by approved_at, id limit %s))
        order by id for no key update
        """,
        (simulated_now(conn), niche_id, only_lead_id, only_lead_id, limit),
    ).fetchall()
    leads = tuple(
        Lead(lead_id, attributes, commit_to_attributes(salt, attributes), attempt, created_at=created_at)
        for _, lead_id, attributes, salt, attempt, _, _, created_at in sorted(rows, key=itemgetter(0, 1))
    )
    requests = {row[1]: LeadRequest(row[0], row[6]) for row in rows}
    return LockedLeads(leads, rows[0][5] if rows else None, requests)


def oldest_waiting(conn: Connection, niche_id: str) -> str | None:
    """The niche's waiting lead that was approved first, isolated ones left out; None without one.

    Nothing of it is read but its id: it may be the one that cannot be read.
    """
    row = conn.execute(
        """
        select id::text from leads where niche_id = %s and awaits_decision and not isolated
        order by approved_at, id limit 1
        """,
        (niche_id,),
    ).fetchone()
    return None if row is None else str(row[0])
