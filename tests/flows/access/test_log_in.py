"""Email and password: what they open, and how guessing is slowed down without shutting a user out."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher

from fairlead.core.errors import Refused
from fairlead.flows.access.log_in import log_in
from fairlead.flows.access.passwords import hash_password
from fairlead.flows.access.principal import Client
from fairlead.flows.access.second_factor import confirm_second_factor
from fairlead.flows.access.sessions import authenticate_session
from fairlead.flows.access.throttle import LOGIN_OF_ACCOUNT, LOGIN_OF_ADDRESS, LOGIN_OF_PAIR, Throttled
from fairlead.store.connection import Database
from tests.flows.access.people import (
    AWAY,
    BOX,
    HOME,
    PASSWORD,
    actions,
    add_admin,
    add_provider,
    as_if_long_ago,
    code,
    enrolled_admin,
    provider_user,
    refusal,
    rows,
    value,
)


def test_a_password_alone_opens_nothing_for_an_admin(database: Database) -> None:
    user_id = add_admin(database)
    session = log_in(database, " ANN@example.com ", PASSWORD, HOME)
    assert (session.user_id, session.role, session.next_step) == (user_id, "admin", "enrolment")
    principal = authenticate_session(database, session.token)
    assert principal.permissions == frozenset()
    assert (principal.next_step, principal.is_second_factor_done, principal.is_stepped_up) == (
        "enrolment",
        False,
        False,
    )
    assert actions(database)[-1] == "session.began"


def test_a_provider_without_second_factor_is_in(database: Database) -> None:
    provider_id = add_provider(database)
    person = provider_user(database, provider_id)
    principal = authenticate_session(database, person.token)
    assert (principal.provider_id, principal.next_step, principal.actor.role) == (provider_id, None, "provider")
    assert {permission.value for permission in principal.permissions} == {"own:read", "own:write", "own:keys"}


@pytest.mark.parametrize("case", ["unknown", "wrong", "disabled", "invited", "too long"])
def test_every_refused_login_gets_the_same_answer(database: Database, case: str) -> None:
    add_admin(database)
    email, password = "ann@example.com", PASSWORD
    if case == "unknown":
        email = "nobody@example.com"
    elif case == "wrong":
        password = "mizzen topsail 4711 halyarD"
    elif case == "too long":
        password = PASSWORD + "x" * 200
    elif case == "disabled":
        value(database, "update users set status = 'disabled'")
    else:
        value(database, "update users set status = 'invited', password_hash = null, password_changed_at = null")
    with pytest.raises(Refused) as caught:
        log_in(database, email, password, HOME)
    assert caught.value.code == "login_refused"
    assert str(caught.value) == ("the email or the password is wrong, or the account is being guessed at: wait a while")
    assert rows(database, "select id from sessions") == []
    assert actions(database)[-1] == "login.refused"


def test_an_unknown_user_costs_as_much_work(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """One password hash each, of the same parameters: that is where nearly all of the time goes."""
    add_admin(database)
    verified: list[str] = []
    verify = PasswordHasher.verify

    def counted(self: PasswordHasher, password_hash: str, password: str) -> bool:
        verified.append(password_hash.rsplit("$", 2)[0])
        return verify(self, password_hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    for email in ("ann@example.com", "nobody@example.com"):
        assert refusal(log_in, database, email, "wrong", HOME) == "login_refused"
    known, unknown = verified
    assert known == unknown


def test_each_login_has_a_token_of_its_own(database: Database) -> None:
    add_admin(database)
    tokens = [log_in(database, "ann@example.com", PASSWORD, HOME).token for _ in range(3)]
    assert len({*tokens}) == 3
    assert all(len(token) == 43 for token in tokens)


def test_guessing_at_an_account_is_slowed_down(database: Database) -> None:
    add_admin(database)
    for _ in range(LOGIN_OF_PAIR.capacity):
        assert refusal(log_in, database, "ann@example.com", "wrong", HOME) == "login_refused"
    with pytest.raises(Throttled) as caught:
        log_in(database, "ann@example.com", PASSWORD, HOME)
    assert 1 <= caught.value.retry_after_seconds <= LOGIN_OF_PAIR.seconds_per_token
    value(database, "update rate_buckets set full_at = full_at - interval '61 seconds'")
    assert log_in(database, "ann@example.com", PASSWORD, HOME).token
    assert refusal(log_in, database, "ann@example.com", "wrong", HOME) == "login_refused"
    assert refusal(log_in, database, "ann@example.com", "wrong", HOME) == "too_many_attempts"


def test_one_address_cannot_try_many_accounts(database: Database) -> None:
    codes = [
        refusal(log_in, database, f"user{number}@example.com", "wrong", HOME)
        for number in range(LOGIN_OF_ADDRESS.capacity + 5)
    ]
    assert codes == ["login_refused"] * LOGIN_OF_ADDRESS.capacity + ["too_many_attempts"] * 5
    assert refusal(log_in, database, "user@example.com", "wrong", AWAY) == "login_refused"


def test_an_ipv6_customer_is_one_address(database: Database) -> None:
    clients = [Client(f"2001:db8:1:2::{number:x}") for number in range(1, 8)]
    codes = [refusal(log_in, database, "ann@example.com", "wrong", client) for client in clients]
    assert codes.count("too_many_attempts") == 7 - LOGIN_OF_PAIR.capacity


def test_at_once_no_more_are_let_through_than_may_be(database: Database) -> None:
    with ThreadPoolExecutor(10) as pool:
        codes = list(pool.map(lambda _: refusal(log_in, database, "ann@example.com", "wrong", HOME), range(20)))
    assert codes.count("login_refused") == LOGIN_OF_PAIR.capacity


def test_an_attacker_does_not_shut_the_victim_out(database: Database) -> None:
    """A thousand bad logins from fifty addresses: the right password and code get in from any other."""
    ann = enrolled_admin(database)
    as_if_long_ago(database)
    for number in range(1_000):
        refusal(log_in, database, "ann@example.com", "wrong", Client(f"203.0.113.{number % 50}"))
    session = log_in(database, "ann@example.com", PASSWORD, AWAY)
    opened = confirm_second_factor(database, BOX, session.token, code(database, ann.seed), AWAY)
    assert opened.next_step is None


def test_an_account_that_is_guessed_at_takes_more_than_a_password_from_strange_addresses(database: Database) -> None:
    person = provider_user(database, add_provider(database))
    for number in range(LOGIN_OF_ACCOUNT.capacity):
        refusal(log_in, database, person.email, "wrong", Client(f"203.0.113.{number}"))
    assert refusal(log_in, database, person.email, PASSWORD, AWAY) == "login_refused"
    assert log_in(database, person.email, PASSWORD, HOME).next_step is None


def test_a_hash_of_other_parameters_is_made_anew(database: Database) -> None:
    add_admin(database)
    old = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    value(database, "update users set password_hash = %s", old)
    log_in(database, "ann@example.com", PASSWORD, HOME)
    assert rows(database, "select password_hash from users")[0].startswith(hash_password("any").rsplit("$", 2)[0])
    assert log_in(database, "ann@example.com", PASSWORD, HOME).token


def test_a_user_agent_is_kept_short(database: Database) -> None:
    add_admin(database)
    log_in(database, "ann@example.com", PASSWORD, Client("192.0.2.1", "x" * 5_000))
    assert rows(database, "select length(user_agent) from sessions") == [200]
