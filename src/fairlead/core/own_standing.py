"""Why one subscription did or did not receive a lead, from what is recorded about its own provider alone.

`core/explanation.py` says the same of any provider, and how many others stood ahead, which takes the whole niche as it
was then. What a provider is told of many leads at once needs no other provider's state.

What consumers typed is not told by it: words not at all, and numbers only in counts as `core/filters/counts.py` tells
them.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf

from fairlead.core.filters.counts import asks_for_numbers, asks_for_words, in_steps, without_typed, without_words
from fairlead.core.filters.filter import CompiledFilter, compile_text
from fairlead.core.filters.mismatch import FilterMismatch
from fairlead.core.form import FormSchema
from fairlead.core.gates import price_refusal, standing_refusal
from fairlead.core.model import Subscription
from fairlead.core.refusals import AlreadyRecipient, ConflictGroup, LeadFull, LevelFull, PriceAboveLimit

NOT_SUBSCRIBED = "not_subscribed"
"""It was no subscription at that time."""

LEVEL_INACTIVE = "level_inactive"
"""The decision did not visit its level."""

NOT_TOLD_APART = "filter_asks_for_typed"
"""Its filter asked for what people typed, and nothing else of it kept the lead out: what became of the lead then would
tell its words; or its number, where fewer than a step of leads were refused for the same reason."""

NOT_LOOKED_AT = "not_looked_at"
"""The subscription, or its provider, has changed too often since: what it was at that time is not looked up."""


_UNKNOWN = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class OwnDecision:
    """A decision, as far as it is about one provider: whose lead, which levels it visited in which order, which of the
    provider's subscriptions received the lead, and which were refused by name, for which reason. `shut` has those of
    them that a limit or a schedule refused until a moment; `full_at` the levels where the lead took no further
    recipient, `conflicts_at` those where another provider of its conflict group had received it.
    `prices` has what each level asked for the lead, in cents."""

    seq: int
    lead_id: str
    attributes: Mapping[str, object] = field(repr=False)
    level_ids: Sequence[str]
    received: Sequence[str]
    refused: Mapping[str, str]
    shut: Mapping[str, tuple[str, datetime]] = field(default_factory=dict[str, tuple[str, datetime]])
    decided_at: datetime = _UNKNOWN
    full_at: Sequence[str] = ()
    conflicts_at: Sequence[str] = ()
    prices: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class OwnPast:
    """The states that a subscription was in, and its provider's, each from its journal entry on, in order.

    Before the entry `known_from_seq` they are not known.
    """

    states: Sequence[tuple[int, Subscription, bool]]
    statuses: Sequence[tuple[int, str]]
    known_from_seq: int = 0
    shut: tuple[str, datetime] | None = None
    """For which reason, and until when, a limit or a schedule shuts the subscription as it is now."""

    def has_changed(self, after_seq: int, before_seq: float = inf) -> bool:
        """Whether an entry between the two, or any after the first, is about the subscription or its provider."""
        return any(after_seq < each[0] < before_seq for each in (*self.states, *self.statuses))

    def state_before(self, seq: int) -> Subscription | None:
        """The living subscription right before that entry; None without one."""
        number = bisect_right(self.states, seq, key=lambda each: each[0])
        if number == 0 or self.states[number - 1][2]:
            return None
        return self.states[number - 1][1]

    def status_before(self, seq: int) -> str:
        """The provider's status right before that entry."""
        number = bisect_right(self.statuses, seq, key=lambda each: each[0])
        return self.statuses[number - 1][1] if number else "active"


@dataclass(frozen=True, slots=True)
class OwnFilters:
    """Filters as one form judges them. Each text is compiled once, however many leads are held against it."""

    schema: FormSchema
    _compiled: dict[str, tuple[CompiledFilter, CompiledFilter, CompiledFilter]] = field(
        default_factory=dict[str, tuple[CompiledFilter, CompiledFilter, CompiledFilter]], repr=False
    )

    def refusal(self, subscription: Subscription, attributes: Mapping[str, object]) -> "OwnRefusal | None":
        """What keeps a lead with these attributes out, of what the subscription's provider may know of its filter.

        None where it passes all of the filter, and no words that people wrote were asked for.
        """
        compiled, no_words, choices = self._of(subscription)
        if not choices.accepts(attributes):
            return OwnRefusal(FilterMismatch.reason)
        if asks_for_words(compiled):
            return OwnRefusal(NOT_TOLD_APART)
        if not no_words.accepts(attributes):
            return OwnRefusal(FilterMismatch.reason, tells_number=True)
        return None

    def asks_for_numbers(self, subscription: Subscription) -> bool:
        """Whether a lead that passes the filter is known to have some number that a consumer typed."""
        return asks_for_numbers(self._of(subscription)[0])

    def _of(self, subscription: Subscription) -> tuple[CompiledFilter, CompiledFilter, CompiledFilter]:
        """All of it, without its rules about words, and without those about numbers, too."""
        text = subscription.filter_text
        if text not in self._compiled:
            compiled = compile_text(subscription.filter_text, self.schema)
            self._compiled[text] = compiled, without_words(compiled), without_typed(compiled)
        return self._compiled[text]


