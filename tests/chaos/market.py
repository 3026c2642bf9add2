"""A marketplace under load for tests of whole workers: leads to approve, and a judge of what became of them."""

import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import standardwebhooks

from fairlead.core.errors import Unavailable
from fairlead.delivery.secret_box import new_secret_key, secret_box
from fairlead.flows.approve_lead import approve_lead, approve_leads
from fairlead.flows.notifications.endpoints import set_webhook_endpoint
from fairlead.flows.submit_leads import submit_leads
from fairlead.settings import Settings
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.chaos.outside import Hook, MailBox
from tests.race.marketplaces import Niche, Provider, Terms, add_providers, open_niche, subscribe

TERMS = (Terms(5000, 1, 1), Terms(2000, 1, 2), Terms(1000, 1, 5))
SECRET_KEY = new_secret_key()
MAIL_DOMAIN = "example.net"
BULK = 10

TOO_LARGE = '{"age": 100000000000000000000}'
"""Attributes that have no canonical form: no lead that came in through a door has such, and every decision raises."""


@dataclass
class Market:
    """Niches with providers of their own and shared ones, and the secrets of those who have an endpoint."""

    niches: list[Niche]
    provider_ids: Mapping[str, str]
    secrets: dict[str, str] = field(default_factory=dict[str, str])


def open_market(database: Database, niche_count: int = 3, hook: Hook | None = None) -> Market:
    """Providers subscribe to every niche; one of them can pay for a few leads only. Every second has an endpoint."""
    people = [Provider(f"p{number}", 10_000_000, (1, 2, 5)) for number in range(6)]
    people.append(Provider("nearly-broke", 12_000, (1, 2, 5)))
    with database.transaction() as conn:
        ids = add_providers(conn, people, "market")
        niches = [open_niche(conn, f"niche-{number}", TERMS) for number in range(niche_count)]
        for niche in niches:
            subscribe(conn, niche, people, ids)
    market = Market(niches, ids)
    if hook is not None:
        box = secret_box(Settings(encryption_keys=SECRET_KEY))  # pyright: ignore[reportArgumentType]  # text becomes a secret
        for name in ("p0", "p2", "p4"):
            change = set_webhook_endpoint(database, box, ids[name], hook.url(name), None, OPERATOR, allow_private=True)
            assert change.secret is not None
            market.secrets[ids[name]] = change.secret
    return market


def submit(database: Database, market: Market, count: int) -> list[str]:
    """So many leads wait for approval, spread over the niches; their ids in a mixed order."""
    per_niche = [
        submit_leads(
            database, niche.slug, [{"age": 40}] * len(range(number, count, len(market.niches))), OPERATOR, approve=False
        )
        for number, niche in enumerate(market.niches)
    ]
    mixed = [lead_id for ids in per_niche for lead_id in ids]
    random.Random(0).shuffle(mixed)
    return mixed


def approve(database: Database, lead_ids: Sequence[str], *, pause_seconds: float = 0) -> None:
    """The leads are approved as operators do it: by and by, in turn several at once and one alone."""
    for portion in _portions(lead_ids):
        if len(portion) == 1:
            approve_lead(database, portion[0], OPERATOR)
        else:
            assert len(approve_leads(database, portion, OPERATOR).approved) == len(portion)
        time.sleep(pause_seconds)


