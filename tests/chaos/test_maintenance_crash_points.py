"""Struck at every statement, a periodic task does its work once and whole, and leaves none of it to a later run."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from fairlead.core.filters import filter as filters
from fairlead.flows.configuration.niches import NicheChange, change_niche
from fairlead.flows.configuration.own_provider import OwnProfileChange, change_own_profile
from fairlead.flows.configuration.subscriptions import set_filter
from fairlead.flows.create_lead import EnteredLead, create_lead
from fairlead.flows.distributor import Distributor
from fairlead.flows.exporting.rows import ExportRequest
from fairlead.flows.maintenance import reconcile as reconciling
from fairlead.flows.maintenance.clean_up import clean_up, forget_calls
from fairlead.flows.maintenance.compose_filters import compose_filters
from fairlead.flows.maintenance.count_entitlement import count_entitlement
from fairlead.flows.maintenance.days_left import tell_days_left
from fairlead.flows.maintenance.expire_exports import expire_exports
from fairlead.flows.maintenance.fingerprint import fingerprint
from fairlead.flows.maintenance.funds import follow_funds
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.maintenance.orphans import requeue_orphans
from fairlead.flows.maintenance.periodic import QUICK, PeriodicTask, run_due_tasks
from fairlead.flows.maintenance.reconcile import reconcile_task
from fairlead.flows.maintenance.reoffer import reoffer, reopen
from fairlead.flows.maintenance.rescue import rescue
from fairlead.flows.maintenance.roll_up import roll_up
from fairlead.flows.maintenance.snapshot_rosters import snapshot_rosters
from fairlead.flows.maintenance.unconfirmed import reject_unconfirmed
from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.flows.submit_leads import submit_leads
from fairlead.settings import Settings
from fairlead.store.audit.log import OPERATOR
from fairlead.store.configuration.rows import ReofferPolicy
from fairlead.store.connection import Database
from fairlead.store.distribution import snapshots
from fairlead.store.invariants.invariant import Invariant
from fairlead.store.reports.pieces import keep_zone
from fairlead.store.simulated_clock import SimulatedClock
from tests.chaos.proxy import Proxy
from tests.chaos.struck import AT_COMMITS, Flow, Row, in_the_next_run, strike_at_every_statement
from tests.flows.exporting.exports import built
from tests.flows.intake.senders import BY_EMAIL, open_niche
from tests.flows.maintenance.workers import begin_jobs, maintenance_of, worker
from tests.flows.marketplaces import declare
from tests.flows.sales import query
from tests.race.marketplaces import Provider, Terms, add_leads, add_providers, leave_only, subscribe
from tests.race.marketplaces import open_niche as open_plain_niche

pytestmark = [pytest.mark.chaos, pytest.mark.slow]

Task = Callable[[Maintenance], object]
SEEDS = count()


def market(database: Database, slug: str) -> str:
    """A provider who can pay for ten leads of its niche's one level."""
    provider = Provider("buyer", 10_000, (1,))
    with database.transaction() as conn:
        niche = open_plain_niche(conn, slug, [Terms(1_000, 1, 1)])
        subscribe(conn, niche, [provider], add_providers(conn, [provider], slug))
    return slug


def niche_of(database: Database, slug: str) -> str:
    [(found,)] = query(database, "select id::text from niches where slug = %s", slug)
    return str(found)


def provider_of(database: Database, slug: str) -> str:
    text = "select provider_id::text from subscriptions where niche_id = %s"
    [(found,)] = query(database, text, niche_of(database, slug))
    return str(found)


def waiting(database: Database, slug: str) -> str:
    """A lead waits, and has no job."""
    market(database, slug)
    submit_leads(database, slug, [{"age": 40}], OPERATOR, approve=True)
    query(database, "delete from jobs returning 1")
    return slug


def sold(database: Database, slug: str) -> str:
    """The provider bought a lead."""
    waiting(database, slug)
    assert len(Distributor(database).distribute_waiting(niche_of(database, slug)).decisions) == 1
    return slug


