"""Every page of the console, the portal and the forms, asked many times over a socket, with a year in the tables.

`python -m bench console`. A real `fairlead web` process; each page is asked by a session of its own, so that none is
held up by what another one asked. The pages are those that the console's routes declare. `--keep DIRECTORY` keeps the
population there: the next run with the same effort begins with it, and one that was cut off goes on where it was.
"""

import hashlib
import json
import re
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from statistics import median
from typing import Any

import httpx2
from fastapi.routing import iter_route_contexts
from pyotp.totp import TOTP

import fairlead.store
from bench.compare import PAGE, between_marks
from bench.measured_market import PATIENT
from bench.server import SCHEMA, address, create_database, drop_databases, settle
from bench.workers import web
from bench.year import YearEffort, make_year
from fairlead.api.session_cookie import DEVELOPMENT_COOKIE
from fairlead.console.routes import ROUTERS
from fairlead.core.permissions import Role
from fairlead.delivery.secret_box import secret_box
from fairlead.flows.access.enrolment import begin_totp_enrolment, confirm_totp_enrolment
from fairlead.flows.access.invitations import create_admin, invite_user
from fairlead.flows.access.log_in import log_in
from fairlead.flows.access.one_time import accept_invite, issue_token
from fairlead.flows.access.principal import Client
from fairlead.flows.access.tokens import new_token
from fairlead.flows.intake.policy import change_intake_policy
from fairlead.flows.maintenance.count_entitlement import count_decisions
from fairlead.flows.maintenance.roll_up import roll_up_reports
from fairlead.settings import Settings
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.intake import IntakePolicy
from fairlead.store.leads.rows import clock
from fairlead.store.reports.pieces import keep_zone
from fairlead.store.schema import migrate

LONGEST_P95_MS = 200
LARGEST_BYTES = 300_000
MARKS = "bench console"
DATABASE = "console"
BASELINE = Path(fairlead.store.__file__).parent / "migrations" / "baseline"
RUN = new_token()[:8].lower()
"""In addresses of mailboxes, so that each run has users of its own in a population that was kept."""
KEYS = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
HERE = Client("127.0.0.1", "bench")

NOT_ASKED = {
    "/": "leads on to the first section",
    "/forms/embed.js": "a script",
    "/login/enrolment": "a login that is half done, as is the next",
    "/login/second-factor": "",
    "/operations/dead-letters/{dead_letter_id}": "nothing was given up in this year",
    "/exports/{export_id}": "nothing was exported",
    "/logo/{digest}": "a picture",
    "/dry-run/outcome": "what a form sends, as are the next two",
    "/niches/{niche_id}/filter-preview": "",
    "/portal/levels/{level_id}/filter-preview": "",
    "/setup": "over for good once there is an operator, as there is here",
    "/operations/endpoints/{endpoint_id}": "no provider has an endpoint",
    "/portal/payments/{request_id}": "no provider has asked to pay, and for the next there is no gateway",
    "/portal/test-gateway/{request_id}": "",
    "/portal/test-gateway/method/{setup_id}": "",
}
"""Pages of the routes that are not asked, and why."""
NAMED = (
    "assignment_id", "kind", "lead_id", "level_id", "month", "niche_id", "notification_id", "number", "provider_id",
    "slug", "subscription_id", "user_id",
)  # fmt: skip
"""What addresses may name: `_names` has ids for them."""
YEARS = ("/overview", "/analytics", "/fairness", "/money")
"""Pages that are also asked for a whole year."""


@dataclass(frozen=True, slots=True)
class ConsoleEffort:
    """What there is, and how often each page is asked."""

    year: YearEffort = field(default_factory=YearEffort)
    asks: int = 40
    keeps_pieces: bool = True
    """Whether workers have added up, as they do within some hours, what reports tell of days that are over."""


@dataclass(frozen=True, slots=True)
class PageFigures:
    """A page: its times in milliseconds, the uncompressed size of its largest answer, and how many were no answer."""

    page: str
    p50_ms: float
    p95_ms: float
    max_ms: float
    html_bytes: int
    errors: int


@dataclass(frozen=True, slots=True)
class ConsoleMeasured:
    """Every page, and how much was in the tables."""

    rows: Mapping[str, int]
    pages: Sequence[PageFigures]


def pages_of_routes() -> list[str]:
    """The addresses of every page and file that the console's routes declare, but those that are not asked."""
    found = {str(route.path_format) for router in ROUTERS for route in iter_route_contexts(router.routes)}
    return sorted(found - NOT_ASKED.keys())


