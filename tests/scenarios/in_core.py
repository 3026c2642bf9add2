"""Scenarios in memory: the core alone, with as much of a marketplace around it as it takes to ask it."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fairlead.core.calendar.limits import limits_text
from fairlead.core.canonical import JsonObject
from fairlead.core.configuration_entries import level_payload, niche_payload, provider_payload, subscription_payload
from fairlead.core.decision import Decision
from fairlead.core.explanation import standing_of
from fairlead.core.filters.filter import validate_filter
from fairlead.core.form import parse_form_schema
from fairlead.core.journal import JournalEntryKind
from fairlead.core.ledger import LedgerEntryKind, post
from fairlead.core.messages import Names
from fairlead.core.model import Balance, Lead, Level, ProviderTerms, Subscription, filter_text
from fairlead.core.prices import price_rules_text
from fairlead.core.returns import Return, TurnGivenBack, return_payload
from tests.core.history import History, id_of
from tests.core.limited import LimitedHistory
from tests.scenarios.story import Given, LevelChange, ProviderChange, Refund, Step, SubscriptionChange, Told


@dataclass
class Purchase:
    """A lead that a provider paid for, as the book of sales has it, and the turn that it took."""

    lead_id: str
    sale: tuple[datetime, str, str, int]
    served_seq: int
    weight: int | None
    is_kept: bool = True


class CoreWorld:
    """Holds what the tables would: balances, who was sold, subscriptions that were given up."""

    def __init__(self, given: Given) -> None:
        self.history = History()
        self._limited = LimitedHistory(self.history)
        self._terms: dict[str, ProviderTerms] = {}
        self._levels = {level.name: id_of("level", number) for number, level in enumerate(given.level)}
        self._providers = {provider.name: id_of("provider", number) for number, provider in enumerate(given.provider)}
        self._gone: dict[str, Subscription] = {}
        self._leads: list[Lead] = []
        self._sold: set[str] = set()
        self._form: dict[str, Any] = {"version": 1, "fields": given.field}
        self._most = given.max_recipients_per_lead
        self._policy = given.refunds
        self._purchases: list[Purchase] = []
        self._reform(given.field)
        for level in given.level:
            told = (level.name, level.price_cents, level.max_recipients, level.position, level.active, level.exclusive)
            own_rules = price_rules_text(level.price_rules)
            own = Level(self._levels[level.name], *told, price_rules_text=own_rules, order=level.order)
            self._write(JournalEntryKind.LEVEL, level_payload(own, is_deleted=False))
        for provider in given.provider:
            provider_id = self._providers[provider.name]
            self.history.balances[provider_id] = Balance(provider.balance_cents, provider.credit_limit_cents, 1)
            own_terms = (limits_text(provider.limits), limits_text(provider.schedule))
            self._terms[provider_id] = ProviderTerms(provider.timezone, *own_terms, provider.conflict_group)
            self._write_provider(provider_id, provider.status)
            for name in provider.levels:
                particular: dict[str, Any] = {
                    "filter": provider.filters.get(name),
                    "filter_version": provider.filter_version,
                    "limits": provider.limits_at.get(name),
                    "schedule": provider.schedules_at.get(name),
                    "max_price_cents": provider.max_prices_at.get(name),
                    "weight": provider.weights_at.get(name),
                }
                self._subscribe(SubscriptionChange(provider=provider.name, level=name, **particular))

    # What happens ---------------------------------------------------------------------------------------------

    def change(self, step: Step) -> None:
        if step.at is not None:
            self._limited.now = step.at
        if step.form is not None:
            self._reform(step.form)
        if step.max_recipients_per_lead is not None:
            self._most = step.max_recipients_per_lead or None
            self._state_niche()
        if step.subscription is not None:
            self._subscribe(step.subscription)
        if step.deposit is not None:
            provider_id = self._providers[step.deposit.provider]
            balance = self.history.balances[provider_id]
            _, self.history.balances[provider_id] = post(balance, LedgerEntryKind.DEPOSIT, step.deposit.cents)
            self._let_funds_drive_activity(self._of_provider(provider_id))
        if step.spent_elsewhere is not None:
            # R9 is lazy here: another niche's charge is found out when this niche asks for the balance.
            provider_id = self._providers[step.spent_elsewhere.provider]
            balance = self.history.balances[provider_id]
            _, self.history.balances[provider_id] = post(
                balance, LedgerEntryKind.LEAD_PURCHASE, step.spent_elsewhere.cents
            )
            self._limited.sales.append((self._limited.now, provider_id, "elsewhere", step.spent_elsewhere.cents))
        if step.provider is not None:
            self._change_provider(step.provider)
        if step.level is not None:
            self._change_level(step.level)
        if step.refunds is not None:
            self._policy = step.refunds
        if step.refund is not None:
            self._refund(step.refund)

    def _refund(self, refund: Refund) -> None:
        """What a refund gives back, read literally: the money, and what the policy says."""
        provider_id = self._providers[refund.provider]
        lead_id = self._leads[refund.lead - 1].lead_id
        [own] = [each for each in self._purchases if (each.lead_id, each.sale[1]) == (lead_id, provider_id)]
        balance = self.history.balances[provider_id]
        _, self.history.balances[provider_id] = post(balance, LedgerEntryKind.REFUND, own.sale[3])
        turn, opened = None, list[str]()
        if self._policy.get("returns_turn"):
            own.is_kept = False
            kept = [each.served_seq for each in self._purchases if each.sale[2] == own.sale[2] and each.is_kept]
            turn = TurnGivenBack(own.sale[2], max(kept, default=None), own.weight)
        leaves_limits = bool(self._policy.get("leaves_limits"))
        if leaves_limits:
            self._limited.sales.remove(own.sale)
            # One that is at its limit all the same is shut again by the next decision: asking costs nothing.
            opened = [each.subscription_id for each in self._of_provider(provider_id) if self._is_at_limit(each)]
        if turn is not None or leaves_limits:
            back = Return(f"assignment of {lead_id}", provider_id, turn, leaves_limits, opened)
            self._write(JournalEntryKind.RETURN, return_payload(back))
        self._let_funds_drive_activity(self._of_provider(provider_id))

    def _is_at_limit(self, own: Subscription) -> bool:
        shut = self.history.roster.shut_by(own.subscription_id)
        return shut is not None and shut.reason == "cap_reached"

    def _change_provider(self, change: ProviderChange) -> None:
        provider_id = self._providers[change.name]
        if change.credit_limit_cents is not None:
            balance = self.history.balances[provider_id]
            self.history.balances[provider_id] = replace(balance, credit_limit_cents=change.credit_limit_cents)
            self._let_funds_drive_activity(self._of_provider(provider_id))
        terms = self._terms[provider_id]
        timed = {"limits_text": change.limits, "schedule_text": change.schedule}
        new: dict[str, Any] = {name: limits_text(each) for name, each in timed.items() if each is not None}
        if change.timezone is not None:
            new["timezone"] = change.timezone
        if change.conflict_group is not None:
            new["conflict_group_id"] = change.conflict_group or None
        self._terms[provider_id] = replace(terms, **new)
        if change.status is not None or new:
            status = change.status or self.history.roster.provider_status(provider_id) or "active"
            self._write_provider(provider_id, status)

    def _write_provider(self, provider_id: str, status: str) -> None:
        self._write(JournalEntryKind.PROVIDER, provider_payload(provider_id, status, self._terms[provider_id]))

    def _change_level(self, change: LevelChange) -> None:
        before = self.history.roster.levels[self._levels[change.name]]
        names = {"position": "order_position", "active": "is_active", "exclusive": "is_exclusive"}
        told = change.model_dump(exclude_none=True, exclude={"name", "deleted", "price_rules"})
        if change.price_rules is not None:
            told["price_rules_text"] = price_rules_text(change.price_rules)
        after = replace(before, **{names.get(key, key): value for key, value in told.items()})
        if change.deleted:
            for own in self._at_level(before.level_id):
                self._write_subscription(own, is_deleted=True)
        self._write(JournalEntryKind.LEVEL, level_payload(after, is_deleted=bool(change.deleted)))
        if self._lowest(after) != self._lowest(before):
            self._let_funds_drive_activity(self._at_level(before.level_id))

    def distribute(self, attributes: dict[str, Any]) -> Told:
        self._leads.append(replace(self.history.lead(attributes), created_at=self._limited.now))
        return self._decide(len(self._leads) - 1)

    def distribute_again(self, number: int) -> Told | None:
        lead = self._leads[number - 1]
        if lead.lead_id in self._sold:
            return None
        self._leads[number - 1] = replace(lead, attempt=lead.attempt + 1)
        return self._decide(number - 1)

    def _decide(self, index: int) -> Told:
        roster, lead = self.history.roster, self._leads[index]
        batch = self._limited.decided([lead])
        [decision] = batch.decisions
        names_of_levels = {level_id: name for name, level_id in self._levels.items()}
        names = {provider_id: name for name, provider_id in self._providers.items()}
        told_names = Names(names_of_levels, "EUR", names)
        why: dict[tuple[str, str], str] = {}
        says: dict[tuple[str, str], str] = {}
        for result in decision.levels:
            for name, provider_id in self._providers.items():
                standing = standing_of(roster, lead, decision, result, provider_id)
                if standing is not None and standing.refusal is not None:
                    why[result.level.name, name] = standing.refusal.reason
                    says[result.level.name, name] = standing.refusal.sentence(told_names)
        self._limited.take(batch)
        if decision.recipients:
            self._sold.add(lead.lead_id)
            self._keep_purchases(decision)
        received = [
            [result.level.name, *(names[each.provider_id] for each in result.recipients)] for result in decision.levels
        ]
        pointer = roster.head.next_start_order_position
        return Told(decision.start_order_position, pointer, decision.outcome.value, received, why, says)

    def _keep_purchases(self, decision: Decision) -> None:
        for each in decision.recipients:
            sale = (self._limited.now, each.provider_id, each.subscription_id, each.price_cents)
            self._purchases.append(Purchase(decision.lead_id, sale, each.served_seq, each.weight))

    # What is told ---------------------------------------------------------------------------------------------

    def balances(self) -> dict[str, int]:
        return {name: self.history.balances[each].balance_cents for name, each in self._providers.items()}

    def inactive(self) -> list[tuple[str, str, str]]:
        names = {each: name for name, each in (self._providers | self._levels).items()}
        return [
            (names[each.provider_id], names[each.level_id], each.deactivation_reason or "")
            for each in self.history.roster.subscriptions.values()
            if not each.is_active
        ]

    # The marketplace around the core --------------------------------------------------------------------------

    def _write(self, kind: JournalEntryKind, payload: JsonObject) -> None:
        self.history.write((kind, payload))

    def _write_subscription(self, own: Subscription, *, is_deleted: bool) -> None:
        before = self.history.roster.subscription(own.subscription_id)
        self._write(JournalEntryKind.SUBSCRIPTION, subscription_payload(own, is_deleted=is_deleted, before=before))

    def _reform(self, fields: list[dict[str, Any]]) -> None:
        form = self._form = {"version": 1, "fields": fields}
        self._state_niche()
        for own in list(self.history.roster.subscriptions.values()):
            after = replace(own, filter_is_valid=not validate_filter(own.filter_rules, parse_form_schema(form)))
            if after != own:
                self._write_subscription(after, is_deleted=False)

    def _state_niche(self) -> None:
        self._write(JournalEntryKind.NICHE, niche_payload("loans", "Loans", True, self._form, self._most))

    def _at_level(self, level_id: str) -> list[Subscription]:
        return [own for own in self.history.roster.subscriptions.values() if own.level_id == level_id]

    def _of_provider(self, provider_id: str) -> list[Subscription]:
        return self.history.roster.subscriptions_of(provider_id)

    def _subscribe(self, change: SubscriptionChange) -> None:
        provider_id, level_id = self._providers[change.provider], self._levels[change.level]
        living = [own for own in self._at_level(level_id) if own.provider_id == provider_id]
        subscription_id = id_of(f"subscription at {level_id}", int(provider_id[-12:], 16))
        fresh = Subscription(
            subscription_id,
            provider_id,
            level_id,
            True,
            None,
            filter_text({"version": change.filter_version or 1, "rules": change.filter or []}),
            True,
        )
        own = living[0] if living else self._gone.pop(subscription_id, fresh)
        if change.filter is not None:
            is_valid = not validate_filter(fresh.filter_rules, self.history.roster.schema)
            own = replace(own, filter_text=fresh.filter_text, filter_is_valid=is_valid)
        if change.active is not None:
            own = replace(own, is_active=change.active, deactivation_reason=None if change.active else "paused")
        if change.limits is not None:
            own = replace(own, limits_text=limits_text(change.limits))
        if change.schedule is not None:
            own = replace(own, schedule_text=limits_text(change.schedule))
        if change.max_price_cents is not None:
            own = replace(own, max_price_cents=change.max_price_cents or None)
        if change.weight is not None:
            own = replace(own, weight=change.weight)
        if change.deleted:
            self._gone[subscription_id] = own
        self._write_subscription(own, is_deleted=bool(change.deleted))
        self._let_funds_drive_activity([] if change.deleted else [own])

    @staticmethod
    def _lowest(level: Level) -> int:
        """R9's price, read literally."""
        rules = [] if level.price_rules_text is None else json.loads(level.price_rules_text)["rules"]
        return min([level.price_cents, *(rule["price_cents"] for rule in rules)])

    def _let_funds_drive_activity(self, subscriptions: list[Subscription]) -> None:
        """R9, read literally: paused stays paused, everything else is active exactly when it can be paid for."""
        roster = self.history.roster
        for own in subscriptions:
            lowest_cents = self._lowest(roster.levels[own.level_id])
            can_pay = self.history.balances[own.provider_id].available_cents >= lowest_cents
            after = replace(own, is_active=can_pay, deactivation_reason=None if can_pay else "insufficient_funds")
            if own.deactivation_reason != "paused" and after != own:
                self._write_subscription(after, is_deleted=False)
