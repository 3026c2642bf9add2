"""Why one subscription did or did not receive a lead, from what is recorded about its own provider alone.

`core/explanation.py` says the same of any provider, and how many others stood ahead, which takes the whole niche as it
was then. What a provider is told of many leads at once needs no other provider's state.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fairlead.core.filter_counts import asks_for_words, without_words
from fairlead.core.filter_mismatch import FilterMismatch
from fairlead.core.filters import CompiledFilter, compile_filter
from fairlead.core.form import FormSchema
from fairlead.core.gates import standing_refusal
from fairlead.core.model import Subscription
from fairlead.core.refusals import AlreadyRecipient, LevelFull

NOT_SUBSCRIBED = "not_subscribed"
"""It was no subscription at that time."""

LEVEL_INACTIVE = "level_inactive"
"""The decision did not visit its level."""

NOT_TOLD_APART = "filter_asks_for_words"
"""Its filter asked for words that people wrote, and nothing else of it kept the lead out: what became of the lead then
would tell its words."""

NOT_LOOKED_AT = "not_looked_at"
"""The subscription, or its provider, has changed too often since: what it was at that time is not looked up."""


_UNKNOWN = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class OwnDecision:
    """A decision, as far as it is about one provider: whose lead, which levels it visited in which order, which of the
    provider's subscriptions received the lead, and which were refused by name, for which reason. `shut` has those of
    them that a limit or a schedule refused until a moment."""

    seq: int
    lead_id: str
    attributes: Mapping[str, object] = field(repr=False)
    level_ids: Sequence[str]
    received: Sequence[str]
    refused: Mapping[str, str]
    shut: Mapping[str, tuple[str, datetime]] = field(default_factory=dict[str, tuple[str, datetime]])
    decided_at: datetime = _UNKNOWN


@dataclass(frozen=True, slots=True)
class OwnPast:
    """The states that a subscription was in, and its provider's, each from its journal entry on, in order.

    Before the entry `known_from_seq` they are not known.
    """

    states: Sequence[tuple[int, Subscription, bool]]
    statuses: Sequence[tuple[int, str]]
    known_from_seq: int = 0

    def has_changed(self, after_seq: int, before_seq: int) -> bool:
        """Whether an entry between the two is about the subscription or its provider."""
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
    _compiled: dict[str, tuple[CompiledFilter, bool]] = field(
        default_factory=dict[str, tuple[CompiledFilter, bool]], repr=False
    )

    def refusal(self, subscription: Subscription, attributes: Mapping[str, object]) -> str | None:
        """What keeps a lead with these attributes out, of what the subscription's provider may know of its filter.

        None where it passes all of the filter, and nothing that people wrote was asked for.
        """
        text = subscription.filter_text
        if text not in self._compiled:
            compiled = compile_filter(subscription.filter_rules, self.schema)
            self._compiled[text] = without_words(compiled), asks_for_words(compiled)
        others, has_words = self._compiled[text]
        if not others.accepts(attributes):
            return FilterMismatch.reason
        return NOT_TOLD_APART if has_words else None


def own_refusal(
    decision: OwnDecision,
    subscription_id: str,
    level_id: str,
    past: OwnPast,
    filters: OwnFilters,
    earlier: Sequence[OwnDecision] = (),
) -> str | None:
    """The reason for which the subscription did not receive the lead, in R4's precedence; None where it received it.

    Filters are judged by the form of `filters`, and what they ask of words that people wrote is not told. What shut the
    subscription is known as far as a decision of `earlier` names it, the newest first.
    """
    if subscription_id in decision.received:
        return None
    if decision.seq <= past.known_from_seq:
        return NOT_LOOKED_AT
    subscription = past.state_before(decision.seq)
    if subscription is None:
        return NOT_SUBSCRIBED
    if level_id not in decision.level_ids:
        return LEVEL_INACTIVE
    refusal = standing_refusal(subscription, past.status_before(decision.seq))
    if refusal is not None:
        return refusal.reason
    kept_out = filters.refusal(subscription, decision.attributes)
    if kept_out is not None:
        return kept_out
    if subscription_id in decision.refused:
        return decision.refused[subscription_id]
    if (shut := _shut_before(decision, subscription_id, past, earlier)) is not None:
        return shut
    return AlreadyRecipient.reason if decision.received else LevelFull.reason


def _shut_before(
    decision: OwnDecision, subscription_id: str, past: OwnPast, earlier: Sequence[OwnDecision]
) -> str | None:
    for each in earlier:
        if each.seq < decision.seq and subscription_id in each.shut:
            reason, until = each.shut[subscription_id]
            return reason if decision.decided_at < until and not past.has_changed(each.seq, decision.seq) else None
    return None
