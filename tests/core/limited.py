"""Niches whose subscriptions and providers have limits and schedules, and a book of counters that knows only sales.

The book counts in its own way: it keeps every sale with its moment, and looks through all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fairlead.core.batch import BatchDecision, NeedsBalances, decide_batch, follow_batch
from fairlead.core.calendar.limits import Counters, counters_of
from fairlead.core.configuration_entries import provider_payload, subscription_payload
from fairlead.core.decision import Decision
from fairlead.core.journal import JournalEntryKind
from fairlead.core.ledger import LedgerEntryKind as LedgerKind
from fairlead.core.ledger import post
from fairlead.core.model import PLAIN_TERMS, Balance, Lead, Level, ProviderTerms, Subscription
from tests.core.history import BEGINNING, History, id_of
from tests.core.markets import FILTERS, Market, opened


@dataclass
class LimitedHistory:
    """A history whose moments the test says, and whose windows are counted from the sales so far."""

    history: History
    now: datetime = BEGINNING
    sales: list[tuple[datetime, str, str, int]] = field(default_factory=list[tuple[datetime, str, str, int]])

    def counted(self, asked: Mapping[str, tuple[str, Counters]]) -> dict[str, Counters]:
        return {
            owner_id: counters_of(
                own.owner, owner_id, own.windows, tuple(self._used(owner_id, edges) for edges in own.windows.edges)
            )
            for owner_id, (_, own) in asked.items()
        }

    def _used(self, owner_id: str, edges: tuple[datetime | None, datetime | None]) -> tuple[int, int]:
        opened_at, closes_at = edges
        cents = [
            price_cents
            for moment, provider_id, subscription_id, price_cents in self.sales
            if owner_id in (provider_id, subscription_id)
            and (opened_at is None or opened_at <= moment)
            and (closes_at is None or moment < closes_at)
        ]
        return len(cents), sum(cents)

    def distribute(self, count: int = 1) -> list[Decision]:
        """So many leads are decided in one batch, paid for and on record."""
        batch = self.decided([self.history.lead({}) for _ in range(count)])
        self.take(batch)
        return list(batch.decisions)

    def decided(self, leads: Sequence[Lead]) -> BatchDecision:
        """What would become of the leads now; nothing has."""
        own = self.history
        asked = decide_batch(own.roster, leads, {}, self.now)
        balances: dict[str, Balance] = {}
        counters: dict[str, Counters] = {}
        while isinstance(asked, NeedsBalances):
            balances |= {each: own.balances[each] for each in asked.provider_ids}
            counters |= self.counted(asked.windows)
            asked = asked.resume(own.roster, balances, counters)
        return asked

    def take(self, batch: BatchDecision) -> None:
        """The batch is paid for and on record."""
        own = self.history
        for decision in batch.decisions:
            for recipient in decision.recipients:
                _, own.balances[recipient.provider_id] = post(
                    own.balances[recipient.provider_id], LedgerKind.LEAD_PURCHASE, recipient.price_cents
                )
                sale = (self.now, recipient.provider_id, recipient.subscription_id, recipient.price_cents)
                self.sales.append(sale)
        newest = self._sealed(batch)
        follow_batch(own.roster, batch, newest)
        own.decisions += batch.decisions

    def _sealed(self, batch: BatchDecision) -> bytes:
        return self.history.seal_at(batch.contents(self.history.version), self.now)[-1].hash

    def subscribe(self, subscription: Subscription) -> None:
        """The subscription is as given from now on."""
        before = self.history.roster.subscription(subscription.subscription_id)
        payload = subscription_payload(subscription, is_deleted=False, before=before)
        self.history.write((JournalEntryKind.SUBSCRIPTION, payload))

    def agree(self, provider_id: str, terms: ProviderTerms) -> None:
        """The provider's terms are these from now on."""
        self.history.write((JournalEntryKind.PROVIDER, provider_payload(provider_id, "active", terms)))


def limited(
    *subscriptions: tuple[str | None, str | None],
    terms: Mapping[int, ProviderTerms] | None = None,
    price_cents: int = 100,
    max_recipients: int = 1,
    levels: int = 1,
) -> LimitedHistory:
    """A niche with a provider for each pair of limits and schedule, subscribed to each level, and with money."""
    own_levels = tuple(
        Level(id_of("level", n), f"L{n}", price_cents, max_recipients, n, True) for n in range(1, levels + 1)
    )
    names = [id_of("provider", n) for n in range(1, len(subscriptions) + 1)]
    made = tuple(
        Subscription(
            id_of("subscription", 100 * level.order_position + n), name, level.level_id, True, None, FILTERS[0], True,
            limits, schedule,
        )
        for level in own_levels
        for n, (name, (limits, schedule)) in enumerate(zip(names, subscriptions, strict=True), start=1)
    )  # fmt: skip
    balances = dict.fromkeys(names, Balance(10_000_000, 0, 1))
    history = opened(Market(own_levels, dict.fromkeys(names, "active"), balances, made, {}, 1))
    own = LimitedHistory(history)
    for number, each in (terms or {}).items():
        if each != PLAIN_TERMS:
            own.agree(id_of("provider", number), each)
    return own
