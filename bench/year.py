"""A year of a marketplace: a million leads, their decisions and what became of them, written set-based.

The engine decides some leads in each niche; every other decision is one of these again, for another lead, at another
time, with the order numbers, balances and hashes that follow from what came before. So every page finds what it would
after a year, while `verify` would not: it decides again.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.population import POPULATIONS, create_niche, distribute_all, forget_work
from fairlead.core.canonical import canonical_json, timestamp_text
from fairlead.core.journal import entry_hash
from fairlead.flows.maintenance.snapshot_rosters import snapshot_niche
from fairlead.store.connection import Connection, Database

FRESH = next(population for population in POPULATIONS if population.name == "fresh")
RECIPIENTS = (1, 1, 2)
SOURCES = ("search", "social", "partner-a", "partner-b", "newsletter", "display", "comparison", None)
LEADS_AT_ONCE = 5_000
MEMO = "the number is not in use"

LEADS = """copy leads (id, niche_id, status, attributes, attributes_salt, dedupe_key, created_at, contact_name,
    contact_email, email_key, utm_source, approved_at, approved_by, rejected_at, rejected_by, rejection_reason,
    distributed_at, recipient_ids, distribution_attempts, last_attempt_at, last_outcome) from stdin"""
LEDGER = """copy ledger_entries (provider_id, seq, kind, amount_cents, balance_after_cents, assignment_id, actor, memo,
    created_at) from stdin"""
ASSIGNMENTS = """copy assignments (id, lead_id, provider_id, subscription_id, competition_level_id, niche_id,
    journal_seq, served_seq, price_cents, ledger_seq, assigned_at, status, viewed_at, answered_at, refunded_at,
    bad_lead_reported_at, bad_lead_reason, bad_lead_decision, bad_lead_decided_at, bad_lead_decided_by, bad_lead_memo)
    from stdin"""
NOTIFICATIONS = """copy notifications (id, kind, channel, provider_id, assignment_id, state, sent_at, attempts,
    created_at) from stdin"""
JOURNAL = "copy niche_journal (niche_id, seq, kind, payload, recorded_at, prev_hash, hash) from stdin"


@dataclass(frozen=True, slots=True)
class YearEffort:
    """How much there is: `patterns` leads of each niche are decided by the engine, the others after these."""

    leads: int = 1_000_000
    niches: int = 5
    providers: int = 1_000
    patterns: int = 200
    pending: int = 5_000
    seed: int = 1


@dataclass(slots=True)
class _Niche:
    niche_id: str
    seq: int
    head: bytes
    served_seq: int
    pointer: int
    patterns: Sequence[tuple[Mapping[str, Any], Mapping[str, Any], bytes]]


@dataclass(slots=True)
class _Rows:
    """What one stretch of the year adds to each table."""

    leads: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    ledger: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    assignments: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    notifications: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    journal: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])


def make_year(database: Database, effort: YearEffort) -> None:
    """The marketplace is there, analysed, with snapshots of its rosters."""
    now = datetime.now(UTC)
    begin = now - timedelta(days=365)
    for number in range(effort.niches):
        niche_id = create_niche(
            database,
            FRESH,
            effort.providers // effort.niches,
            effort.patterns,
            effort.seed + number,
            slug=f"niche-{number + 1}",
            recipients=RECIPIENTS,
            at=begin,
        )
        distribute_all(database, niche_id)
    forget_work(database)
    writer = _Year(database, effort, begin, now)
    for rows in writer.stretches():
        with database.transaction() as conn:
            conn.execute("set local session_replication_role = replica")  # the references are known to hold
            _copy(conn, rows)
    with database.transaction() as conn:
        writer.end(conn)
        conn.execute("analyze")
    for niche in writer.niches:
        while snapshot_niche(database, niche.niche_id):
            pass


def _copy(conn: Connection, rows: _Rows) -> None:
    for statement, values in (
        (LEADS, rows.leads),
        (LEDGER, rows.ledger),
        (ASSIGNMENTS, rows.assignments),
        (NOTIFICATIONS, rows.notifications),
        (JOURNAL, rows.journal),
    ):
        with conn.cursor().copy(statement.encode()) as copy:
            for row in values:
                copy.write_row(row)


class _Year:
    """Goes through the year, lead by lead, and keeps what each niche and provider has come to."""

    def __init__(self, database: Database, effort: YearEffort, begin: datetime, end: datetime) -> None:
        self.effort, self.begin, self.finish = effort, begin, end
        self.dice = random.Random(f"year {effort.seed}")
        others = max(1, effort.leads - effort.niches * effort.patterns)
        self.step = (end - begin) / (others + 1)
        with database.snapshot() as conn:
            ids = conn.execute("select id::text from niches order by 1").fetchall()
            self.niches = [_read_niche(conn, each) for (each,) in ids]
            money = conn.execute("select id::text, ledger_seq, balance_cents from providers").fetchall()
        self.money = {provider_id: [seq, balance] for provider_id, seq, balance in money}
        self.served = dict[str, tuple[int, datetime]]()
        self.count = others

    def stretches(self) -> Iterator[_Rows]:
        """The rows of the year, a few thousand leads at a time."""
        rows = _Rows()
        for number in range(self.count):
            self._add_lead(rows, number)
            if len(rows.leads) == LEADS_AT_ONCE:
                yield rows
                rows = _Rows()
        yield rows

    def end(self, conn: Connection) -> None:
        """Niches, providers and subscriptions are as the rows left them."""
        for niche in self.niches:
            conn.execute(
                """
                update niches set journal_seq = %s, journal_head = %s, last_served_seq = %s,
                                  next_start_level_order_position = %s where id = %s
                """,
                (niche.seq, niche.head, niche.served_seq, niche.pointer, niche.niche_id),
            )
        conn.execute(
            """
            update providers p set ledger_seq = n.seq, balance_cents = n.balance
            from unnest(%s::uuid[], %s::bigint[], %s::bigint[]) as n (id, seq, balance) where p.id = n.id
            """,
            ([*self.money], [seq for seq, _ in self.money.values()], [cents for _, cents in self.money.values()]),
        )
        conn.execute(
            """
            update subscriptions s set served_seq = n.seq, last_received_at = n.at
            from unnest(%s::uuid[], %s::bigint[], %s::timestamptz[]) as n (id, seq, at) where s.id = n.id
            """,
            ([*self.served], [seq for seq, _ in self.served.values()], [at for _, at in self.served.values()]),
        )

    def _id(self, moment: datetime) -> str:
        bits = self.dice.getrandbits(74)
        head, rest = f"{int(moment.timestamp() * 1000):012x}", f"{bits & (1 << 62) - 1:016x}"
        tail = f"{int(rest[0], 16) & 3 | 8:x}{rest[1:]}"
        return f"{head[:8]}-{head[8:]}-7{bits >> 62:03x}-{tail[:4]}-{tail[4:]}"

    def _add_lead(self, rows: _Rows, number: int) -> None:
        dice, niche = self.dice, self.niches[number % len(self.niches)]
        came_in_at = self.begin + self.step * (number + 1)
        payload, attributes, salt = niche.patterns[number % len(niche.patterns)]
        lead_id, fate = self._id(came_in_at), dice.random()
        approved_at = came_in_at + timedelta(seconds=dice.expovariate(1 / 900))
        decided_at = approved_at + timedelta(milliseconds=5 + dice.expovariate(1 / 40))
        common = (
            json.dumps(attributes), salt, lead_id, came_in_at, f"Person {number}", f"{number}@example.com",
            f"{number}@example.com", SOURCES[dice.randrange(len(SOURCES))],
        )  # fmt: skip
        nothing = (None,) * 6
        if number >= self.count - self.effort.pending:
            rows.leads.append((lead_id, niche.niche_id, "pending_approval", *common, *nothing, [], 0, None, None))
        elif fate < 0.25:
            refused = (None, None, approved_at, "bench", "no number", None)
            rows.leads.append((lead_id, niche.niche_id, "rejected", *common, *refused, [], 0, None, None))
        elif fate < 0.35:
            unsold = (approved_at, "bench", None, None, None, None)
            tried = ([], 1, decided_at, "no_eligible")
            rows.leads.append((lead_id, niche.niche_id, "approved", *common, *unsold, *tried))
            self._add_decision(rows, niche, _without_recipients(payload), lead_id, decided_at)
        else:
            recipients = self._add_decision(rows, niche, payload, lead_id, decided_at)
            sold = (approved_at, "bench", None, None, None, decided_at)
            is_bad = fate > 0.98
            self._add_assignments(rows, niche, recipients, lead_id, decided_at, is_bad=is_bad)
            status = "bad" if is_bad else "distributed"
            tried = ([each["provider_id"] for _, each in recipients], 1, decided_at, payload["outcome"])
            rows.leads.append((lead_id, niche.niche_id, status, *common, *sold, *tried))

    def _add_decision(
        self, rows: _Rows, niche: _Niche, pattern: Mapping[str, Any], lead_id: str, at: datetime
    ) -> list[tuple[str, dict[str, Any]]]:
        """The recipients with their levels, as this decision has them."""
        recipients: list[tuple[str, dict[str, Any]]] = []
        levels: list[dict[str, Any]] = []
        for level in pattern["levels"]:
            own: list[dict[str, Any]] = []
            for each in level["recipients"]:
                niche.served_seq += 1
                seq, balance = self.money[each["provider_id"]]
                mine = {
                    **each,
                    "assignment_id": self._id(at),
                    "served_seq": niche.served_seq,
                    "ledger_seq": seq + 1,
                    "balance_before_cents": balance,
                }
                self.money[each["provider_id"]] = [seq + 1, balance - each["price_cents"]]
                self.served[each["subscription_id"]] = (niche.served_seq, at)
                own.append(mine)
                recipients.append((level["level_id"], mine))
            levels.append({**level, "recipients": own})
        text = canonical_json({**pattern, "lead_id": lead_id, "decided_at": timestamp_text(at), "levels": levels})
        niche.seq += 1
        niche.pointer = pattern["next_start_order_position"]
        sealed = entry_hash(niche.head, niche.niche_id, niche.seq, "decision", text, at)
        rows.journal.append((niche.niche_id, niche.seq, "decision", text.decode(), at, niche.head, sealed))
        niche.head = sealed
        return recipients

    def _add_assignments(
        self,
        rows: _Rows,
        niche: _Niche,
        recipients: Sequence[tuple[str, Mapping[str, Any]]],
        lead_id: str,
        at: datetime,
        *,
        is_bad: bool,
    ) -> None:
        for level_id, each in recipients:
            provider_id, cents = each["provider_id"], each["price_cents"]
            after = each["balance_before_cents"] - cents
            rows.ledger.append(
                (provider_id, each["ledger_seq"], "lead_purchase", -cents, after, each["assignment_id"], "fairlead",
                 None, at)
            )  # fmt: skip
            fate = self.dice.random()
            later = min(self.finish, at + timedelta(hours=1 + 40 * self.dice.random()))
            viewed_at, answered_at, status, refunded_at = later, None, "active", None
            report: tuple[Any, ...] = (None,) * 6
            if is_bad or fate < 0.03:
                status, refunded_at = "refunded", later
                seq, balance = self.money[provider_id]
                self.money[provider_id] = [seq + 1, balance + cents]
                rows.ledger.append(
                    (provider_id, seq + 1, "refund", cents, balance + cents, each["assignment_id"], "bench", MEMO,
                     later)
                )  # fmt: skip
                if fate < 0.02:
                    report = (later, "unreachable", "accepted", later, "bench", MEMO)
            elif fate < 0.04:
                report = (later, "not_interested", "rejected", later, "bench", MEMO)
            elif fate < 0.6:
                status, answered_at = "accepted", later
            elif fate > 0.95:
                viewed_at = None
            told = (self._id(at), "lead_assigned", "email", provider_id, each["assignment_id"], "sent", at, 1, at)
            rows.notifications.append(told)
            rows.assignments.append(
                (each["assignment_id"], lead_id, provider_id, each["subscription_id"], level_id, niche.niche_id,
                 niche.seq, each["served_seq"], cents, each["ledger_seq"], at, status, viewed_at, answered_at,
                 refunded_at, *report)
            )  # fmt: skip


def _without_recipients(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The same decision, had every recipient had no money."""
    levels = [
        {
            **level,
            "recipients": [],
            "refused": [
                {
                    "subscription_id": each["subscription_id"],
                    "provider_id": each["provider_id"],
                    "reason": "insufficient_balance",
                    "available_cents": 0,
                    "price_cents": each["price_cents"],
                }
                for each in level["recipients"]
            ],
        }
        for level in payload["levels"]
    ]
    return {**payload, "outcome": "no_eligible", "levels": levels}


def _read_niche(conn: Connection, niche_id: str) -> _Niche:
    [(seq, head, served_seq, pointer)] = conn.execute(
        """
        select journal_seq, journal_head, last_served_seq, next_start_level_order_position from niches where id = %s
        """,
        (niche_id,),
    ).fetchall()
    patterns = conn.execute(
        """
        select j.payload, l.attributes, l.attributes_salt from niche_journal j
        join leads l on l.id = (j.payload ->> 'lead_id')::uuid
        where j.niche_id = %s and j.kind = 'decision' order by j.seq
        """,
        (niche_id,),
    ).fetchall()
    return _Niche(niche_id, seq, head, served_seq, pointer, patterns)
