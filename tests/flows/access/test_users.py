"""Seeing to users: roles, shutting out, lost second factors; one admin always stays, no admin does it to themselves."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.core.permissions import Role
from fairlead.flows.access.api_keys import authenticate_api_key, create_api_key
from fairlead.flows.access.invitations import create_admin
from fairlead.flows.access.log_in import log_in
from fairlead.flows.access.one_time import accept_invite
from fairlead.flows.access.principal import user_actor
from fairlead.flows.access.sessions import authenticate_session
from fairlead.flows.access.users import (
    change_role,
    disable_user,
    enable_user,
    find_user,
    find_users,
    reset_second_factor,
)
from fairlead.store.audit.log import OPERATOR, Actor
from fairlead.store.connection import Database
from tests.flows.access.people import (
    HOME,
    NEW_PASSWORD,
    PASSWORD,
    actions,
    add_admin,
    add_provider,
    enrolled_admin,
    provider_user,
    refusal,
    rows,
    token_for,
)

UNKNOWN = "01900000-0000-7000-8000-000000000000"


def test_listing_and_finding(database: Database) -> None:
    ann = enrolled_admin(database)
    person = provider_user(database, add_provider(database))
    assert [each.email for each in find_users(database)] == ["ann@example.com", person.email]
    assert [each.user_id for each in find_users(database, Role.ADMIN)] == [ann.user_id]
    found = find_user(database, "ANN@example.com")
    assert (found.has_second_factor, found.status, find_user(database, ann.user_id)) == (True, "active", found)
    assert refusal(find_user, database, "nobody@example.com") == "user_unknown"
    assert refusal(find_user, database, UNKNOWN) == "user_unknown"
    with pytest.raises(BadInput):
        find_user(database, "ann")


def test_a_lost_second_factor_takes_the_proof_of_the_first(database: Database) -> None:
    ann, bob = enrolled_admin(database), enrolled_admin(database, "bob@example.com")
    key = create_api_key(database, "import", ["leads:read"], OPERATOR, user_id=ann.user_id)
    done = reset_second_factor(database, ann.user_id, user_actor(bob.user_id, "admin"))
    assert (done.status, done.ended_sessions, done.invite) == ("invited", 1, None)
    assert refusal(authenticate_session, database, ann.token) == "session_invalid"
    # A thief of the password gains nothing by the reset.
    assert refusal(log_in, database, ann.email, PASSWORD, HOME) == "login_refused"
    assert rows(database, "select count(*) from recovery_codes where user_id = %s", ann.user_id) == [0]
    assert rows(database, "select kind from notifications") == ["user_invited"]
    assert authenticate_api_key(database, key.text, HOME).user_id == ann.user_id
    accept_invite(database, token_for(database, ann.user_id, "invite"), NEW_PASSWORD, HOME)
    assert log_in(database, ann.email, NEW_PASSWORD, HOME).next_step == "enrolment"
    assert "second_factor.reset" in actions(database)


def test_the_last_admin_gets_back_in_from_the_command_line(database: Database) -> None:
    ann = enrolled_admin(database)
    done = reset_second_factor(database, ann.user_id, OPERATOR, by_mail=False)
    assert done.invite is not None
    assert rows(database, "select id from notifications") == []
    accept_invite(database, done.invite.token, NEW_PASSWORD, HOME)
    assert log_in(database, ann.email, NEW_PASSWORD, HOME).next_step == "enrolment"


def test_no_admin_does_it_to_themselves(database: Database) -> None:
    ann = enrolled_admin(database)
    enrolled_admin(database, "bob@example.com")
    me = user_actor(ann.user_id, "admin")
    provider_id = add_provider(database)
    assert refusal(reset_second_factor, database, ann.user_id, me) == "own_second_factor"
    assert refusal(disable_user, database, ann.user_id, me) == "own_user"
    assert refusal(change_role, database, ann.user_id.upper(), Role.PROVIDER, me, provider_id=provider_id) == "own_role"
    assert authenticate_session(database, ann.token).user_id == ann.user_id


def test_shutting_out_and_letting_in_again(database: Database) -> None:
    ann = enrolled_admin(database)
    enrolled_admin(database, "bob@example.com")
    key = create_api_key(database, "import", ["leads:read"], OPERATOR, user_id=ann.user_id)
    token = token_for(database, ann.user_id, "password_reset")
    done = disable_user(database, ann.user_id, OPERATOR)
    assert (done.status, done.took_effect, done.ended_sessions, done.revoked_keys) == ("disabled", True, 1, 1)
    assert not disable_user(database, ann.user_id, OPERATOR).took_effect
    assert refusal(authenticate_api_key, database, key.text, HOME) == "api_key_invalid"
    assert refusal(log_in, database, ann.email, PASSWORD, HOME) == "login_refused"
    assert refusal(reset_second_factor, database, ann.user_id, OPERATOR) == "user_disabled"
    assert enable_user(database, ann.user_id, OPERATOR).status == "active"
    assert not enable_user(database, ann.user_id, OPERATOR).took_effect
    assert log_in(database, ann.email, PASSWORD, HOME).next_step == "second_factor"
    assert rows(database, "select count(*) from one_time_tokens where used_at is null") == [0]
    assert token
    assert refusal(authenticate_api_key, database, key.text, HOME) == "api_key_invalid"


def test_one_who_was_only_invited_is_invited_when_let_in_again(database: Database) -> None:
    add_admin(database)
    bob = create_admin(database, "bob@example.com", "Bob", OPERATOR)
    disable_user(database, bob.user_id, OPERATOR)
    assert bob.invite is not None
    assert refusal(accept_invite, database, bob.invite.token, PASSWORD, HOME) == "token_refused"
    assert enable_user(database, bob.user_id, OPERATOR).status == "invited"
    assert refusal(accept_invite, database, bob.invite.token, PASSWORD, HOME) == "token_refused"


def test_another_role_takes_the_keys_too(database: Database) -> None:
    ann = enrolled_admin(database)
    enrolled_admin(database, "bob@example.com")
    key = create_api_key(database, "import", ["leads:read"], OPERATOR, user_id=ann.user_id)
    provider_id = add_provider(database)
    done = change_role(database, ann.user_id, Role.PROVIDER, OPERATOR, provider_id=provider_id)
    assert (done.role, done.ended_sessions, done.revoked_keys) == ("provider", 1, 1)
    assert refusal(authenticate_api_key, database, key.text, HOME) == "api_key_invalid"
    assert not change_role(database, ann.user_id, Role.PROVIDER, OPERATOR, provider_id=provider_id).took_effect
    with pytest.raises(BadInput):
        change_role(database, ann.user_id, Role.PROVIDER, OPERATOR)
    assert refusal(change_role, database, UNKNOWN, Role.ADMIN, OPERATOR) == "user_unknown"
    assert (
        refusal(change_role, database, ann.user_id, Role.PROVIDER, OPERATOR, provider_id=UNKNOWN) == "provider_unknown"
    )


def test_the_last_admin_stays(database: Database) -> None:
    ann = enrolled_admin(database)
    create_admin(database, "bob@example.com", "Bob", OPERATOR)  # invited: cannot log in yet
    assert refusal(disable_user, database, ann.user_id, OPERATOR) == "last_admin"
    provider_id = add_provider(database)
    assert refusal(change_role, database, ann.user_id, Role.PROVIDER, OPERATOR, provider_id=provider_id) == "last_admin"
    assert authenticate_session(database, ann.token).user_id == ann.user_id


def test_two_admins_who_shut_each_other_out_at_once_leave_one(database: Database) -> None:
    ids = [add_admin(database, f"{name}@example.com") for name in ("ann", "bob")]

    def shut_out(number: int) -> str:
        try:
            disable_user(database, ids[number], Actor(f"user:{ids[1 - number]}", "admin"))
        except Refused as refused:
            return refused.code
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(shut_out, range(2))) == ["done", "last_admin"]
