"""Small reads that verbs and explanations need: a lead's state, and the names behind ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fairlead.core.entry.mailbox import mailbox_key
from fairlead.core.errors import BadInput, Refused
from fairlead.store.arrays import array_text
from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows, one_row


@dataclass(frozen=True, slots=True)
class LeadRecord:
    """A lead, its niche and what became of it, as the rows say."""

    lead_id: str
    niche_id: str
    niche_slug: str
    status: str
    awaits_decision: bool
    distribution_attempts: int
    last_attempt_at: datetime | None
    last_outcome: str | None
    failed_runs: int
    last_error: str | None
    assignment_count: int


@dataclass(frozen=True, slots=True)
class WaitingNiche:
    """A niche with leads that await a decision."""

    niche_id: str
    slug: str
    is_active: bool
    waiting_count: int


def lead_state(conn: Connection, lead_id: str) -> LeadRecord:
    """The lead's state. Raises `BadInput` for what is no id and `Refused` for an id that no lead has."""
    found = one_row(
        conn,
        LeadRecord,
        """
        select l.id::text as lead_id, n.id::text as niche_id, n.slug as niche_slug, l.status, l.awaits_decision,
               l.distribution_attempts,
               l.last_attempt_at, l.last_outcome, l.failed_runs, l.last_error,
               (select count(*) from assignments a where a.lead_id = l.id) as assignment_count
        from leads l join niches n on n.id = l.niche_id where l.id = %s
        """,
        (checked_id(lead_id, "lead"),),
    )
    if found is None:
        raise Refused("lead_unknown", f"there is no lead {lead_id}")
    return found


def provider_id_of(conn: Connection, id_or_email: str) -> str:
    """The id of the provider with this id or email. Raises `Refused` when there is none."""
    row = conn.execute(
        """
        select id::text from providers
        where id::text = lower(%(given)s) or lower(email) = lower(%(given)s) or email_key = %(key)s
        order by lower(email) = lower(%(given)s) desc limit 1
        """,
        {"given": id_or_email, "key": mailbox_key(id_or_email)},
    ).fetchone()
    if row is None:
        raise Refused("provider_unknown", f"there is no provider {id_or_email!r}")
    return row[0]


def niche_id_of(conn: Connection, slug: str) -> str:
    """The id of the niche with this slug. Raises `Refused` when there is none."""
    row = conn.execute("select id::text from niches where slug = %s", (slug,)).fetchone()
    if row is None:
        raise Refused("niche_unknown", f"there is no niche {slug!r}")
    return row[0]


def niches_with_waiting_leads(conn: Connection, slug: str | None) -> list[WaitingNiche]:
    """Every niche (or the one with this slug) and how many of its leads await a decision, by slug."""
    niches = all_rows(
        conn,
        WaitingNiche,
        """
        select n.id::text as niche_id, n.slug, n.is_active,
               (select count(*) from leads l where l.niche_id = n.id and l.awaits_decision) as waiting_count
        from niches n where n.slug = coalesce(%s, n.slug) order by n.slug
        """,
        (slug,),
    )
    if slug is not None and not niches:
        raise Refused("niche_unknown", f"there is no niche {slug!r}")
    return niches


def provider_names(conn: Connection, provider_ids: Sequence[str]) -> Mapping[str, str]:
    """The providers' names by id."""
    rows = conn.execute("select id::text, name from providers where id = any(%s::uuid[])", (array_text(provider_ids),))
    return dict(rows.fetchall())


def level_names(conn: Connection, niche_id: str | None) -> Mapping[str, str]:
    """The niche's level names by id, deleted ones included; None: those of every niche."""
    query = "select id::text, name from competition_levels where niche_id = coalesce(%s::uuid, niche_id)"
    return dict(conn.execute(query, (niche_id,)).fetchall())


def niche_names(conn: Connection) -> Mapping[str, str]:
    """What every niche is called, by its slug."""
    return dict(conn.execute("select slug, name from niches").fetchall())


def marketplace_currency(conn: Connection) -> str:
    """The marketplace's currency; EUR until one was declared."""
    row = conn.execute("select currency from marketplace").fetchone()
    return "EUR" if row is None else row[0]


def checked_id(text: str, noun: str, *, is_spelt_out: bool = False) -> str:
    """The id in its canonical form. Raises `BadInput` for what is no UUID; `is_spelt_out` for a noun of many words."""
    try:
        return str(UUID(text))
    except ValueError:
        if is_spelt_out:
            raise BadInput(
                [f"{text!r} is no id of a {noun}: it should look like 01900000-0000-7000-8000-000000000000"]
            ) from None
        raise BadInput(
            [f"{text!r} is no {noun} id: it should look like 01900000-0000-7000-8000-000000000000"]
        ) from None


def count_of_leads(conn: Connection) -> int:
    """How many leads the marketplace has."""
    row = conn.execute("select count(*) from leads").fetchone()
    assert row is not None, "an aggregate has one row"
    return int(row[0])


def newest_lead_at(conn: Connection) -> datetime | None:
    """When the newest lead came in; None without any."""
    return conn.execute("select max(created_at) from leads").fetchall()[0][0]


def providers_out_of_funds(conn: Connection) -> list[str]:
    """The ids of the providers with a living subscription that waits for money, by name."""
    rows = conn.execute(
        """
        select p.id::text from providers p
        where exists (select from subscriptions s where s.provider_id = p.id and s.deleted_at is null
                      and s.deactivation_reason = 'insufficient_funds')
        order by p.name, p.id
        """
    ).fetchall()
    return [str(row[0]) for row in rows]


def has_other_providers(conn: Connection, emails: Sequence[str]) -> bool:
    """Whether the marketplace has a provider whose email is none of these."""
    row = conn.execute(
        "select exists (select from providers where email_key <> all(%s))", ([mailbox_key(email) for email in emails],)
    ).fetchone()
    assert row is not None, "exists has an answer"
    return bool(row[0])
