"""What a marketplace file makes of subscriptions: the pure difference, nothing is read or written.

Beside those that the file names, every subscription changes whose level is deleted or costs another price, whose
niche has another form, or whose provider can pay more or less.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from fairlead.core.canonical import JsonObject
from fairlead.core.filters.filter import new_filter
from fairlead.core.filters.postcode_tables import PostcodeTables
from fairlead.core.model import Level, Subscription, filter_text
from fairlead.core.prices import lowest_price_cents, price_limit_warning
from fairlead.core.subscription import EVERY_LEAD, funded, paused, resumed, revalidated
from fairlead.flows.changes import Change, difference
from fairlead.flows.configuration.left_out import left_out_of
from fairlead.flows.configuration.provider_terms import begins_to_go_by_local_time
from fairlead.flows.declaring.plan_niches import NichePlan
from fairlead.flows.declaring.plan_providers import ProviderPlan, declared_texts
from fairlead.flows.declaring.tables import ProviderTable, SubscriptionTable
from fairlead.flows.funding import Move
from fairlead.store.configuration.rows import LevelRow, ProviderRow, SubscriptionRow


@dataclass(slots=True)
class SubscriptionPlan:
    """The subscriptions that will be others than they are."""

    moves: list[Move] = field(default_factory=list[Move])
    restated: dict[tuple[str, str], None] = field(default_factory=dict[tuple[str, str], None])
    """Niche and provider ids, where a niche has to be told the provider's status: it is new there, or another one."""
    changes: list[Change] = field(default_factory=list[Change])
    problems: list[str] = field(default_factory=list[str])
    left_out: list[tuple[Level, list[SubscriptionRow]]] = field(
        default_factory=list[tuple[Level, list[SubscriptionRow]]]
    )
    """By level, the subscriptions that its price leaves out, and whose own limit the file leaves as it is."""
    warnings: list[str] = field(default_factory=list[str])
    """What is as the file has it, and hardly as it was meant."""


def plan_subscriptions(
    tables: Sequence[ProviderTable],
    niches: NichePlan,
    providers: ProviderPlan,
    rows: Sequence[SubscriptionRow],
    new_id: Callable[[], str],
    postcode_tables: PostcodeTables,
) -> SubscriptionPlan:
    """The plan that turns these subscriptions into what the file says. `plan.problems` name their keys."""
    planner = _Planner(niches, providers, rows, new_id, postcode_tables)
    for number, table in enumerate(tables):
        provider = providers.declared[number]
        for place, subscription in enumerate(table.subscription):
            planner.plan_declared(f"provider[{number}].subscription[{place}]", provider, subscription)
    planner.plan_implied()
    planner.plan_left_out()
    return planner.plan


