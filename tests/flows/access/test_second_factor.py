"""The second factor: each code counts once, ever, guessing is bounded, and nothing goes around it."""

import pytest

from fairlead.core.permissions import Permission
from fairlead.flows.access.log_in import log_in
from fairlead.flows.access.principal import Client, require
from fairlead.flows.access.second_factor import confirm_second_factor, step_up
from fairlead.flows.access.session_state import MAX_WRONG_PROOFS
from fairlead.flows.access.sessions import authenticate_session
from fairlead.store.connection import Database
from tests.flows.access.people import (
    AWAY,
    BOX,
    HOME,
    PASSWORD,
    Person,
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

WRONG = "000000"


def pending(database: Database, person: Person, client: Client = HOME) -> str:
    """The token of a login whose code is outstanding."""
    return log_in(database, person.email, PASSWORD, client).token


def wrong_code(database: Database, person: Person) -> str:
    """A code that is none of those that count now."""
    right = {code(database, person.seed, steps) for steps in range(-2, 3)}
    return next(text for text in (f"{number:06}" for number in range(10)) if text not in right)


def test_password_and_code_open_everything_under_a_new_token(database: Database) -> None:
    ann = enrolled_admin(database)
    token = pending(database, ann)
    assert authenticate_session(database, token).next_step == "second_factor"
    assert authenticate_session(database, token).permissions == frozenset()
    opened = confirm_second_factor(database, BOX, token, code(database, ann.seed, 1), HOME)
    principal = authenticate_session(database, opened.token)
    assert (principal.is_second_factor_done, principal.next_step, principal.is_stepped_up) == (True, None, True)
    assert Permission.MONEY_WRITE in principal.permissions
    assert refusal(authenticate_session, database, token) == "session_invalid"
    assert actions(database)[-2:] == ["session.began", "session.opened"]


@pytest.mark.parametrize(
    ("steps", "is_taken"), [(-3, False), (-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_a_code_counts_within_one_step_of_its_time(database: Database, steps: int, is_taken: bool) -> None:
    ann = enrolled_admin(database)
    as_if_long_ago(database)
    token, text = pending(database, ann), code(database, ann.seed, steps)
    if is_taken:
        assert confirm_second_factor(database, BOX, token, f" {text[:3]} {text[3:]}", HOME).next_step is None
    else:
        assert refusal(confirm_second_factor, database, BOX, token, text, HOME) == "code_refused"


def test_a_code_counts_once(database: Database) -> None:
    ann = enrolled_admin(database)
    text = code(database, ann.seed, 1)
    confirm_second_factor(database, BOX, pending(database, ann), text, HOME)
    assert refusal(confirm_second_factor, database, BOX, pending(database, ann), text, AWAY) == "code_refused"
    # Nor does one of an earlier step count any more.
    assert refusal(step_up, database, BOX, pending_opened(database, ann), code(database, ann.seed), HOME)


def pending_opened(database: Database, ann: Person) -> str:
    """The token of a session that is open."""
    return confirm_second_factor(database, BOX, pending(database, ann), ann.recovery_codes[9], HOME).token


def test_the_code_that_enrolled_is_spent(database: Database) -> None:
    ann = enrolled_admin(database)
    spent = value(database, "select totp_last_step from users")
    assert spent > 0
    refused = refusal(confirm_second_factor, database, BOX, pending(database, ann), code(database, ann.seed), HOME)
    assert refused == "code_refused"


def test_a_recovery_code_counts_once_however_it_is_typed(database: Database) -> None:
    ann = enrolled_admin(database)
    first = ann.recovery_codes[0]
    typed = first.upper().replace("-", " ")
    opened = confirm_second_factor(database, BOX, pending(database, ann), typed, HOME)
    assert authenticate_session(database, opened.token).is_second_factor_done
    assert refusal(confirm_second_factor, database, BOX, pending(database, ann), first, HOME) == "code_refused"
    assert rows(database, "select count(*) from recovery_codes where used_at is null") == [9]


def test_a_recovery_code_is_its_owners(database: Database) -> None:
    ann = enrolled_admin(database)
    bob = enrolled_admin(database, "bob@example.com")
    token = pending(database, bob)
    assert refusal(confirm_second_factor, database, BOX, token, ann.recovery_codes[0], HOME) == "code_refused"


def test_the_fifth_wrong_code_voids_the_login(database: Database) -> None:
    ann = enrolled_admin(database)
    as_if_long_ago(database)
    token = pending(database, ann)
    for _ in range(MAX_WRONG_PROOFS):
        assert refusal(confirm_second_factor, database, BOX, token, "wrong-code", HOME) == "code_refused"
    assert refusal(confirm_second_factor, database, BOX, token, code(database, ann.seed), HOME) == "session_invalid"
    assert "too_many_wrong_proofs" in rows(database, "select ended_why from sessions")


def test_codes_are_limited_by_account_across_logins(database: Database) -> None:
    ann = enrolled_admin(database)
    as_if_long_ago(database)
    refused = [
        refusal(confirm_second_factor, database, BOX, pending(database, ann, AWAY), wrong_code(database, ann), AWAY)
        for _ in range(MAX_WRONG_PROOFS)
    ]
    assert refused == ["code_refused"] * MAX_WRONG_PROOFS
    elsewhere = Client("203.0.113.77")
    token = pending(database, ann, elsewhere)
    text = code(database, ann.seed)
    assert refusal(confirm_second_factor, database, BOX, token, text, elsewhere) == "too_many_attempts"
    # A guesser of codes who knows the password shuts out neither the usual address nor a recovery code.
    assert confirm_second_factor(database, BOX, token, ann.recovery_codes[0], elsewhere).next_step is None
    assert confirm_second_factor(database, BOX, pending(database, ann), text, HOME).next_step is None


def test_who_has_no_second_factor_cannot_give_one(database: Database) -> None:
    add_admin(database)
    token = log_in(database, "ann@example.com", PASSWORD, HOME).token
    assert refusal(confirm_second_factor, database, BOX, token, WRONG, HOME) == "enrolment_required"
    assert refusal(confirm_second_factor, database, BOX, "x" * 43, WRONG, HOME) == "session_invalid"


def test_an_open_session_has_nothing_to_confirm(database: Database) -> None:
    ann = enrolled_admin(database)
    assert refusal(confirm_second_factor, database, BOX, ann.token, WRONG, HOME) == "second_factor_done"


def test_dangerous_things_need_a_fresh_proof(database: Database) -> None:
    ann = enrolled_admin(database)
    as_if_long_ago(database)
    require(authenticate_session(database, ann.token), Permission.MONEY_WRITE)
    value(database, "update sessions set stepped_up_at = stepped_up_at - interval '601 seconds'")
    stale = authenticate_session(database, ann.token)
    require(stale, Permission.LEADS_APPROVE)
    assert refusal(require, stale, Permission.MONEY_WRITE) == "step_up_required"
    fresh = step_up(database, BOX, ann.token, code(database, ann.seed), HOME)
    require(authenticate_session(database, fresh.token), Permission.MONEY_WRITE)
    assert refusal(authenticate_session, database, ann.token) == "session_invalid"
    assert fresh.expires_at == rows(database, "select expires_at from sessions where ended_at is null")[0]


def test_a_password_is_no_step_up_where_there_is_a_second_factor(database: Database) -> None:
    ann = enrolled_admin(database)
    assert refusal(step_up, database, BOX, ann.token, PASSWORD, HOME) == "code_refused"


def test_a_password_is_the_step_up_where_there_is_none(database: Database) -> None:
    person = provider_user(database, add_provider(database))
    value(database, "update sessions set stepped_up_at = stepped_up_at - interval '601 seconds'")
    assert refusal(require, authenticate_session(database, person.token), Permission.OWN_KEYS) == "step_up_required"
    assert refusal(step_up, database, BOX, person.token, "wrong", HOME) == "code_refused"
    fresh = step_up(database, BOX, person.token, PASSWORD, HOME)
    principal = authenticate_session(database, fresh.token)
    require(principal, Permission.OWN_KEYS)
    assert not principal.is_second_factor_done


def test_guessing_at_a_step_up_ends_the_session(database: Database) -> None:
    person = provider_user(database, add_provider(database))
    for _ in range(MAX_WRONG_PROOFS):
        refusal(step_up, database, BOX, person.token, "wrong", HOME)
    assert refusal(authenticate_session, database, person.token) == "session_invalid"


def test_a_pending_login_cannot_step_up(database: Database) -> None:
    ann = enrolled_admin(database)
    refused = refusal(step_up, database, BOX, pending(database, ann), ann.recovery_codes[0], HOME)
    assert refused == "second_factor_required"
    assert rows(database, "select count(*) from recovery_codes where used_at is null") == [10]
    assert refusal(require, authenticate_session(database, pending(database, ann)), Permission.LEADS_READ) == (
        "second_factor_required"
    )
