"""A batch that was foreseen from other balances than there are: the same one, where nothing turned on the difference.

Providers are paid for, refunded and charged elsewhere all the time, so what was seen last of a balance is often not
what its locked row says. A decision asks of a balance only whether it covers a price. Where each of these questions
has the same answer with the true balance, the decision differs in what is recorded of the balances alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from fairlead.core.decision import Decision, LevelResult, Recipient
from fairlead.core.model import Balance, Subscription


@dataclass(frozen=True, slots=True)
class Moved:
    """What a provider was taken to have before a batch, and what it has."""

    expected: Balance
    true: Balance

    def after(self, balance: Balance) -> Balance:
        """The true balance where the expected one stood at this."""
        return replace(
            self.true,
            balance_cents=balance.balance_cents + self.true.balance_cents - self.expected.balance_cents,
            ledger_seq=balance.ledger_seq + self.true.ledger_seq - self.expected.ledger_seq,
        )


def has_same_outcome(
    steps: Iterable[tuple[Decision, Sequence[Subscription]]],
    moved: Mapping[str, Moved],
    after: Mapping[str, Balance],
    dearest_cents: int,
) -> bool:
    """Whether each decision, with what it switched off, comes out the same with the true balances.

    So it is where none of these providers was refused or switched off for money, and each can pay for the dearest
    level after all its charges, and so before each of them. `after` are the balances after the batch, as expected;
    `dearest_cents` is the highest of the lowest prices of the levels (R9).
    """
    if any(own.after(after[provider_id]).available_cents < dearest_cents for provider_id, own in moved.items()):
        return False
    for decision, deactivated in steps:
        if any(subscription.provider_id in moved for subscription in deactivated):
            return False
        for result in decision.levels:
            if any(each.provider_id in moved and each.refusal.used_balance for each in result.refused):
                return False
    return True


def with_true_balances(decision: Decision, moved: Mapping[str, Moved]) -> Decision:
    """The decision as the true balances have it, where `has_same_outcome`: each charge is recorded from those.

    >>> from datetime import datetime
    >>> from fairlead.core.decision import Outcome
    >>> from fairlead.core.model import Level
    >>> gold = Level("gold", "Gold", 500, 1, 1, is_active=True)
    >>> paid = Recipient("a", "s", "p", 1, 500, ledger_seq=4, balance_before_cents=900, credit_limit_cents=0)
    >>> of_gold = LevelResult(gold, (paid,), (), {})
    >>> foreseen = Decision("n", 1, "l", "", 1, datetime(2026, 1, 1), 1, 1, Outcome.SUCCESS, (of_gold,))
    >>> refunded = Moved(Balance(900, 0, 3), Balance(1400, 0, 4))
    >>> [found] = with_true_balances(foreseen, {"p": refunded}).recipients
    >>> found.balance_before_cents, found.ledger_seq
    (1400, 5)
    """
    if not any(recipient.provider_id in moved for recipient in decision.recipients):
        return decision
    return replace(decision, levels=tuple(_level_with(result, moved) for result in decision.levels))


def _level_with(result: LevelResult, moved: Mapping[str, Moved]) -> LevelResult:
    return replace(result, recipients=tuple(_recipient_with(each, moved) for each in result.recipients))


def _recipient_with(recipient: Recipient, moved: Mapping[str, Moved]) -> Recipient:
    own = moved.get(recipient.provider_id)
    if own is None:
        return recipient
    before = own.after(Balance(recipient.balance_before_cents, recipient.credit_limit_cents, recipient.ledger_seq))
    return replace(
        recipient,
        ledger_seq=before.ledger_seq,
        balance_before_cents=before.balance_cents,
        credit_limit_cents=before.credit_limit_cents,
    )