def measure_console(server_url: str, effort: ConsoleEffort, state: Path | None = None) -> ConsoleMeasured:
    """Every page in turn, with nothing else running. The database is gone afterwards, unless `state` says its state."""
    try:
        url = _populated(server_url, effort, state)
        with (
            Database(url, SCHEMA, PATIENT) as database,
            tempfile.TemporaryDirectory(prefix="fairlead-bench-") as directory,
        ):
            if effort.keeps_pieces:
                _add_up(database)
            settle(server_url)
            asked = list(_asked(database))
            with web(url, Path(directory), {"FAIRLEAD_ENCRYPTION_KEYS": KEYS, "FAIRLEAD_COOKIE_OVER_HTTP": "1"}) as at:
                pages = [_measure(at, each, effort.asks) for each in asked]
            return ConsoleMeasured(_counted(database), pages)
    finally:
        if state is None:
            drop_databases(server_url, [DATABASE])


def _populated(server_url: str, effort: ConsoleEffort, state: Path | None) -> str:
    """The address of the database with its year: the one that `state` tells of, if it is of the same effort."""
    wanted = json.dumps({"effort": asdict(effort.year), "baseline": _baseline_digest()}, sort_keys=True)
    if state is not None and state.exists() and state.read_text(encoding="utf-8") == wanted:
        return address(server_url, DATABASE)
    drop_databases(server_url, [DATABASE])
    url = create_database(server_url, DATABASE)
    with Database(url, SCHEMA, PATIENT) as database:
        migrate(database)
        make_year(database, effort.year)
    if state is not None:
        state.write_text(wanted, encoding="utf-8")
    return url


def _baseline_digest() -> str:
    """Of the schema that a kept population was made for."""
    texts = [path.read_bytes() for path in sorted(BASELINE.glob("*.sql"))]
    return hashlib.sha256(b"".join(texts)).hexdigest()


def _add_up(database: Database) -> None:
    """What workers add up within some hours is added up; what was before stays."""
    database.run(lambda conn: keep_zone(conn, "UTC"))
    while roll_up_reports(database):
        pass
    while not _is_counted(database):
        count_decisions(database)


def _is_counted(database: Database) -> bool:
    found = _ids(
        database,
        "select n.id from niches n left join entitlement_progress p on p.niche_id = n.id and p.timezone = 'UTC' "
        "where n.journal_seq > coalesce(p.up_to_seq, 0)",
    )
    return not found


@dataclass(frozen=True, slots=True)
class _Asked:
    """A page, its addresses one after the other, and the session that asks for them."""

    page: str
    addresses: Sequence[str]
    token: str | None


def _asked(database: Database) -> Iterator[_Asked]:
    slug = "niche-1"
    change_intake_policy(database, slug, IntakePolicy(is_public=True), OPERATOR)
    provider_id = _ids(database, "select provider_id from assignments group by 1 order by count(*) desc limit 1")[0]
    provider = _provider_session(database, provider_id)
    names = _names(database, provider_id) | {"slug": [slug]}
    in_order = "from competition_levels where deleted_at is null order by niche_id, order_position limit 9"
    levels = {
        "niche_id": _ids(database, f"select niche_id {in_order}"),
        "level_id": _ids(database, f"select id {in_order}"),
    }
    today = datetime.now(UTC).date()
    year = f"?from={today - timedelta(days=364)}&to={today}"
    for page in pages_of_routes():
        addresses = _addresses(page, names | levels if "{niche_id}/levels" in page else names)
        if page.startswith("/portal"):
            yield _Asked(page, addresses, provider)
        elif "{slug}" in page or page in _PUBLIC:
            yield _Asked(page, addresses, None)
        else:
            yield _Asked(page, addresses, _operator_session(database, page))
        if page in YEARS:
            yield _Asked(f"{page}, a year", [page + year], _operator_session(database, f"year of {page}"))
            of_niche = f"{page}{year}&niche={slug}"
            if page not in ("/overview", "/money"):
                yield _Asked(f"{page}, a year of a niche", [of_niche], _operator_session(database, f"niche of {page}"))


_PUBLIC = frozenset(("/accept-invite", "/confirm-lead", "/forgot-password", "/login", "/register", "/reset-password"))


def _addresses(page: str, names: Mapping[str, Sequence[str]]) -> list[str]:
    wanted = re.findall(r"\{(\w+)\}", page)
    longest = max((len(names[name]) for name in wanted), default=1)
    return [page.format_map({name: names[name][n % len(names[name])] for name in wanted}) for n in range(longest)]


def _names(database: Database, provider_id: str) -> dict[str, Sequence[str]]:
    """Ids for the addresses: leads of any age among them."""
    any_lead = "select id from leads where status = 'distributed' order by md5(id::text) limit 20"
    own = f"from assignments where provider_id = '{provider_id}' order by id desc limit 20"
    return {
        "lead_id": _ids(database, any_lead),
        "notification_id": _ids(database, "select id from notifications order by id desc limit 20"),
        "user_id": _ids(database, "select id from users limit 5"),
        "kind": ["lead_assigned"],
        "month": [f"{datetime.now(UTC):%Y-%m}"],
        "niche_id": _ids(database, "select id from niches order by slug limit 3"),
        "provider_id": [provider_id],
        "number": _ids(database, f"select number from receipts where provider_id = '{provider_id}' limit 20"),
        "assignment_id": _ids(database, f"select id {own}"),
        "subscription_id": _ids(database, f"select id from subscriptions where provider_id = '{provider_id}'"),
        "level_id": _ids(
            database,
            "select id from competition_levels where id not in (select competition_level_id from subscriptions "
            f"where provider_id = '{provider_id}') limit 3",
        ),
    }


