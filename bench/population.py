"""A niche to measure in: three levels (1 + 3 + 5 recipients), many subscriptions, leads that wait."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.controls import Control, controlled, price_rules, terms_of
from fairlead.core.configuration_entries import (
    level_payload,
    niche_payload,
    provider_payload,
    subscription_payload,
)
from fairlead.core.journal import JournalEntryKind
from fairlead.core.ledger import LedgerEntryKind, LowBalance, Posting
from fairlead.core.model import PLAIN_TERMS, Level, ProviderTerms, Subscription, filter_text
from fairlead.core.prices import lowest_price_cents
from fairlead.core.subscription import funded
from fairlead.flows.distributor import Distributor
from fairlead.flows.money.receipts import issue_receipts
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id, new_salt
from fairlead.store.journal import append_configuration, lock_niches
from fairlead.store.money.ledger import post_entries
from fairlead.store.money.payments import CreditedPayment, credited_event, insert_payments

RECIPIENTS = (1, 3, 5)
PRICES_CENTS = (5000, 2000, 1000)
RECIPIENTS_PER_LEAD = sum(RECIPIENTS)
PLENTY_CENTS = 10**11
BENCH = Actor("bench", "system")
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
    their subscriptions are inactive. In steady order the niche has run for so long that all of them could have been
    served twice: then those who match rarely stand first in line.
    """

    name: str
    broad_share: float
    narrow_share: float
    broke_share: float = 0.0
    is_steady: bool = False
    controls: frozenset[Control] = frozenset()
    """What is on every subscription, and on every level; no sale is another for it: what is measured is the asking."""


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
    shares_providers: bool = False,
    recipients: Sequence[int] = RECIPIENTS,
    at: datetime | None = None,
) -> str:
    """The niche's id: each provider subscribes to each level, and the leads wait for a decision or for approval.

    Rows, ledger, journal and audit log are what the application itself would have written, and a steady niche's past is
    its own work: `fairlead verify` holds. The providers are new, or where they are shared all that there are.
    `recipients` are those of each level, `at` is when all of it came to be: now, without one.
    """
    dice = random.Random(seed)
    now = at or datetime.now(UTC)
    levels = _levels(population, recipients)
    if shares_providers:
        balances = _balances(database)
    else:
        balances = {new_id(): PLENTY_CENTS if dice.random() >= population.broke_share else 0 for _ in range(providers)}
    subscriptions = [
        _subscription(provider_id, level, balance, _filter_rules(population, dice))
        for provider_id, balance in balances.items()
        for level in levels
    ]
    # Dice of its own, so that audiences and leads are the same with controls and without.
    control_dice = random.Random(f"controls of {seed}")
    subscriptions = [controlled(each, population.controls, control_dice) for each in subscriptions]
    terms = {provider_id: terms_of(population.controls, control_dice) for provider_id in balances}
    with database.transaction() as conn:
        niche_id = _insert_niche(conn, slug, levels, now)
        if not shares_providers:
            _insert_providers(conn, slug, balances, terms, now)
        _insert_subscriptions(conn, niche_id, subscriptions, now)
        _append_journal(conn, niche_id, slug, levels, terms, subscriptions, now)
    if population.is_steady:
        # Dice of its own, so that the leads that wait are the same in a fresh niche and in a steady one.
        sell(database, niche_id, 2 * sum(s.is_active for s in subscriptions), random.Random(f"past of {seed}"))
    insert_leads(database, niche_id, leads, dice, are_approved=are_approved)
    return niche_id


def _levels(population: Population, recipients: Sequence[int]) -> list[Level]:
    has_rules = Control.PRICE_RULES in population.controls
    return [
        Level(
            new_id(),
            f"Level {position}",
            cents,
            most,
            position,
            True,
            price_rules_text=price_rules(cents, OPTIONS["region"]) if has_rules else None,
        )
        for position, (most, cents) in enumerate(zip(recipients, PRICES_CENTS, strict=True), start=1)
    ]


def _balances(database: Database) -> dict[str, int]:
    with database.snapshot() as conn:
        return dict(conn.execute("select id::text, balance_cents from providers order by id").fetchall())


def _subscription(provider_id: str, level: Level, balance: int, rules: dict[str, object]) -> Subscription:
    subscription = Subscription(new_id(), provider_id, level.level_id, True, None, filter_text(rules), True)
    return funded(subscription, level.price_cents, balance)


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
                (id, niche_id, name, price_cents, max_recipients, order_position, price_rules, lowest_price_cents,
                 created_at)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (
                level.level_id,
                niche_id,
                level.name,
                level.price_cents,
                level.max_recipients,
                level.order_position,
                level.price_rules_text,
                None if level.price_rules_text is None else lowest_price_cents(level),
                now,
            ),
        )
    return niche_id


