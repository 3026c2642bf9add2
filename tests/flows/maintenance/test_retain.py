"""What a niche keeps no longer is erased by a daily task: answers, contact data, rejected and unsold leads, answers."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fairlead.core.erasure_terms import NOT_KEPT
from fairlead.core.errors import BadInput, Refused
from fairlead.core.retention import RETENTION_RULES, RetentionPolicy, RetentionRule, due_at
from fairlead.flows.approve_lead import approve_lead
from fairlead.flows.erasure.retention import change_retention, next_erasures, read_retention
from fairlead.flows.importing.import_leads import ImportOptions, import_leads
from fairlead.flows.maintenance import retain as retain_flow
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.maintenance.retain import retain
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.notifications.replay import replay_notification
from fairlead.flows.proving.verify import verify
from fairlead.flows.reject_lead import reject_lead
from fairlead.settings import Settings
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.retention import count_due, due_leads
from fairlead.store.simulated_clock import SimulatedClock
from tests.by_hand import CAME_IN, CLOSED, ERASED, rows_by_hand
from tests.delivery.mail_servers import Inbox, mail_server
from tests.flows.erasure.canaries import distribute, found, open_market, sent
from tests.flows.intake.senders import send
from tests.flows.marketplaces import HOSTING, declare
from tests.flows.notifications.stage import settings_for, work_off
from tests.flows.sales import audited, query
from tests.store.reading import reading


def niche(database: Database) -> str:
    [(niche_id,)] = query(database, "select id::text from niches where slug = 'hosting'")
    return niche_id


def keep(database: Database, **days: int) -> None:
    change_retention(database, niche(database), RetentionPolicy(**days), OPERATOR)


@contextmanager
def later(database: Database, days: float) -> Generator[Database]:
    """The marketplace after so many days."""
    [(now,)] = query(database, "select max(created_at) from leads")
    with Database(database.url, "fairlead", simulated_clock=SimulatedClock(now + timedelta(days=days))) as then:
        yield then


def run(database: Database, days: float) -> dict[str, int]:
    """What the task does after so many days."""
    with later(database, days) as then:
        return {rule: count for rule, count in retain(Maintenance(then, Settings())).items() if count}


def shown(database: Database, days: float) -> dict[str, int]:
    """What is said then to go at the next run."""
    with later(database, days) as then:
        return {rule: count for each in next_erasures(then) for rule, count in each.counts.items() if count}


@pytest.fixture
def leads(database: Database) -> dict[str, str]:
    """By what became of it: a lead with everything that a lead can say."""
    open_market(database)
    by_state = {name: send(database, sent()).lead_id for name in ("sold", "rejected", "unsold")}
    approve_lead(database, by_state["sold"], OPERATOR)
    distribute(database)
    reject_lead(database, by_state["rejected"], "quokkarejection", OPERATOR)
    return by_state


def test_without_a_policy_nothing_goes(database: Database, leads: dict[str, str]) -> None:
    assert run(database, 10_000) == {}
    assert next_erasures(database) == []
    assert len(leads) == 3


def test_each_rule_takes_its_own_after_its_days_and_no_earlier(database: Database, leads: dict[str, str]) -> None:
    keep(database, answers_days=10, contact_days=20, rejected_days=5, unsold_days=30)
    assert (shown(database, 3.5), run(database, 4)) == ({}, {})
    assert (shown(database, 4.5), run(database, 5.5)) == ({"rejected": 1}, {"rejected": 1})
    assert (shown(database, 9.5), run(database, 9.5)) == ({"answers": 1}, {})
    assert run(database, 11) == {"answers": 1}
    assert run(database, 21) == {"contact": 1}
    assert run(database, 31) == {"unsold": 1}
    assert run(database, 31) == {}
    scopes = query(database, "select lead_id::text, scope, origin, reason from erasures order by erased_at, scope")
    assert scopes == [
        (leads["rejected"], "lead", "retention", "retention"),
        (leads["sold"], "answers", "retention", "retention"),
        (leads["sold"], "lead", "retention", "retention"),
        (leads["unsold"], "lead", "retention", "retention"),
    ]
    assert found(database) == []
    assert query(database, "select count(*) from notifications where kind = 'lead_erased'") == [(0,)]
    assert verify(database).holds


def test_contact_data_alone_leaves_the_answers_and_the_proof(database: Database, leads: dict[str, str]) -> None:
    keep(database, contact_days=1)
    assert run(database, 2) == {"contact": 1}
    rows = query(database, "select contact_email, attributes ->> 'wishes' from leads where id = %s", leads["sold"])
    assert rows == [(None, "quokkawish")]
    proof = verify(database)
    assert (proof.holds, proof.decisions_replayed, proof.decisions_of_erased) == (True, 1, 0)


def test_what_was_answered_to_messages_goes_by_itself(database: Database, leads: dict[str, str]) -> None:
    query(database, "update notifications set last_answer = '250 for quokka' where channel = 'email' returning id")
    keep(database, deliveries_days=3)
    run(database, 4)
    assert "notifications.last_answer" not in found(database)
    assert run(database, 4) == {}


def test_what_is_answered_when_the_days_are_over_is_not_kept(database: Database, leads: dict[str, str]) -> None:
    """A refund is told weeks after its lead came in, which no run looks at again."""
    keep(database, deliveries_days=3)
    run(database, 4)
    [(assignment_id,)] = query(database, "select id::text from assignments order by id limit 1")
    refund_assignment(database, assignment_id, "the number is not in use", OPERATOR)
    for days, kept in ((2, "250 for ann"), (5, NOT_KEPT)):
        inbox = Inbox(answer_to_data="250 for ann")
        with mail_server(inbox) as port, later(database, days) as then:
            work_off(then, settings_for(port))
            [(notification_id, answer)] = query(
                database, "select id::text, last_answer from notifications where kind = 'refund_issued'"
            )
            assert answer == kept
            replay_notification(then, notification_id, OPERATOR)


def test_leads_that_came_in_at_one_moment_do_not_keep_a_run_from_ending(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of one file do, of which there may be more than one transaction sees to."""
    declare(database, HOSTING)
    file, count = tmp_path / "leads.csv", retain_flow.CHUNK_LEADS * 2 + 1
    file.write_text("cores\n" + "".join(f"{cores}\n" for cores in range(count)))
    import_leads(database, file, ImportOptions("hosting"), OPERATOR)
    assert query(database, "select count(distinct created_at) from leads") == [(1,)]
    keep(database, deliveries_days=3)
    real, asked = retain_flow.next_of_deliveries, 0

    def asked_for(*args: Any) -> Any:
        nonlocal asked
        asked += 1
        assert asked < 10, "it goes round in a circle"
        return real(*args)

    monkeypatch.setattr(retain_flow, "next_of_deliveries", asked_for)
    assert run(database, 4) == {"deliveries": count}
    assert run(database, 4) == {}


