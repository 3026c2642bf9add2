"""Why a provider did not get more leads: its own part of the last decisions, and its places in the queues."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fairlead.core.clauses import Clause, clause_text
from fairlead.core.filters.counts import (
    MatchCount,
    TypedShares,
    asks_for_typed,
    counts_without_a_rule,
    match_count,
)
from fairlead.core.filters.filter import compile_filter, condition_clause
from fairlead.core.filters.mismatch import FilterMismatch
from fairlead.core.form_field import FormSchema
from fairlead.core.gates import REGISTRY
from fairlead.core.own_standing import (
    NOT_LOOKED_AT,
    NOT_TOLD_APART,
    OwnDecision,
    OwnFilters,
    own_refusal,
    told_counts,
)
from fairlead.core.subscription import readable_form
from fairlead.flows.configuration.filter_preview import PROVIDERS_LEADS
from fairlead.flows.configuration.own_subscriptions import OwnedSubscription, own_subscriptions
from fairlead.store.configuration.lookups import newest_attributes
from fairlead.store.configuration.rows import niche_rows
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id
from fairlead.store.portal.activity import earlier_shuts, own_decisions, own_past, queue_places

ACTIVITY_DAYS: Final = 30
MOST_LEADS = 1_000
MOST_EARLIER = 2_000
"""Among so many decisions before those it is looked up what had shut a subscription that is open again by now."""

_REASONS = [refusal.reason for refusal in REGISTRY.refusals]
_AFTER_THE_FILTER = _REASONS[_REASONS.index(FilterMismatch.reason) + 1 :]


@dataclass(frozen=True, slots=True)
class KeptOut:
    """A rule of a filter in the parts that pages translate, and how many more of the leads would pass without it."""

    clause: Clause
    more: MatchCount

    @property
    def rule(self) -> str:
        """The rule in English."""
        return clause_text(self.clause)


@dataclass(frozen=True, slots=True)
class OwnSubscriptionNumbers:
    """What became of the niche's leads for one subscription.

    `matched_count` passed the filter that was in force at the time, None where that asked for words that people wrote,
    or is not known; where it asked for numbers, those that were refused count in whole steps. `matches_now` pass
    today's. `refused` counts the others by the reason that came first. `kept_out` has the rules of today's filter that
    keep leads out by themselves, what they cost most first.
    `place` in a queue of `queue_length`; None where it cannot receive a lead now.
    """

    owned: OwnedSubscription
    received_count: int
    matched_count: int | None
    matches_now: MatchCount
    refused: Mapping[str, int]
    kept_out: Sequence[KeptOut]
    place: int | None
    queue_length: int | None


@dataclass(frozen=True, slots=True)
class OwnNicheNumbers:
    """A niche that the provider subscribes in, and its newest leads since `OwnActivity.since`: `lead_count` of them,
    of which the provider received `received_count`. With `is_capped` there were more."""

    niche: str
    niche_name: str
    lead_count: int
    is_capped: bool
    received_count: int
    subscriptions: Sequence[OwnSubscriptionNumbers]


@dataclass(frozen=True, slots=True)
class OwnActivity:
    """Since when, and each niche by name."""

    since: datetime
    niches: Sequence[OwnNicheNumbers]


def own_activity(
    database: Database, provider_id: str, *, days: int = ACTIVITY_DAYS, most_leads: int = MOST_LEADS
) -> OwnActivity:
    """The provider's activity in the niches of its living subscriptions, over so many days and leads of each niche.

    `database` is not the provider's own: the journal and the queues are not for it, only what is said here of them. A
    lead with several decisions counts by its newest, and as received if any gave it. Locks nothing. Raises `BadInput`.
    """
    checked = checked_id(provider_id, "provider")
    owned = own_subscriptions(database, checked)

    def work(conn: Connection) -> OwnActivity:
        since = clock(conn) - timedelta(days=days)
        places = queue_places(conn, checked)
        niche_ids = list(dict.fromkeys(each.seen.row.niche_id for each in owned))
        forms = {row.niche_id: readable_form(row.form_schema) or FormSchema() for row in niche_rows(conn, niche_ids)}
        niches: list[OwnNicheNumbers] = []
        for niche_id in niche_ids:
            decisions = own_decisions(conn, niche_id, checked, since, most_leads)
            is_capped = len(decisions) == most_leads
            leads = _newest_of_each_lead(decisions)
            if decisions:
                decisions += earlier_shuts(conn, niche_id, checked, decisions[-1], MOST_EARLIER)
            mine = [each for each in owned if each.seen.row.niche_id == niche_id]
            level = mine[0].level
            typed = _typed_shares(conn, niche_id, mine, forms[niche_id])
            told = [
                _subscription(conn, checked, each, leads, decisions, forms[niche_id], typed, places) for each in mine
            ]
            received_count = sum(bool(each.received) for each in leads)
            niches.append(OwnNicheNumbers(level.niche, level.niche_name, len(leads), is_capped, received_count, told))
        return OwnActivity(since, niches)

    return database.read(work)


def _newest_of_each_lead(decisions: Iterable[OwnDecision]) -> list[OwnDecision]:
    found: dict[str, OwnDecision] = {}
    for each in decisions:
        if each.lead_id not in found or (each.received and not found[each.lead_id].received):
            found[each.lead_id] = each
    return list(found.values())


def _typed_shares(conn: Connection, niche_id: str, owned: Sequence[OwnedSubscription], form: FormSchema) -> TypedShares:
    """As a preview of a filter has them, where any of the filters asks for what people typed."""
    filters = [compile_filter(each.seen.row.subscription.filter_rules, form) for each in owned]
    return TypedShares(newest_attributes(conn, niche_id, PROVIDERS_LEADS) if any(map(asks_for_typed, filters)) else ())


def _subscription(
    conn: Connection,
    provider_id: str,
    owned: OwnedSubscription,
    leads: Sequence[OwnDecision],
    decisions: Sequence[OwnDecision],
    form: FormSchema,
    typed: TypedShares,
    places: Mapping[str, tuple[int, int]],
) -> OwnSubscriptionNumbers:
    row = owned.seen.row
    subscription = row.subscription
    past = own_past(conn, row.niche_id, provider_id, subscription.subscription_id)
    filters = OwnFilters(form)
    became = [
        own_refusal(each, subscription.subscription_id, subscription.level_id, past, filters, decisions)
        for each in leads
    ]
    received_count = became.count(None)
    refused = told_counts(each for each in became if each is not None)
    is_known = not any(each and each.reason in (NOT_TOLD_APART, NOT_LOOKED_AT) for each in became)
    matched_count = received_count + sum(refused.get(reason, 0) for reason in _AFTER_THE_FILTER)
    compiled = compile_filter(subscription.filter_rules, form)
    attributes = [each.attributes for each in leads]
    place, queue_length = places.get(subscription.subscription_id, (None, None))
    return OwnSubscriptionNumbers(
        owned,
        received_count,
        matched_count if is_known else None,
        match_count(compiled, attributes, typed),
        refused,
        [
            KeptOut(condition_clause(each.rule, form), each.more)
            for each in counts_without_a_rule(compiled, attributes, typed)
        ],
        place,
        queue_length,
    )
