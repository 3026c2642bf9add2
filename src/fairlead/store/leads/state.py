"""A lead's state: the one module in which its status moves, and what is counted of its attempts.

Every function needs the locks of the leads that it names, but `isolate_waiting_leads`. Those that name what the
leads were before raise `RowsMissed` where one was not.
"""

from collections.abc import Sequence
from datetime import datetime

from fairlead.core.decision import Decision
from fairlead.core.erasure_terms import ERASED_WORDS
from fairlead.store.arrays import array_text
from fairlead.store.connection import Connection
from fairlead.store.reports.changes import leads_changed
from fairlead.store.row_counts import change_rows


def set_confirmed(conn: Connection, lead_id: str) -> None:
    """The lead, locked before, waited for its consumer to confirm it: it is pending approval."""
    statement = "update leads set status = 'pending_approval' where id = %s and status = 'pending_confirmation'"
    change_rows(conn, "leads_confirmed_were_waiting_for_it", 1, statement, (lead_id,))


def set_approved(
    conn: Connection, lead_ids: Sequence[str], approved_by: str, now: datetime, correlation_id: str | None
) -> list[str]:
    """The leads, locked and pending before, are approved; returns those that await a decision now.

    In a niche that waits for a manual trigger, none does.
    """
    rows = change_rows(
        conn,
        "leads_approved_were_pending",
        len(lead_ids),
        """
        update leads l set status = 'approved', approved_at = %s, approved_by = %s, correlation_id = %s,
                           awaits_decision = n.auto_distribute
        from niches n where n.id = l.niche_id and l.id = any(%s::uuid[]) and l.status = 'pending_approval'
        returning l.id::text, l.awaits_decision
        """,
        (now, approved_by, correlation_id, list(lead_ids)),
    ).fetchall()
    leads_changed(conn, lead_ids)
    return sorted(lead_id for lead_id, awaits in rows if awaits)


def set_rejected(
    conn: Connection, lead_ids: Sequence[str], reason: str, rejected_by: str, now: datetime, correlation_id: str | None
) -> None:
    """The leads, locked and unsold before, are rejected and not distributed again."""
    change_rows(
        conn,
        "leads_rejected_were_unsold",
        len(lead_ids),
        """
        update leads set status = 'rejected', awaits_decision = false, reopens_at = null, rejected_at = %s,
                         rejected_by = %s, rejection_reason = %s, correlation_id = coalesce(%s, correlation_id)
        where id = any(%s::uuid[]) and status in ('pending_confirmation', 'pending_approval', 'approved')
        """,
        (now, rejected_by, reason, correlation_id, list(lead_ids)),
    )
    leads_changed(conn, lead_ids)


def set_withdrawn(conn: Connection, lead_id: str, now: datetime) -> None:
    """The consumer of the lead, which is locked, has withdrawn it. It is rejected, or it was sold or bad before."""
    change_rows(
        conn,
        "leads_withdrawn_once",
        1,
        "update leads set withdrawn_at = %s where id = %s and withdrawn_at is null",
        (now, lead_id),
    )


def set_answers_erased(conn: Connection, lead_ids: Sequence[str], now: datetime) -> None:
    """The leads, locked and never to be sold again, say nothing that was asked of their consumers; the salt is gone."""
    change_rows(
        conn,
        "leads_answers_erased_once",
        len(lead_ids),
        """
        update leads set attributes = '{}', attributes_salt = null, answers_erased_at = %s
        where id = any(%s::uuid[]) and answers_erased_at is null
        """,
        (now, list(lead_ids)),
    )


def set_contact_erased(conn: Connection, lead_ids: Sequence[str], now: datetime) -> None:
    """The leads, locked and never to be sold again, do not say who their consumers are."""
    change_rows(
        conn,
        "leads_contact_erased_once",
        len(lead_ids),
        """
        update leads set contact_name = null, contact_email = null, contact_phone = null, email_key = null,
                         phone_key = null, referrer = null, contact_erased_at = %s
        where id = any(%s::uuid[]) and contact_erased_at is null
        """,
        (now, list(lead_ids)),
    )


def set_erased(conn: Connection, lead_ids: Sequence[str], now: datetime) -> None:
    """The leads, locked, without answers and contact data, say nothing personal at all, and no file's row is theirs."""
    change_rows(
        conn,
        "leads_erased_once",
        len(lead_ids),
        """
        update leads set utm_source = null, utm_medium = null, utm_campaign = null, row_key = null, last_error = null,
                         dedupe_key = 'id:' || id, erased_at = %s,
                         rejection_reason = case when rejection_reason is not null then %s end
        where id = any(%s::uuid[]) and erased_at is null and answers_erased_at is not null
          and contact_erased_at is not null
        """,
        (now, ERASED_WORDS, list(lead_ids)),
    )


def set_bad(conn: Connection, lead_id: str) -> None:
    """The lead, locked before, is bad and not distributed again."""
    change_rows(
        conn,
        "leads_bad_were_good",
        1,
        """
        update leads set status = 'bad', awaits_decision = false, reopens_at = null, isolated = false,
                         isolated_since = null
        where id = %s and status <> 'bad'
        """,
        (lead_id,),
    )
    leads_changed(conn, [lead_id])


