"""Leads as rows: put in by the thousand, approved under their own locks, listed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self, get_args

from fairlead.core.entry.contact import LEAD_DETAILS, CheckedDetails
from fairlead.core.lead_actions import LEAD_ACTIONS, LeadAction
from fairlead.store.connection import Connection
from fairlead.store.leads.name_words import insert_name_words
from fairlead.store.simulated_clock import simulated_now
from fairlead.store.typed_rows import all_rows, one_row

_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode

LeadStatus = Literal["pending_confirmation", "pending_approval", "approved", "distributed", "rejected", "bad"]
LEAD_STATUSES: tuple[LeadStatus, ...] = get_args(LeadStatus)


@dataclass(frozen=True, slots=True)
class NicheForm:
    """A niche, and the form that its leads fill in."""

    niche_id: str
    slug: str
    form_schema: Any
    phone_region: str | None = None


@dataclass(frozen=True, slots=True)
class NewLead:
    """A lead that is not stored yet; `details` are in the order of `LEAD_DETAILS`.

    `email_key`, `phone_key` and `name_words` are what `checked_details` gives beside them: by what the lead is found.
    `row_key` (32 bytes) stands for the row of the file that an imported lead was, whatever the row was taken for.
    """

    lead_id: str
    dedupe_key: str
    attributes_json: str
    attributes_salt: bytes
    details: tuple[str | None, ...]
    email_key: str | None = None
    phone_key: str | None = None
    name_words: tuple[str, ...] = ()
    row_key: bytes | None = None

    @classmethod
    def of(cls, lead_id: str, attributes_json: str, salt: bytes, details: CheckedDetails) -> Self:
        """A lead that is known by its id alone, with these details."""
        columns = tuple(map(details.values.get, LEAD_DETAILS))
        keys = (details.email_key, details.phone_key, details.name_words)
        return cls(lead_id, f"id:{lead_id}", attributes_json, salt, columns, *keys)


@dataclass(frozen=True, slots=True)
class LeadProgress:
    """How far a lead has come."""

    lead_id: str
    niche_id: str
    status: str
    awaits_decision: bool
    isolated: bool
    niche_slug: str
    niche_is_active: bool
    correlation_id: str | None


@dataclass(frozen=True, slots=True)
class Inserted:
    """How many leads were stored, and which of them await a decision."""

    count: int
    awaiting_ids: tuple[str, ...]


def niche_form(conn: Connection, slug: str) -> NicheForm | None:
    """The niche with this slug, None when there is none; nothing is locked."""
    return one_row(
        conn,
        NicheForm,
        "select id::text as niche_id, slug, form_schema, phone_region from niches where slug = %s",
        (slug,),
    )


def clock(conn: Connection) -> datetime:
    """The database's time: read once per transaction, after its locks."""
    simulated = simulated_now(conn)
    return conn.execute("select clock_timestamp()").fetchall()[0][0] if simulated is None else simulated


def insert_leads(
    conn: Connection,
    niche_id: str,
    leads: Sequence[NewLead],
    now: datetime,
    approved_by: str | None,
    correlation_id: str | None = None,
    *,
    is_confirmed: bool = True,
) -> Inserted:
    """Those of the leads are stored of which the niche has neither the key nor the row yet.

    With `approved_by` they are approved at `now` and await a decision, unless the niche waits for a manual trigger;
    else they are pending approval, or, with `is_confirmed` False, pending confirmation.
    Idempotent by (niche, key) and by (niche, row). Keys are inserted in ascending order, so that two imports of a file
    wait for each other; where their keys are made differently they may deadlock, and one of them is run again.
    """
    rows = conn.execute(
        """
        insert into leads (id, niche_id, status, dedupe_key, row_key, attributes, attributes_salt, contact_name,
                           contact_email, contact_phone, email_key, phone_key, utm_source, utm_medium, utm_campaign,
                           referrer, approved_at, approved_by, awaits_decision, correlation_id, created_at)
        select id, %(niche)s, case when %(by)s::text is null then %(pending)s else 'approved' end,
               dedupe_key, decode(row_key, 'hex'), attributes, decode(salt, 'hex'), contact_name,
               contact_email, contact_phone, email_key, phone_key, utm_source, utm_medium, utm_campaign, referrer,
               case when %(by)s::text is not null then %(now)s::timestamptz end, %(by)s,
               %(awaits)s,
               %(correlation)s, %(now)s
        from jsonb_to_recordset(%(leads)s::jsonb)
             as lead (id uuid, dedupe_key text, row_key text, attributes jsonb, salt text, contact_name text,
                      contact_email text, contact_phone text, email_key text, phone_key text, utm_source text,
                      utm_medium text, utm_campaign text, referrer text)
        order by dedupe_key
        on conflict do nothing
        returning id::text, awaits_decision
        """,
        {
            "niche": niche_id,
            "by": approved_by,
            "pending": "pending_approval" if is_confirmed else "pending_confirmation",
            "now": now,
            "leads": _as_json(leads),
            "awaits": approved_by is not None and _distributes_by_itself(conn, niche_id),
            "correlation": correlation_id,
        },
    ).fetchall()
    inserted = {lead_id for lead_id, _ in rows}
    insert_name_words(conn, [(each.lead_id, each.name_words) for each in leads if each.lead_id in inserted], now)
    return Inserted(len(rows), tuple(lead_id for lead_id, awaits in rows if awaits))


