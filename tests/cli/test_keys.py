"""`fairlead keys`: made, listed and revoked, as it is typed."""

import pytest

from fairlead.flows.access.api_keys import authenticate_api_key
from fairlead.store.connection import Database
from tests.cli.program import Program
from tests.flows.access.people import HOME, add_admin, add_provider, refusal

ANN = "ann@example.com"


@pytest.fixture
def fairlead(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """The program on a marketplace with one operator and the provider Anchor."""
    add_admin(database)
    add_provider(database)
    return Program(monkeypatch, capsys, database_url)


def test_from_making_to_revoking(fairlead: Program, database: Database) -> None:
    assert fairlead("keys", "list").out == "No API keys.\n"
    made = fairlead("keys", "create", "website", "--user", ANN, "--scope", "intake:write", "--days", "365")
    key = made.out.strip()
    assert "shown only now" in made.err
    principal = authenticate_api_key(database, key, HOME)
    assert [permission.value for permission in principal.permissions] == ["intake:write"]
    [listed] = fairlead("keys", "list", "--user", ANN, "--json").json
    assert (listed["name"], listed["scopes"], listed["prefix"]) == ("website", ["intake:write"], key.split("_")[1])
    assert listed["expires_at"].endswith("Z")
    shown = fairlead("keys", "list")
    assert "website" in shown.out
    assert key not in shown.out
    assert fairlead("keys", "revoke", listed["key_id"]).out == "the key is revoked\n"
    assert refusal(authenticate_api_key, database, key, HOME) == "api_key_invalid"
    assert fairlead("keys", "revoke", listed["key_id"], "--json").json["took_effect"] is False
    assert fairlead("keys", "list", "--json").json == []
    assert "revoked" in fairlead("keys", "list", "--all").out


def test_a_providers_key(fairlead: Program, database: Database) -> None:
    made = fairlead("keys", "create", "crm", "--provider", "anchor@example.com", "--scope", "own:read", "--json").json
    assert authenticate_api_key(database, made["key"], HOME).provider_id is not None
    assert made["expires_at"] is None
    [listed] = fairlead("keys", "list", "--provider", "anchor@example.com", "--json").json
    assert listed["key_id"] == made["key_id"]
    assert fairlead("keys", "list", "--user", ANN, "--json").json == []


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (["create", "x", "--scope", "leads:read"], 2, "say whose it is"),
        (["create", "x", "--scope", "leads:read", "--user", ANN, "--provider", "y"], 2, "say whose it is"),
        (["create", "x", "--scope", "money:write", "--user", ANN], 2, "'money:write' is not for a key of this owner"),
        (["create", "x", "--scope", "own:read", "--provider", "nobody@example.com"], 1, "there is no provider"),
        (["create", "x", "--scope", "leads:read", "--user", "nobody@example.com"], 1, "there is no such user"),
        (["create", "x", "--scope", "leads:read", "--user", ANN, "--days", "0"], 2, "lifetime_days: must be between"),
        (["revoke", "x"], 2, "is no API key id"),
        (["revoke", "01900000-0000-7000-8000-000000000000"], 1, "there is no API key"),
    ],
)
def test_bad_input_gets_one_clear_line(fairlead: Program, words: list[str], status: int, line: str) -> None:
    result = fairlead("keys", *words)
    assert (result.status, result.out) == (status, "")
    assert line in result.err
    assert result.err.count("\n") == 1, result.err