def test_a_policy_is_changed_with_its_version_and_audited(database: Database, leads: dict[str, str]) -> None:
    before = read_retention(database, niche(database))
    assert before.policy == RetentionPolicy()
    after = change_retention(
        database, niche(database), RetentionPolicy(answers_days=7), OPERATOR, expected_version=before.version
    )
    assert after.took_effect
    assert read_retention(database, niche(database)).policy.answers_days == 7
    with pytest.raises(Refused) as refused:
        change_retention(database, niche(database), RetentionPolicy(), OPERATOR, expected_version=before.version)
    assert refused.value.code == "version_conflict"
    with pytest.raises(BadInput, match="answers_days"):
        change_retention(database, niche(database), RetentionPolicy(answers_days=0), OPERATOR)
    [event] = audited(database, "niche.retention_changed")
    assert event[2]["answers_days"] == 7


def test_a_marketplace_file_says_it_too(database: Database) -> None:
    declared = HOSTING.replace('slug = "hosting"', 'slug = "hosting"\nretention = { answers_days = 30 }', 1)
    applied = declare(database, declared)
    assert "+ retention" not in [change.line for change in applied.changes]
    assert read_retention(database, niche(database)).policy == RetentionPolicy(answers_days=30)
    assert declare(database, declared).changes == ()
    assert declare(database, HOSTING).changes == ()
    [change] = declare(database, declared.replace("{ answers_days = 30 }", "{ unsold_days = 7 }")).changes
    assert change.line == "~ retention hosting: answers_days 30 -> none, unsold_days none -> 7"
    with pytest.raises(BadInput, match="retention"):
        declare(database, declared.replace("30", "0"))