def _distributes_by_itself(conn: Connection, niche_id: str) -> bool:
    # Asked apart: an insert that reads a table and calls a function is not carried out by every cluster.
    rows = conn.execute("select auto_distribute from niches where id = %s", (niche_id,)).fetchall()
    return rows == [(True,)]


def _as_json(leads: Sequence[NewLead]) -> str:
    # One document: arrays of text that hold JSON are escaped character by character, which takes longer than
    # everything else together.
    return f"[{','.join(_row(lead) for lead in leads)}]"


def _row(lead: NewLead) -> str:
    row: dict[str, str | None] = {"id": lead.lead_id, "dedupe_key": lead.dedupe_key, "salt": lead.attributes_salt.hex()}
    if lead.row_key is not None:
        row["row_key"] = lead.row_key.hex()
    if any(lead.details):
        row |= {name: value for name, value in zip(LEAD_DETAILS, lead.details, strict=True) if value is not None}
        row |= {"email_key": lead.email_key, "phone_key": lead.phone_key}
    return f'{_encode(row)[:-1]},"attributes":{lead.attributes_json}}}'


def lock_pending(conn: Connection, lead_ids: Sequence[str]) -> list[str]:
    """Those of the leads that are pending approval, locked in ascending order of id.

    Others are not locked: a distributor may hold them, and an approval need not wait for it.
    """
    rows = conn.execute(
        """
        select id::text from leads where id = any(%s::uuid[]) and status = any(%s)
        order by id for no key update
        """,
        (list(lead_ids), list(LEAD_ACTIONS[LeadAction.APPROVE].statuses)),
    ).fetchall()
    return [row[0] for row in rows]


def lock_pending_of_niche(conn: Connection, niche_id: str, after_lead_id: str | None, limit: int) -> list[str]:
    """The niche's next leads that are pending approval, in ascending order of id, locked."""
    rows = conn.execute(
        """
        select id::text from leads
        where niche_id = %s and status = 'pending_approval'
          and id > coalesce(%s::uuid, '00000000-0000-0000-0000-000000000000')
        order by id limit %s for no key update
        """,
        (niche_id, after_lead_id, limit),
    ).fetchall()
    return [row[0] for row in rows]


def count_pending(conn: Connection, niche_id: str) -> int:
    """How many of the niche's leads are pending approval."""
    query = "select count(*) from leads where niche_id = %s and status = 'pending_approval'"
    return conn.execute(query, (niche_id,)).fetchall()[0][0]


def states_of(conn: Connection, lead_ids: Sequence[str]) -> dict[str, LeadProgress]:
    """How far those of the leads that exist have come; nothing is locked."""
    leads = all_rows(
        conn,
        LeadProgress,
        """
        select l.id::text as lead_id, l.niche_id::text, l.status, l.awaits_decision, l.isolated,
               n.slug as niche_slug, n.is_active as niche_is_active, l.correlation_id
        from leads l join niches n on n.id = l.niche_id where l.id = any(%s::uuid[])
        """,
        (list(lead_ids),),
    )
    return {lead.lead_id: lead for lead in leads}


def lock_lead(conn: Connection, lead_id: str) -> LeadProgress | None:
    """How far the lead has come, its row locked; None when there is none."""
    return one_row(
        conn,
        LeadProgress,
        """
        select l.id::text as lead_id, l.niche_id::text, l.status, l.awaits_decision, l.isolated,
               n.slug as niche_slug, n.is_active as niche_is_active,
               l.correlation_id
        from leads l join niches n on n.id = l.niche_id where l.id = %s for no key update of l
        """,
        (lead_id,),
    )


def lock_decided(conn: Connection, lead_ids: Sequence[str]) -> list[str]:
    """Those of the leads that await no decision, locked in ascending order of id.

    Leads that are locked elsewhere are left out and not waited for: they may be about to await one again.
    """
    rows = conn.execute(
        """
        select id::text from leads where id = any(%s::uuid[]) and not awaits_decision
        order by id for no key update skip locked
        """,
        (list(lead_ids),),
    ).fetchall()
    return [row[0] for row in rows]


def untried_leads(conn: Connection, niche_id: str, after_lead_id: str | None, limit: int) -> list[str]:
    """The niche's next approved leads whose distribution was never requested, locked in ascending order of id.

    One that was given up because it kept killing its worker was asked for, although no attempt came to an end.
    """
    rows = conn.execute(
        """
        select id::text from leads
        where niche_id = %s and status = 'approved' and not awaits_decision and last_outcome is null
          and id > coalesce(%s::uuid, '00000000-0000-0000-0000-000000000000')
        order by id limit %s for no key update
        """,
        (niche_id, after_lead_id, limit),
    ).fetchall()
    return [row[0] for row in rows]
