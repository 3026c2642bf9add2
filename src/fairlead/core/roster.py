"""A niche's levels and subscriptions in memory, as of one `seq` of its journal.

A roster is a fold of the journal: brought up to the head under the niche's lock, it is exactly what the tables say.
It answers one question fast: which subscriptions pass the standing gates and the filter for a lead, in R5's order.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import takewhile

from fairlead.core.fairness import served_rank
from fairlead.core.filters.filter import compile_text
from fairlead.core.fold import Head, JournalGap, fold
from fairlead.core.form import FormSchema, parse_form_schema
from fairlead.core.gates import standing_refusal
from fairlead.core.journal import Entry
from fairlead.core.model import PLAIN_TERMS, Lead, Level, ProviderTerms, Subscription
from fairlead.core.prices import PricedLevel, priced_level
from fairlead.core.refusals import Refusal
from fairlead.core.slots import Candidates, Slots
from fairlead.core.traversal import active_levels_by_position
from fairlead.core.weighted import NO_LEVEL_PASS, LevelPass, pass_in_order, start_pass

DEAD_SLOTS_TOLERATED = 4096
"""From this many dead slots on, and more dead than living ones, a roster gives its subscriptions new slots."""


class Roster:
    """One niche's levels and living subscriptions at `head.seq`."""

    def __init__(self, niche_id: str) -> None:
        self.niche_id = niche_id
        self.head = Head(0, bytes(32), 1, 0)
        self.is_active = True
        self.max_recipients_per_lead: int | None = None
        self.schema = FormSchema(())
        self.active_levels: tuple[Level, ...] = ()
        self._levels: dict[str, Level] = {}
        self._priced_levels: dict[str, PricedLevel] = {}
        self._provider_status: dict[str, str] = {}
        self._terms: dict[str, ProviderTerms] = {}
        self._equal_terms: dict[ProviderTerms, ProviderTerms] = {}
        self._conflict_groups: dict[str, tuple[str, ...]] = {}
        self._served_while_gone: dict[str, int] = {}
        self._passes_while_gone: dict[str, int] = {}
        self._level_passes: dict[str, LevelPass] = {}
        self._slots = Slots(self._level_passes)
        self._undo: list[Callable[[], None]] | None = None

    # Reading --------------------------------------------------------------------------------------------------

    @property
    def levels(self) -> Mapping[str, Level]:
        """The living levels by id, active or not."""
        return self._levels

    def priced_level(self, level_id: str) -> PricedLevel:
        """The living level with its price rules, ready to be asked."""
        priced = self._priced_levels.get(level_id)
        if priced is None:
            priced = self._priced_levels[level_id] = priced_level(self._levels[level_id], self.schema)
        return priced

    @property
    def subscriptions(self) -> Mapping[str, Subscription]:
        """The living subscriptions by id."""
        return self._slots.living()

    def subscription(self, subscription_id: str) -> Subscription | None:
        """The living subscription of that id."""
        return self._slots.get(subscription_id)

    def served_seq(self, subscription_id: str) -> int | None:
        """When a subscription was last served by the niche's counter, also while it is deleted (R12)."""
        if subscription_id in self._slots:
            return self._slots.served_seq(subscription_id)
        return self._served_while_gone.get(subscription_id)

    def pass_value(self, subscription_id: str) -> int:
        """The subscription's own pass (R15), also while it is deleted (R12)."""
        if subscription_id in self._slots:
            return self._slots.pass_value(subscription_id)
        return self._passes_while_gone.get(subscription_id, 0)

    @property
    def passes_while_gone(self) -> Mapping[str, int]:
        """The passes of the subscriptions that are deleted, where they were ever charged (R12)."""
        return {own_id: own for own_id, own in self._passes_while_gone.items() if own}

    @property
    def level_passes(self) -> Mapping[str, LevelPass]:
        """Where the levels stand that ever gave a lead by weight."""
        return self._level_passes

    def level_pass(self, level_id: str) -> LevelPass:
        """Where the level stands, or stood while it was weighted."""
        return self._level_passes.get(level_id, NO_LEVEL_PASS)

    def start_pass(self, subscription_id: str, level_id: str) -> int:
        """The pass at which the level's subscription stands in its queue while the level is weighted."""
        served_seq = self.served_seq(subscription_id)
        return start_pass(self.pass_value(subscription_id), served_seq, self.level_pass(level_id))

    def provider_status(self, provider_id: str) -> str | None:
        """A provider's status in this niche's journal; None when it never subscribed here."""
        return self._provider_status.get(provider_id)

    @property
    def terms(self) -> Mapping[str, ProviderTerms]:
        """The terms of providers, where they are not plain."""
        return self._terms

    @property
    def conflict_groups(self) -> Mapping[str, Sequence[str]]:
        """The providers of each conflict group, of those that ever subscribed in the niche."""
        return self._conflict_groups

    def shut_by(self, subscription_id: str) -> Refusal | None:
        """The limit or schedule that shuts the living subscription until the moment that it says, if one does."""
        return self._slots.shut_by(subscription_id)

    def by_slot(self) -> Iterator[tuple[int, Subscription, str | None]]:
        """Each living subscription with its slot, as `matching` names it, and the standing gate that refuses it."""
        return self._slots.by_slot()

    def subscriptions_of(self, provider_id: str) -> list[Subscription]:
        """The provider's living subscriptions in this niche, by subscription id."""
        return self._slots.of_provider(provider_id)

    def standing_counts(self, level_id: str) -> Mapping[str, int]:
        """How many living subscriptions of the level can receive no lead at all, by reason."""
        return self._slots.gate_counts(level_id)

    def living_count(self, level_id: str) -> int:
        """How many living subscriptions the level has."""
        return self._slots.living_count(level_id)

    def matching(self, attributes: Mapping[str, object], moment: datetime | None = None) -> Candidates:
        """The subscriptions, of every level, that pass the standing gates and the filter for these attributes.

        Those that are shut at the moment are told apart; without one none is taken to be.
        """
        return self._slots.candidates(attributes, moment)

    def candidates_of(self, lead: Lead, moment: datetime) -> Candidates:
        """`matching` for the lead; of one whose attributes were erased, those that it is said to match."""
        if lead.matched_ids is None:
            return self.matching(lead.attributes, moment)
        return self._slots.named(lead.matched_ids, moment)

    def count_ahead(
        self, attributes: Mapping[str, object], moment: datetime, subscription: Subscription, price_cents: int
    ) -> int:
        """How many candidates for a lead with these attributes, which costs so much, stand before the subscription."""
        level = replace(self._levels[subscription.level_id], price_cents=price_cents)
        _, queue = self.matching(attributes, moment).at(level)
        ids = (each.subscription_id for each in queue)
        return sum(1 for _ in takewhile(lambda subscription_id: subscription_id != subscription.subscription_id, ids))

    def __len__(self) -> int:
        return len(self._slots)

    # Following the journal ------------------------------------------------------------------------------------

    def fold(self, entry: Entry) -> None:
        """The roster stands at `entry.seq`. Raises as `fold.fold` does."""
        fold(self, entry)

    def set_niche(self, is_active: bool, form_schema: object, max_recipients_per_lead: int | None = None) -> None:
        """The niche's form schema, activity and limit of recipients per lead are these.

        Every filter is read anew against the schema.
        """
        self.is_active = is_active
        self.max_recipients_per_lead = max_recipients_per_lead
        schema = parse_form_schema(form_schema)
        if schema != self.schema:
            self.schema = schema
            self._priced_levels.clear()
            self._take_new_slots()

    def set_level(self, level: Level, is_deleted: bool) -> None:
        """The level is as given, or gone. What shuts its subscriptions is forgotten: its price may be another."""
        before = self._levels.pop(level.level_id, None)
        self._priced_levels.pop(level.level_id, None)
        if not is_deleted:
            self._levels[level.level_id] = level
        own_pass = pass_in_order(self.level_pass(level.level_id), before and before.order, level.order)
        self.set_level_pass(level.level_id, own_pass)
        self._slots.open_level(level.level_id)
        self.active_levels = active_levels_by_position(self._levels.values())

    def set_provider(self, provider_id: str, status: str, terms: ProviderTerms = PLAIN_TERMS) -> None:
        """The provider's status and terms are these, for each of its subscriptions. What shuts those is forgotten."""
        self._provider_status[provider_id] = status
        before = self._terms.pop(provider_id, PLAIN_TERMS)
        if terms != PLAIN_TERMS:
            # Equal ones are one, which a decision then finds in the processor's cache.
            self._terms[provider_id] = self._equal_terms.setdefault(terms, terms)
        if before.conflict_group_id != terms.conflict_group_id:
            self._regroup(provider_id, before.conflict_group_id, terms.conflict_group_id)
        for subscription in self._slots.of_provider(provider_id):
            self._slots.change(subscription, self._gate_of(subscription))
            self._slots.shut(subscription.subscription_id, None)

    def _regroup(self, provider_id: str, left_id: str | None, joined_id: str | None) -> None:
        groups = self._conflict_groups
        if left_id is not None:
            groups[left_id] = tuple(each for each in groups[left_id] if each != provider_id)
            if not groups[left_id]:
                del groups[left_id]
        if joined_id is not None:
            groups[joined_id] = (*groups.get(joined_id, ()), provider_id)

    def set_subscription(self, subscription: Subscription, is_deleted: bool) -> None:
        """The subscription is as given, or gone; what shut it is forgotten.

        Its place in the order stays what it was (R12).
        """
        before = self._slots.get(subscription.subscription_id)
        keeps_filter = before is not None and not is_deleted and before.filter_text == subscription.filter_text
        if self._undo is not None:
            if not keeps_filter:
                raise JournalGap("only activity may change in a trial")
            assert before is not None, "it keeps its filter"
            # Taken back in the opposite order: being set, the subscription would forget what shut it.
            self._undo.append(partial(self._slots.shut, before.subscription_id, self.shut_by(before.subscription_id)))
            self._undo.append(partial(self.set_subscription, before, is_deleted=False))
        if keeps_filter:
            self._slots.change(subscription, self._gate_of(subscription))
            self._slots.shut(subscription.subscription_id, None)
            return
        if before is not None:
            self._remove(subscription.subscription_id)
        if not is_deleted:
            if self._slots.dead_count > len(self._slots) + DEAD_SLOTS_TOLERATED:
                self._take_new_slots()
            self._occupy(subscription)

    def set_next_start(self, order_position: int) -> None:
        """The rotation pointer (R2) is at this position."""
        self.head = replace(self.head, next_start_order_position=order_position)

    def set_served(self, subscription_id: str, served_seq: int) -> None:
        """The subscription was served last at `served_seq`: it stands behind every subscription served before (R5)."""
        if self._undo is not None:
            before = self.served_seq(subscription_id)
            undo = partial(self.forget_served, subscription_id)
            self._undo.append(undo if before is None else partial(self.set_served, subscription_id, before))
        if subscription_id in self._slots:
            self._slots.move(subscription_id, served_seq)
        else:
            self._served_while_gone[subscription_id] = served_seq

    def set_pass(self, subscription_id: str, pass_value: int) -> None:
        """The subscription, living or not, has this pass of its own (R15)."""
        if self._undo is not None:
            self._undo.append(partial(self.set_pass, subscription_id, self.pass_value(subscription_id)))
        if subscription_id in self._slots:
            self._slots.set_pass(subscription_id, pass_value)
        else:
            self._passes_while_gone[subscription_id] = pass_value

    def set_level_pass(self, level_id: str, level_pass: LevelPass) -> None:
        """The level stands there (R15)."""
        if self._undo is not None:
            self._undo.append(partial(self.set_level_pass, level_id, self.level_pass(level_id)))
        self._level_passes[level_id] = level_pass
        if level_pass == NO_LEVEL_PASS:
            del self._level_passes[level_id]

    def set_shut(self, subscription_id: str, refusal: Refusal) -> None:
        """The living subscription is shut by this refusal, until the moment that it says."""
        if self._undo is not None:
            self._undo.append(partial(self._slots.shut, subscription_id, self.shut_by(subscription_id)))
        self._slots.shut(subscription_id, refusal)

    def forget_served(self, subscription_id: str) -> None:
        """The subscription, living or not, stands among those never served."""
        subscription = self._slots.get(subscription_id)
        if subscription is None:
            self._served_while_gone.pop(subscription_id, None)
        else:
            self._slots.move(subscription_id, served_rank(None, subscription.provider_id))

    def open(self, subscription_id: str) -> None:
        """What shuts the living subscription is forgotten."""
        self._slots.shut(subscription_id, None)

    def _occupy(self, subscription: Subscription) -> None:
        served_seq = self._served_while_gone.pop(subscription.subscription_id, None)
        rank = served_rank(served_seq, subscription.provider_id)
        compiled = compile_text(subscription.filter_text, self.schema)
        pass_value = self._passes_while_gone.pop(subscription.subscription_id, 0)
        self._slots.add(subscription, compiled, rank, self._gate_of(subscription), pass_value)

    def _take_new_slots(self) -> None:
        living = self._slots.living()
        shut = {subscription_id: self.shut_by(subscription_id) for subscription_id in self._slots.shut_ids()}
        for subscription_id in living:
            self._remove(subscription_id)
        self._slots = Slots(self._level_passes)
        for subscription in living.values():
            self._occupy(subscription)
        for subscription_id, refusal in shut.items():
            self._slots.shut(subscription_id, refusal)

    def _remove(self, subscription_id: str) -> None:
        served_seq = self._slots.served_seq(subscription_id)
        if served_seq is not None:
            self._served_while_gone[subscription_id] = served_seq
        if pass_value := self._slots.pass_value(subscription_id):
            self._passes_while_gone[subscription_id] = pass_value
        self._slots.remove(subscription_id)

    def _gate_of(self, subscription: Subscription) -> str | None:
        status = self._provider_status.get(subscription.provider_id, "unknown")
        refusal = standing_refusal(subscription, status)
        return None if refusal is None else refusal.reason

    # Trying decisions out -------------------------------------------------------------------------------------

    @contextmanager
    def trial(self) -> Generator[None]:
        """What decisions and deactivations do to the roster meanwhile is taken back at the end, however it ends."""
        assert self._undo is None, "one trial at a time"
        undo: list[Callable[[], None]] = []
        head = self.head
        self._undo = undo
        try:
            yield
        finally:
            self._undo = None
            for take_back in reversed(undo):
                take_back()
            self.head = head