def set_awaiting(conn: Connection, lead_ids: Sequence[str], correlation_id: str | None) -> None:
    """The leads, locked and approved before, await a decision, with a clean slate: earlier failures count no more."""
    change_rows(
        conn,
        "leads_awaiting_were_approved",
        len(lead_ids),
        """
        update leads set awaits_decision = true, failed_runs = 0, last_error = null, isolated = false,
                         isolated_since = null, crash_count = 0, reopens_at = null,
                         correlation_id = coalesce(%s, correlation_id)
        where id = any(%s::uuid[]) and status = 'approved'
        """,
        (correlation_id, list(lead_ids)),
    )


def count_reoffer(conn: Connection, lead_ids: list[str]) -> None:
    """The leads, locked before, were offered again once more."""
    statement = "update leads set reoffer_count = reoffer_count + 1 where id = any(%s::uuid[]) and status = 'approved'"
    change_rows(conn, "leads_offered_again_were_approved", len(lead_ids), statement, (lead_ids,))


def set_decided(conn: Connection, decisions: Sequence[Decision], now: datetime) -> None:
    """The leads, locked before, wait no longer: each has one more attempt, its outcome, and its status by that (R1).

    Each names the providers that it is assigned to, or when it is offered again. Earlier failures count no more.
    """
    sold = [
        (decision.lead_id, recipient.provider_id)
        for decision in decisions
        for level in decision.levels
        for recipient in level.recipients
    ]
    change_rows(
        conn,
        "leads_decided_were_waiting",
        len(decisions),
        """
        update leads set
            status = case when outcome = 'no_eligible' then status else 'distributed' end,
            distributed_at = case when outcome = 'no_eligible' then null else %s end,
            recipient_ids = coalesce(sold.provider_ids, '{}'),
            awaits_decision = false, distribution_attempts = attempt, last_attempt_at = %s, last_outcome = outcome,
            reopens_at = decision.reopens_at,
            failed_runs = 0, last_error = null, isolated = false, isolated_since = null, crash_count = 0
        from unnest(%s::uuid[], %s::text[], %s::integer[], %s::timestamptz[])
             as decision (lead_id, outcome, attempt, reopens_at)
        left join (
            select lead_id, array_agg(provider_id order by provider_id) as provider_ids
            from unnest(%s::uuid[], %s::uuid[]) as recipient (lead_id, provider_id) group by lead_id
        ) sold on sold.lead_id = decision.lead_id
        where id = decision.lead_id and awaits_decision and attempt = distribution_attempts + 1
        """,
        (
            now,
            now,
            array_text(decision.lead_id for decision in decisions),
            array_text(decision.outcome.value for decision in decisions),
            array_text(decision.attempt for decision in decisions),
            array_text(
                "null" if decision.reopens_at is None else f'"{decision.reopens_at.isoformat()}"'
                for decision in decisions
            ),
            array_text(lead_id for lead_id, _ in sold),
            array_text(provider_id for _, provider_id in sold),
        ),
    )
    leads_changed(conn, [decision.lead_id for decision in decisions])


def add_failed_run(conn: Connection, lead_id: str, error: str, now: datetime) -> int:
    """The lead's newest run raised, and it is isolated from now on; returns how many runs raised so far.

    Needs the lead's lock.
    """
    rows = change_rows(
        conn,
        "leads_failed_were_waiting",
        1,
        """
        update leads set failed_runs = failed_runs + 1, distribution_attempts = distribution_attempts + 1,
                         last_attempt_at = %s, last_outcome = 'failed', last_error = %s, isolated = true,
                         isolated_since = null
        where id = %s and awaits_decision returning failed_runs
        """,
        (now, error, lead_id),
    ).fetchall()
    leads_changed(conn, [lead_id])
    return rows[0][0]


def begin_isolated(conn: Connection, lead_id: str) -> None:
    """From this transaction's commit on, a dead worker will be taken for this lead's doing, until its decision."""
    conn.execute(
        "update leads set isolated_since = statement_timestamp() where id = %s and awaits_decision", (lead_id,)
    )


def blame_for_crash(conn: Connection, lead_id: str) -> int:
    """The lead is to blame for a dead worker if it was decided by itself then; returns how often it was so far.

    Needs the lead's lock. Either way it is isolated from now on.
    """
    rows = change_rows(
        conn,
        "leads_blamed_were_waiting",
        1,
        """
        update leads set crash_count = crash_count + (isolated_since is not null)::integer, isolated_since = null,
                         isolated = true
        where id = %s and awaits_decision returning crash_count
        """,
        (lead_id,),
    ).fetchall()
    return rows[0][0]


def isolate_waiting_leads(conn: Connection, niche_id: str, limit: int) -> None:
    """The niche's oldest waiting leads, up to the size of a batch, are isolated: one of them killed a worker.

    They are locked in ascending order of id, and those that are being decided right now are left alone.
    """
    conn.execute(
        """
        update leads set isolated = true where id in (
            select id from leads
            where awaits_decision and id = any(array(
                select id from leads where niche_id = %s and awaits_decision and not isolated
                order by approved_at, id limit %s))
            order by id for no key update skip locked)
        """,
        (niche_id, limit),
    )


def give_up(conn: Connection, lead_id: str, error: str, now: datetime) -> None:
    """The lead waits no longer, until it is requested again, and its last attempt counts as failed."""
    change_rows(
        conn,
        "leads_given_up_were_waiting",
        1,
        """
        update leads set awaits_decision = false, last_outcome = 'failed', last_error = %s, isolated_since = null,
                         last_attempt_at = coalesce(last_attempt_at, %s)
        where id = %s and awaits_decision
        """,
        (error, now, lead_id),
    )
    leads_changed(conn, [lead_id])