@dataclass(frozen=True, slots=True)
class OwnRefusal:
    """Why a subscription did not receive a lead. With `tells_number` this says something of a number that was typed."""

    reason: str
    tells_number: bool = False


def told_counts(refusals: Iterable[OwnRefusal]) -> dict[str, int]:
    """How many were refused, by reason, as the provider may know.

    What tells a number is told in whole steps, and what is left over of it is not told apart. Nor is how many numbers
    did not fit: it would be the rest of a sum of which all else is known.

    >>> told_counts([OwnRefusal("level_full", tells_number=True)] * 13 + [OwnRefusal("level_full")])
    {'level_full': 11, 'filter_asks_for_typed': 3}
    """
    told: Counter[str] = Counter()
    for refusal, count in Counter(refusals).items():
        whole = count
        if refusal.tells_number:
            whole = 0 if refusal.reason == FilterMismatch.reason else in_steps(count)
        told[refusal.reason] += whole
        told[NOT_TOLD_APART] += count - whole
    return {reason: count for reason, count in told.items() if count}


def own_refusal(
    decision: OwnDecision,
    subscription_id: str,
    level_id: str,
    past: OwnPast,
    filters: OwnFilters,
    earlier: Sequence[OwnDecision] = (),
) -> OwnRefusal | None:
    """Why the subscription did not receive the lead, in R4's precedence; None where it received it.

    Filters are judged by the form of `filters`, and what they ask of words that people wrote is not told. What shut the
    subscription is known as far as a decision of `earlier` names it, the newest first, or it shuts it still.
    """
    if subscription_id in decision.received:
        return None
    if decision.seq <= past.known_from_seq:
        return OwnRefusal(NOT_LOOKED_AT)
    subscription = past.state_before(decision.seq)
    if subscription is None:
        return OwnRefusal(NOT_SUBSCRIBED)
    if level_id not in decision.level_ids:
        return OwnRefusal(LEVEL_INACTIVE)
    standing = standing_refusal(subscription, past.status_before(decision.seq))
    if standing is not None:
        return OwnRefusal(standing.reason)
    kept_out = filters.refusal(subscription, decision.attributes)
    if kept_out is not None:
        return kept_out
    # A price may follow from what was typed: to be told which leads cost too much would tell that.
    tells_number = subscription.max_price_cents is not None or filters.asks_for_numbers(subscription)
    if price_refusal(subscription, decision.prices.get(level_id, 0)) is not None:
        return OwnRefusal(PriceAboveLimit.reason, tells_number)
    reason = decision.refused.get(subscription_id) or _shut_before(decision, subscription_id, past, earlier)
    if reason is None:
        reason = _not_reached(decision, level_id)
    return OwnRefusal(reason, tells_number)


def _not_reached(decision: OwnDecision, level_id: str) -> str:
    if decision.received:
        return AlreadyRecipient.reason
    if level_id in decision.conflicts_at:
        return ConflictGroup.reason
    return LeadFull.reason if level_id in decision.full_at else LevelFull.reason


def _shut_before(
    decision: OwnDecision, subscription_id: str, past: OwnPast, earlier: Sequence[OwnDecision]
) -> str | None:
    for each in earlier:
        if each.seq < decision.seq and subscription_id in each.shut:
            reason, until = each.shut[subscription_id]
            return reason if decision.decided_at < until and not past.has_changed(each.seq, decision.seq) else None
    return _shut_since_long(decision, subscription_id, past, earlier)


def _shut_since_long(
    decision: OwnDecision, subscription_id: str, past: OwnPast, earlier: Sequence[OwnDecision]
) -> str | None:
    """What shuts it still, where no decision that was looked at names it: then an older one did."""
    if past.shut is None or any(each.shut.get(subscription_id) == past.shut for each in earlier):
        return None
    reason, until = past.shut
    return reason if decision.decided_at < until and not past.has_changed(decision.seq) else None
