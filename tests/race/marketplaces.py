"""Small marketplaces for tests of races and crashes, written straight into the tables and the journal.

Built without the flows that configure a marketplace, so that a test can begin in states that those would not leave
behind, such as an active subscription whose provider has spent its money elsewhere.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fairlead.core.configuration_entries import level_payload, niche_payload, provider_payload, subscription_payload
from fairlead.core.journal import JournalEntryKind
from fairlead.core.ledger import LedgerEntryKind, Posting
from fairlead.core.model import LEAST_RECENTLY_SERVED, Level, Subscription, filter_text
from fairlead.flows.money.receipts import issue_receipts
from fairlead.store.audit.log import OPERATOR, AuditEvent, append_audit
from fairlead.store.connection import Connection
from fairlead.store.ids import new_id, new_salt
from fairlead.store.journal import append_configuration, lock_niches
from fairlead.store.money.payments import CreditedPayment

SCHEMA = {
    "version": 1,
    "fields": [{"key": "age", "label": "Age", "type": "number", "required": True}],
}
MEMO = "moved by a test"
EVERY_LEAD: dict[str, object] = {"version": 1, "rules": []}


def age_between(low: int, high: int) -> dict[str, object]:
    """A filter on the only field of the form."""
    return {"version": 1, "rules": [{"field_key": "age", "operator": "between", "value": [low, high]}]}


@dataclass(frozen=True)
class Terms:
    """A level to be: its price, how many may receive a lead, and where it stands."""

    price_cents: int
    max_recipients: int
    position: int
    order: str = LEAST_RECENTLY_SERVED


@dataclass(frozen=True)
class Niche:
    """A niche that was opened, and the ids of its levels by order position."""

    niche_id: str
    slug: str
    level_ids: Mapping[int, str]


@dataclass(frozen=True)
class Provider:
    """A provider to be: its name, its opening deposit, and the positions that it subscribes to with which filter.

    Each subscription has these limits, and this schedule.
    """

    name: str
    deposit_cents: int
    positions: Sequence[int]
    filter_rules: Mapping[str, object] = field(default_factory=lambda: EVERY_LEAD)
    limits: str | None = None
    schedule: str | None = None


def current_time(conn: Connection) -> datetime:
    """The one time of a transaction, as the flows read it."""
    row = conn.execute("select clock_timestamp()").fetchone()
    assert row is not None
    return row[0]


def open_niche(conn: Connection, slug: str, terms: Sequence[Terms]) -> Niche:
    """The niche and its levels are there, in the tables and in its journal."""
    now, niche_id = current_time(conn), new_id()
    conn.execute(
        "insert into niches (id, slug, name, form_schema, created_at) values (%s, %s, %s, %s, %s)",
        (niche_id, slug, slug, json.dumps(SCHEMA), now),
    )
    contents = [(JournalEntryKind.NICHE, niche_payload(slug, slug, True, SCHEMA))]
    level_ids: dict[int, str] = {}
    for term in terms:
        level = Level(
            new_id(), f"L{term.position}", term.price_cents, term.max_recipients, term.position, True, order=term.order
        )
        level_ids[term.position] = level.level_id
        conn.execute(
            """
            insert into competition_levels (id, niche_id, name, price_cents, max_recipients, order_position,
                                            queue_order,
                                            created_at)
            values (%s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (
                *(level.level_id, niche_id, level.name, term.price_cents, term.max_recipients, term.position),
                *(term.order, now),
            ),
        )
        contents.append((JournalEntryKind.LEVEL, level_payload(level, is_deleted=False)))
    append_configuration(conn, lock_niches(conn, [niche_id])[niche_id], contents, now)
    return Niche(niche_id, slug, level_ids)


def add_providers(conn: Connection, providers: Sequence[Provider], group: str) -> dict[str, str]:
    """The providers exist, each with its opening deposit in the ledger; their ids by name, ascending in this order.

    `group` keeps the e-mail addresses of several calls apart.
    """
    now = current_time(conn)
    ids = {provider.name: new_id() for provider in providers}
    cursor = conn.cursor()
    cursor.executemany(
        "insert into providers (id, name, email, email_key, created_at) values (%s, %s, %s, %s, %s)",
        [(ids[p.name], p.name, f"{p.name}@{group}.test", f"{p.name}@{group}.test", now) for p in providers],
    )
    for provider in providers:
        if provider.deposit_cents:
            pay_in(conn, ids[provider.name], provider.deposit_cents, f"opening {group} {provider.name}")
    return ids