def ending_of_niche(database: Database, slug: str) -> Row:
    """Of the niche with that slug its leads, its subscriptions, what is told of them, and what is derived of it."""
    return query(
        database,
        """
        select n.journal_seq,
               (select array_agg((l.status, l.awaits_decision, l.reoffer_count, l.reopens_at is not null,
                                  l.rejection_reason) order by l.created_at, l.id) from leads l
                where l.niche_id = n.id)::text,
               (select array_agg((s.is_active, s.deactivation_reason, s.filter_rules) order by s.id)
                from subscriptions s where s.niche_id = n.id)::text,
               (select array_agg((p.low_balance_alerted_at is not null, p.low_balance_days_alerted_at is not null))
                from subscriptions s join providers p on p.id = s.provider_id where s.niche_id = n.id)::text,
               (select array_agg(m.kind order by m.kind) from notifications m
                where m.provider_id in (select s.provider_id from subscriptions s where s.niche_id = n.id)),
               (select array_agg((j.task, j.state) order by j.task) from jobs j
                where j.payload ->> 'lead_id' in (select l.id::text from leads l where l.niche_id = n.id))::text,
               (select count(*) from jobs j where j.payload ->> 'notification_id' in
                (select m.id::text from notifications m join assignments a on a.id = m.assignment_id
                 where a.niche_id = n.id)),
               (select array_agg(t.outcome) from job_attempts t
                where t.lead_id in (select l.id from leads l where l.niche_id = n.id)),
               (select count(*) from lead_fingerprints f where f.niche_id = n.id),
               (select count(*) from roster_snapshots r where r.niche_id = n.id),
               (select array_agg(e.up_to_seq) from entitlement_progress e where e.niche_id = n.id),
               (select array_agg(length(e.counts) order by e.day_before) from entitlement_pieces e
                where e.niche_id = n.id),
               (select count(*) from confirmation_tokens t
                where t.lead_id in (select l.id from leads l where l.niche_id = n.id)),
               (select array_agg(a.action order by a.seq) from audit_log a
                where a.entity_id in (select l.id::text from leads l where l.niche_id = n.id)
                   or a.entity_id in (select s.id::text from subscriptions s where s.niche_id = n.id))
        from niches n where n.slug = %s
        """,
        slug,
    )


def by_the_task(task: Task, ending: Callable[[Database, str], Row]) -> Callable[[Database, Database, str], None]:
    return in_the_next_run(lambda database: task(maintenance_of(database)), ending)


# As rows say ---------------------------------------------------------------------------------------------------------


def poor(database: Database, slug: str) -> str:
    """Another niche took its money; and it was told of a low balance that is not low."""
    market(database, slug)
    with database.transaction() as conn:
        leave_only(conn, provider_of(database, slug), 400)
        conn.execute(
            "update providers set low_balance_alerted_at = now() where id = %s", (provider_of(database, slug),)
        )
    return slug


def spending(database: Database, slug: str) -> str:
    """It wants to be told a year before its money is gone."""
    sold(database, slug)
    change_own_profile(database, provider_of(database, slug), OwnProfileChange(low_balance_days=365), OPERATOR)
    return slug


def lost_delivery(database: Database, slug: str) -> str:
    """The jobs that would decide a lead, and tell of another, are lost."""
    sold(database, slug)
    submit_leads(database, slug, [{"age": 40}], OPERATOR, approve=True)
    dispatch_notifications(database)
    with database.transaction() as conn:
        conn.execute("delete from jobs")
        conn.execute("update notifications set enqueued_at = enqueued_at - interval '61 seconds'")
    return slug


def left_by_the_dead(database: Database, slug: str) -> str:
    """A worker took the jobs of a lead and of a message, and died; there is no other job."""
    query(database, "delete from workers returning 1")
    sold(database, slug)
    submit_leads(database, slug, [{"age": 40}], OPERATOR, approve=True)
    dispatch_notifications(database)
    query(database, "delete from jobs where task = 'dispatch_notifications' returning 1")
    begin_jobs(database, worker(database))
    return slug


def uncomposed(database: Database, slug: str) -> str:
    """A filter is written as filters were before texts were composed."""
    form = 'field = [{ key = "place", label = "Place", type = "text" }]'
    level = 'level = [{ name = "only", price_cents = 100, max_recipients = 1, order_position = 1 }]'
    provider = f'[[provider]]\nemail = "{slug}@example.com"\nname = "{slug}"\n'
    subscription = f'subscription = [{{ niche = "{slug}", level = "only" }}]\n'
    declare(database, f'[[niche]]\nslug = "{slug}"\nname = "{slug}"\n{form}\n{level}\n{provider}{subscription}')
    [(own,)] = query(database, "select id::text from subscriptions where niche_id = %s", niche_of(database, slug))
    rule = {"field_key": "place", "operator": "eq", "value": "Ko\u0308ln"}
    with pytest.MonkeyPatch.context() as before:
        before.setattr(filters, "spelt_filter", lambda raw, *_: (raw, ()))
        set_filter(database, own, {"version": 1, "rules": [rule]}, OPERATOR, of_provider_id=None)
    return slug


