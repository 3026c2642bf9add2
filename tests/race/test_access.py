"""Twenty at once with the same code, recovery code or invitation, each in front of the same lock: one gets in."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.core.errors import Refused
from fairlead.flows.access.log_in import log_in
from fairlead.flows.access.one_time import accept_invite
from fairlead.flows.access.second_factor import confirm_second_factor
from fairlead.flows.access.session_state import new_session
from fairlead.flows.access.tokens import new_token
from fairlead.flows.access.users import disable_user
from fairlead.store.access.rate_buckets import take_token
from fairlead.store.access.sessions import insert_session
from fairlead.store.access.users import user_by_id
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database, Timeouts
from fairlead.store.ids import new_id
from tests.flows.access.people import (
    BOX,
    HOME,
    PASSWORD,
    Person,
    add_admin,
    as_if_long_ago,
    code,
    enrolled_admin,
    now,
    reset_password,
    rows,
    token_for,
    value,
)
from tests.race.processes import deadlocks, wait_until_blocked

AT_ONCE = 20


@pytest.fixture
def crowd(database: Database, database_url: str) -> Iterator[Database]:
    """The same marketplace with a connection for each of them."""
    with Database(database_url, "fairlead", Timeouts(30_000, 30_000, 30_000), max_connections=AT_ONCE + 4) as opened:
        yield opened


def all_at_once(crowd: Database, database_url: str, lock: str, calls: Sequence[Callable[[], object]]) -> Counter[str]:
    """What came of the calls, which all waited for the lock at the same moment."""

    def outcome(call: Callable[[], object]) -> str:
        try:
            call()
        except Refused as refused:
            return refused.code
        return "done"

    with ThreadPoolExecutor(len(calls)) as pool:
        with crowd.transaction() as conn:
            conn.execute(lock.encode())
            running = [pool.submit(outcome, call) for call in calls]
            wait_until_blocked(database_url, *running)
        outcomes = Counter(each.result() for each in running)
    assert deadlocks(database_url) == 0
    return outcomes


def pending_sessions(database: Database, person: Person) -> list[str]:
    """Tokens of twenty logins whose code is outstanding: more than are let through in a row."""
    tokens: list[str] = []
    with database.transaction() as conn:
        user = user_by_id(conn, person.user_id)
        assert user is not None
        for _ in range(AT_ONCE):
            tokens.append(new_token())
            insert_session(conn, new_session(user, new_id(), tokens[-1], HOME, now(database)))
    return tokens


LOCK_USERS = "select from users for update"


def test_one_code_in_twenty_logins_at_once_opens_one(database: Database, crowd: Database, database_url: str) -> None:
    ann = enrolled_admin(database)
    as_if_long_ago(database)
    text = code(database, ann.seed)
    calls = [
        lambda token=token: confirm_second_factor(crowd, BOX, token, text, HOME)
        for token in pending_sessions(database, ann)
    ]
    outcomes = all_at_once(crowd, database_url, LOCK_USERS, calls)
    assert outcomes["done"] == 1
    assert outcomes["code_refused"] + outcomes["too_many_attempts"] == AT_ONCE - 1
    assert value(database, "select count(*) from audit_log where action = 'session.opened'") == 1


def test_one_code_twenty_times_in_one_login_opens_it_once(
    database: Database, crowd: Database, database_url: str
) -> None:
    ann = enrolled_admin(database)
    as_if_long_ago(database)
    text, token = code(database, ann.seed), log_in(database, ann.email, PASSWORD, HOME).token
    calls = [lambda: confirm_second_factor(crowd, BOX, token, text, HOME) for _ in range(AT_ONCE)]
    outcomes = all_at_once(crowd, database_url, LOCK_USERS, calls)
    assert outcomes == {"done": 1, "session_invalid": AT_ONCE - 1}


def test_one_recovery_code_in_twenty_logins_at_once_opens_one(
    database: Database, crowd: Database, database_url: str
) -> None:
    ann = enrolled_admin(database)
    calls = [
        lambda token=token: confirm_second_factor(crowd, BOX, token, ann.recovery_codes[3], HOME)
        for token in pending_sessions(database, ann)
    ]
    outcomes = all_at_once(crowd, database_url, LOCK_USERS, calls)
    assert outcomes == {"done": 1, "code_refused": AT_ONCE - 1}
    assert rows(database, "select count(*) from recovery_codes where used_at is not null") == [1]


def test_wrong_codes_in_many_logins_at_once_are_limited_together(
    database: Database, crowd: Database, database_url: str
) -> None:
    ann = enrolled_admin(database)
    as_if_long_ago(database)
    right = {code(database, ann.seed, steps) for steps in range(-3, 4)}
    wrong = next(text for text in (f"{number:06}" for number in range(10)) if text not in right)
    calls = [
        lambda token=token: confirm_second_factor(crowd, BOX, token, wrong, HOME)
        for token in pending_sessions(database, ann)
    ]
    outcomes = all_at_once(crowd, database_url, LOCK_USERS, calls)
    assert outcomes == {"code_refused": 5, "too_many_attempts": AT_ONCE - 5}


def test_one_invitation_twenty_times_at_once_sets_one_password(
    database: Database, crowd: Database, database_url: str
) -> None:
    user_id = add_admin(database)
    value(database, "update users set status = 'invited', password_hash = null, password_changed_at = null")
    token = token_for(database, user_id, "invite")
    calls = [
        lambda number=number: accept_invite(crowd, token, f"{chr(97 + number)} {PASSWORD}", HOME)
        for number in range(AT_ONCE)
    ]
    outcomes = all_at_once(crowd, database_url, LOCK_USERS, calls)
    assert outcomes == {"done": 1, "token_refused": AT_ONCE - 1}
    assert value(database, "select count(*) from audit_log where action = 'user.invite_accepted'") == 1


def test_one_reset_link_twenty_times_at_once_sets_one_password(
    database: Database, crowd: Database, database_url: str
) -> None:
    token = token_for(database, add_admin(database), "password_reset")
    calls = [
        lambda number=number: reset_password(crowd, token, f"{chr(97 + number)} {PASSWORD}", HOME)
        for number in range(AT_ONCE)
    ]
    outcomes = all_at_once(crowd, database_url, LOCK_USERS, calls)
    assert outcomes == {"done": 1, "token_refused": AT_ONCE - 1}


def test_a_login_and_being_shut_out_at_once_leave_no_session(
    database: Database, crowd: Database, database_url: str
) -> None:
    ann = enrolled_admin(database)
    add_admin(database, "bob@example.com")
    tokens = pending_sessions(database, ann)
    codes = ann.recovery_codes
    calls: list[Callable[[], object]] = [
        *(lambda n=n: confirm_second_factor(crowd, BOX, tokens[n], codes[n], HOME) for n in range(8)),
        lambda: disable_user(crowd, ann.user_id, OPERATOR),
    ]
    all_at_once(crowd, database_url, LOCK_USERS, calls)
    assert value(database, "select status from users where id = %s", ann.user_id) == "disabled"
    assert value(database, "select count(*) from sessions where ended_at is null") == 0


def test_a_bucket_gives_no_more_than_it_has(database: Database, crowd: Database) -> None:
    def taken(_: int) -> bool:
        with crowd.transaction() as conn:
            return take_token(conn, "bucket", 7, 600) == 0

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert sum(pool.map(taken, range(AT_ONCE))) == 7
