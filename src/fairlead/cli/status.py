"""`fairlead status`: the database, its schema, the workers and queues, and the marketplace in numbers."""

from dataclasses import asdict, dataclass, replace
from typing import Annotated

import typer

from fairlead.cli.marketplace import connected
from fairlead.cli.output import errors, print_json, say, table
from fairlead.core.canonical import timestamp_text
from fairlead.core.errors import FairleadError, Refused
from fairlead.core.money.currency import money
from fairlead.flows.access.encryption_keys import EncryptionKeys, read_encryption_keys
from fairlead.settings import Settings, SettingsError, load_settings
from fairlead.store.connection import Database
from fairlead.store.embedded import EmbeddedPostgresError
from fairlead.store.leads.rows import LEAD_STATUSES
from fairlead.store.row_level_security.portal_role import PortalRoleState, portal_role_state
from fairlead.store.schema import check_schema, current_revision
from fairlead.store.watching.gauges import read_gauges, watching
from fairlead.store.watching.overview import MarketplaceOverview, NicheOverview, read_overview, server_version
from fairlead.telemetry.gauges import Gauges, PaymentGauges


@dataclass(frozen=True, slots=True)
class _Seen:
    """What could be found out; `problem` says, in one line, why it was not more."""

    problem: str | None = None
    place: str | None = None
    version: str | None = None
    revision: str | None = None
    overview: MarketplaceOverview | None = None
    gauges: Gauges | None = None
    portal_role: PortalRoleState | None = None
    keys: EncryptionKeys | None = None


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
) -> None:
    """Show the database, its schema, workers and queues, and the marketplace in numbers.

    Ends with status 1 and one line when the database cannot be reached or its schema is not the one that is
    needed.

    Example: fairlead status --json
    """
    settings = load_settings()
    seen = _look(settings)
    if as_json:
        print_json(_for_programs(settings, seen))
    else:
        _for_people(settings, seen)
        if seen.problem is not None:
            errors.print(f"error: {seen.problem}", style="red", markup=False, highlight=False, soft_wrap=True)
    if seen.problem is not None:
        raise typer.Exit(1)


def _look(settings: Settings) -> _Seen:
    try:
        with connected(settings) as database:
            seen = _look_into(database, settings.schema_name)
            return seen if seen.overview is None else _with_keys(database, settings, seen)
    except (FairleadError, EmbeddedPostgresError) as error:
        return _Seen(problem=" ".join(str(error).split()))


def _with_keys(database: Database, settings: Settings, seen: _Seen) -> _Seen:
    try:
        return replace(seen, keys=read_encryption_keys(database, settings))
    except SettingsError as error:
        return replace(seen, problem=str(error))


def _look_into(database: Database, schema_name: str) -> _Seen:
    with database.snapshot() as conn:
        version = server_version(conn)
        revision = current_revision(conn)
        try:
            check_schema(conn, schema_name)
        except Refused as error:
            return _Seen(str(error), database.place, version, revision)
        overview, portal_role = read_overview(conn), portal_role_state(conn, schema_name)
    with watching(database) as conn:
        return _Seen(None, database.place, version, revision, overview, read_gauges(conn), portal_role)


def _for_programs(settings: Settings, seen: _Seen) -> dict[str, object]:
    overview = seen.overview
    return {
        "ok": seen.problem is None,
        "problem": seen.problem,
        "server": {
            "reachable": seen.version is not None,
            "place": seen.place,
            "version": seen.version,
            "embedded": settings.database_url is None,
            "data_dir": str(settings.data_dir) if settings.database_url is None else None,
        },
        "schema": {"name": settings.schema_name, "revision": seen.revision},
        "row_level_security": None
        if seen.portal_role is None
        else {
            "is_on": settings.row_level_security == "on",
            "is_ready": seen.portal_role.is_ready,
            "problem": seen.portal_role.problem,
            "remedy": list(seen.portal_role.remedy),
        },
        "encryption_keys": None
        if seen.keys is None
        else {"source": seen.keys.source, "file": None if seen.keys.file is None else str(seen.keys.file)},
        "work": None if seen.gauges is None else _work_for_programs(seen.gauges),
        "marketplace": None
        if overview is None
        else {
            **asdict(overview),
            "leads_waiting": overview.leads_waiting,
            "niches": [
                asdict(niche)
                | {"oldest_waiting_since": niche.oldest_waiting_since and timestamp_text(niche.oldest_waiting_since)}
                for niche in overview.niches
            ],
        },
    }


def _work_for_programs(gauges: Gauges) -> dict[str, object]:
    return {
        "is_worker_alive": gauges.workers_alive > 0,
        "newest_heartbeat_seconds": gauges.newest_heartbeat_seconds,
        "queues": [asdict(queue) for queue in gauges.queues],
        "notifications": [asdict(channel) for channel in gauges.notifications],
        "webhook_endpoints": dict(gauges.endpoints_by_state),
        "payments": asdict(gauges.payments),
        "reconciliation": gauges.reconciliation and asdict(gauges.reconciliation),
    }


