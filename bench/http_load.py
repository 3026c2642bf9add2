"""The API under load: intake, approval, status, inbox and lists over HTTP, with distribution running behind.

`python -m bench http`. Real `fairlead web` and `fairlead worker` processes, a million leads in the tables, and wrk
(https://github.com/wg/wrk) as the clients, each with an API key: first at a steady pace, then flat out.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2

from bench.measured_market import PATIENT
from bench.population import BENCH, POPULATIONS, create_niche, distribute_all, forget_work
from bench.server import SCHEMA, create_database, drop_databases, settle
from bench.workers import web, workers
from fairlead.api.schemas.pagination import cursor_of
from fairlead.core.permissions import Permission
from fairlead.flows.access.api_keys import create_api_key
from fairlead.flows.access.invitations import create_admin
from fairlead.flows.access.tokens import new_token
from fairlead.store.audit.log import OPERATOR, AuditEvent, append_audit
from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from fairlead.store.schema import migrate

SCRIPTS = Path(__file__).with_name("load")
SLUG = "load"
LEADS_OF_A_FILE = 1_000
FRESH = next(population for population in POPULATIONS if population.name == "fresh")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request: what it is, and how many come a second when they come at a steady pace."""

    name: str
    words: str
    per_second: float


KINDS = (
    Kind("intake", "`POST /api/v1/leads`: a lead comes in", 5),
    Kind("approval", "`POST .../approve`: a lead is approved, and distributed behind", 5),
    Kind("status", "`GET .../distribution-status` of any lead", 20),
    Kind("inbox", "`GET /api/v1/provider/assignments`: any page of one provider's inbox", 10),
    Kind("leads", "`GET /api/v1/admin/leads`: any page of all leads", 10),
)
CONNECTIONS_OF_EACH = 2


@dataclass(frozen=True, slots=True)
class HttpEffort:
    """How much there is, and for how long each load lasts. `sold_leads` are distributed by the engine beforehand."""

    subscriptions_per_level: int = 200
    sold_leads: int = 20_000
    pending_leads: int = 20_000
    other_leads: int = 960_000
    seconds: int = 60
    pages: int = 200
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Load:
    """What came of one load: figures by kind of request, and how many leads were decided behind meanwhile."""

    name: str
    figures: Mapping[str, Mapping[str, float]]
    decided_leads: int


@dataclass(frozen=True, slots=True)
class HttpLoads:
    """All loads, and how much was in the tables before the first."""

    rows: Mapping[str, int]
    loads: Sequence[Load]


def measure_http(server_url: str, effort: HttpEffort) -> HttpLoads:
    """Both loads, one after the other on the same marketplace. The database is gone afterwards."""
    if shutil.which("wrk") is None:
        raise FileNotFoundError("wrk is needed to make the load: install the package `wrk`")
    try:
        url = create_database(server_url, "http")
        with (
            Database(url, SCHEMA, PATIENT, max_connections=12) as database,
            tempfile.TemporaryDirectory(prefix="fairlead-bench-") as directory,
        ):
            fill(database, effort)
            settle(server_url)
            rows = counted(database)
            with (
                workers(url, 1, Path(directory)),
                web(url, Path(directory)) as address,
            ):
                asked = _prepared(database, address, effort, Path(directory))
                loads = [
                    _load("at a steady pace", database, address, asked, effort, is_paced=True),
                    _load("flat out", database, address, asked, effort, is_paced=False),
                ]
        return HttpLoads(rows, loads)
    finally:
        drop_databases(server_url, ["http"])


def fill(database: Database, effort: HttpEffort) -> None:
    """A niche with a past: leads that were sold, leads that were rejected over a year, leads that wait."""
    migrate(database)
    niche_id = create_niche(database, FRESH, effort.subscriptions_per_level, effort.sold_leads, effort.seed, slug=SLUG)
    distribute_all(database, niche_id)
    forget_work(database)
    pending, others = effort.pending_leads, effort.other_leads
    for status, numbers in ("pending_approval", range(pending)), ("rejected", range(pending, pending + others)):
        for first in range(numbers.start, numbers.stop, LEADS_OF_A_FILE):
            _insert_past_leads(database, niche_id, numbers[first - numbers.start :][:LEADS_OF_A_FILE], status)
    with database.transaction() as conn:
        conn.execute("analyze")


def _insert_past_leads(database: Database, niche_id: str, numbers: range, status: str) -> None:
    """These leads came in together, the longer ago the higher their numbers; the status says what became of them."""
    now = datetime.now(UTC)
    came_in_at = now - timedelta(seconds=30 * numbers.start)
    ids = [new_id() for _ in numbers]
    is_rejected = status == "rejected"
    with database.transaction() as conn:
        conn.execute(
            """
            insert into leads (id, niche_id, status, attributes, attributes_salt, dedupe_key, created_at, contact_email,
                               rejected_at, rejected_by, rejection_reason)
            select id, %(niche)s, %(status)s,
                   jsonb_build_object('age', 18 + n %% 60, 'job', 'job-' || n %% 4, 'region', 'region-' || n %% 20),
                   decode(md5(n::text), 'hex'), id::text, %(came_in_at)s, 'past-' || n || '@example.com',
                   case when %(is_rejected)s then %(now)s end, case when %(is_rejected)s then %(actor)s end,
                   case when %(is_rejected)s then 'old' end
            from unnest(%(ids)s::uuid[], %(numbers)s::integer[]) as lead (id, n)
            """,
            {
                "niche": niche_id,
                "status": status,
                "came_in_at": came_in_at,
                "is_rejected": is_rejected,
                "now": now,
                "actor": BENCH.name,
                "ids": ids,
                "numbers": list(numbers),
            },
        )
        new = {"count": len(ids), "approved": False}
        append_audit(conn, [AuditEvent(BENCH, "leads.imported", "niche", niche_id, new=new)], came_in_at)
        if is_rejected:
            append_audit(conn, [AuditEvent(BENCH, "lead.rejected", "lead", lead_id) for lead_id in ids], now)