class _Planner:
    def __init__(
        self,
        niches: NichePlan,
        providers: ProviderPlan,
        rows: Sequence[SubscriptionRow],
        new_id: Callable[[], str],
        postcode_tables: PostcodeTables,
    ) -> None:
        self._postcode_tables = postcode_tables
        self.plan = SubscriptionPlan()
        self._niches = niches
        self._providers = providers
        self._rows = rows
        self._new_id = new_id
        self._at = {(row.subscription.provider_id, row.subscription.level_id): row for row in rows}
        self._known = {(row.niche_id, row.subscription.provider_id) for row in rows}
        self._slugs = niches.slugs
        self._reformed = frozenset(niches.reformed_niche_ids)
        self._repriced = frozenset(row.level.level_id for row in niches.repriced)
        self._declared: set[str] = set()
        self._limited: set[str] = set()
        """The subscriptions whose price limit the file says."""
        for row in rows:
            if is_restated(row, providers):
                self.plan.restated[row.niche_id, row.subscription.provider_id] = None

    def plan_declared(self, path: str, provider: ProviderRow, table: SubscriptionTable) -> None:
        level = self._level(path, table)
        if level is None:
            return
        before = self._at.get((provider.provider_id, level.level.level_id))
        if before is not None:
            self._declared.add(before.subscription.subscription_id)
            if table.max_price_cents is not None:
                self._limited.add(before.subscription.subscription_id)
        if table.deleted:
            if before is not None and not before.is_deleted:
                self._move(before, replace(before, is_deleted=True), level)
            return
        if before is None:
            subscription = Subscription(
                self._new_id(), provider.provider_id, level.level.level_id, True, None, EVERY_LEAD, True
            )
            after = SubscriptionRow(level.niche_id, provider.email, subscription)
        else:
            subscription = before.subscription
            after = replace(before, is_deleted=False)
        if table.active is False:
            subscription = paused(subscription)
        elif table.active:
            subscription = resumed(subscription)
        before_texts = (subscription.limits_text, subscription.schedule_text)
        own_limits, schedule = declared_texts(self.plan.problems, path, table, before_texts)
        most_cents = subscription.max_price_cents if table.max_price_cents is None else table.max_price_cents or None
        subscription = replace(subscription, limits_text=own_limits, schedule_text=schedule, max_price_cents=most_cents)
        subscription = replace(subscription, weight=table.weight or subscription.weight)
        if table.max_price_cents and (warning := price_limit_warning(lowest_price_cents(level.level), most_cents)):
            self.plan.warnings.append(f"{path}.max_price_cents: {warning}")
        if table.filter is not None:
            rules = self._filter(path, level, {"version": table.filter_version or 1, "rules": table.filter})
            subscription = replace(subscription, filter_text=rules, filter_is_valid=True)
        elif level.niche_id in self._reformed or (before is not None and before.is_deleted):
            subscription = self._revalidated(subscription, level)
        self._move(before, replace(after, subscription=self._funded(subscription, level)), level)

    def plan_implied(self) -> None:
        """Whatever follows for subscriptions that the file does not name."""
        for row in self._rows:
            before = row.subscription
            level = self._niches.levels.get(before.level_id)
            # The level is not known in a niche that is not concerned.
            if row.is_deleted or level is None or before.subscription_id in self._declared:
                continue
            if level.is_deleted:
                self._move(row, replace(row, is_deleted=True), level)
                continue
            after = self._revalidated(before, level) if row.niche_id in self._reformed else before
            if before.level_id in self._repriced or before.provider_id in self._providers.funded:
                after = self._funded(after, level)
            if after is not before:
                self._move(row, replace(row, subscription=after), level)

    def plan_left_out(self) -> None:
        """Providers whose limit a level passes are told; of a limit that the file itself sets, the file is warned."""
        after = {row.subscription.subscription_id: row for _, row in self.plan.moves}
        for level in self._niches.repriced:
            own_id = level.level.level_id
            rows = [
                after.get(row.subscription.subscription_id, row)
                for row in self._rows
                if row.subscription.level_id == own_id and row.subscription.subscription_id not in self._limited
            ]
            if left_out := left_out_of(rows, self._niches.before_price[own_id], level.level):
                self.plan.left_out.append((level.level, left_out))
                name = f"{self._slugs[level.niche_id]}/{level.level.name}"
                self.plan.warnings.append(left_out_warning(name, level.level, left_out))

    def _level(self, path: str, table: SubscriptionTable) -> LevelRow | None:
        """The living level that the subscription names, else None: after a problem, unless it is to be gone anyhow."""
        niche = self._niches.by_slug.get(table.niche)
        if niche is None:
            self.plan.problems.append(f"{path}.niche: there is no niche {table.niche!r}")
            return None
        level = self._niches.level_of.get((niche.niche_id, table.level))
        if level is None and not table.deleted:
            self.plan.problems.append(f"{path}.level: the niche {table.niche!r} has no level {table.level!r}")
        return level

    def _filter(self, path: str, level: LevelRow, filter_rules: JsonObject) -> str:
        """The filter as it is stored. After a problem, one that is not: whatever has problems is refused as a whole."""
        schema = self._niches.schemas.get(level.niche_id)
        if schema is None:
            slug = self._slugs[level.niche_id]
            words = f"the form of the niche {slug!r} cannot be read, so no filter fits it"
            self.plan.problems.append(f"{path}.filter: {words}")
            return EVERY_LEAD
        stored, problems = new_filter(filter_rules, schema, self._postcode_tables)
        for problem in problems:
            self.plan.problems.append(f"{path}.{problem.path.replace('rules', 'filter', 1)}: {problem.message}")
        return EVERY_LEAD if problems else filter_text(stored)

    def _revalidated(self, subscription: Subscription, level: LevelRow) -> Subscription:
        return revalidated(subscription, self._niches.schemas.get(level.niche_id))

    def _funded(self, subscription: Subscription, level: LevelRow) -> Subscription:
        balance = self._providers.by_id[subscription.provider_id].balance
        return funded(subscription, lowest_price_cents(level.level), balance.available_cents)

    def _move(self, before: SubscriptionRow | None, after: SubscriptionRow, level: LevelRow) -> None:
        old = None if before is None or before.is_deleted else subscription_document(before.subscription)
        new = None if after.is_deleted else subscription_document(after.subscription)
        name = f"{after.provider_email} {self._slugs[level.niche_id]}/{level.level.name}"
        change = difference("subscription", name, old, new)
        if change is None:
            return
        self.plan.changes.append(change)
        self.plan.moves.append((before, after))
        place = (after.niche_id, after.subscription.provider_id)
        if place not in self._known or begins_to_go_by_local_time((before, after)):
            self.plan.restated[place] = None


