"""A marketplace with many rows, written by a few statements: for what a page reads, not for what is true of the rows.

Two providers at one level each of the niche "hosting"; every lead was sold to both, a second after the one before.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id

LEADS = 25_000
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
"""When the first lead came."""


@dataclass(frozen=True)
class Many:
    """What there is, by id: `anchor` is at the level `gold`, `bowline` at `silver`."""

    database: Database
    niche: str
    gold: str
    silver: str
    anchor: str
    bowline: str


# From a number of a lead, and of which provider's, to what is made of it.
_HELP = """
    create function pg_temp.moment(number int) returns timestamptz language sql immutable as
        $$ select '2026-01-01 00:00:00+00'::timestamptz + number * interval '1 second' $$;
    create function pg_temp.id(number int, kind text) returns uuid language sql immutable as $$
        select (lpad(to_hex((extract(epoch from pg_temp.moment(number)) * 1000)::bigint), 12, '0') || '7'
                || kind || lpad(to_hex(number), 16, '0'))::uuid $$
"""

_PEOPLE = """
    insert into niches (id, slug, name, form_schema, created_at)
    values (%(niche)s, 'hosting', 'Hosting', '{"version": 1, "fields": []}', now());
    insert into competition_levels (id, niche_id, name, price_cents, max_recipients, order_position, created_at)
    values (%(gold)s, %(niche)s, 'gold', 200, 1, 1, now()), (%(silver)s, %(niche)s, 'silver', 100, 3, 2, now());
    insert into providers (id, name, email, email_key, ledger_seq, created_at)
    values (%(anchor)s, 'Anchor', 'anchor@example.com', 'anchor@example.com', %(leads)s, now()),
           (%(bowline)s, 'Bowline', 'bowline@example.com', 'bowline@example.com', %(leads)s, now());
    insert into subscriptions (id, provider_id, competition_level_id, niche_id, is_active, created_at)
    values (%(anchor)s, %(anchor)s, %(gold)s, %(niche)s, true, now()),
           (%(bowline)s, %(bowline)s, %(silver)s, %(niche)s, true, now());
    insert into webhook_endpoints (id, provider_id, url, secret, created_at)
    values (%(anchor)s, %(anchor)s, 'https://anchor.example.com', '', now())
"""

_LEADS = """
    insert into leads (id, niche_id, status, contact_name, contact_email, contact_phone, email_key, phone_key,
                       attributes, attributes_salt, dedupe_key, approved_at, distributed_at, last_outcome, created_at,
                       recipient_ids, utm_source)
    select pg_temp.id(n, 'aaa'), %(niche)s, 'distributed', 'Contact ' || n, 'contact-' || n || '@example.com',
           '+34 600 ' || n, 'contact-' || n || '@example.com', '34600' || n,
           jsonb_build_object('cores', n, 'tags', jsonb_build_array('tag-' || n, 'Kept')),
           decode(repeat('00', 16), 'hex'), n::text, pg_temp.moment(n), pg_temp.moment(n), 'success', pg_temp.moment(n),
           array[%(anchor)s, %(bowline)s]::uuid[], case when n <= 30 then 'rare' else 'usual' end
    from generate_series(1, %(leads)s) n;
    insert into lead_name_words (lead_id, word, created_at)
    select pg_temp.id(n, 'aaa'), word, pg_temp.moment(n)
    from generate_series(1, %(leads)s) n, lateral (values ('contact'), (n::text)) as name (word);
    insert into niche_journal (niche_id, seq, kind, payload, recorded_at, prev_hash, hash)
    select %(niche)s, n, 'decision', jsonb_build_object('lead_id', pg_temp.id(n, 'aaa'), 'attempt', 1, 'levels', (
               select jsonb_agg(jsonb_build_object('level_id', level, 'max_recipients', 1, 'refused', '[]'::jsonb,
                   'counts', '{}'::jsonb, 'recipients', jsonb_build_array(jsonb_build_object(
                       'assignment_id', pg_temp.id(n, kind), 'provider_id', provider))))
               from (values (%(gold)s, 'bbb', %(anchor)s), (%(silver)s, 'ccc', %(bowline)s))
                    as sold (level, kind, provider))),
           pg_temp.moment(n), decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex')
    from generate_series(1, %(leads)s) n
"""

_SALES = """
    insert into ledger_entries (provider_id, seq, kind, amount_cents, balance_after_cents, assignment_id, actor,
                                created_at)
    select provider::uuid, n, 'lead_purchase', -1, -n, pg_temp.id(n, kind), 'fairlead', pg_temp.moment(n)
    from generate_series(1, %(leads)s) n, (values (%(anchor)s, 'bbb'), (%(bowline)s, 'ccc')) as sold (provider, kind);
    insert into assignments (id, lead_id, provider_id, subscription_id, competition_level_id, niche_id, journal_seq,
                             served_seq, price_cents, ledger_seq, assigned_at, viewed_at)
    select pg_temp.id(n, kind), pg_temp.id(n, 'aaa'), provider::uuid, provider::uuid, level::uuid, %(niche)s, n,
           2 * n + place, 1, n, pg_temp.moment(n), case when n > 10 then pg_temp.moment(n) end
    from generate_series(1, %(leads)s) n,
         (values (%(anchor)s, %(gold)s, 'bbb', 0), (%(bowline)s, %(silver)s, 'ccc', 1))
         as sold (provider, level, kind, place);
    insert into notifications (id, kind, channel, provider_id, assignment_id, webhook_endpoint_id, state, sent_at,
                               created_at)
    select pg_temp.id(n, kind), 'lead_assigned', channel, provider::uuid, pg_temp.id(n, kind),
           case channel when 'webhook' then provider::uuid end, 'sent', pg_temp.moment(n), pg_temp.moment(n)
    from generate_series(1, %(leads)s) n,
         (values (%(anchor)s, 'bbb', 'webhook'), (%(bowline)s, 'ccc', 'email')) as sold (provider, kind, channel);
    insert into audit_log (seq, actor, actor_role, action, entity, entity_id, created_at, prev_hash, hash)
    select n, 'clerk-' || n %% 3, 'admin', 'lead.approved', 'lead', pg_temp.id(n, 'aaa')::text, pg_temp.moment(n),
           decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex')
    from generate_series(1, %(leads)s) n;
    insert into audit_log (seq, actor, actor_role, action, entity, entity_id, created_at, prev_hash, hash)
    select 1000000 + n, 'clerk-0', 'admin', 'refund.issued', 'assignment', pg_temp.id(n, 'bbb')::text,
           pg_temp.moment(n), decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex')
    from generate_series(1, 3) n
"""


def fill(database: Database) -> Many:
    """The marketplace has its rows, and the planner knows it."""
    many = Many(database, *sorted(new_id() for _ in range(5)))
    values = {
        "niche": many.niche,
        "gold": many.gold,
        "silver": many.silver,
        "anchor": many.anchor,
        "bowline": many.bowline,
        "leads": LEADS,
    }
    with database.transaction() as conn:
        # No references are checked, which would take most of the time.
        conn.execute("set local session_replication_role = replica")
        for script in (_HELP, _PEOPLE, _LEADS, _SALES):
            for statement in script.split(";\n"):
                _run(conn, statement, values)
    with database.transaction() as conn:
        conn.execute("analyze")
    return many


def _run(conn: Connection, statement: str, values: dict[str, object]) -> None:
    conn.execute(statement.encode(), values if "%(" in statement else None)