def _portions(lead_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    start = 0
    for number in range(len(lead_ids)):
        size = 1 if number % 4 else BULK
        if start >= len(lead_ids):
            return
        yield lead_ids[start : start + size]
        start += size


def outside(smtp_port: int) -> dict[str, object]:
    """Settings of workers that tell the world outside."""
    return {
        "mail_transport": "smtp",
        "smtp_host": "127.0.0.1",
        "smtp_port": smtp_port,
        "smtp_security": "none",
        "smtp_timeout_seconds": 5,
        "mail_from": f"Fairlead <leads@{MAIL_DOMAIN}>",
        "alert_emails": "ops@example.com",
        "encryption_keys": SECRET_KEY,
        "webhook_timeout_seconds": 5,
        "webhook_pause_after_failures": 10_000,
    }


def poison(database: Database, lead_id: str) -> None:
    """Every decision of this lead raises from now on."""
    with database.transaction() as conn:
        conn.execute("update leads set attributes = %s where id = %s", (TOO_LARGE, lead_id))


def rows(database: Database, query: str, *values: object) -> list[Any]:
    """What the query gives; bare values where one column is asked for."""
    with database.snapshot() as conn:
        found = conn.execute(query.encode(), values).fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


def one(database: Database, query: str, *values: object) -> Any:
    """The one value that the query gives."""
    [value] = rows(database, query, *values)
    return value


# What is left to do ----------------------------------------------------------------------------------------------

LEFT = {
    "leads": "select count(*) from leads where awaits_decision",
    "notifications": "select count(*) from notifications where state = 'queued'",
    "jobs": "select count(*) from jobs",
}


def left(database: Database) -> dict[str, int]:
    """How much waits, of each kind."""
    return {what: one(database, query) for what, query in LEFT.items()}


def wait_until_drained(database: Database, within_seconds: float) -> float:
    """Nothing waits any more: every lead is decided or given up, every notification told or given up, no job is left.

    Returns how long that took. The database may be away in between.
    """
    started, now = time.monotonic(), {"nothing is known": 1}
    while any(now.values()):
        assert time.monotonic() < started + within_seconds, f"still {now} after {within_seconds:.0f} s"
        time.sleep(0.2)
        try:
            now = left(database)
        except Unavailable:
            continue
    return time.monotonic() - started


# Judging ---------------------------------------------------------------------------------------------------------


def assert_all_sold(database: Database, lead_ids: Sequence[str], but: Sequence[str] = ()) -> None:
    """Each of the leads was decided once and sold, but for those that were given up, whose dead letters are the only
    ones."""
    found = dict(rows(database, "select id::text, status from leads"))
    assert found == {each: "approved" if each in but else "distributed" for each in lead_ids}
    decided = rows(database, "select payload ->> 'lead_id' from niche_journal where kind = 'decision'")
    assert Counter(decided) == Counter(set(lead_ids) - set(but))
    letters = rows(database, "select lead_id::text from dead_letters where resolved_at is null")
    assert sorted(letters, key=str) == sorted(but)
    assert rows(database, "select count(*) from notifications where state <> 'sent' and kind = 'lead_assigned'") == [0]


def assert_told_once(database: Database, box: MailBox) -> Counter[str]:
    """Every assignment has one message that the mail server took, and took once, unless the record says why not.

    What may have it sent again: a worker that died while sending it, and our own server, which took it and hung up.
    Returns how often that was, by Message-ID.
    """
    assigned = rows(database, "select id::text from notifications where kind = 'lead_assigned' and channel = 'email'")
    assert len(assigned) == one(database, "select count(*) from assignments")
    known = {f"<{each}@{MAIL_DOMAIN}>" for each in rows(database, "select id::text from notifications")}
    taken = box.taken()
    assert taken.keys() <= known, "messages that no notification stands for"
    assert {f"<{each}@{MAIL_DOMAIN}>" for each in assigned} <= taken.keys(), "assignments that no provider was told of"
    cut_off = Counter(
        f"<{each}@{MAIL_DOMAIN}>"
        for each in rows(
            database, "select notification_id::text from job_attempts where outcome in ('crashed', 'interrupted')"
        )
    )
    hung_up = Counter(mail.message_id for mail in box.mails if mail.fate == "dropped after taking")
    for message_id, count in taken.items():
        excused = cut_off[message_id] + hung_up[message_id]
        assert count <= 1 + excused, (
            f"{message_id} was sent {count} times with {excused} reasons",
            [mail.fate for mail in box.mails if mail.message_id == message_id],
            rows(
                database,
                "select outcome, started_at::text, ended_at::text, error from job_attempts where notification_id = %s",
                message_id[1:].partition("@")[0],
            ),
        )
    return Counter({message_id: count for message_id, count in taken.items() if count > 1})


def assert_hooks_told(database: Database, market: Market, hook: Hook) -> None:
    """Every assignment of a provider with an endpoint was taken there; repetitions are the same message, signed."""
    due = dict(rows(database, "select id::text, provider_id::text from notifications where channel = 'webhook'"))
    expected = "select count(*) from assignments where provider_id = any(%s::uuid[])"
    assert len(due) == one(database, expected, [*market.secrets])
    assert {each.webhook_id for each in hook.webhooks if each.was_taken} == due.keys()
    bodies: dict[str, bytes] = {}
    for each in hook.webhooks:
        assert bodies.setdefault(each.webhook_id, each.body) == each.body, "a repetition with another body"
        secret = market.secrets[due[each.webhook_id]]
        standardwebhooks.Webhook(secret).verify(each.body, dict(each.headers))
