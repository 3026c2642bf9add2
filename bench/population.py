"""A niche to measure in: three levels (1 + 3 + 5 recipients), many subscriptions, leads that wait."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fairlead.core.configuration_entries import (
    deactivated_for_funds,
    level_payload,
    niche_payload,
    provider_payload,
    subscription_payload,
)
from fairlead.core.engine import decide, follow
from fairlead.core.journal import EntryKind
from fairlead.core.model import Lead, Level, Subscription
from fairlead.core.roster import Roster
from fairlead.store.connection import Connection, Database
from fairlead.store.distribution.rosters import load_roster
from fairlead.store.ids import new_id, new_salt
from fairlead.store.journal import append_configuration, lock_niches

RECIPIENTS = (1, 3, 5)
PRICES_CENTS = (5000, 2000, 1000)
RECIPIENTS_PER_LEAD = sum(RECIPIENTS)
PLENTY_CENTS = 10**11
OPTIONS = {"job": [f"job-{n}" for n in range(4)], "region": [f"region-{n}" for n in range(20)]}
YOUNGEST, OLDEST = 18, 77
FORM = {
    "version": 1,
    "fields": [
        {"key": "age", "label": "Age", "type": "number", "required": True},
        *(
            {"key": key, "label": key, "type": "select", "required": True, "options": options}
            for key, options in OPTIONS.items()
        ),
    ],
}


@dataclass(frozen=True, slots=True)
class Population:
    """Who subscribes. Shares are of all subscriptions (broad, narrow) or of all providers (broke).

    A broad filter accepts 60 % of the leads, a narrow one 5 %, the others 30 %. Broke providers have no money and
    their subscriptions are inactive. In steady order the niche has run for so long that everybody could have been
    served twice: then those who match rarely stand first in line.
    """

    name: str
    broad_share: float
    narrow_share: float
    broke_share: float = 0.0
    is_steady: bool = False


POPULATIONS = (
    Population("fresh", 0.2, 0.3),
    Population("steady", 0.2, 0.3, is_steady=True),
    Population("rare", 0.0, 0.9, is_steady=True),
    Population("broke", 0.2, 0.3, broke_share=0.9, is_steady=True),
)


def attributes_of_a_lead(dice: random.Random) -> dict[str, object]:
    """One lead's answers, every option and age equally likely."""
    choices = {key: dice.choice(options) for key, options in OPTIONS.items()}
    return {"age": dice.randint(YOUNGEST, OLDEST), **choices}


def _filter_rules(population: Population, dice: random.Random) -> dict[str, object]:
    kind = dice.random()
    if kind < population.narrow_share:
        rule = {"field_key": "region", "operator": "in", "value": [dice.choice(OPTIONS["region"])]}
        return {"version": 1, "rules": [rule]}
    is_broad = kind < population.narrow_share + population.broad_share
    width = (48 if is_broad else 36) - 1  # of 60 ages
    low = dice.randint(YOUNGEST, OLDEST - width)
    jobs = sorted(dice.sample(OPTIONS["job"], 3 if is_broad else 2))
    return {
        "version": 1,
        "rules": [
            {"field_key": "age", "operator": "between", "value": [low, low + width]},
            {"field_key": "job", "operator": "in", "value": jobs},
        ],
    }


def create_niche(
    database: Database,
    population: Population,
    providers: int,
    leads: int,
    seed: int,
    *,
    slug: str = "bench",
    are_approved: bool = True,
) -> str:
    """The niche's id: each provider subscribes to each level, and the leads wait for a decision or for approval.

    One transaction. Rows, ledger and journal are what the application itself would have written. Niches of one
    database share no providers.
    """
    dice = random.Random(seed)
    now = datetime.now(UTC)
    levels = [
        Level(new_id(), f"Level {position}", cents, recipients, position, True)
        for position, (recipients, cents) in enumerate(zip(RECIPIENTS, PRICES_CENTS, strict=True), start=1)
    ]
    balances = {new_id(): PLENTY_CENTS if dice.random() >= population.broke_share else 0 for _ in range(providers)}
    subscriptions = [
        _subscription(provider_id, level, balance, _filter_rules(population, dice))
        for provider_id, balance in balances.items()
        for level in levels
    ]
    with database.transaction() as conn:
        niche_id = _insert_niche(conn, slug, levels, now)
        _insert_providers(conn, slug, balances, now)
        _insert_subscriptions(conn, niche_id, subscriptions, now)
        _append_journal(conn, niche_id, slug, levels, list(balances), subscriptions, now)
        _insert_leads(conn, niche_id, leads, dice, now, are_approved)
        if population.is_steady:
            _age(conn, niche_id, dice, now)
    return niche_id


def _subscription(provider_id: str, level: Level, balance: int, rules: dict[str, object]) -> Subscription:
    subscription = Subscription(new_id(), provider_id, level.level_id, True, None, rules, True)
    return subscription if balance else deactivated_for_funds(subscription)


