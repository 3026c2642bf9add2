"""`fairlead admin`: the first operator let in, listed, and brought back, as it is typed."""

import io
import sys

import pytest

from fairlead.core.errors import Refused
from fairlead.flows.access.first_operator import admit_setup
from fairlead.flows.access.log_in import log_in
from fairlead.flows.access.one_time import accept_invite
from fairlead.store.connection import Database
from tests.cli.program import Program
from tests.flows.access.people import (
    HOME,
    NEW_PASSWORD,
    PASSWORD,
    add_admin,
    add_provider,
    enrolled_admin,
    provider_user,
    refusal,
    rows,
)

ANN = "ann@example.com"


@pytest.fixture
def fairlead(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """The program on an empty marketplace."""
    monkeypatch.setenv("FAIRLEAD_PUBLIC_URL", "https://leads.example.com/")
    return Program(monkeypatch, capsys, database_url)


def test_the_set_up_link_is_made_while_there_is_no_operator(fairlead: Program, database: Database) -> None:
    former, link = (fairlead("admin", "setup-link").out.strip() for _ in range(2))
    page, _, token = link.partition("#")
    assert page == "https://leads.example.com/setup"
    with pytest.raises(Refused, match="setup-link makes a new one"):
        admit_setup(database, former.partition("#")[2], HOME)
    admit_setup(database, token, HOME)
    told = fairlead("admin", "setup-link", "--json").json
    assert told["link"] == f"https://leads.example.com/setup#{told['token']}"
    enrolled_admin(database)
    refused = fairlead("admin", "setup-link")
    assert (refused.status != 0, "setup#" in refused.out) == (True, False)
    assert "an operator already" in refused.err


def test_the_first_operator_is_let_in_by_a_link(fairlead: Program, database: Database) -> None:
    assert "fairlead admin create" in fairlead("admin", "list").out
    made = fairlead("admin", "create", ANN, "--name", "Ann Example")
    assert made.status == 0
    page, _, token = made.out.strip().partition("#")
    assert page == "https://leads.example.com/accept-invite"
    assert "good once" in made.err
    assert token not in made.err
    [listed] = fairlead("admin", "list", "--json").json
    assert (listed["email"], listed["name"], listed["status"]) == (ANN, "Ann Example", "invited")
    accept_invite(database, token, PASSWORD, HOME)
    assert log_in(database, ANN, PASSWORD, HOME).next_step == "enrolment"
    assert "active" in fairlead("admin", "list").out


def test_without_a_public_address_the_token_alone_is_shown(
    fairlead: Program, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FAIRLEAD_PUBLIC_URL")
    monkeypatch.setenv("FAIRLEAD_HTTP_HOST", "192.0.2.1")
    made = fairlead("admin", "create", ANN)
    assert "FAIRLEAD_PUBLIC_URL is not set" in made.err
    accept_invite(database, made.out.strip(), PASSWORD, HOME)
    answer = fairlead("admin", "create", "bob@example.com", "--json").json
    assert answer["invite"]["link"] is None
    accept_invite(database, answer["invite"]["token"], PASSWORD, HOME)


def test_a_password_from_standard_input(fairlead: Program, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("password1234\n"))
    weak = fairlead("admin", "create", ANN, "--password-stdin")
    assert (weak.status, weak.err.count("\n")) == (2, 1)
    assert "easy to guess" in weak.err
    monkeypatch.setattr(sys, "stdin", io.StringIO(PASSWORD + "\n"))
    made = fairlead("admin", "create", ANN, "--password-stdin", "--json")
    assert (made.json["status"], made.json["invite"]) == ("active", None)
    assert PASSWORD not in made.out + made.err
    assert log_in(database, ANN, PASSWORD, HOME).next_step == "enrolment"
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    nothing = fairlead("admin", "create", "bob@example.com", "--password-stdin")
    assert (nothing.status, nothing.out) == (2, "")
    assert rows(database, "select count(*) from users") == [1]


def test_a_lost_second_factor(fairlead: Program, database: Database) -> None:
    enrolled_admin(database)
    done = fairlead("admin", "reset-factor", ANN)
    token = done.out.strip().partition("#")[2]
    assert refusal(log_in, database, ANN, PASSWORD, HOME) == "login_refused"
    accept_invite(database, token, NEW_PASSWORD, HOME)
    assert log_in(database, ANN, NEW_PASSWORD, HOME).next_step == "enrolment"
    answer = fairlead("admin", "reset-factor", ANN, "--json").json
    assert answer["invite"]["link"].startswith("https://leads.example.com/accept-invite#")


def test_shutting_out_and_letting_in_again(fairlead: Program, database: Database) -> None:
    enrolled_admin(database)
    last = fairlead("admin", "disable", ANN)
    assert (last.status, last.err) == (1, "error: this is the last admin who can log in\n")
    add_admin(database, "bob@example.com")
    assert "1 sessions ended" in fairlead("admin", "disable", ANN).out
    assert fairlead("admin", "disable", ANN).out == "nothing to do: the operator is shut out already\n"
    assert fairlead("admin", "enable", ANN, "--json").json["status"] == "active"
    assert fairlead("admin", "enable", ANN).out == "nothing to do: the operator is active\n"


def test_providers_users_are_no_operators(fairlead: Program, database: Database) -> None:
    person = provider_user(database, add_provider(database))
    refused = fairlead("admin", "disable", person.email)
    assert (refused.status, refused.out) == (1, "")
    assert "provider's user" in refused.err
    assert fairlead("admin", "list", "--json").json == []
    assert [each["role"] for each in fairlead("admin", "list", "--all", "--json").json] == ["provider"]


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (["create", "ann"], 2, "email: must be an email address"),
        (["create", ANN, "--name", " "], 2, "name: must be one line"),
        (["create", "bob@example.com"], 1, "there is a user with this email already"),
        (["disable", "nobody@example.com"], 1, "there is no such user"),
        (["reset-factor", "nobody"], 2, "is no user id"),
    ],
)
def test_bad_input_gets_one_clear_line(
    fairlead: Program, database: Database, words: list[str], status: int, line: str
) -> None:
    add_admin(database, "bob@example.com")
    result = fairlead("admin", *words)
    assert (result.status, result.out) == (status, "")
    assert line in result.err
    assert result.err.count("\n") == 1, result.err
