"""How far a new marketplace is, read from its data, and what operators said of the list of first steps."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import one_row


@dataclass(frozen=True, slots=True)
class SetupProgress:
    """What there is of each of the first steps. The ids are of the oldest niche and provider, None without any."""

    has_second_factor: bool
    has_name: bool
    has_active_level: bool
    has_public_form: bool
    has_provider: bool
    has_provider_user: bool
    has_funded_subscription: bool
    has_lead: bool
    has_sold_lead: bool
    niche_id: str | None
    provider_id: str | None
    keys_copied_at: datetime | None
    dismissed_at: datetime | None


def setup_progress(conn: Connection) -> SetupProgress:
    """One statement, each part of which ends at the first row that it finds."""
    row = one_row(
        conn,
        SetupProgress,
        """
        select exists (select from users where role = 'admin' and status = 'active' and totp_seed is not null)
                   as has_second_factor,
               exists (select from marketplace where name is not null) as has_name,
               exists (select from competition_levels l join niches n on n.id = l.niche_id
                       where l.is_active and l.deleted_at is null and n.is_active) as has_active_level,
               exists (select from niches where intake_is_public and is_active) as has_public_form,
               exists (select from providers) as has_provider,
               exists (select from users where role = 'provider' and status = 'active') as has_provider_user,
               exists (select from subscriptions where is_active and deleted_at is null) as has_funded_subscription,
               exists (select from leads) as has_lead,
               exists (select from assignments) as has_sold_lead,
               (select id::text from niches order by id limit 1) as niche_id,
               (select id::text from providers order by id limit 1) as provider_id,
               (select keys_copied_at from setup_checklist) as keys_copied_at,
               (select dismissed_at from setup_checklist) as dismissed_at
        """,
    )
    assert row is not None, "it has no table of its own"
    return row


def write_keys_copied(conn: Connection, now: datetime) -> bool:
    """There is a copy of the keys that encrypt secrets; False where that was said before."""
    done = conn.execute(
        """
        insert into setup_checklist (keys_copied_at) values (%s)
        on conflict (is_only_row) do update set keys_copied_at = excluded.keys_copied_at
        where setup_checklist.keys_copied_at is null
        """,
        (now,),
    )
    return done.rowcount == 1


def write_dismissed(conn: Connection, now: datetime) -> bool:
    """The list of first steps is shown no more; False where it was so before."""
    done = conn.execute(
        """
        insert into setup_checklist (dismissed_at) values (%s)
        on conflict (is_only_row) do update set dismissed_at = excluded.dismissed_at
        where setup_checklist.dismissed_at is null
        """,
        (now,),
    )
    return done.rowcount == 1