def _insert_niche(conn: Connection, slug: str, levels: Sequence[Level], now: datetime) -> str:
    niche_id = new_id()
    conn.execute(
        "insert into niches (id, slug, name, form_schema, created_at) values (%s, %s, %s, %s, %s)",
        (niche_id, slug, slug.title(), json.dumps(FORM), now),
    )
    for level in levels:
        conn.execute(
            """
            insert into competition_levels
                (id, niche_id, name, price_cents, max_recipients, order_position, created_at)
            values (%s, %s, %s, %s, %s, %s, %s)
            """,
            (
                level.level_id,
                niche_id,
                level.name,
                level.price_cents,
                level.max_recipients,
                level.order_position,
                now,
            ),
        )
    return niche_id


def _insert_providers(conn: Connection, slug: str, balances: dict[str, int], now: datetime) -> None:
    paid = {provider_id: (new_id(), cents) for provider_id, cents in balances.items() if cents}
    with conn.cursor().copy(
        "copy providers (id, name, email, email_key, balance_cents, ledger_seq, created_at) from stdin"
    ) as copy:
        for number, (provider_id, cents) in enumerate(balances.items()):
            name, email = f"Provider {number}", f"{number}@{slug}.example"
            copy.write_row((provider_id, name, email, email, cents, int(cents > 0), now))
    with conn.cursor().copy(
        "copy payments (id, provider_id, gateway, external_id, amount_cents, currency, status, created_at) from stdin"
    ) as copy:
        for provider_id, (payment_id, cents) in paid.items():
            copy.write_row((payment_id, provider_id, "manual", payment_id, cents, "EUR", "succeeded", now))
    with conn.cursor().copy(
        """
        copy ledger_entries (provider_id, seq, kind, amount_cents, balance_after_cents, payment_id, actor, created_at)
        from stdin
        """
    ) as copy:
        for provider_id, (payment_id, cents) in paid.items():
            copy.write_row((provider_id, 1, "deposit", cents, cents, payment_id, "bench", now))


def _insert_subscriptions(
    conn: Connection, niche_id: str, subscriptions: Sequence[Subscription], now: datetime
) -> None:
    with conn.cursor().copy(
        """
        copy subscriptions (id, provider_id, competition_level_id, niche_id, is_active, deactivation_reason,
                            filter_rules, created_at) from stdin
        """
    ) as copy:
        for s in subscriptions:
            rules = json.dumps(s.filter_rules)
            ids = (s.subscription_id, s.provider_id, s.level_id, niche_id)
            copy.write_row((*ids, s.is_active, s.deactivation_reason, rules, now))


def _append_journal(
    conn: Connection,
    niche_id: str,
    slug: str,
    levels: Sequence[Level],
    provider_ids: Sequence[str],
    subscriptions: Sequence[Subscription],
    now: datetime,
) -> None:
    contents = [
        (EntryKind.NICHE, niche_payload(slug, slug.title(), True, FORM)),
        *((EntryKind.LEVEL, level_payload(level, is_deleted=False)) for level in levels),
        *((EntryKind.PROVIDER, provider_payload(provider_id, "active")) for provider_id in provider_ids),
        *((EntryKind.SUBSCRIPTION, subscription_payload(s, is_deleted=False)) for s in subscriptions),
    ]
    append_configuration(conn, lock_niches(conn, [niche_id])[niche_id], contents, now)


def _insert_leads(
    conn: Connection, niche_id: str, leads: int, dice: random.Random, now: datetime, are_approved: bool
) -> None:
    state = ("approved", now, True) if are_approved else ("pending_approval", None, False)
    with conn.cursor().copy(
        """
        copy leads (id, niche_id, status, approved_at, awaits_decision, attributes, attributes_salt, dedupe_key,
                    created_at) from stdin
        """
    ) as copy:
        for _ in range(leads):
            lead_id = new_id()
            answers = json.dumps(attributes_of_a_lead(dice))
            copy.write_row((lead_id, niche_id, *state, answers, new_salt(), lead_id, now))


def _age(conn: Connection, niche_id: str, dice: random.Random, now: datetime) -> None:
    """The niche's served order and pointer are those after two assignments for each subscription that can have any."""
    niche = lock_niches(conn, [niche_id])[niche_id]
    roster = load_roster(conn, niche)
    active = [s.subscription_id for s in roster.subscriptions.values() if s.is_active]
    while roster.head.last_served_seq < 2 * len(active):
        _serve_one(roster, dice, now)
    served = [(subscription_id, seq) for subscription_id in active if (seq := roster.served_seq(subscription_id))]
    conn.execute(
        """
        update subscriptions
        set served_seq = served.seq, last_received_at = %s::timestamptz + served.seq * interval '1 us'
        from unnest(%s::uuid[], %s::bigint[]) as served (subscription_id, seq) where id = subscription_id
        """,
        (now, [subscription_id for subscription_id, _ in served], [seq for _, seq in served]),
    )
    conn.execute(
        "update niches set last_served_seq = %s, next_start_level_order_position = %s where id = %s",
        (roster.head.last_served_seq, roster.head.next_start_order_position, niche_id),
    )


def _serve_one(roster: Roster, dice: random.Random, now: datetime) -> None:
    follow(roster, decide(roster, Lead("", attributes_of_a_lead(dice), "", 1), {}, now))
