"""What refunds give back besides the money: the turn of a subscription, and the lead's place in its limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fairlead.core.returns import RefundPolicy
from fairlead.store.arrays import array_text
from fairlead.store.connection import Connection
from fairlead.store.distribution.limit_counters import forget_used
from fairlead.store.row_counts import change_rows
from fairlead.store.typed_rows import all_rows


def refund_policies(conn: Connection, niche_ids: Sequence[str]) -> dict[str, RefundPolicy]:
    """What a refund gives back in each of these niches, by niche id. Final only under their locks."""
    rows = conn.execute(
        "select id::text, refund_returns_turn, refund_leaves_limits from niches where id = any(%s::uuid[])",
        (array_text(niche_ids),),
    ).fetchall()
    return {niche_id: RefundPolicy(returns_turn, leaves_limits) for niche_id, returns_turn, leaves_limits in rows}


def set_refund_policy(conn: Connection, niche_id: str, policy: RefundPolicy) -> None:
    """Refunds in the niche give this back. Needs its lock."""
    change_rows(
        conn,
        "niches_with_a_refund_policy_are_there",
        1,
        "update niches set refund_returns_turn = %s, refund_leaves_limits = %s where id = %s",
        (policy.returns_turn, policy.leaves_limits, niche_id),
    )


@dataclass(frozen=True, slots=True)
class ShutSubscription:
    """A living subscription that a limit shuts: one of its own, or one of its provider's over all niches.

    `opened_at` is when the limit's window opened; None: it is of all time.
    """

    subscription_id: str
    provider_id: str
    niche_id: str
    owner: str
    opened_at: datetime | None


def shut_by_limits(conn: Connection, provider_ids: Sequence[str]) -> list[ShutSubscription]:
    """The providers' living subscriptions that a limit shuts, by id. Final in niches whose locks are held."""
    return all_rows(
        conn,
        ShutSubscription,
        """
        select id::text as subscription_id, provider_id::text, niche_id::text, shut_by ->> 'owner' as owner,
               (shut_by ->> 'opened_at')::timestamptz as opened_at
        from subscriptions
        where provider_id = any(%s::uuid[]) and shut_by ->> 'reason' = 'cap_reached' and deleted_at is null
        order by id
        """,
        (array_text(provider_ids),),
    )


def last_kept_turn(conn: Connection, provider_id: str, subscription_id: str, but: Sequence[str]) -> int | None:
    """The `served_seq` of the subscription's last assignment whose turn was not given back, these left out.

    None where there is none. Needs the locks of niche and provider. The later of two assignments of a subscription has
    the higher place in its ledger, by which they are found.
    """
    rows = conn.execute(
        """
        select served_seq from assignments
        where provider_id = %s and subscription_id = %s and not turn_returned and id <> all(%s::uuid[])
        order by ledger_seq desc limit 1
        """,
        (provider_id, subscription_id, array_text(but)),
    ).fetchall()
    return rows[0][0] if rows else None


def weight_charged(conn: Connection, niche_id: str, assignment_id: str) -> int | None:
    """The weight at which the assignment was charged, where its level was weighted then, as its decision says."""
    rows = conn.execute(
        """
        select (recipient ->> 'weight')::integer
        from assignments a join niche_journal j on j.niche_id = a.niche_id and j.seq = a.journal_seq,
             jsonb_path_query(j.payload, 'lax $.levels[*].recipients[*]') as recipient
        where a.id = %s and a.niche_id = %s and recipient ->> 'assignment_id' = a.id::text
        """,
        (assignment_id, niche_id),
    ).fetchall()
    return rows[0][0] if rows else None


def give_turns_back(conn: Connection, niche_id: str, turns: Sequence[tuple[str, int | None, int]]) -> None:
    """Each of these subscriptions stands at that place, or among those never served, its pass lower by so much.

    Needs the niche's lock.
    """
    change_rows(
        conn,
        "subscriptions_given_a_turn_back_had_it",
        len(turns),
        """
        update subscriptions s
        set served_seq = turn.served_seq, pass = s.pass - turn.stride,
            last_received_at = (select a.assigned_at from assignments a
                                where a.niche_id = s.niche_id and a.served_seq = turn.served_seq)
        from unnest(%s::uuid[], %s::bigint[], %s::bigint[]) as turn (subscription_id, served_seq, stride)
        where s.id = turn.subscription_id and s.niche_id = %s and s.served_seq >= coalesce(turn.served_seq, 0)
        """,
        (
            [subscription_id for subscription_id, _, _ in turns],
            [served_seq for _, served_seq, _ in turns],
            [stride for _, _, stride in turns],
            niche_id,
        ),
    )


def set_returned(conn: Connection, assignment_id: str, return_seq: int, policy: RefundPolicy) -> None:
    """The assignment, refunded, says what was given back by this entry of its niche's journal."""
    change_rows(
        conn,
        "assignments_returned_were_refunded",
        1,
        """
        update assignments set return_seq = %s, turn_returned = %s, left_limits = %s
        where id = %s and status = 'refunded' and return_seq is null
        """,
        (return_seq, policy.returns_turn, policy.leaves_limits, assignment_id),
    )


def leave_limits(conn: Connection, owner_ids: Sequence[str], opened_subscription_ids: Sequence[str]) -> None:
    """The windows of these subscriptions and providers are counted anew, and nothing shuts these subscriptions.

    Needs the locks of the niches and providers. Three statements.
    """
    forget_used(conn, "subscriptions", owner_ids)
    forget_used(conn, "providers", owner_ids)
    change_rows(
        conn,
        "subscriptions_opened_were_shut",
        len(opened_subscription_ids),
        "update subscriptions set shut_by = null where id = any(%s::uuid[]) and shut_by is not null",
        (array_text(opened_subscription_ids),),
    )