def _ids(database: Database, query: str) -> list[str]:
    with database.snapshot() as conn:
        return [str(row[0]) for row in conn.execute(query.encode()).fetchall()]


def _operator_session(database: Database, page: str) -> str:
    mailbox = re.sub("[^a-z]+", "-", page).strip("-") or "home"
    email, password = f"{mailbox}-{RUN}@bench.example", new_token()
    create_admin(database, email, "Bench", OPERATOR, password=password)
    box = secret_box(Settings.model_validate({"encryption_keys": KEYS}))
    token = log_in(database, email, password, HERE).token
    begun = begin_totp_enrolment(database, box, token, HERE)
    return confirm_totp_enrolment(database, box, token, TOTP(begun.seed).now(), HERE).session.token


def _provider_session(database: Database, provider_id: str) -> str:
    email, password = f"desk-{RUN}@bench.example", new_token()
    user_id = invite_user(database, email, "Desk", Role.PROVIDER, OPERATOR, provider_id=provider_id).user_id
    with database.transaction() as conn:
        token = issue_token(conn, user_id, "invite", clock(conn)).token
    accept_invite(database, token, password, HERE)
    return log_in(database, email, password, HERE).token


def _measure(at: str, asked: _Asked, asks: int) -> PageFigures:
    """The page asked so often on one connection, after a first time that is not counted."""
    cookies = {} if asked.token is None else {DEVELOPMENT_COOKIE: asked.token}
    times: list[float] = []
    sizes, errors = [0], 0
    with httpx2.Client(base_url=at, cookies=cookies, timeout=120, headers={"Accept": "text/html"}) as client:
        for number in range(asks + 1):
            started = time.perf_counter()
            answer = client.get(asked.addresses[number % len(asked.addresses)])
            if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                # One caller has sixty of the large pages, then one or two a second; the bench asks faster.
                time.sleep(int(answer.headers["retry-after"]))
                started = time.perf_counter()
                answer = client.get(asked.addresses[number % len(asked.addresses)])
            took = (time.perf_counter() - started) * 1e3
            sizes.append(len(answer.content))
            errors += answer.status_code != 200
            if number:
                times.append(took)
    times.sort()
    p95 = times[min(len(times) - 1, -(-len(times) * 95 // 100) - 1)]
    return PageFigures(asked.page, median(times), p95, times[-1], max(sizes), errors)


def _counted(database: Database) -> dict[str, int]:
    tables = ("leads", "assignments", "ledger_entries", "notifications", "niche_journal", "providers")
    with database.snapshot() as conn:
        return {each: conn.execute(f"select count(*) from {each}".encode()).fetchall()[0][0] for each in tables}


def console_as_json(measured: ConsoleMeasured, effort: ConsoleEffort, server: str) -> dict[str, Any]:
    """All figures."""
    return {
        "server_version": server,
        "effort": asdict(effort),
        "rows": dict(measured.rows),
        "pages": [asdict(each) for each in measured.pages],
    }


def console_as_markdown(report: Mapping[str, Any]) -> str:
    """A row for each page; those that take longer than they may, or are larger, are marked."""
    rows = ", ".join(f"{count:,} {table}" for table, count in report["rows"].items())
    lines = [
        f"In the tables: {rows}. Each page {report['effort']['asks']} times, one after the other. In bold: a p95 above "
        f"{LONGEST_P95_MS} ms, or more than {LARGEST_BYTES // 1000} kB.",
        "",
        "| page | p50 ms | p95 ms | max ms | kB | errors |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for each in report["pages"]:
        p95 = _marked(f"{each['p95_ms']:.0f}", is_over=each["p95_ms"] > LONGEST_P95_MS)
        size = _marked(f"{each['html_bytes'] / 1e3:.0f}", is_over=each["html_bytes"] > LARGEST_BYTES)
        lines.append(
            f"| `{each['page']}` | {each['p50_ms']:.0f} | {p95} | {each['max_ms']:.0f} | {size} | {each['errors']} |"
        )
    return "\n".join(lines)


def _marked(text: str, *, is_over: bool) -> str:
    return f"**{text}**" if is_over else text


def write_console(table: str, page: Path = PAGE) -> None:
    """The page of figures has this table between its marks."""
    between_marks(page, MARKS, table)