def _for_people(settings: Settings, seen: _Seen) -> None:
    if seen.version is None:
        return
    where = f"embedded, in {settings.data_dir}" if settings.database_url is None else f"at {seen.place}"
    say(f"PostgreSQL   {seen.version}, {where}")
    revision = f"revision {seen.revision}" if seen.revision else "not set up"
    say(f"schema       {settings.schema_name}, {revision}")
    if seen.portal_role is not None:
        _row_level_security_for_people(seen.portal_role, is_on=settings.row_level_security == "on")
    if seen.keys is not None:
        _keys_for_people(seen.keys)
    overview = seen.overview
    if overview is None:
        return
    balances = money(overview.balances_cents, overview.currency)
    say(f"providers    {_counted(overview.providers)}; balances {balances}")
    total = money(overview.ledger_total_cents, overview.currency)
    say(f"ledger       {overview.ledger_entries:,} entries, {total} in all")
    say(f"waiting      {_waiting(overview)}")
    if seen.gauges is not None:
        _work_for_people(seen.gauges)
    if not overview.niches:
        say("niches       none yet: fairlead apply FILE.toml declares them")
        return
    say("")
    waiting = [status for status in LEAD_STATUSES if any(niche.leads.get(status) for niche in overview.niches)]
    columns = ("niche", "levels", *waiting, "waiting", "subscriptions", "assignments", "journal")
    right = [*range(1, len(waiting) + 3), len(waiting) + 4]
    table("", columns, [_niche_row(niche, waiting) for niche in overview.niches], right)


def _keys_for_people(keys: EncryptionKeys) -> None:
    if keys.source == "file":
        say(f"secrets      encrypted with the key in {keys.file}: keep a copy apart from the database's backups")
    elif keys.source == "setting":
        say("secrets      encrypted with FAIRLEAD_ENCRYPTION_KEYS: keep a copy apart from the database's backups")
    elif keys.file is not None:
        say(f"secrets      none yet: their key is made when fairlead serve is started, in {keys.file}")
    else:
        say("secrets      no key: second factors and webhooks need FAIRLEAD_ENCRYPTION_KEYS", "yellow")


def _row_level_security_for_people(role: PortalRoleState, *, is_on: bool) -> None:
    if role.is_ready:
        say(f"row security {'on' if is_on else 'ready, but switched off'}", None if is_on else "yellow")
        return
    effect = "on, and providers are refused" if is_on else "switched off"
    say(f"row security {effect}: {role.problem}", "red" if is_on else "yellow")
    if role.remedy:
        say("             run as a login with CREATEROLE on that server:")
        for statement in role.remedy:
            say(f"               {statement};")
        say("             then: fairlead migrate")
    else:
        say("             put it right: fairlead migrate")


def _work_for_people(gauges: Gauges) -> None:
    if gauges.workers_alive and gauges.newest_heartbeat_seconds is not None:
        say(f"workers      alive, the newest heartbeat {gauges.newest_heartbeat_seconds:.0f} s ago")
    else:
        say("workers      none: nothing is distributed or sent until one runs (fairlead serve)", "yellow")
    filled = [queue for queue in gauges.queues if queue.ready_jobs or queue.scheduled_jobs or queue.running_jobs]
    said = [f"{q.queue} {q.ready_jobs:,} ready, {q.scheduled_jobs:,} later, {q.running_jobs:,} running" for q in filled]
    say(f"queues       {'; '.join(said) or 'empty'}")
    if dead := sum(queue.open_dead_letters for queue in gauges.queues):
        say(f"dead letters {dead:,} open: fairlead jobs list", "red")
    if paused := gauges.endpoints_by_state.get("paused", 0):
        say(f"webhooks     {paused:,} paused: fairlead webhooks list", "yellow")
    _payments_for_people(gauges.payments)
    books = gauges.reconciliation
    if books is None:
        say("books        never reconciled yet: a worker does it daily, fairlead reconcile at once")
    else:
        found = (
            f"{books.difference_count:,} differences: fairlead reconcile" if books.difference_count else "they agree"
        )
        say(
            f"books        compared {books.age_seconds / 3600:.1f} h ago, {found}",
            "red" if books.difference_count else None,
        )


def _payments_for_people(payments: PaymentGauges) -> None:
    if payments.doubt_count:
        since = f"the oldest for {payments.oldest_doubt_seconds / 3600:.1f} h"
        say(f"payments     {payments.doubt_count:,} in doubt, {since}: fairlead payments doubts", "red")
    if payments.switched_off_count:
        off = "switched off by refused charges"
        say(f"top-ups      {payments.switched_off_count:,} {off}: fairlead payments top-ups", "yellow")


def _niche_row(niche: NicheOverview, statuses: list[str]) -> tuple[object, ...]:
    return (
        niche.slug if niche.is_active else f"{niche.slug} (inactive)",
        niche.levels,
        *(f"{niche.leads.get(status, 0):,}" for status in statuses),
        f"{niche.leads_waiting:,}",
        _counted(niche.subscriptions),
        f"{niche.assignments:,}",
        f"{niche.journal_seq:,} {niche.journal_head[:12]}",
    )


def _waiting(overview: MarketplaceOverview) -> str:
    since = [niche.oldest_waiting_since for niche in overview.niches if niche.oldest_waiting_since]
    if not since:
        return "no lead awaits a decision"
    oldest = min(since).strftime("%Y-%m-%d %H:%M:%S")
    return f"{overview.leads_waiting:,} leads await a decision, the oldest since {oldest} UTC"


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items()) or "none"