def pay_in(conn: Connection, provider_id: str, cents: int, external_id: str) -> None:
    """The deposit is in the ledger and the balance. Nothing is reactivated."""
    now, payment_id = current_time(conn), new_id()
    conn.execute(
        """
        insert into payments (id, provider_id, gateway, external_id, amount_cents, currency, status, created_at)
        values (%s, %s, 'manual', %s, %s, 'EUR', 'succeeded', %s)
        """,
        (payment_id, provider_id, external_id, cents, now),
    )
    credited = _post(conn, provider_id, "deposit", cents, payment_id, now)
    credited |= _receipt(conn, provider_id, payment_id, cents, now)
    credited |= {"provider_id": provider_id, "gateway": "manual", "external_id": external_id, "currency": "EUR"}
    append_audit(conn, [AuditEvent(OPERATOR, "deposit.credited", "payment", payment_id, new=credited)], now)


def _receipt(conn: Connection, provider_id: str, payment_id: str, cents: int, now: datetime) -> dict[str, object]:
    """The deposit has its receipt; what the audit log says of that."""
    posting = Posting(1, LedgerEntryKind.DEPOSIT, cents, cents)
    payment = CreditedPayment(payment_id, provider_id, "manual", "", posting)
    receipt = issue_receipts(conn, [payment], "EUR", now)[payment_id]
    return {"receipt_number": receipt.number, "receipt_sha256": receipt.digest().hex()}


def leave_only(conn: Connection, provider_id: str, cents: int) -> None:
    """The provider has so much left to spend, as if another niche had charged it for the rest."""
    row = conn.execute("select balance_cents from providers where id = %s for no key update", (provider_id,)).fetchone()
    assert row is not None
    now = current_time(conn)
    debited = _post(conn, provider_id, "manual_debit", cents - row[0], None, now)
    append_audit(conn, [AuditEvent(OPERATOR, "balance.debited", "provider", provider_id, new=debited, memo=MEMO)], now)


def _post(
    conn: Connection, provider_id: str, kind: str, amount_cents: int, payment_id: str | None, now: datetime
) -> dict[str, object]:
    """What an audit event has to say of the entry."""
    row = conn.execute(
        """
        update providers set balance_cents = balance_cents + %s, ledger_seq = ledger_seq + 1 where id = %s
        returning ledger_seq, balance_cents
        """,
        (amount_cents, provider_id),
    ).fetchone()
    assert row is not None
    conn.execute(
        """
        insert into ledger_entries (provider_id, seq, kind, amount_cents, balance_after_cents, payment_id, actor,
                                    memo, created_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            provider_id,
            row[0],
            kind,
            amount_cents,
            row[1],
            payment_id,
            OPERATOR.name,
            MEMO if payment_id is None else None,
            now,
        ),
    )
    return {"ledger_seq": row[0], "amount_cents": amount_cents, "balance_after_cents": row[1]}


def subscribe(conn: Connection, niche: Niche, providers: Sequence[Provider], ids: Mapping[str, str]) -> None:
    """Each provider is subscribed to its positions, active whatever its balance is."""
    now = current_time(conn)
    contents: list[tuple[JournalEntryKind, Mapping[str, object]]] = []
    rows: list[tuple[Any, ...]] = []
    for provider in providers:
        provider_id = ids[provider.name]
        contents.append((JournalEntryKind.PROVIDER, provider_payload(provider_id, "active")))
        for position in provider.positions:
            level_id = niche.level_ids[position]
            own = Subscription(
                new_id(),
                provider_id,
                level_id,
                True,
                None,
                filter_text(provider.filter_rules),
                True,
                provider.limits,
                provider.schedule,
            )
            contents.append((JournalEntryKind.SUBSCRIPTION, subscription_payload(own, is_deleted=False)))
            rules = json.dumps(provider.filter_rules)
            timed = (provider.limits, provider.schedule)
            rows.append((own.subscription_id, provider_id, level_id, niche.niche_id, rules, *timed, now))
    locked = lock_niches(conn, [niche.niche_id])[niche.niche_id]
    conn.cursor().executemany(
        """
        insert into subscriptions (id, provider_id, competition_level_id, niche_id, is_active, filter_rules, limits,
                                   schedule, created_at)
        values (%s, %s, %s, %s, true, %s, %s, %s, %s)
        """,
        rows,
    )
    append_configuration(conn, locked, contents, now)


def add_leads(conn: Connection, niche: Niche, ages: Sequence[int]) -> list[str]:
    """One approved lead per age awaits its decision, in this order; their ids."""
    now = current_time(conn)
    ids = [new_id() for _ in ages]
    conn.cursor().executemany(
        """
        insert into leads (id, niche_id, status, attributes, attributes_salt, dedupe_key, approved_at, approved_by,
                           awaits_decision, created_at)
        values (%s, %s, 'approved', %s, %s, %s, %s, %s, true, %s)
        """,
        [
            (lead_id, niche.niche_id, json.dumps({"age": age}), new_salt(), lead_id, now, OPERATOR.name, now)
            for lead_id, age in zip(ids, ages, strict=True)
        ],
    )
    told = {"count": len(ids), "approved": True}
    append_audit(conn, [AuditEvent(OPERATOR, "leads.submitted", "niche", niche.niche_id, new=told)], now)
    return ids
