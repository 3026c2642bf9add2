"""`fairlead webhooks`: an endpoint set, watched, paused, tested and replayed, as it is typed."""

import pytest
from standardwebhooks import Webhook

from fairlead.store.connection import Database
from tests.cli.program import Program
from tests.delivery.receiver import receiver, says
from tests.flows.notifications.stage import (
    ANCHOR,
    SECRET_KEYS,
    open_marketplace,
    query,
    sell_lead,
    settings_for,
    states,
    work_off,
)


@pytest.fixture
def fairlead(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """The program on a marketplace with Anchor and Bowline, on a developer's machine."""
    open_marketplace(database)
    monkeypatch.setenv("FAIRLEAD_ENCRYPTION_KEYS", SECRET_KEYS)
    monkeypatch.setenv("FAIRLEAD_WEBHOOK_ALLOW_PRIVATE", "true")
    return Program(monkeypatch, capsys, database_url)


def test_from_setting_to_removing(fairlead: Program, database: Database) -> None:
    assert fairlead("webhooks", "list").out == "No webhook endpoints.\n"
    with receiver(says(200)) as crm:
        made = fairlead("webhooks", "set", ANCHOR, crm.url(), "--map", "mail=contact_email", "--json").json
        secret = made["secret"]
        assert (made["state"], made["took_effect"]) == ("active", True)
        again = fairlead("webhooks", "set", ANCHOR.upper(), crm.url())
        assert (again.status, again.out, again.err) == (0, "the webhook endpoint is so already\n", "")

        tested = fairlead("webhooks", "test", ANCHOR)
        assert (tested.status, tested.out) == (0, "taken: HTTP 200\n")
        [request] = crm.requests
        body = Webhook(secret).verify(request.body, request.signed_headers())
        assert body["type"] == "endpoint.test"
        assert body["data"] == {"mail": "test@example.com"}

        assert fairlead("webhooks", "pause", ANCHOR, "--reason", "maintenance").status == 0
        sell_lead(database)
        work_off(database, settings_for())
        [listed] = fairlead("webhooks", "list", "--json").json
        assert (listed["state"], listed["state_reason"], listed["waiting_count"]) == ("paused", "maintenance", 1)
        assert "paused: maintenance" in fairlead("webhooks", "list").out
        moved = fairlead("webhooks", "set", ANCHOR, crm.url("/other"))
        assert "it is paused: fairlead webhooks resume" in moved.err
        assert fairlead("webhooks", "show", ANCHOR, "--json").json["field_mapping"] == {"mail": "contact_email"}
        assert fairlead("webhooks", "resume", ANCHOR, "--reason", "over").out == "the webhook endpoint is active\n"
        work_off(database, settings_for())
        assert crm.requests[-1].line == "POST /other HTTP/1.1"

        replayed = fairlead("webhooks", "replay", ANCHOR, "--from", "2020-01-01", "--json").json
        assert (replayed["replayed_count"], replayed["created_from"]) == (1, "2020-01-01T00:00:00.000000Z")
        work_off(database, settings_for())
        assert len(crm.requests) == 3

        fairlead("webhooks", "set", ANCHOR, crm.url("/other"), "--own-names")
        shown = fairlead("webhooks", "show", ANCHOR)
        assert crm.url("/other") in shown.out
        assert "field_mapping" not in shown.out
        assert secret not in shown.out
    assert fairlead("webhooks", "remove", ANCHOR).out == "the webhook endpoint is removed\n"
    assert fairlead("webhooks", "show", ANCHOR).err == f"error: provider '{ANCHOR}' has no webhook endpoint\n"
    assert states(database, channel="webhook") == ["sent"]


def test_a_rotation(fairlead: Program, database: Database) -> None:
    first = fairlead("webhooks", "set", ANCHOR, "https://crm.example.com/in")
    assert "secret: whsec_" in first.out
    assert "shown only now" in first.err
    second = fairlead("webhooks", "rotate", ANCHOR, "--json").json["secret"]
    assert second not in first.out
    refused = fairlead("webhooks", "rotate", ANCHOR)
    assert (refused.status, refused.err.count("\n")) == (1, 1)
    assert "the previous secret is still in use" in refused.err
    assert fairlead("webhooks", "show", ANCHOR, "--json").json["is_rotating"]
    assert fairlead("webhooks", "rotate", ANCHOR, "--finish").out == "the previous secret is retired\n"
    assert fairlead("webhooks", "rotate", ANCHOR, "--finish").out == "no rotation is under way\n"
    assert "whsec_" not in str(query(database, "select old, new, memo from audit_log"))


def test_a_test_that_fails(fairlead: Program) -> None:
    with receiver(says(500)) as crm:
        fairlead("webhooks", "set", ANCHOR, crm.url())
        failed = fairlead("webhooks", "test", ANCHOR, "--json")
    assert failed.status == 1
    assert (failed.json["is_sent"], failed.json["answer"]) == (False, "HTTP 500")


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (["set", ANCHOR, "ftp://crm.example.com"], 2, "url: must start with https://"),
        (["set", ANCHOR, "https://crm.example.com", "--map", "mail"], 2, "must be NAME=OURS"),
        (["set", ANCHOR, "https://crm.example.com", "--map", "a=password"], 2, "field_mapping.a"),
        (["set", ANCHOR, "https://crm.example.com", "--map", "a=lead_id", "--own-names"], 2, "say which"),
        (["set", "nobody@example.com", "https://crm.example.com"], 1, "there is no provider"),
        (["pause", ANCHOR, "--reason", "x"], 1, "has no webhook endpoint"),
        (["replay", ANCHOR, "--from", "yesterday"], 2, "is no time"),
    ],
)
def test_bad_input_gets_one_clear_line(fairlead: Program, words: list[str], status: int, line: str) -> None:
    result = fairlead("webhooks", *words)
    assert (result.status, result.out) == (status, "")
    assert line in result.err
    assert result.err.count("\n") == 1, result.err


def test_without_keys_no_endpoint_can_be_set(fairlead: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAIRLEAD_ENCRYPTION_KEYS")
    result = fairlead("webhooks", "set", ANCHOR, "https://crm.example.com")
    assert result.status == 1
    assert result.err.startswith("error: FAIRLEAD_ENCRYPTION_KEYS: must hold at least one key")
