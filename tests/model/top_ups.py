"""Payments through a gateway and auto top-ups, read literally from docs/reference/payments.md. It imports nothing of
Fairlead."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.model.local_time import DAY, window

HOUR = timedelta(hours=1)
RETRIED = (DAY, 3 * DAY)
CHARGE_ASKED_AFTER = timedelta(minutes=2)


@dataclass
class Payment:
    """A payment that was asked of the gateway, by its provider or by auto top-up."""

    provider: str
    cents: int
    at: datetime
    ask_at: datetime | None
    """When the gateway is asked what became of it."""
    is_automatic: bool = False
    state: str = "pending"
    charge: str | None = None
    """The gateway's name for what paid it."""
    asked: int = 0
    answer: str | None = None
    """What its payer chose on the page of the test gateway."""


@dataclass
class TopUp:
    """`below` that balance `cents` are charged to the card, in a month at most `monthly`."""

    below: int
    cents: int
    monthly: int
    card: str
    is_on: bool = True
    off_reason: str | None = None
    refusals: int = 0
    due: datetime | None = None
    """When the balance is looked at."""
    since: datetime | None = None
    """When that was said."""

    def look(self, due: datetime | None, now: datetime) -> None:
        self.due, self.since = due, now

    def is_due(self, now: datetime) -> bool:
        return self.is_on and self.due is not None and self.due <= now

    def is_at_its_edge(self, now: datetime) -> bool:
        """Whether it is due to the microsecond, which the model does not know."""
        return self.due == now and self.since != now


@dataclass
class TopUps:
    """All payments of a marketplace, and the auto top-ups of its providers. Balances are the model's."""

    payments: list[Payment] = field(default_factory=list)
    by_provider: dict[str, TopUp] = field(default_factory=dict)

    def number_of(self, payment: Payment) -> int:
        """The payment's number, from 0."""
        [number] = [number for number, each in enumerate(self.payments) if each is payment]
        return number

    def moved(self, provider: str, before: int, after: int, now: datetime) -> None:
        """The provider's balance went from one to the other."""
        own = self.by_provider.get(provider)
        if own is not None and own.is_on and own.due is None and before >= own.below > after:
            own.look(now, now)

    def begin(self, provider: str, balance: int, is_active: bool, now: datetime) -> Payment | None:
        """What is charged now, where it is due; else it is put off, or not looked at before the balance moves."""
        own = self.by_provider[provider]
        charges = [each for each in self.payments if each.provider == provider and each.is_automatic]
        if any(each.state in ("pending", "in_review") for each in charges):
            own.look(None, now)
        elif not is_active:
            own.look(now + HOUR, now)
        elif balance >= own.below:
            own.look(None, now)
        else:
            month = window("month", now, "UTC")
            assert month is not None
            charged = sum(each.cents for each in charges if each.at >= month[0] and each.state != "failed")
            if charged + own.cents > own.monthly:
                own.look(month[1], now)
                return None
            own.look(None, now)
            self.payments.append(Payment(provider, own.cents, now, now + CHARGE_ASKED_AFTER, is_automatic=True))
            return self.payments[-1]
        return None

    def over(self, payment: Payment, state: str, balance: int, now: datetime, *, is_credited: bool) -> None:
        """It is in that state for good, with its money on the balance, which is that now, or without."""
        payment.state, payment.ask_at = state, None
        own = self.by_provider.get(payment.provider)
        if payment.is_automatic and own is not None and own.is_on:
            own.refusals = 0 if is_credited else own.refusals
            own.look(now if balance < own.below else None, now)

    def failed(self, payment: Payment, reason: str, is_final: bool, now: datetime) -> None:
        """The gateway refused it, and says whether it would do so again."""
        payment.state, payment.ask_at = "failed", None
        own = self.by_provider.get(payment.provider)
        if not payment.is_automatic or own is None or not own.is_on:
            return
        own.refusals += 1
        if is_final or own.refusals > len(RETRIED):
            own.is_on, own.off_reason = False, reason
            own.look(None, now)
        else:
            own.look(now + RETRIED[own.refusals - 1], now)