def test_when_a_lead_goes_is_said_beforehand(database: Database, leads: dict[str, str]) -> None:
    [(at,)] = query(database, "select created_at from leads where id = %s", leads["sold"])
    policy = RetentionPolicy(answers_days=10, unsold_days=2)
    assert due_at(policy, "distributed", at) == {"answers": at + timedelta(days=10)}
    assert due_at(policy, "pending_approval", at) == {"unsold": at + timedelta(days=2)}
    assert due_at(policy, "rejected", at) == {}


@rows_by_hand(CAME_IN, CLOSED, ERASED)
def test_leads_that_were_erased_long_ago_are_not_read_again(database: Database, leads: dict[str, str]) -> None:
    """A run of each day reads what it is due for, however many were erased before it."""
    niche_id = niche(database)
    with database.transaction() as conn:
        conn.execute(
            """
            insert into leads (id, niche_id, status, attributes, dedupe_key, created_at, rejected_at, rejected_by,
                               rejection_reason, answers_erased_at, contact_erased_at, erased_at)
            select id, %s, 'rejected', '{}', 'id:' || id, now() - interval '1 year', now(), 'operator',
                   'its personal data was erased', now(), now(), now()
            from (select gen_random_uuid() as id from generate_series(1, 20000)) as erased
            """,
            (niche_id,),
        )
        conn.execute("analyze leads")
    [(soon,)] = query(database, "select max(created_at) + interval '1 day' from leads")
    due = {"answers": "sold", "contact": "sold", "rejected": "rejected", "unsold": "unsold"}
    for rule in RETENTION_RULES:
        found, read = reading(database, lambda conn, rule=rule: due_leads(conn, niche_id, rule, soon, None, 100))
        assert [lead_id for _, lead_id in found] == [leads[due[rule]]]
        counted, of_count = reading(database, lambda conn, rule=rule: count_due(conn, niche_id, rule, soon))
        assert counted == 1
        for each in (read, of_count):
            assert each.rows_read <= len(leads), rule
            assert "leads" not in each.scanned, rule


def test_a_run_reads_no_lead_that_it_has_nothing_to_do_with(damaged_database: Database) -> None:
    """Of sold leads either answers or contact data may be kept for good: they lie there, and each run would read them.

    And no more of what it is due for than the next chunk, however much there is.
    """
    declare(damaged_database, HOSTING)
    niche_id, count = niche(damaged_database), 10_000
    with damaged_database.transaction() as conn:
        for status, answers, contact in (
            ("distributed", "null", "now()"),
            ("bad", "now()", "null"),
            ("rejected", "null", "null"),
            ("approved", "null", "null"),
            ("pending_approval", "null", "null"),
        ):
            conn.execute(
                f"""
                insert into leads (id, niche_id, status, attributes, attributes_salt, dedupe_key, created_at,
                                   approved_at, distributed_at, rejected_at, rejected_by, rejection_reason,
                                   answers_erased_at, contact_erased_at)
                select id, %(niche)s, %(status)s, '{{}}',
                       case when {answers} is null then decode(repeat('00', 16), 'hex') end,
                       'id:' || id, now() - interval '1 year' + number * interval '1 second', now(), now(),
                       case when %(status)s = 'rejected' then now() end,
                       case when %(status)s = 'rejected' then 'operator' end,
                       case when %(status)s = 'rejected' then 'no' end, {answers}, {contact}
                from (select gen_random_uuid() as id, number from generate_series(1, %(count)s) as number) as lead
                """.encode(),
                {"niche": niche_id, "status": status, "count": count},
            )
        conn.execute("analyze leads")
    [(first,)] = query(damaged_database, "select min(created_at) from leads")
    early, late = first + timedelta(seconds=50), first + timedelta(days=300)
    for rule in RETENTION_RULES:
        part_count = 2 if rule == "unsold" else 1
        for before, due in ((early, 50 * part_count), (late, 100)):

            def run(conn: Connection, rule: RetentionRule = rule, before: datetime = before) -> list[tuple[Any, str]]:
                return due_leads(conn, niche_id, rule, before, None, 100)

            found, read = reading(damaged_database, run)
            assert len(found) == due
            assert read.rows_read <= 100 * part_count, (rule, before)
            assert "leads" not in read.scanned, rule
        counted, read = reading(damaged_database, lambda conn, rule=rule: count_due(conn, niche_id, rule, early))
        assert counted == 50 * part_count
        assert read.rows_read <= 50 * part_count, rule