def counted(database: Database) -> dict[str, int]:
    """How many rows the large tables have."""
    with database.snapshot() as conn:
        return {
            table: conn.execute(f"select count(*) from {table}".encode()).fetchall()[0][0]
            for table in ("leads", "assignments", "ledger_entries", "notifications", "niche_journal")
        }


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the clients ask with: a key for each kind, and the file of ids or cursors that its requests name."""

    keys: Mapping[str, str]
    files: Mapping[str, Path]


def _prepared(database: Database, address: str, effort: HttpEffort, directory: Path) -> _Asked:
    admin_id = create_admin(database, "load@example.com", "Load", OPERATOR, password=new_token()).user_id
    scopes = [Permission.LEADS_READ, Permission.LEADS_APPROVE]
    with database.transaction() as conn:
        provider_id = conn.execute(
            "select provider_id::text from assignments group by 1 order by count(*) desc limit 1"
        ).fetchall()[0][0]
    operator = create_api_key(database, "load", [*map(str, scopes)], OPERATOR, user_id=admin_id).text
    intake = create_api_key(database, "form", [Permission.INTAKE_WRITE.value], OPERATOR, user_id=admin_id).text
    provider = create_api_key(database, "crm", [Permission.OWN_READ.value], OPERATOR, provider_id=provider_id).text
    lists = {
        "intake": ["-"],
        "approval": _lead_ids(database, "status = 'pending_approval'"),
        "status": _lead_ids(database, "true", 50_000),
        "inbox": _cursors(address + "/api/v1/provider/assignments", provider, effort.pages),
        "leads": ["-", *_cursors_of_any_lead(database, effort.pages)],
    }
    files: dict[str, Path] = {}
    for name, lines in lists.items():
        files[name] = directory / f"{name}.txt"
        files[name].write_text("\n".join(lines) + "\n")
    keys = {kind.name: operator for kind in KINDS} | {"intake": intake, "inbox": provider}
    return _Asked(keys, files)


def _lead_ids(database: Database, where: str, limit: int = 1_000_000) -> list[str]:
    with database.snapshot() as conn:
        query = f"select id::text from leads where {where} order by md5(id::text) limit {limit}"
        return [row[0] for row in conn.execute(query.encode()).fetchall()]


def _cursors(url: str, key: str, pages: int) -> list[str]:
    """Where so many pages begin, one after the other, and the first."""
    found, headers = ["-"], {"Authorization": f"Bearer {key}"}
    while len(found) < pages:
        asked = {"limit": "200"} if found[-1] == "-" else {"limit": "200", "cursor": found[-1]}
        answer = httpx2.get(url, params=asked, headers=headers, timeout=60)
        answer.raise_for_status()
        if (cursor := answer.json()["next_cursor"]) is None:
            break
        found.append(cursor)
    return found


def _cursors_of_any_lead(database: Database, pages: int) -> list[str]:
    """Where pages of all leads begin, at any depth."""
    with database.snapshot() as conn:
        query = "select created_at, id::text from leads order by md5(id::text) limit %s"
        return [cursor_of(*row) for row in conn.execute(query, (pages,)).fetchall()]


def _load(name: str, database: Database, address: str, asked: _Asked, effort: HttpEffort, *, is_paced: bool) -> Load:
    before = _decided(database)
    with ExitStack() as running:
        clients = {
            kind.name: running.enter_context(_client(kind, address, asked, effort, is_paced=is_paced)) for kind in KINDS
        }
        figures = {name: _figures(client) for name, client in clients.items()}
    return Load(name, figures, _decided(database) - before)


@contextmanager
def _client(
    kind: Kind, address: str, asked: _Asked, effort: HttpEffort, *, is_paced: bool
) -> Iterator["subprocess.Popen[str]"]:
    pace_ms = 1000 * CONNECTIONS_OF_EACH / kind.per_second if is_paced else 0
    environment = dict(os.environ) | {
        "LOAD_DIRECTORY": str(SCRIPTS),
        "LOAD_KEY": asked.keys[kind.name],
        "LOAD_IDS": str(asked.files[kind.name]),
        "LOAD_NICHE": SLUG,
        "LOAD_PACE_MS": str(pace_ms),
        # Another one for each load: the second approves other leads than the first.
        "LOAD_SEED": str(effort.seed * 1000 + int(is_paced)),
        "LOAD_PART": "0" if is_paced else "0.5",
    }
    command = ["wrk", "-t1", f"-c{CONNECTIONS_OF_EACH}", f"-d{effort.seconds}s", "--timeout", "30s"]
    command += ["-s", str(SCRIPTS / f"{kind.name}.lua"), address]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _figures(client: "subprocess.Popen[str]") -> dict[str, float]:
    printed, _ = client.communicate()
    found = [line for line in printed.splitlines() if line.startswith("FIGURES ")]
    if not found:
        raise RuntimeError(f"wrk said nothing of its requests: {printed[-1000:]}")
    return json.loads(found[0].removeprefix("FIGURES "))


def _decided(database: Database) -> int:
    with database.snapshot() as conn:
        return conn.execute("select count(*) from niche_journal where kind = 'decision'").fetchall()[0][0]
