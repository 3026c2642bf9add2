"""The first operator is let in by the link that the terminal shows: once, and while there is none."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.core.permissions import Role
from fairlead.flows.access.first_operator import (
    LASTS,
    SetupLink,
    admit_setup,
    create_first_operator,
    is_set_up,
    make_setup_link,
)
from fairlead.flows.access.invitations import create_admin, invite_user
from fairlead.flows.access.log_in import log_in
from fairlead.flows.access.throttle import TOKEN_OF_ADDRESS, Throttled
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.access.people import AWAY, HOME, PASSWORD, add_admin, add_provider, refusal, rows, value

ANN = ("ann@example.com", "Ann Example", PASSWORD)


def made(database: Database) -> SetupLink:
    link = make_setup_link(database)
    assert link is not None
    return link


def test_the_link_lets_one_operator_in_who_sets_up_a_second_factor(database: Database) -> None:
    link = made(database)
    assert not is_set_up(database)
    assert link.address("http://127.0.0.1:8000/") == f"http://127.0.0.1:8000/setup#{link.token}"
    admit_setup(database, link.token, HOME)
    user_id = create_first_operator(database, link.token, *ANN, HOME)
    assert rows(database, "select id::text, role, status from users") == [(user_id, "admin", "active")]
    assert log_in(database, ANN[0], PASSWORD, HOME).next_step == "enrolment"
    assert is_set_up(database)
    assert rows(database, "select actor, action from audit_log where action like 'user.%%'") == [
        ("setup link", "user.created")
    ]


def test_once_there_is_an_operator_neither_the_link_nor_another_is_good(database: Database) -> None:
    link = made(database)
    create_first_operator(database, link.token, *ANN, HOME)
    again = (database, link.token, "eve@example.com", "Eve", PASSWORD, AWAY)
    assert refusal(create_first_operator, *again) == "setup_finished"
    assert refusal(admit_setup, database, link.token, AWAY) == "setup_finished"
    assert make_setup_link(database) is None
    assert rows(database, "select count(*) from setup_link") == [0]
    assert rows(database, "select count(*) from users") == [1]


def test_only_its_hash_is_kept(database: Database) -> None:
    link = made(database)
    [stored] = rows(database, "select encode(token_hash, 'hex') from setup_link")
    assert link.token not in stored
    assert link.token not in repr(link)
    assert link.token.encode().hex() != stored


def test_a_restart_makes_another_and_the_former_is_over(database: Database) -> None:
    former, link = made(database), made(database)
    assert refusal(admit_setup, database, former.token, HOME) == "token_refused"
    assert refusal(create_first_operator, database, former.token, *ANN, HOME) == "token_refused"
    create_first_operator(database, link.token, *ANN, HOME)


def test_it_expires(database: Database) -> None:
    link = made(database)
    value(database, "update setup_link set created_at = created_at - %s, expires_at = expires_at - %s", LASTS, LASTS)
    assert refusal(admit_setup, database, link.token, HOME) == "token_refused"
    assert refusal(create_first_operator, database, link.token, *ANN, HOME) == "token_refused"
    assert timedelta(days=1) == LASTS


def test_what_is_wrong_with_the_input_leaves_the_link_good(database: Database) -> None:
    link = made(database)
    anchor = add_provider(database)
    invite_user(database, "sam@anchor.example", "Sam", Role.PROVIDER, OPERATOR, provider_id=anchor)
    for email, name, password in (("ann", "Ann", PASSWORD), (ANN[0], " ", PASSWORD), (ANN[0], "Ann", "password1234")):
        with pytest.raises(BadInput):
            create_first_operator(database, link.token, email, name, password, HOME)
    taken = (database, link.token, "sam@anchor.example", "Sam", PASSWORD, HOME)
    assert refusal(create_first_operator, *taken) == "email_taken"
    create_first_operator(database, link.token, *ANN, HOME)


def test_the_command_line_ends_it_too(database: Database) -> None:
    link = made(database)
    create_admin(database, "bob@example.com", "Bob", OPERATOR)  # invited: it has its own link by now
    assert refusal(create_first_operator, database, link.token, *ANN, HOME) == "setup_finished"
    assert make_setup_link(database) is None


def test_guesses_are_counted_and_of_no_use(database: Database) -> None:
    link = made(database)
    for number in range(TOKEN_OF_ADDRESS.capacity):
        assert refusal(admit_setup, database, f"guess {number}", AWAY) == "token_refused"
    with pytest.raises(Throttled):
        admit_setup(database, link.token, AWAY)
    admit_setup(database, link.token, HOME)


def test_of_eight_at_once_one_wins(database: Database) -> None:
    link = made(database)

    def outcome(number: int) -> str:
        try:
            create_first_operator(database, link.token, f"ann{number}@example.com", "Ann", PASSWORD, HOME)
        except Refused as refused:
            return refused.code
        return "done"

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(outcome, range(8)))
    assert outcomes == ["done"] + ["setup_finished"] * 7
    assert rows(database, "select count(*) from users") == [1]


def test_a_restart_at_the_moment_of_its_use_leaves_no_link(database: Database) -> None:
    link = made(database)
    with ThreadPoolExecutor(8) as pool:
        used = pool.submit(create_first_operator, database, link.token, *ANN, HOME)
        others = [pool.submit(make_setup_link, database) for _ in range(6)]
        for each in others:
            each.result()
        error = used.exception()
    if error is None:
        assert rows(database, "select count(*) from setup_link") == [0]
    else:  # a restart came first
        assert isinstance(error, Refused)
        assert error.code == "token_refused"
        assert not is_set_up(database)


def test_an_operator_of_the_command_line_at_the_same_time_leaves_no_link(database: Database) -> None:
    made(database)
    with ThreadPoolExecutor(4) as pool:
        others = [pool.submit(make_setup_link, database) for _ in range(3)]
        pool.submit(add_admin, database).result()
        for each in others:
            each.result()
    assert make_setup_link(database) is None
    assert rows(database, "select count(*) from setup_link") == [0]