def is_restated(row: SubscriptionRow, providers: ProviderPlan) -> bool:
    """Whether the subscription's niche has to be told of its provider again."""
    provider_id, is_timed = row.subscription.provider_id, row.subscription.goes_by_local_time and not row.is_deleted
    return provider_id in providers.restated or (provider_id in providers.rezoned and is_timed)


MOST_NAMED = 10
"""So many providers are named in a warning."""


def left_out_warning(name: str, level: Level, left_out: Sequence[SubscriptionRow]) -> str:
    """What a level's new price means for these subscriptions, and whose they are.

    >>> own = Subscription("s", "p", "l", True, None, EVERY_LEAD, True, max_price_cents=899)
    >>> left_out_warning("gold", Level("l", "gold", 900, 1, 1, True), [SubscriptionRow("n", "a@b.de", own)])
    'gold: no lead comes to 1 of its subscriptions any more: it asks 900 cents at the least, and a@b.de pays less'
    """
    emails = list(dict.fromkeys(row.provider_email for row in left_out))
    named = ", ".join(emails[:MOST_NAMED])
    more = f" and {len(emails) - MOST_NAMED} more" if len(emails) > MOST_NAMED else ""
    words = "pays" if len(emails) == 1 else "pay"
    return (
        f"{name}: no lead comes to {len(left_out)} of its subscriptions any more: it asks "
        f"{lowest_price_cents(level)} cents at the least, and {named}{more} {words} less"
    )


def subscription_document(subscription: Subscription) -> JsonObject:
    """The subscription in the words of the file, and why it is inactive."""
    rules = subscription.filter_rules
    return {
        "active": subscription.is_active,
        "deactivation_reason": subscription.deactivation_reason,
        "filter": rules.get("rules"),
        **({} if rules.get("version") == 1 else {"filter_version": rules.get("version")}),
        "filter_is_valid": subscription.filter_is_valid,
        "limits": None if subscription.limits_text is None else json.loads(subscription.limits_text),
        "schedule": None if subscription.schedule_text is None else json.loads(subscription.schedule_text),
        "max_price_cents": subscription.max_price_cents,
        "weight": subscription.weight,
    }
