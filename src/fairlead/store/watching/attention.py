"""What waits for a person to act: how much of each kind, since when, and the first of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from fairlead.store.connection import Connection
from fairlead.store.simulated_clock import simulated_now
from fairlead.store.typed_rows import all_rows

COUNT_LIMIT = 1_000
"""Counting stops here: beyond it, that there are more says as much."""


@dataclass(frozen=True, slots=True)
class Attention:
    """One kind of thing that waits for a person.

    `count` is at most `count_limit`; `is_more` says that there are others. `oldest_at` is since when the first of them
    waits, None where that is not known. `first_id` is its id, as the API names it: of a lead, an assignment, a payment
    in doubt, a dead letter, an endpoint, a provider, a reconciliation or a verification. `first_provider` is the name
    of the provider that it is about, `amount_cents` the money.
    """

    kind: str
    count: int
    is_more: bool
    oldest_at: datetime | None
    first_id: str
    first_provider: str | None
    amount_cents: int | None


def read_attention(conn: Connection, count_limit: int = COUNT_LIMIT) -> list[Attention]:
    """Every kind of which something waits, the one that has waited longest first, and before all a proof that failed.

    One statement that reads only what waits, of each kind `count_limit` and one more at most, by indexes that hold
    nothing else (reviews: by status): what was done costs nothing. The newest reconciliation counts while it has
    differences, a verification that found any until a later one of all niches finds none. Reports older than the days
    in which the operators mean to decide are a kind of their own, beside all that wait.
    """
    return all_rows(
        conn, Attention, _WAITING, {"most": count_limit, "read": count_limit + 1, "now": simulated_now(conn)}
    )


_WAITING: LiteralString = """
    select waiting.kind, least(waiting.count, %(most)s) as count, waiting.count > %(most)s as is_more,
           waiting.oldest_at, waiting.first_id, p.name as first_provider, waiting.amount_cents
    from (
        select 'leads_to_review' as kind, count(*), min(at) as oldest_at,
               (array_agg(id order by at, id))[1]::text as first_id, null::uuid as provider_id,
               null::bigint as amount_cents
        from (select created_at as at, id from leads where status = 'pending_approval'
              order by created_at, id limit %(read)s) review
        union all
        select 'bad_lead_reports', count(*), min(at), (array_agg(id order by at, id))[1]::text,
               (array_agg(provider_id order by at, id))[1], sum(price_cents)::bigint
        from (select bad_lead_reported_at as at, id, provider_id, price_cents from assignments
              where bad_lead_reported_at is not null and bad_lead_decision is null
              order by bad_lead_reported_at, id limit %(read)s) reported
        union all
        select 'reports_overdue', count(*), min(at), (array_agg(id order by at, id))[1]::text,
               (array_agg(provider_id order by at, id))[1], sum(price_cents)::bigint
        from (select a.bad_lead_reported_at as at, a.id, a.provider_id, a.price_cents
              from assignments a, marketplace m
              where a.bad_lead_reported_at is not null and a.bad_lead_decision is null
                and a.bad_lead_reported_at < coalesce(%(now)s::timestamptz, clock_timestamp())
                    - make_interval(days => (m.report_rules ->> 'decision_days')::integer)
              order by a.bad_lead_reported_at, a.id limit %(read)s) overdue
        union all
        select 'payments_in_doubt', count(*), min(at), (array_agg(id order by at, id))[1]::text,
               (array_agg(provider_id order by at, id))[1], sum(amount_cents)::bigint
        from (select d.noticed_at as at, d.id, r.provider_id, d.amount_cents
              from payment_doubts d left join payment_requests r on r.id = d.request_id
              where d.resolved_at is null order by d.noticed_at, d.id limit %(read)s) doubted
        union all
        select case when lead_id is null then 'messages_given_up' else 'leads_given_up' end, count(*), min(at),
               (array_agg(id order by at, id))[1]::text, null, null
        from (select failed_at as at, id, lead_id from dead_letters where resolved_at is null
              order by failed_at, id limit %(read)s) dead
        group by 1
        union all
        select 'failing_endpoints', count(*), min(at), (array_agg(id order by at, id))[1]::text,
               (array_agg(provider_id order by at, id))[1], null
        from (select failing_since as at, id, provider_id from webhook_endpoints
              where failing_since is not null and deleted_at is null
              order by failing_since, id limit %(read)s) failing
        union all
        select 'providers_to_approve', count(*), min(at), (array_agg(id order by at, id))[1]::text,
               (array_agg(id order by at, id))[1], null
        from (select created_at as at, id from providers where status = 'pending'
              order by created_at, id limit %(read)s) pending
        union all
        select 'providers_out_of_money', count(*), null, min(provider_id::text), min(provider_id::text)::uuid, null
        from (select distinct provider_id from subscriptions
              where deactivation_reason = 'insufficient_funds' and deleted_at is null limit %(read)s) unpaid
        union all
        select 'differences_in_the_books', difference_count, ended_at, id::text, null, null
        from (select id, ended_at, difference_count from reconciliations order by ended_at desc limit 1) newest
        union all
        select 'past_not_proven', difference_count, ended_at, id::text, null, null
        from (select id, ended_at, difference_count from verifications
              where difference_count > 0 or difference_count = 0 and niche_id is null
              order by ended_at desc limit 1) proof
    ) waiting left join providers p on p.id = waiting.provider_id
    where waiting.count > 0
    order by waiting.kind <> 'past_not_proven', waiting.oldest_at nulls last, waiting.kind"""
