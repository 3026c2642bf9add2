"""Messages about leads whose personal data is erased: what waits is not sent, and no answer says anything of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fairlead.core.erasure_terms import ERASED_NOTICE, ERASED_WORDS
from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class ErasureNotice:
    """That a provider was told to erase a lead, by one channel, and how far that has come."""

    provider_id: str
    provider_name: str
    channel: str
    state: str
    sent_at: datetime | None


TELLS_OF_LEAD = ("lead_assigned", "lead_withdrawn", "lead_confirmation", "lead_confirmed")
"""Messages that say something of the lead itself, and nothing once that is erased."""


def lock_messages_about(conn: Connection, lead_ids: Sequence[str]) -> list[str]:
    """The notifications about the leads, locked in ascending order of id. Needs the locks of the leads."""
    rows = conn.execute(
        """
        select id::text from notifications
        where lead_id = any(%(ids)s::uuid[])
           or assignment_id = any(array(select id from assignments where lead_id = any(%(ids)s::uuid[])))
        order by id for no key update
        """,
        {"ids": list(lead_ids)},
    ).fetchall()
    return [row[0] for row in rows]


def end_messages(conn: Connection, notification_ids: Sequence[str], ended_by: str, now: datetime) -> list[str]:
    """Those of the notifications, locked, that tell of their lead and wait are not sent, and open dead letters are
    resolved; returns the ids of these.

    One that a job is sending at this moment is left to it: should it fail, the next attempt finds the erased lead.
    """
    ids = list(notification_ids)
    conn.execute(
        """
        update notifications n set state = 'skipped', last_answer = %s, claimed_by_job = null
        where n.id = any(%s::uuid[]) and n.state in ('queued', 'failed') and n.kind = any(%s) and not exists (
            select from jobs j where j.id = n.claimed_by_job and j.state = 'running')
        """,
        (ERASED_NOTICE, ids, list(TELLS_OF_LEAD)),
    )
    rows = conn.execute(
        """
        update dead_letters d set resolved_at = %s, resolved_by = %s, resolution = 'resolved', memo = %s
        from notifications n
        where d.notification_id = any(%s::uuid[]) and d.resolved_at is null and n.id = d.notification_id
          and n.state = 'skipped'
        returning d.id::text
        """,
        (now, ended_by, ERASED_NOTICE, ids),
    ).fetchall()
    return sorted(row[0] for row in rows)


def erase_answers(conn: Connection, notification_ids: Sequence[str]) -> None:
    """What mail servers answered to these messages, and the errors of their attempts, are gone. Needs their locks.

    What a webhook's receiver answered is kept as its status alone, and stays.
    """
    ids = list(notification_ids)
    conn.execute(
        """
        update notifications set last_error = null,
                                 last_answer = case when last_answer in (%(notice)s) then last_answer
                                                    when last_answer is not null then %(words)s end
        where id = any(%(ids)s::uuid[]) and channel = 'email' and num_nonnulls(last_error, last_answer) > 0
        """,
        {"notice": ERASED_NOTICE, "words": ERASED_WORDS, "ids": ids},
    )
    conn.execute("update job_attempts set error = null where notification_id = any(%s::uuid[])", (ids,))
    conn.execute(
        """
        update dead_letters set error = %(words)s, trace = null, memo = case when memo is not null then %(words)s end
        where notification_id = any(%(ids)s::uuid[])
        """,
        {"words": ERASED_WORDS, "ids": ids},
    )


def notices_of_erasure(conn: Connection, lead_id: str) -> list[ErasureNotice]:
    """Who was told to erase the lead, by name and channel; nothing is locked."""
    return all_rows(
        conn,
        ErasureNotice,
        """
        select p.id::text as provider_id, p.name as provider_name, n.channel, n.state, n.sent_at
        from assignments a join notifications n on n.assignment_id = a.id and n.kind = 'lead_erased'
        join providers p on p.id = a.provider_id
        where a.lead_id = %s order by p.name, p.id, n.channel
        """,
        (lead_id,),
    )
