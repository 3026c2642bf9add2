"""`fairlead jobs` and `fairlead reconcile`: what they show, exit statuses, one clear line."""

import pytest

from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from tests.cli.program import Program
from tests.flows.given_up import give_up_lead, give_up_notification
from tests.flows.maintenance.workers import begin_jobs, rows, worker


@pytest.fixture
def fairlead(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """The program on a fresh marketplace."""
    return Program(monkeypatch, capsys, database_url)


def test_list_and_show(fairlead: Program, database: Database) -> None:
    assert fairlead("jobs", "list").out == "No open dead letters.\n"
    assert fairlead("jobs", "list", "--all").out == "No dead letters.\n"
    _, lead_id, letter_id = give_up_lead(database)
    notification_id, mail_letter = give_up_notification(database)

    newest, oldest = fairlead("jobs", "list", "--json").json
    assert (newest["dead_letter_id"], newest["queue"], newest["notification_id"]) == (
        mail_letter,
        "email",
        notification_id,
    )
    assert (oldest["lead_id"], oldest["error"], oldest["resolution"]) == (lead_id, "Broken: the books are wrong", None)
    assert oldest["failed_at"].endswith("Z")
    assert len(fairlead("jobs", "list", "--limit", "1", "--json").json) == 1
    [only] = fairlead("jobs", "list", "--queue", "distribute", "--json").json
    assert only["dead_letter_id"] == letter_id
    listed = fairlead("jobs", "list").out
    assert f"lead {lead_id}" in listed
    assert f"notification {notification_id}" in listed

    shown = fairlead("jobs", "show", letter_id)
    assert shown.status == 0
    for words in (f"lead {lead_id}", "after 1 attempts", "Broken: the books are wrong", "runs on record", "open"):
        assert words in shown.out, words
    as_json = fairlead("jobs", "show", letter_id, "--json").json
    assert as_json["lead_id"] == lead_id
    [run] = as_json["runs"]
    assert (run["outcome"], run["ended_at"].endswith("Z")) == ("failed", True)
    assert "@" not in shown.out + listed + fairlead("jobs", "show", mail_letter).out


def test_retry(fairlead: Program, database: Database) -> None:
    _, lead_id, letter_id = give_up_lead(database)
    _, mail_letter = give_up_notification(database)
    done = fairlead("jobs", "retry", letter_id)
    assert (done.status, done.out) == (0, "1 retried\n")
    assert rows(database, f"select awaits_decision from leads where id = '{lead_id}'") == [True]
    assert fairlead("jobs", "retry", letter_id).out == "0 retried, 1 were resolved already\n"

    unknown = new_id()
    mixed = fairlead("jobs", "retry", unknown, mail_letter, "--json")
    assert mixed.status == 1
    assert [each["dead_letter_id"] for each in mixed.json["closed"]] == [mail_letter]
    refusal = {"dead_letter_id": unknown, "code": "dead_letter_unknown"}
    assert mixed.json["refused"] == [{**refusal, "message": f"there is no dead letter {unknown}"}]
    refused = fairlead("jobs", "retry", unknown)
    assert (refused.status, refused.err) == (1, f"error: there is no dead letter {unknown}\n")


def test_retry_all(fairlead: Program, database: Database) -> None:
    assert fairlead("jobs", "retry", "--all").out == "No open dead letters.\n"
    give_up_lead(database)
    give_up_lead(database, "hosting")
    give_up_notification(database)
    assert fairlead("jobs", "retry", "--all", "--queue", "distribute").out == "2 retried\n"
    assert len(fairlead("jobs", "list", "--json").json) == 1
    assert fairlead("jobs", "retry", "--all").out == "1 retried\n"


def test_resolve(fairlead: Program, database: Database) -> None:
    _, _, letter_id = give_up_lead(database)
    assert fairlead("jobs", "resolve", letter_id, "--memo", "sold by telephone").out == "resolved\n"
    again = fairlead("jobs", "resolve", letter_id, "--memo", "another reason")
    assert (again.status, again.out) == (0, "nothing to do: it was resolved already\n")
    as_json = fairlead("jobs", "resolve", letter_id, "--memo", "x", "--json").json
    assert (as_json["resolution"], as_json["took_effect"]) == ("resolved", False)
    shown = fairlead("jobs", "show", letter_id).out
    assert "memo         sold by telephone" in shown
    assert "resolved, 20" in shown
    assert "by operator" in shown
    assert fairlead("jobs", "list").out == "No open dead letters.\n"
    assert "resolved" in fairlead("jobs", "list", "--all").out


def test_queues(fairlead: Program, database: Database) -> None:
    give_up_lead(database)  # which alerts operators: one dispatch waits
    before = {queue["queue"]: queue for queue in fairlead("jobs", "queues", "--json").json}
    assert sorted(before) == ["dispatch", "distribute", "email", "export", "webhook"]
    assert (before["dispatch"]["ready_jobs"], before["dispatch"]["running_jobs"]) == (1, 0)
    assert (before["distribute"]["ready_jobs"], before["distribute"]["open_dead_letters"]) == (0, 1)
    begin_jobs(database, worker(database, silent_seconds=0))
    after = {queue["queue"]: queue for queue in fairlead("jobs", "queues", "--json").json}
    assert (after["dispatch"]["ready_jobs"], after["dispatch"]["running_jobs"]) == (0, 1)
    shown = fairlead("jobs", "queues").out.splitlines()
    assert shown[0].split()[:4] == ["queue", "ready", "scheduled", "running"]
    assert len(shown) == 6


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        ("jobs list --queue mail", 2, "--queue: there is no queue 'mail'; there are distribute, dispatch, email"),
        ("jobs show 17", 2, "'17' is no dead letter id"),
        ("jobs show 01900000-0000-7000-8000-000000000000", 1, "there is no dead letter 01900000"),
        ("jobs retry", 2, "say which: some IDs, or --all"),
        ("jobs retry 17 --all", 2, "say which: some IDs, or --all"),
        ("jobs retry 17 --queue email", 2, "say which: some IDs, or --all"),
        ("jobs retry --all --queue mail", 2, "there is no queue 'mail'"),
        ("jobs retry 17", 2, "'17' is no dead letter id"),
        ("jobs resolve 17 --memo x", 2, "'17' is no dead letter id"),
        ("jobs resolve 01900000-0000-7000-8000-000000000000 --memo x", 1, "there is no dead letter 01900000"),
        (
            "jobs resolve 01900000-0000-7000-8000-000000000000 --memo=",
            2,
            "memo: must be one line of 1 to 500",
        ),
    ],
)
def test_bad_input_gets_one_clear_line(fairlead: Program, words: str, status: int, line: str) -> None:
    result = fairlead(*words.split())
    assert (result.status, result.out) == (status, "")
    assert line in result.err
    assert result.err.count("\n") == 1, result.err


