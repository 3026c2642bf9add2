"""`fairlead notifications`: listed, shown with what went wrong, sent again."""

import pytest

from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from tests.cli.program import Program
from tests.delivery.mail_servers import Inbox, mail_server
from tests.flows.notifications.stage import (
    ANCHOR,
    BOWLINE,
    CANARIES,
    notification,
    open_marketplace,
    row_of,
    sell_lead,
    settings_for,
    work_off,
)


@pytest.fixture
def fairlead(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """The program on a marketplace with Anchor and Bowline."""
    open_marketplace(database)
    return Program(monkeypatch, capsys, database_url)


def test_listing_showing_and_sending_again(fairlead: Program, database: Database) -> None:
    assert fairlead("notifications", "list").out == "No notifications.\n"
    sell_lead(database)
    with mail_server(Inbox(answer_to_rcpt=f"550 no {ANCHOR}")) as port:
        work_off(database, settings_for(port))
    told = notification(database)
    failed = fairlead("notifications", "list", "--state", "failed", "--provider", ANCHOR, "--json").json
    assert told in [each["notification_id"] for each in failed]
    assert {each["state"] for each in failed} == {"failed"}
    bowlines = fairlead("notifications", "list", "--provider", BOWLINE, "--json").json
    assert told not in [each["notification_id"] for each in bowlines] != []
    assert fairlead("notifications", "list", "--channel", "webhook", "--json").json == []
    assert "queued, held" in fairlead("notifications", "list", "--state", "queued").out  # the alerts of it
    assert len(fairlead("notifications", "list", "--limit", "1", "--json").json) == 1

    shown = fairlead("notifications", "show", told, "--json").json
    assert (shown["kind"], shown["attempts"], shown["last_answer"]) == ("lead_assigned", 1, "550 no ***")
    assert [(run["outcome"], run["error"]) for run in shown["runs"]] == [("failed", "550 no ***")]
    text = fairlead("notifications", "show", told).out
    assert "lead_assigned" in text
    assert not [canary for canary in CANARIES if canary in text + str(shown)]

    unknown = new_id()
    again = fairlead("notifications", "replay", told, told, unknown)
    assert (again.status, again.out) == (1, "1 to be sent again\n")
    assert again.err == f"error: {unknown}: there is no notification {unknown}\n"
    assert row_of(database, told)["state"] == "queued"
    waiting = fairlead("notifications", "replay", told)
    assert (waiting.status, waiting.out) == (0, "0 to be sent again, 1 waited already\n")
    answer = fairlead("notifications", "replay", told, "--json").json
    assert answer["replayed"][0]["took_effect"] is False


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (["list", "--state", "lost"], 2, "there is no state 'lost'"),
        (["list", "--channel", "fax"], 2, "there is no channel 'fax'"),
        (["list", "--provider", "nobody"], 1, "there is no provider 'nobody'"),
        (["show", "17"], 2, "'17' is no notification id"),
        (["show", "01900000-0000-7000-8000-000000000000"], 1, "there is no notification"),
        (["replay", "17"], 2, "'17' is no notification id"),
    ],
)
def test_bad_input_gets_one_clear_line(fairlead: Program, words: list[str], status: int, line: str) -> None:
    result = fairlead("notifications", *words)
    assert (result.status, result.out) == (status, "")
    assert line in result.err
    assert result.err.count("\n") == 1, result.err
