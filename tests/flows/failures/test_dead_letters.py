"""Dead letters: looked at, tried again, closed; what may not be, and what happens twice or at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.flows.approve_lead import trigger_distribution, trigger_untried
from fairlead.flows.failures.dead_letters import (
    inspect_dead_letter,
    list_dead_letters,
    resolve_dead_letter,
    retry_all_dead_letters,
    retry_dead_letter,
    retry_dead_letters,
)
from fairlead.flows.failures.failed_runs import record_crash
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from fairlead.store.invariants.engine import undecided_leads
from fairlead.store.leads.state import begin_isolated
from tests.by_hand import CLOSED, TOLD_OF_SALES, WAITS, rows_by_hand
from tests.flows.given_up import give_up_lead, give_up_notification, letter_of
from tests.flows.maintenance.workers import jobs, rows
from tests.flows.niches import stored_leads
from tests.race.processes import wait_until_blocked

LETTERS = "select resolution, resolved_by, memo from dead_letters order by failed_at"
EVENTS = """
    select action, entity_id, memo from audit_log
    where action like 'dead_letter.%' or action = 'distribution.triggered' order by seq"""


def test_what_was_given_up_can_be_looked_at(database: Database) -> None:
    _, lead_id, letter_id = give_up_lead(database)
    notification_id, other_id = give_up_notification(database)
    assert [letter.dead_letter_id for letter in list_dead_letters(database)] == [other_id, letter_id]
    assert [letter.lead_id for letter in list_dead_letters(database, queue="distribute")] == [lead_id]
    assert len(list_dead_letters(database, limit=1)) == 1

    lead = inspect_dead_letter(database, letter_id.upper())
    assert (lead.letter.lead_id, lead.letter.error, lead.letter.attempts) == (lead_id, "Broken: the books are wrong", 1)
    assert [(run.outcome, run.lead_id) for run in lead.attempts] == [("failed", lead_id)]
    mail = inspect_dead_letter(database, other_id)
    assert (mail.letter.queue, mail.letter.notification_id) == ("email", notification_id)
    assert [run.error for run in mail.attempts] == ["550 no such user"]


def test_a_lead_is_tried_again_from_the_beginning(database: Database) -> None:
    _, lead_id, letter_id = give_up_lead(database)
    done = retry_dead_letter(database, letter_id, OPERATOR)
    assert (done.resolution, done.lead_id, done.took_effect) == ("retried", lead_id, True)
    assert jobs(database, "id, payload ->> 'lead_id'")[-1] == (done.job_id, lead_id)
    state = stored_leads(database, "awaits_decision, failed_runs, isolated, last_error, distribution_attempts")
    assert state == [(True, 0, False, None, 1)]
    assert rows(database, LETTERS) == [("retried", "operator", None)]
    assert rows(database, EVENTS) == [
        ("dead_letter.opened", letter_id, None),
        ("distribution.triggered", lead_id, None),
        ("dead_letter.retried", letter_id, None),
    ]

    count = len(jobs(database))
    again = retry_dead_letter(database, letter_id, OPERATOR)
    assert (again.resolution, again.took_effect, again.job_id) == ("retried", False, None)
    assert (len(jobs(database)), len(rows(database, EVENTS))) == (count, 3)


def test_the_manual_trigger_does_the_same(database: Database) -> None:
    _, lead_id, letter_id = give_up_lead(database)
    assert trigger_distribution(database, lead_id, OPERATOR).took_effect
    assert rows(database, LETTERS) == [("retried", "operator", None)]
    assert ("dead_letter.retried", letter_id, None) in rows(database, EVENTS)
    assert not retry_dead_letter(database, letter_id, OPERATOR).took_effect


def test_a_notification_is_tried_again(database: Database) -> None:
    notification_id, letter_id = give_up_notification(database)
    assert rows(database, "select state from notifications where kind = 'lead_assigned'") == ["failed"]
    done = retry_dead_letter(database, letter_id, OPERATOR)
    assert (done.resolution, done.notification_id, done.took_effect) == ("retried", notification_id, True)
    assert rows(database, "select state, attempts from notifications where kind = 'lead_assigned'") == [("queued", 0)]
    assert ("send_email", notification_id) in jobs(database, "task, payload ->> 'notification_id'")
    assert rows(database, LETTERS) == [("retried", "operator", None)]
    assert rows(database, EVENTS) == [
        ("dead_letter.opened", letter_id, None),
        ("dead_letter.retried", letter_id, None),
    ]
    assert not retry_dead_letter(database, letter_id, OPERATOR).took_effect


def test_closing_one_leaves_its_lead_alone(database: Database) -> None:
    _, _, letter_id = give_up_lead(database)
    before = stored_leads(database, "leads::text"), jobs(database)
    done = resolve_dead_letter(database, letter_id, "  sold by telephone ", OPERATOR)
    assert (done.resolution, done.took_effect) == ("resolved", True)
    assert (stored_leads(database, "leads::text"), jobs(database)) == before
    assert rows(database, LETTERS) == [("resolved", "operator", "sold by telephone")]
    assert rows(database, EVENTS) == [
        ("dead_letter.opened", letter_id, None),
        ("dead_letter.resolved", letter_id, "sold by telephone"),
    ]

    again = resolve_dead_letter(database, letter_id, "another reason", OPERATOR)
    assert (again.resolution, again.took_effect) == ("resolved", False)
    assert (retry_dead_letter(database, letter_id, OPERATOR).resolution, len(rows(database, EVENTS))) == ("resolved", 2)
    assert rows(database, LETTERS) == [("resolved", "operator", "sold by telephone")]
    assert list_dead_letters(database) == []
    assert len(list_dead_letters(database, only_open=False)) == 1


@pytest.mark.parametrize("memo", ["", "  \n ", "x" * 501, "two\nlines", "a\x9bb"])
def test_closing_one_takes_a_reason(database: Database, memo: str) -> None:
    _, _, letter_id = give_up_lead(database)
    with pytest.raises(BadInput, match="memo: must be one line of 1 to 500 characters"):
        resolve_dead_letter(database, letter_id, memo, OPERATOR)
    assert rows(database, LETTERS) == [(None, None, None)]


def test_ids_that_no_dead_letter_has(database: Database) -> None:
    for verb in (
        lambda each: retry_dead_letter(database, each, OPERATOR),
        lambda each: resolve_dead_letter(database, each, "x", OPERATOR),
        lambda each: inspect_dead_letter(database, each),
    ):
        with pytest.raises(Refused) as caught:
            verb(new_id())
        assert caught.value.code == "dead_letter_unknown"
        with pytest.raises(BadInput, match="'17' is no dead letter id"):
            verb("17")


@rows_by_hand(CLOSED)
@pytest.mark.parametrize("status", ["rejected", "bad"])
def test_a_lead_that_is_closed_meanwhile_is_not_tried_again(database: Database, status: str) -> None:
    _, _, letter_id = give_up_lead(database)
    with database.transaction() as conn:
        conn.execute("update leads set status = %s", (status,))
    with pytest.raises(Refused, match="meanwhile: resolve the dead letter instead") as caught:
        retry_dead_letter(database, letter_id, OPERATOR)
    assert caught.value.code == f"lead_{status}"
    assert rows(database, LETTERS) == [(None, None, None)]
    assert resolve_dead_letter(database, letter_id, "not wanted", OPERATOR).took_effect


def test_a_lead_that_is_sold_meanwhile_is_not_tried_again(damaged_database: Database) -> None:
    """No flow leaves that behind: an open dead letter of a lead that is sold is a broken invariant."""
    _, _, letter_id = give_up_lead(damaged_database)
    with damaged_database.transaction() as conn:
        conn.execute("update leads set status = 'distributed', distributed_at = now()")
    with pytest.raises(Refused, match="has been distributed meanwhile") as caught:
        retry_dead_letter(damaged_database, letter_id, OPERATOR)
    assert caught.value.code == "lead_distributed"


@rows_by_hand(TOLD_OF_SALES)
def test_a_notification_whose_endpoint_is_gone_is_not_tried_again(database: Database) -> None:
    _, letter_id = give_up_notification(database)
    with database.transaction() as conn:
        conn.execute(
            "insert into webhook_endpoints (id, provider_id, url, secret, created_at, deleted_at) "
            "select gen_random_uuid(), id, 'https://crm.example', '', now(), now() from providers"
        )
        conn.execute(
            "update notifications set channel = 'webhook', webhook_endpoint_id = (select id from webhook_endpoints) "
            "where kind = 'lead_assigned'"
        )
    with pytest.raises(Refused, match="resolve the dead letter instead") as caught:
        retry_dead_letter(database, letter_id, OPERATOR)
    assert caught.value.code == "notification_not_failed"
    assert rows(database, LETTERS) == [(None, None, None)]


@rows_by_hand(CLOSED)
def test_all_of_a_queue_are_tried_again(database: Database) -> None:
    _, first, _ = give_up_lead(database)
    _, second, second_letter = give_up_lead(database, "storage")
    _, mail_letter = give_up_notification(database, "hosting")
    with database.transaction() as conn:
        conn.execute("update leads set status = 'rejected' where id = %s", (second,))
    told: list[int] = []
    result = retry_all_dead_letters(database, "distribute", OPERATOR, told.append)
    assert [each.lead_id for each in result.closed] == [first]
    assert [(each.dead_letter_id, each.code) for each in result.refused] == [(second_letter, "lead_rejected")]
    assert told == [1, 2]
    assert [letter.dead_letter_id for letter in list_dead_letters(database)] == [mail_letter, second_letter]
    assert len(retry_all_dead_letters(database, None, OPERATOR).closed) == 1
    assert [letter.dead_letter_id for letter in list_dead_letters(database)] == [second_letter]


def test_several_are_tried_again_each_on_its_own(database: Database) -> None:
    _, _, letter_id = give_up_lead(database)
    unknown = new_id()
    result = retry_dead_letters(database, [unknown, letter_id, letter_id.upper()], OPERATOR)
    assert [each.dead_letter_id for each in result.closed] == [letter_id]
    assert [(each.dead_letter_id, each.code) for each in result.refused] == [(unknown, "dead_letter_unknown")]
    with pytest.raises(BadInput):
        retry_dead_letters(database, [letter_id, "17"], OPERATOR)


@pytest.mark.parametrize("of", ["lead", "notification"])
def test_eight_who_see_to_one_at_once(of: str, database: Database) -> None:
    letter_id = give_up_lead(database)[2] if of == "lead" else give_up_notification(database)[1]

    def see_to(number: int) -> tuple[str, bool]:
        done = (
            retry_dead_letter(database, letter_id, OPERATOR)
            if number % 2
            else resolve_dead_letter(database, letter_id, "x", OPERATOR)
        )
        return done.resolution, done.took_effect

    count = len(jobs(database))
    with ThreadPoolExecutor(8) as pool:
        with database.transaction() as conn:
            conn.execute("select from leads for no key update; select from notifications for no key update")
            calls = [pool.submit(see_to, number) for number in range(8)]
            # Each of them has seen an open letter, and waits for what it is about.
            wait_until_blocked(database.url, *calls)
        results = [call.result() for call in calls]
    assert [took_effect for _, took_effect in results].count(True) == 1
    [resolution] = {resolution for resolution, _ in results}
    assert [row[0] for row in rows(database, LETTERS)] == [resolution]
    assert len(jobs(database)) == count + (resolution == "retried")


def test_a_killer_is_not_asked_for_with_the_untried(database: Database) -> None:
    """It was given up without an attempt that came to an end, and has to stay so until an operator names it."""
    niche, lead_id, letter_id = give_up_lead(database)
    retry_dead_letter(database, letter_id, OPERATOR)
    with database.transaction() as conn:
        conn.execute("update leads set distribution_attempts = 0, last_outcome = null, last_attempt_at = null")
    for _ in range(3):
        with database.transaction() as conn:
            begin_isolated(conn, lead_id)
            record_crash(conn, lead_id, 1)
    assert trigger_untried(database, niche.niche_id, OPERATOR) == 0
    assert stored_leads(database, "awaits_decision, distribution_attempts") == [(False, 0)]
    assert retry_dead_letter(database, letter_of(database, lead_id), OPERATOR).took_effect


@rows_by_hand(WAITS)
def test_every_approved_lead_reaches_a_decision_or_a_dead_letter(database: Database) -> None:
    _, lead_id, letter_id = give_up_lead(database)
    with database.transaction() as conn:
        assert undecided_leads(conn) == []
    retry_dead_letter(database, letter_id, OPERATOR)
    with database.transaction() as conn:
        assert undecided_leads(conn) == []
        conn.execute("delete from jobs")
        assert undecided_leads(conn) == [lead_id]
        conn.execute("update leads set awaits_decision = false")
        assert undecided_leads(conn) == []
        conn.execute("update leads set last_outcome = 'failed'")
        conn.execute("delete from dead_letters")
        assert undecided_leads(conn) == [lead_id]