def test_reconcile_of_books_that_agree(fairlead: Program, database: Database) -> None:
    give_up_notification(database)
    agreed = fairlead("reconcile")
    assert agreed.status == 0
    assert "ok          2  ledgers are contiguous" in agreed.out
    assert agreed.out.endswith("the books agree with themselves\n")
    as_json = fairlead("reconcile", "--json").json
    assert as_json["difference_count"] == 0
    assert as_json["checked_count"] == sum(each["checked_count"] for each in as_json["comparisons"]) > 0
    assert len(rows(database, "select from reconciliations")) == 2


def test_reconcile_of_books_that_do_not(
    damaged_database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fairlead = Program(monkeypatch, capsys, database_url)
    give_up_notification(damaged_database)
    with damaged_database.transaction() as conn:
        conn.execute("update providers set balance_cents = balance_cents + 1")
    found = fairlead("reconcile")
    assert found.status == 1
    assert "BAD         1  every balance is its ledger's sum" in found.out
    assert "balance 4001, sum 4000, last 4000" in found.out
    assert "1 differences; nothing was changed, operators are alerted" in found.out
    as_json = fairlead("reconcile", "--json")
    assert (as_json.status, as_json.json["difference_count"]) == (1, 1)
    assert rows(damaged_database, "select balance_cents from providers") == [4001]
    assert rows(damaged_database, "select actor from audit_log where action like 'reconciliation%'") == ["operator"] * 2