TASKS: dict[str, tuple[Callable[[Database, str], str], Task]] = {
    "funds": (poor, follow_funds),
    "days left": (spending, tell_days_left),
    "orphans": (lost_delivery, requeue_orphans),
    "rescue": (left_by_the_dead, rescue),
    "compose filters": (uncomposed, compose_filters),
}
AUDITED = {"compose filters"}


@pytest.mark.parametrize("how", AT_COMMITS)
@pytest.mark.parametrize("name", TASKS)
def test_what_breaks_at_any_statement_of_a_task_is_done_once(
    name: str, how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    prepare, task = TASKS[name]
    flow = Flow(prepare, by_the_task(task, ending_of_niche), ending_of_niche, name in AUDITED)
    strike_at_every_statement(flow, how, database, database_url, proxy)


# Of every niche, of which there is one --------------------------------------------------------------------------------


def one_more(of_one: Callable[[Database], object], task: Task) -> Callable[[Database, str], str]:
    """What `of_one` does happens in the niche once more, which the task has seen to before."""

    def prepare(database: Database, slug: str) -> str:
        if not query(database, "select from niches"):
            database.run(lambda conn: keep_zone(conn, "UTC"))
            open_niche(database, "one", duplicate_rule=BY_EMAIL)
            of_one(database)
            task(Maintenance(database, Settings()))
        of_one(database)
        return slug

    return prepare


def decide_one(database: Database) -> None:
    submit_leads(database, "one", [{"age": 40}], OPERATOR, approve=True)
    Distributor(database).distribute_waiting(niche_of(database, "one"))


def ending_of_journal(database: Database, _: str) -> Row:
    """How far behind its journal what is derived of it is; what it holds, the sweep behind the test compares."""
    return query(
        database,
        """
        select n.journal_seq - (select max(r.seq) from roster_snapshots r),
               n.journal_seq - (select max(e.up_to_seq) from entitlement_progress e)
        from niches n
        """,
    )


@pytest.mark.parametrize("how", AT_COMMITS)
@pytest.mark.parametrize("task", [count_entitlement, snapshot_rosters])
def test_what_breaks_at_any_statement_of_what_follows_the_journal_is_done_once(
    task: Task, how: str, database: Database, database_url: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "FEWEST_ENTRIES_BETWEEN", 1)
    flow = Flow(one_more(decide_one, task), by_the_task(task, ending_of_journal), ending_of_journal, is_audited=False)
    strike_at_every_statement(flow, how, database, database_url, proxy)


NAMES = count()


def enter_one(database: Database) -> None:
    """An operator enters a lead."""
    details = {"contact_email": f"{next(NAMES)}@example.net"}
    create_lead(database, EnteredLead("one", {"age": 41}, details), OPERATOR, approve=False)


def ending_of_fingerprints(database: Database, _: str) -> Row:
    return query(database, "select (select count(*) from leads) - (select count(*) from lead_fingerprints)")


@pytest.mark.parametrize("how", AT_COMMITS)
def test_what_breaks_at_any_statement_of_fingerprints_gives_one(
    how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    """Half an hour after the lead was entered: those of the last minutes are left."""
    [(now,)] = query(database, "select clock_timestamp()")

    def later(maintenance: Maintenance) -> object:
        clock = SimulatedClock(now + timedelta(minutes=30), next(SEEDS))
        with Database(database_url, "fairlead", simulated_clock=clock) as then:
            return fingerprint(Maintenance(then, maintenance.settings))

    flow = Flow(
        one_more(enter_one, later),
        by_the_task(fingerprint, ending_of_fingerprints),
        ending_of_fingerprints,
        is_audited=False,
        clock=lambda _: SimulatedClock(now + timedelta(minutes=30), next(SEEDS)),
    )
    strike_at_every_statement(flow, how, database, database_url, proxy)


def unsold(database: Database, slug: str) -> str:
    """No provider of the niche bought its newest lead, which is to be offered again, once."""
    if not query(database, "select from niches"):
        with database.transaction() as conn:
            niche = open_plain_niche(conn, "one", [Terms(1_000, 1, 1)])
        again = ReofferPolicy(every_minutes=60, max_times=1, max_hours=100)
        change_niche(database, niche.niche_id, NicheChange(reoffer=again), OPERATOR)
    decide_one(database)
    return slug


def ending_of_newest_lead(database: Database, _: str) -> Row:
    return query(
        database,
        """
        select l.awaits_decision, l.reoffer_count,
               (select count(*) from jobs j where j.payload ->> 'lead_id' = l.id::text),
               (select array_agg(a.action order by a.seq) from audit_log a where a.entity_id = l.id::text)
        from leads l order by l.created_at desc, l.id desc limit 1
        """,
    )


@pytest.mark.parametrize("how", AT_COMMITS)
def test_what_breaks_at_any_statement_of_offering_again_offers_once(
    how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    """Two hours after it was decided."""
    [(now,)] = query(database, "select clock_timestamp()")
    flow = Flow(
        unsold,
        by_the_task(reoffer, ending_of_newest_lead),
        ending_of_newest_lead,
        clock=lambda _: SimulatedClock(now + timedelta(hours=2), next(SEEDS)),
    )
    strike_at_every_statement(flow, how, database, database_url, proxy)


# As time says --------------------------------------------------------------------------------------------------------


def kept_by_a_limit(database: Database, slug: str) -> str:
    """The provider has had its one lead of the day, and a second waits for the next."""
    provider = Provider("buyer", 10_000, (1,), limits='{"leads_per_day": 1}')
    with database.transaction() as conn:
        niche = open_plain_niche(conn, slug, [Terms(1_000, 1, 1)])
        subscribe(conn, niche, [provider], add_providers(conn, [provider], slug))
        add_leads(conn, niche, [40, 41])
    Distributor(database).distribute_waiting(niche.niche_id)
    return slug


def unconfirmed(database: Database, slug: str) -> str:
    from tests.chaos.test_notification_crash_points import unconfirmed as asked

    return asked(database, slug)


LATER: dict[str, tuple[Callable[[Database, str], str], Task, timedelta]] = {
    "offer when a limit opens": (kept_by_a_limit, reopen, timedelta(days=2)),
    "give the unconfirmed up": (unconfirmed, reject_unconfirmed, timedelta(days=40)),
}


@pytest.mark.parametrize("how", AT_COMMITS)
@pytest.mark.parametrize("name", LATER)
def test_what_breaks_at_any_statement_of_a_task_that_is_due_later_is_done_once(
    name: str, how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    prepare, task, after = LATER[name]
    [(now,)] = query(database, "select clock_timestamp()")

    def later(_: str) -> SimulatedClock:
        return SimulatedClock(now + after, next(SEEDS))

    flow = Flow(prepare, by_the_task(task, ending_of_niche), ending_of_niche, clock=later)
    strike_at_every_statement(flow, how, database, database_url, proxy)


# What is kept for a while --------------------------------------------------------------------------------------------


def old_rows(database: Database, slug: str) -> str:
    """What nothing asks for any more, of each kind that is forgotten."""
    with database.transaction() as conn:
        conn.execute("delete from workers")
        conn.execute("insert into workers (last_heartbeat) values (now() - interval '2 days')")
        conn.execute("insert into rate_buckets (name, full_at) values (%s, now() - interval '1 day')", (slug,))
        conn.execute(
            "insert into job_attempts (id, task, outcome, ended_at)"
            " values (gen_random_uuid(), 'send_email', 'failed', now() - interval '40 days')"
        )
        conn.execute(
            "insert into dead_letters (id, queue, task, payload, error, attempts, failed_at, resolved_at, resolved_by,"
            " resolution) values (gen_random_uuid(), 'distribute', 'distribute_lead', '{}', 'Broken', 6,"
            " now() - interval '60 days', now() - interval '31 days', 'operator', 'resolved')"
        )
        conn.execute(
            "insert into committed_calls (call_id) values ('00000000-0000-7000-8000-000000000001')"
            " on conflict do nothing"
        )
    return slug


def ending_of_old_rows(database: Database, _: str) -> Row:
    return query(
        database,
        """
        select (select count(*) from workers), (select count(*) from rate_buckets), (select count(*) from job_attempts),
               (select count(*) from dead_letters),
               (select count(*) from committed_calls where call_id < '01000000-0000-7000-8000-000000000000')
        """,
    )


def past_export(database: Database, slug: str) -> str:
    """The file of an export is past its time."""
    row = built(database, ExportRequest("ledger"))
    query(
        database, "update exports set expires_at = now() - interval '1 second' where id = %s returning 1", row.export_id
    )
    return slug


def ending_of_exports(database: Database, _: str) -> Row:
    """Of the newest one, and of all files."""
    return query(
        database,
        "select (select state from exports order by id desc limit 1), (select count(*) from export_chunks)",
    )


FORGOTTEN: dict[str, tuple[Callable[[Database, str], str], Task, Callable[[Database, str], Row]]] = {
    "clean up": (old_rows, clean_up, lambda own, slug: [each[:4] for each in ending_of_old_rows(own, slug)]),
    "forget calls": (old_rows, forget_calls, lambda own, slug: [each[4:] for each in ending_of_old_rows(own, slug)]),
    "expire exports": (past_export, expire_exports, ending_of_exports),
}


@pytest.mark.parametrize("how", AT_COMMITS)
@pytest.mark.parametrize("name", FORGOTTEN)
def test_what_breaks_at_any_statement_of_forgetting_is_forgotten(
    name: str, how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    prepare, task, ending = FORGOTTEN[name]
    strike_at_every_statement(
        Flow(prepare, by_the_task(task, ending), ending, is_audited=False), how, database, database_url, proxy
    )


# Sums of days --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", AT_COMMITS)
def test_what_breaks_at_any_statement_of_adding_up_makes_each_span_once(
    how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    """Three days after the lead was sold; no span is there before."""
    long_ago = datetime.now(UTC) - timedelta(days=3)
    with Database(database_url, "fairlead", simulated_clock=SimulatedClock(long_ago)) as then:
        then.run(lambda conn: keep_zone(conn, "UTC"))
        sold(then, "then")

    def without_spans(own: Database, slug: str) -> str:
        with own.transaction() as conn:
            conn.execute("delete from report_pieces")
            conn.execute("delete from report_spans")
        return slug

    def ending(own: Database, _: str) -> Row:
        spans = query(own, "select day_from, day_before from report_spans order by 1, 2")
        pieces = query(own, "select fact, day_from, day_before, keys, counts from report_pieces order by 1, 2, 3, 4")
        return [*spans, *pieces]

    flow = Flow(without_spans, by_the_task(roll_up, ending), ending, is_audited=False)
    strike_at_every_statement(flow, how, database, database_url, proxy)


# Comparing, and whose turn it is -------------------------------------------------------------------------------------

NEVER_SO = Invariant("what is never so", "select 1", "select 'it is not so'")


@pytest.mark.filterwarnings("ignore:Exception ignored in")
@pytest.mark.parametrize("how", AT_COMMITS)
def test_what_breaks_at_any_statement_of_comparing_the_books_is_told_once(
    how: str, database: Database, database_url: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run by the schedule: a snapshot that breaks ends the run on record, and the next one compares."""
    monkeypatch.setattr(reconciling, "INVARIANTS", (NEVER_SO,))
    task = PeriodicTask("reconcile", QUICK, 0, reconcile_task)
    seen = dict[str, int]()

    def so_far(own: Database, slug: str) -> str:
        query(own, "delete from schedules returning 1")
        [(seen[slug],)] = query(own, "select count(*) from reconciliations")
        return slug

    def compare(own: Database, *_: object) -> None:
        [run] = run_due_tasks(maintenance_of(own), QUICK, (task,))
        if run.error is not None:
            [run] = run_due_tasks(maintenance_of(own), QUICK, (task,))
        assert run.error is None

    def ending(own: Database, slug: str) -> Row:
        return query(
            own,
            """
            select (select count(*) from reconciliations) - %(n)s,
                   (select count(*) from notifications where kind = 'operator_alert') - %(n)s,
                   (select count(*) from audit_log where action = 'reconciliation.differs') - %(n)s,
                   (select array_agg((s.ended_at is not null, s.error)) from schedules s)::text
            """.replace("%(n)s", str(seen[slug])),
        )

    strike_at_every_statement(Flow(so_far, compare, ending), how, database, database_url, proxy)


@pytest.mark.parametrize("how", AT_COMMITS)
def test_what_breaks_at_any_statement_of_the_schedule_gives_one_turn(
    how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    turns = dict[str, int]()

    def never_begun(own: Database, slug: str) -> str:
        query(own, "delete from schedules returning 1")
        return slug

    def take_turn(own: Database, _: Database, slug: str) -> None:
        def do(__: Maintenance) -> dict[str, int]:
            turns[slug] = turns.get(slug, 0) + 1
            return {}

        [run] = run_due_tasks(maintenance_of(own), QUICK, (PeriodicTask("of the test", QUICK, 60, do),))
        assert run.error is None

    def ending(own: Database, slug: str) -> Row:
        [(ended,)] = query(own, "select count(*) from schedules where ended_at is not null and error is null")
        return [(turns.get(slug, 0), ended)]

    flow = Flow(never_begun, take_turn, ending, is_audited=False)
    strike_at_every_statement(flow, how, database, database_url, proxy)
