"""What notifications tell, read when they are sent: one round trip for everything that their messages need."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from fairlead.store.arrays import array_text
from fairlead.store.connection import Connection
from fairlead.store.simulated_clock import simulated_now


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """A version of a kind's template in a language. All three parts are None where the version says: the default."""

    version: int
    language: str
    subject: str | None
    html: str | None
    body_text: str | None


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """All that a notification's cause, its provider and its lead say now. What does not apply to its kind is None.

    `language` is that of the consumer, the user or the provider that is told; a user without one has its
    provider's. `price_cents` is what was charged where there is an assignment, else the level's price. `detail` is
    the notification's own, `form_schema` the niche's, as JSON. `template` is the newest of its kind in that
    language, None where there never was one but the default. `erased_at` is when
    something of the lead's personal data was erased. `keeps_answers`: what is answered to the message may be
    kept, since the days for which its niche keeps that are not over.
    """

    currency: str
    template: TemplateRow | None
    detail: dict[str, Any]
    user_name: str | None = field(repr=False)
    user_email: str | None = field(repr=False)
    provider_id: str | None
    provider_name: str | None
    provider_email: str | None = field(repr=False)
    timezone: str | None
    balance_cents: int | None
    threshold_cents: int | None
    niche_slug: str | None
    niche_name: str | None
    form_schema: str | None = field(repr=False)
    level_name: str | None
    price_cents: int | None
    assignment_id: str | None
    assigned_at: datetime | None
    lead_id: str | None
    contact_name: str | None = field(repr=False)
    contact_email: str | None = field(repr=False)
    contact_phone: str | None = field(repr=False)
    attributes: dict[str, Any] = field(repr=False)
    utm_source: str | None = field(repr=False)
    utm_medium: str | None = field(repr=False)
    utm_campaign: str | None = field(repr=False)
    referrer: str | None = field(repr=False)
    language: str | None
    erased_at: datetime | None = None
    withdrawn_at: datetime | None = None
    keeps_answers: bool = True


def message_facts(conn: Connection, notification_ids: Sequence[str]) -> dict[str, MessageFacts]:
    """What each of these notifications that exists has to tell, by its id; nothing is locked."""
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            """
            select n.id::text as notification_id, coalesce((select currency from marketplace), 'EUR') as currency,
                   t.version, t.language as template_language, t.subject, t.html, t.body_text,
                   coalesce(n.detail, '{}') as detail,
                   u.name as user_name, u.email as user_email,
                   p.id::text as provider_id, p.name as provider_name, p.email as provider_email, p.timezone,
                   p.balance_cents,
                   case when not coalesce(n.detail ? 'threshold_days', false)
                        then coalesce((n.detail ->> 'threshold_cents')::bigint, p.low_balance_threshold_cents)
                        end as threshold_cents,
                   i.slug as niche_slug, i.name as niche_name, i.form_schema::text, v.name as level_name,
                   coalesce(a.price_cents, v.price_cents) as price_cents,
                   a.id::text as assignment_id, a.assigned_at, l.id::text as lead_id,
                   l.contact_name, l.contact_email, l.contact_phone, coalesce(l.attributes, '{}') as attributes,
                   l.utm_source, l.utm_medium, l.utm_campaign, l.referrer,
                   w.language, coalesce(l.erased_at, l.contact_erased_at, l.answers_erased_at) as erased_at,
                   l.withdrawn_at,
                   coalesce(l.created_at > coalesce(%s::timestamptz, clock_timestamp())
                                           - make_interval(days => r.deliveries_days), true) as keeps_answers
            from notifications n
            left join users u on u.id = n.user_id
            left join providers p on p.id = n.provider_id
            left join providers e on e.id = u.provider_id
            left join assignments a on a.id = n.assignment_id
            left join leads l on l.id = coalesce(a.lead_id, n.lead_id)
            left join lead_intakes o on o.lead_id = n.lead_id
            left join retention_policies r on r.niche_id = l.niche_id
            left join subscriptions s on s.id = n.subscription_id
            left join competition_levels v on v.id = coalesce(a.competition_level_id, s.competition_level_id)
            left join niches i on i.id = coalesce(v.niche_id, l.niche_id)
            cross join lateral (select coalesce(o.language, u.language, e.language, p.language) as language) w
            left join lateral (
                select version, language, subject, html, body_text from notification_templates
                where kind = n.kind and language = coalesce(w.language, 'en') order by version desc limit 1) t on true
            where n.id = any(%s::uuid[])
            """,
            (simulated_now(conn), array_text(notification_ids)),
        ).fetchall()
    return {row.pop("notification_id"): _facts(row) for row in rows}


def _facts(row: dict[str, Any]) -> MessageFacts:
    version, language = row.pop("version"), row.pop("template_language")
    parts = {name: row.pop(name) for name in ("subject", "html", "body_text")}
    return MessageFacts(template=None if version is None else TemplateRow(version, language, **parts), **row)
