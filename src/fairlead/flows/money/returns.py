"""What a refund gives back besides the money, where its niche's policy says so: a turn, a place in limits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fairlead.core.journal import JournalEntryKind
from fairlead.core.returns import RefundPolicy, Return, TurnGivenBack, return_payload
from fairlead.core.weighted import stride
from fairlead.flows.funding import Contents
from fairlead.store.configuration.rows import LockSetChanged
from fairlead.store.connection import Connection
from fairlead.store.journal import LockedNiche
from fairlead.store.money.assignments import AssignmentTerms, LockedAssignment
from fairlead.store.money.returns import (
    ShutSubscription,
    give_turns_back,
    last_kept_turns,
    leave_limits,
    refund_policies,
    set_returned,
    shut_by_limits,
    weights_charged,
)


@dataclass(frozen=True, slots=True)
class Returns:
    """What refunds give back: the journals' entries by niche id, and what the tables have to say of it."""

    policies: Mapping[str, RefundPolicy]
    assignments: Sequence[LockedAssignment]
    given_back: dict[str, list[Return]] = field(default_factory=dict[str, list[Return]])

    @property
    def contents(self) -> Mapping[str, Contents]:
        """The entries of the journals, in order, by niche id."""
        return {
            niche_id: [(JournalEntryKind.RETURN, return_payload(each)) for each in given_back]
            for niche_id, given_back in self.given_back.items()
        }


def niche_ids_of_returns(conn: Connection, terms: Sequence[AssignmentTerms]) -> set[str]:
    """The niches whose journals will say what refunds of these assignments give back. Locks nothing: to be locked."""
    policies = refund_policies(conn, sorted({each.niche_id for each in terms}))
    own = [each for each in terms if policies[each.niche_id].gives_back]
    leaving = sorted({each.provider_id for each in own if policies[each.niche_id].leaves_limits})
    shut = shut_by_limits(conn, leaving) if leaving else []
    return {each.niche_id for each in own} | {each.niche_id for each in shut}


def returns_of(conn: Connection, niches: Mapping[str, LockedNiche], assignments: Sequence[LockedAssignment]) -> Returns:
    """What refunds of these assignments, all of one lead, give back.

    Needs the locks of the niches, their providers and the assignments. Raises `LockSetChanged` where a niche that is
    concerned is not locked.
    """
    policies = refund_policies(conn, sorted({each.niche_id for each in assignments}))
    own = [each for each in assignments if policies[each.niche_id].gives_back]
    if missing := {each.niche_id for each in own} - niches.keys():
        raise LockSetChanged(sorted(missing))
    leaving = [each for each in own if policies[each.niche_id].leaves_limits]
    shut = shut_by_limits(conn, sorted({each.provider_id for each in leaving})) if leaving else []
    returns = Returns(policies, own)
    turns = _turns_given_back(conn, [each for each in own if policies[each.niche_id].returns_turn])
    for each in own:
        for niche_id, given_back in _returns_of_one(each, policies[each.niche_id], turns, shut):
            returns.given_back.setdefault(niche_id, []).append(given_back)
    if missing := returns.given_back.keys() - niches.keys():
        raise LockSetChanged(sorted(missing))
    return returns


def _turns_given_back(conn: Connection, assignments: Sequence[LockedAssignment]) -> Mapping[str, TurnGivenBack]:
    """By assignment, where its subscription stands without it. They are of one lead, and so of one niche."""
    if not assignments:
        return {}
    ids = [each.assignment_id for each in assignments]
    kept = last_kept_turns(conn, [(each.subscription_id, each.provider_id) for each in assignments], ids)
    [niche_id] = {each.niche_id for each in assignments}
    weights = weights_charged(conn, niche_id, ids)
    return {
        each.assignment_id: TurnGivenBack(
            each.subscription_id, kept.get(each.subscription_id), weights.get(each.assignment_id)
        )
        for each in assignments
    }


def _returns_of_one(
    assignment: LockedAssignment,
    policy: RefundPolicy,
    turns: Mapping[str, TurnGivenBack],
    shut: Sequence[ShutSubscription],
) -> Iterator[tuple[str, Return]]:
    opened: dict[str, list[str]] = {}
    for each in shut if policy.leaves_limits else ():
        if _is_opened_by(each, assignment):
            opened.setdefault(each.niche_id, []).append(each.subscription_id)
    own = opened.pop(assignment.niche_id, [])
    known = assignment.assignment_id, assignment.provider_id
    yield assignment.niche_id, Return(*known, turns.get(assignment.assignment_id), policy.leaves_limits, own)
    for niche_id, subscription_ids in sorted(opened.items()):
        yield niche_id, Return(*known, None, True, subscription_ids)


def _is_opened_by(shut: ShutSubscription, assignment: LockedAssignment) -> bool:
    """Whether the lead lies in the window of the limit that shuts the subscription."""
    is_counted = shut.owner == "provider" or shut.subscription_id == assignment.subscription_id
    is_within = shut.opened_at is None or shut.opened_at <= assignment.assigned_at
    return shut.provider_id == assignment.provider_id and is_counted and is_within


def record_returns(conn: Connection, niches: Mapping[str, LockedNiche], returns: Returns) -> None:
    """The tables say what is given back, as the entries do that are to follow the niches' heads.

    Needs the locks that `returns_of` names; the assignments are refunded.
    """
    for niche_id, given_back in returns.given_back.items():
        turns = [
            (turn.subscription_id, turn.served_seq, 0 if turn.weight is None else stride(turn.weight))
            for turn in (each.turn for each in given_back)
            if turn is not None
        ]
        if turns:
            give_turns_back(conn, niche_id, turns)
    seqs = {
        (niche_id, each.assignment_id): niches[niche_id].journal_seq + number
        for niche_id, given_back in returns.given_back.items()
        for number, each in enumerate(given_back, start=1)
    }
    if returns.assignments:
        set_returned(
            conn,
            [
                (each.assignment_id, seqs[each.niche_id, each.assignment_id], returns.policies[each.niche_id])
                for each in returns.assignments
            ],
        )
    leaving = [each for each in returns.assignments if returns.policies[each.niche_id].leaves_limits]
    if leaving:
        owners = sorted({owner for each in leaving for owner in (each.subscription_id, each.provider_id)})
        opened = [
            subscription_id
            for given_back in returns.given_back.values()
            for each in given_back
            for subscription_id in each.opened_subscription_ids
        ]
        leave_limits(conn, owners, sorted(opened))