def _insert_providers(
    conn: Connection, slug: str, balances: dict[str, int], terms: Mapping[str, ProviderTerms], now: datetime
) -> None:
    with conn.cursor().copy(
        "copy providers (id, name, email, email_key, timezone, limits, created_at) from stdin"
    ) as copy:
        for number, provider_id in enumerate(balances):
            name, email = f"Provider {number}", f"{number}@{slug}.example"
            own = terms[provider_id]
            copy.write_row((provider_id, name, email, email, own.timezone, own.limits_text, now))
    payments = [
        CreditedPayment(new_id(), provider_id, "manual", new_id(), Posting(1, LedgerEntryKind.DEPOSIT, cents, cents))
        for provider_id, cents in balances.items()
        if cents
    ]
    entries = insert_payments(conn, payments, "EUR", now)
    post_entries(conn, entries, dict.fromkeys(balances, LowBalance()), BENCH.name, now)
    receipts = issue_receipts(conn, payments, "EUR", now)
    credited = [credited_event(each, receipts[each.payment_id], BENCH) for each in payments]
    changed = [_terms_event(provider_id, own) for provider_id, own in terms.items() if own != PLAIN_TERMS]
    append_audit(conn, [*credited, *changed], now)


def _terms_event(provider_id: str, terms: ProviderTerms) -> AuditEvent:
    told = {"timezone": terms.timezone, "limits": None if terms.limits_text is None else json.loads(terms.limits_text)}
    return AuditEvent(BENCH, "provider.changed", "provider", provider_id, new=told)


def _insert_subscriptions(
    conn: Connection, niche_id: str, subscriptions: Sequence[Subscription], now: datetime
) -> None:
    with conn.cursor().copy(
        """
        copy subscriptions (id, provider_id, competition_level_id, niche_id, is_active, deactivation_reason,
                            filter_rules, limits, schedule, created_at) from stdin
        """
    ) as copy:
        for s in subscriptions:
            rules = s.filter_text
            ids = (s.subscription_id, s.provider_id, s.level_id, niche_id)
            timed = (s.limits_text, s.schedule_text)
            copy.write_row((*ids, s.is_active, s.deactivation_reason, rules, *timed, now))
    with conn.cursor().copy(
        "copy notifications (id, kind, channel, provider_id, subscription_id, state, sent_at, created_at) from stdin"
    ) as copy:
        for s in subscriptions:
            if not s.is_active:
                told = (s.provider_id, s.subscription_id, "sent", now, now)
                copy.write_row((new_id(), "subscription_deactivated", "email", *told))


def _append_journal(
    conn: Connection,
    niche_id: str,
    slug: str,
    levels: Sequence[Level],
    terms: Mapping[str, ProviderTerms],
    subscriptions: Sequence[Subscription],
    now: datetime,
) -> None:
    contents = [
        (JournalEntryKind.NICHE, niche_payload(slug, slug.title(), True, FORM)),
        *((JournalEntryKind.LEVEL, level_payload(level, is_deleted=False)) for level in levels),
        *((JournalEntryKind.PROVIDER, provider_payload(own_id, "active", own)) for own_id, own in terms.items()),
        *((JournalEntryKind.SUBSCRIPTION, subscription_payload(s, is_deleted=False)) for s in subscriptions),
    ]
    append_configuration(conn, lock_niches(conn, [niche_id])[niche_id], contents, now)


def insert_leads(
    database: Database, niche_id: str, leads: int, dice: random.Random, *, are_approved: bool = True
) -> None:
    """So many leads came in at one moment, and wait for a decision or for approval; no job does."""
    now = datetime.now(UTC)
    state = ("approved", now, BENCH.name, True) if are_approved else ("pending_approval", None, None, False)
    with database.transaction() as conn:
        with conn.cursor().copy(
            """
            copy leads (id, niche_id, status, approved_at, approved_by, awaits_decision, attributes, attributes_salt,
                        dedupe_key, created_at) from stdin
            """
        ) as copy:
            for _ in range(leads):
                lead_id = new_id()
                answers = json.dumps(attributes_of_a_lead(dice))
                copy.write_row((lead_id, niche_id, *state, answers, new_salt(), lead_id, now))
        new = {"count": leads, "approved": are_approved}
        append_audit(conn, [AuditEvent(BENCH, "leads.submitted", "niche", niche_id, new=new)], now)


def sell(database: Database, niche_id: str, assignments: int, dice: random.Random) -> None:
    """At least so many assignments were decided by the engine, and nothing of them is left to be done."""
    while missing := max(0, assignments - _assigned(database, niche_id)):
        insert_leads(database, niche_id, -(-missing // RECIPIENTS_PER_LEAD), dice)
        assert distribute_all(database, niche_id), "in this niche every lead finds a recipient"
    forget_work(database)


def _assigned(database: Database, niche_id: str) -> int:
    with database.snapshot() as conn:
        return conn.execute("select last_served_seq from niches where id = %s", (niche_id,)).fetchall()[0][0]


def distribute_all(database: Database, niche_id: str) -> int:
    """No lead of the niche waits for a decision; returns how many assignments that made."""
    distributor, assigned = Distributor(database, batch_limit=200), 0
    while decisions := distributor.distribute_waiting(niche_id).decisions:
        assigned += sum(len(decision.recipients) for decision in decisions)
    return assigned


def forget_work(database: Database) -> None:
    """No job is left, and every notification counts as sent."""
    with database.transaction() as conn:
        conn.execute("delete from jobs")
        conn.execute("update notifications set state = 'sent', sent_at = now(), attempts = 1 where state <> 'sent'")
