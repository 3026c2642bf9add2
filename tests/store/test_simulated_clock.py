"""A marketplace whose time is set: everything that its flows record is of that time, and provable all the same."""

import inspect
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from psycopg import sql

from fairlead.flows.live.feed import bring_up_to_date
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.maintenance.periodic import PERIODIC_TASKS
from fairlead.settings import Settings
from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from fairlead.store.joined import JoinedDatabase
from fairlead.store.leads.rows import clock
from fairlead.store.simulated_clock import SimulatedClock
from tests.chaos.whole_market import play
from tests.flows.access.people import enrolled_admin, provider_user, rows, value
from tests.flows.marketplaces import provider_id
from tests.flows.notifications.stage import settings_for, work_off

START = datetime(2021, 3, 27, 22, 30, tzinfo=UTC)
YEARS_AHEAD = datetime(2190, 1, 1, tzinfo=UTC)
A_DAY = timedelta(days=1)
A_MONTH = timedelta(days=31)
BEGINS_OF_MONTHS = ("began_at", "top_up_month_from")

OF_THE_REAL_TIME = {
    "alembic_version": "no time at all",
    "jobs.enqueued_at": "the queue keeps real time",
    "jobs.scheduled_at": "the queue keeps real time",
    "workers.last_heartbeat": "a worker lives in real time",
    "rate_limits.next_at": "the queue keeps real time",
    "schedules.started_at": "periodic tasks keep real time",
    "schedules.ended_at": "periodic tasks keep real time",
    "leads.isolated_since": "of a worker that may die of it; only whether it is set is asked",
    "report_changes.created_at": "whether a change came before a span was added up",
    "report_spans.made_at": "whether a change came before a span was added up",
    "committed_calls.call_id": "calls whose answer was lost are forgotten by real time",
}


@pytest.fixture(params=[START, YEARS_AHEAD], ids=["past", "future"])
def simulated(database: Database, request: pytest.FixtureRequest) -> Generator[Database]:
    """The fresh marketplace, opened at another time; swept at the end at the real time, as `database` is."""
    with Database(database.url, "fairlead", simulated_clock=SimulatedClock(request.param)) as opened:
        yield opened


def _start_of(database: Database) -> datetime:
    assert database.simulated_clock is not None
    return database.simulated_clock.now()


def _columns(database: Database, type_name: str) -> list[tuple[str, str]]:
    return rows(
        database,
        """
        select c.relname::text, a.attname::text from pg_attribute a join pg_class c on c.oid = a.attrelid
        where c.relnamespace = 'fairlead'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
          and a.attnum > 0 and not a.attisdropped and a.atttypid = %s::regtype order by 1, 2
        """,
        type_name,
    )


def _out_of_time(database: Database, since: datetime, before: datetime) -> list[str]:
    """Every time, and every time of an id, that lies outside, as table, column and value."""
    found: list[str] = []
    with database.snapshot() as conn:
        for type_name in ("timestamptz", "uuid"):
            for table, column in _columns(database, type_name):
                if f"{table}.{column}" in OF_THE_REAL_TIME:
                    continue
                query = sql.SQL("select distinct {} from {}").format(sql.Identifier(column), sql.Identifier(table))
                for (seen,) in conn.execute(query).fetchall():
                    at = _time_of(seen) if isinstance(seen, UUID) else seen
                    if (
                        at is not None
                        and not since - (A_MONTH if column in BEGINS_OF_MONTHS else A_DAY) <= at <= before
                    ):
                        found.append(f"{table}.{column}: {seen}")
    return found


def _time_of(of: UUID) -> datetime | None:
    return datetime.fromtimestamp((of.int >> 80) / 1000, UTC) if of.version == 7 else None


def test_every_time_and_every_id_is_of_the_simulated_clock(simulated: Database, tmp_path: Path) -> None:
    start = _start_of(simulated)
    play(simulated)
    enrolled_admin(simulated)
    provider_user(simulated, provider_id(simulated, "anchor@example.com"))
    bring_up_to_date(simulated)
    settings = settings_for(mail_transport="directory", mail_directory=tmp_path, alert_emails="ops@example.com")
    work_off(simulated, settings, rounds=3)
    maintenance = Maintenance(simulated, Settings())
    for task in PERIODIC_TASKS:
        task.do(maintenance)
    last = _start_of(simulated)
    assert value(simulated, "select count(*) from notifications where state = 'sent'") > 5
    assert value(simulated, "select count(*) from sessions") == 2
    assert _out_of_time(simulated, start, last + timedelta(days=366)) == []
    lead_times = rows(simulated, "select created_at from leads union select recorded_at from niche_journal")
    assert all(start <= each <= last for each in lead_times)
    assert len(lead_times) == len({*lead_times}) > 15, "no two transactions are at the same time"


def test_two_with_one_seed_tell_the_same_story(database: Database, database_url: str) -> None:
    one, other = (SimulatedClock(START, seed=3) for _ in range(2))
    assert [one.new_id() for _ in range(50)] == [other.new_id() for _ in range(50)]
    assert SimulatedClock(START, seed=4).new_id() != SimulatedClock(START, seed=3).new_id()
    ids = [one.new_id() for _ in range(5_000)]
    assert ids == sorted(ids)
    assert {UUID(each).version for each in ids} == {7}
    assert all(UUID(each).variant == UUID(new_id()).variant for each in ids)


def test_it_stands_where_it_is_set_and_goes_on_from_there() -> None:
    clock = SimulatedClock(START)
    assert START < clock.now() < clock.now() < START + timedelta(seconds=1)
    clock.advance_to(START + A_DAY)
    clock.advance_to(START)
    assert START + A_DAY < clock.now() < START + A_DAY + timedelta(seconds=1)
    clock.set(START)
    assert clock.now() < START + timedelta(seconds=1)
    for wrong in (lambda: SimulatedClock(datetime(2026, 1, 1)), lambda: clock.set(datetime(2026, 1, 1))):  # noqa: DTZ001
        with pytest.raises(ValueError, match="zone"):
            wrong()


def test_a_database_that_shares_its_connections_shares_its_clock(simulated: Database) -> None:
    start = _start_of(simulated)
    bound = simulated.bound_to(new_id())
    with simulated.transaction() as conn:
        joined = JoinedDatabase(simulated, conn)
        times = [clock(conn), joined.read(clock)]
        ids = [UUID(new_id(each)) for each in (simulated, bound, joined, conn)]
    with simulated.connect_directly() as conn:
        times.append(clock(conn))
    assert all(start <= each <= start + timedelta(seconds=1) for each in times)
    assert ids == sorted(ids)
    assert {_time_of(each) for each in ids} == {start.replace(microsecond=0)}


def test_no_setting_opens_one_and_a_database_of_a_setting_has_none(database: Database) -> None:
    parameter = inspect.signature(Database).parameters["simulated_clock"]
    assert (parameter.kind, parameter.default) == (inspect.Parameter.KEYWORD_ONLY, None)
    assert not [name for name in Settings.model_fields if "clock" in name or "simulat" in name]
    now = value(database, "select clock_timestamp()")
    assert abs(database.read(clock) - now) < timedelta(minutes=1)
