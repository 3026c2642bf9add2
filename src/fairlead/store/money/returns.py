"""What refunds give back besides the money: the turn of a subscription, and the lead's place in its limits."""

from collections.abc import Mapping, Sequence
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


def last_kept_turns(
    conn: Connection, subscriptions: Sequence[tuple[str, str]], but: Sequence[str]
) -> Mapping[str, int]:
    """By subscription the `served_seq` of its last assignment whose turn was not given back, these left out.

    Left out are subscriptions without one. Each is named with its provider. Needs the locks of niche and providers. The
    later of two assignments of a subscription has the higher place in its ledger, by which they are found.
    """
    rows = conn.execute(
        """
        select asked.subscription_id::text, kept.served_seq
        from unnest(%s::uuid[], %s::uuid[]) as asked (subscription_id, provider_id)
        cross join lateral (
            select a.served_seq from assignments a
            where a.provider_id = asked.provider_id and a.subscription_id = asked.subscription_id
              and not turn_returned and id <> all(%s::uuid[])
            order by a.ledger_seq desc limit 1) kept
        """,
        (
            array_text([subscription_id for subscription_id, _ in subscriptions]),
            array_text([provider_id for _, provider_id in subscriptions]),
            array_text(but),
        ),
    ).fetchall()
    return dict(rows)


def weights_charged(conn: Connection, niche_id: str, assignment_ids: Sequence[str]) -> Mapping[str, int]:
    """The weights at which assignments of the niche were charged, as their decisions say, by assignment.

    Left out are those whose level was not weighted then.
    """
    rows = conn.execute(
        """
        select a.id::text, (recipient ->> 'weight')::integer
        from assignments a join niche_journal j on j.niche_id = a.niche_id and j.seq = a.journal_seq,
             jsonb_path_query(j.payload, 'lax $.levels[*].recipients[*]') as recipient
        where a.id = any(%s::uuid[]) and a.niche_id = %s and recipient ->> 'assignment_id' = a.id::text
          and recipient ->> 'weight' is not null
        """,
        (array_text(assignment_ids), niche_id),
    ).fetchall()
    return dict(rows)


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


def set_returned(conn: Connection, returned: Sequence[tuple[str, int, RefundPolicy]]) -> None:
    """Each of these assignments, refunded, says what was given back by this entry of its niche's journal."""
    change_rows(
        conn,
        "assignments_returned_were_refunded",
        len(returned),
        """
        update assignments a
        set return_seq = returned.seq, turn_returned = returned.turn_returned, left_limits = returned.left_limits
        from unnest(%s::uuid[], %s::bigint[], %s::boolean[], %s::boolean[])
             as returned (assignment_id, seq, turn_returned, left_limits)
        where a.id = returned.assignment_id and a.status = 'refunded' and a.return_seq is null
        """,
        (
            array_text([assignment_id for assignment_id, _, _ in returned]),
            array_text([seq for _, seq, _ in returned]),
            array_text([policy.returns_turn for _, _, policy in returned]),
            array_text([policy.leaves_limits for _, _, policy in returned]),
        ),
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
