"""Filling one level: the walk along its candidates, with the gates that depend on the walk itself (R4, R6, R7).

And the identity of what comes of it: an assignment's id holds no dice, so deciding again gives the same id.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from fairlead.core.model import Level, LevelResult, Purse, Reason, Recipient, Refusal, Subscription
from fairlead.core.roster import Roster
from fairlead.core.slots import Candidates

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def assignment_id(decided_at: datetime, niche_id: str, seq: int, subscription_id: str) -> str:
    """A version 7 UUID: 48 bits of the decision's time, the rest from SHA-256 over niche, `seq` and subscription.

    >>> from datetime import UTC
    >>> moment = datetime(2026, 1, 1, tzinfo=UTC)
    >>> assignment_id(moment, "niche", 7, "subscription")
    '019b76da-a800-7f2a-a206-a19d30a630fe'
    """
    # In integers: as a float of seconds, times from 2038 on come out a millisecond too early now and then.
    time = f"{(decided_at - _EPOCH) // _MILLISECOND:012x}"
    rest = hashlib.sha256(f"{niche_id}/{seq}/{subscription_id}".encode()).hexdigest()
    variant = "89ab"[int(rest[4], 16) & 3]
    return f"{time[:8]}-{time[8:]}-7{rest[1:4]}-{variant}{rest[5:8]}-{rest[8:20]}"


ASSUMED_RICH = Purse(balance_cents=1 << 52, credit_limit_cents=0, ledger_seq=0)
"""What a provider whose balance nobody has read yet is taken to have: enough, and an amount that JSON can hold.

Never part of a final decision; but deciding a forged record again may come out with it.
"""


class PurseLookup(Protocol):
    """Balances by provider, as far as they are known; any mapping is one."""

    def get(self, provider_id: str, /) -> Purse | None:
        """The provider's purse, or None when nobody has read it yet."""
        ...


@dataclass(slots=True)
class Walk:
    """What one decision has gathered so far, from level to level.

    `purses` are the balances it may consult; a provider missing there is taken to be able to pay.
    """

    seq: int
    decided_at: datetime
    last_served_seq: int
    purses: PurseLookup
    received_at: dict[str, str] = field(default_factory=dict[str, str])

    def refusal(self, subscription: Subscription, level: Level) -> Refusal | None:
        """The dynamic gates in R4's order; None when the candidate may be chosen."""
        provider_id = subscription.provider_id
        received_at = self.received_at.get(provider_id)
        if received_at is not None:
            return Refusal(
                subscription.subscription_id,
                provider_id,
                Reason.ALREADY_RECIPIENT,
                received_at_level_id=received_at,
            )
        purse = self.purses.get(provider_id) or ASSUMED_RICH
        if purse.available_cents < level.price_cents:
            return Refusal(
                subscription.subscription_id,
                provider_id,
                Reason.INSUFFICIENT_BALANCE,
                available_cents=purse.available_cents,
            )
        return None

    def choose(self, niche_id: str, subscription: Subscription, level: Level) -> Recipient:
        """The next pick: it takes the next `served_seq` of the niche and the next entry of its provider's ledger."""
        self.last_served_seq += 1
        self.received_at[subscription.provider_id] = level.level_id
        purse = self.purses.get(subscription.provider_id) or ASSUMED_RICH
        return Recipient(
            assignment_id=assignment_id(self.decided_at, niche_id, self.seq, subscription.subscription_id),
            subscription_id=subscription.subscription_id,
            provider_id=subscription.provider_id,
            served_seq=self.last_served_seq,
            price_cents=level.price_cents,
            ledger_seq=purse.ledger_seq + 1,
            balance_before_cents=purse.balance_cents,
            credit_limit_cents=purse.credit_limit_cents,
        )


def fill_level(roster: Roster, candidates: Candidates, level: Level, walk: Walk) -> LevelResult:
    """The level's recipients: its candidates in R5's order until `max_recipients` are chosen or nobody is left.

    A refused candidate takes no slot (R6). Whoever the walk never reached is counted as `level_full`, or as
    `already_recipient` where an earlier level chose its provider, which is known without consulting anything.
    """
    candidate_count, queue = candidates.at(level)
    recipients: list[Recipient] = []
    refused: list[Refusal] = []
    recipients_elsewhere = tuple(walk.received_at)
    while len(recipients) < level.max_recipients and (subscription := next(queue, None)) is not None:
        refusal = walk.refusal(subscription, level)
        if refusal is None:
            recipients.append(walk.choose(roster.niche_id, subscription, level))
        else:
            refused.append(refusal)
    unreached_count = candidate_count - len(recipients) - len(refused)
    counts = dict(roster.static_counts(level.level_id))
    counts[Reason.FILTER_MISMATCH] = roster.living_count(level.level_id) - candidate_count - sum(counts.values())
    if unreached_count:
        reached = sum(refusal.reason is Reason.ALREADY_RECIPIENT for refusal in refused)
        already = candidates.count_of_providers(recipients_elsewhere, level) - reached
        counts[Reason.ALREADY_RECIPIENT] = already
        counts[Reason.LEVEL_FULL] = unreached_count - already
    return LevelResult(level, tuple(recipients), tuple(refused), counts)
