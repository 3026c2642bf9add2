"""Sessions: how long they last, who sees and ends them, and that what ends them ends them at once."""

import pytest

from fairlead.core.errors import BadInput
from fairlead.core.permissions import Permission, Role
from fairlead.flows.access.log_in import log_in
from fairlead.flows.access.password_changes import change_password
from fairlead.flows.access.principal import require, user_actor
from fairlead.flows.access.sessions import (
    authenticate_session,
    list_sessions,
    log_out,
    revoke_session,
    revoke_sessions,
)
from fairlead.flows.access.users import change_role, disable_user
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.access.people import (
    AWAY,
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
    value,
)


@pytest.mark.parametrize(
    ("column", "seconds", "is_live"),
    [
        ("idle_expires_at", 3_590, True),
        ("idle_expires_at", 3_601, False),
        ("expires_at", 86_390, True),
        ("expires_at", 86_401, False),
    ],
)
def test_how_long_a_session_lasts(database: Database, column: str, seconds: int, is_live: bool) -> None:
    ann = enrolled_admin(database)
    value(database, f"update sessions set {column} = {column} - make_interval(secs => %s)", seconds)
    if is_live:
        assert authenticate_session(database, ann.token).user_id == ann.user_id
    else:
        assert refusal(authenticate_session, database, ann.token) == "session_invalid"


def test_a_login_that_is_not_finished_lasts_ten_minutes(database: Database) -> None:
    add_admin(database)
    token = log_in(database, "ann@example.com", PASSWORD, HOME).token
    value(database, "update sessions set expires_at = expires_at - interval '601 seconds'")
    assert refusal(authenticate_session, database, token) == "session_invalid"


def test_use_keeps_it_from_idling_out_and_is_noted_once_a_minute(database: Database) -> None:
    ann = enrolled_admin(database)
    seen = rows(database, "select last_seen_at from sessions")
    authenticate_session(database, ann.token)
    assert rows(database, "select last_seen_at from sessions") == seen
    value(
        database,
        """
        update sessions set last_seen_at = last_seen_at - interval '61 s', idle_expires_at = now() + interval '5 s'
        """,
    )
    authenticate_session(database, ann.token, touch=False)
    assert value(database, "select idle_expires_at < now() + interval '1 minute' from sessions")
    authenticate_session(database, ann.token)
    assert value(database, "select idle_expires_at > now() + interval '59 minutes' from sessions")
    assert rows(database, "select last_seen_at from sessions") > seen


def test_use_never_stretches_it_beyond_its_end(database: Database) -> None:
    ann = enrolled_admin(database)
    value(
        database,
        "update sessions set last_seen_at = now() - interval '2 min', expires_at = now() + interval '3 minutes'",
    )
    authenticate_session(database, ann.token)
    assert value(database, "select idle_expires_at = expires_at from sessions")


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "x" * 100_000, "\ud800"])
def test_what_is_no_token(database: Database, token: str) -> None:
    assert refusal(authenticate_session, database, token) == "session_invalid"


def test_logging_out(database: Database) -> None:
    ann = enrolled_admin(database)
    log_out(database, ann.token, HOME)
    assert refusal(authenticate_session, database, ann.token) == "session_invalid"
    before = actions(database)
    log_out(database, ann.token, HOME)
    assert actions(database) == before
    assert before[-1] == "session.ended"


def test_listing_and_ending_ones_own(database: Database) -> None:
    ann = enrolled_admin(database)
    other = log_in(database, "ann@example.com", PASSWORD, AWAY)
    listed = list_sessions(database, ann.user_id, ann.session_id)
    assert {(each.session_id, each.is_current, each.ip) for each in listed} == {
        (ann.session_id, True, HOME.ip),
        (other.session_id, False, AWAY.ip),
    }
    me = user_actor(ann.user_id, "admin")
    revoke_session(database, ann.user_id, other.session_id, me)
    assert refusal(authenticate_session, database, other.token) == "session_invalid"
    assert refusal(revoke_session, database, ann.user_id, other.session_id, me) == "session_unknown"
    log_in(database, "ann@example.com", PASSWORD, AWAY)
    assert revoke_sessions(database, ann.user_id, me, ann.session_id) == 1
    assert [each.session_id for each in list_sessions(database, ann.user_id)] == [ann.session_id]
    assert revoke_sessions(database, ann.user_id, me) == 1
    assert list_sessions(database, ann.user_id) == []


def test_no_user_ends_anothers_session(database: Database) -> None:
    ann = enrolled_admin(database)
    person = provider_user(database, add_provider(database))
    actor = user_actor(person.user_id, "provider")
    assert refusal(revoke_session, database, person.user_id, ann.session_id, actor) == "session_unknown"
    assert authenticate_session(database, ann.token).user_id == ann.user_id
    with pytest.raises(BadInput):
        revoke_session(database, person.user_id, "?", actor)


def test_disabling_ends_it_at_once(database: Database) -> None:
    ann = enrolled_admin(database)
    enrolled_admin(database, "bob@example.com")
    assert disable_user(database, ann.user_id, OPERATOR).ended_sessions == 1
    assert refusal(authenticate_session, database, ann.token) == "session_invalid"


def test_a_session_of_who_is_not_active_opens_nothing_even_if_it_was_left(database: Database) -> None:
    ann = enrolled_admin(database)
    for status in ("disabled", "invited"):
        value(database, "update users set status = %s", status)
        assert refusal(authenticate_session, database, ann.token) == "session_invalid"
        assert refusal(change_password, database, ann.token, PASSWORD, NEW_PASSWORD, HOME) == "session_invalid"


def test_another_role_ends_it_at_once(database: Database) -> None:
    ann = enrolled_admin(database)
    enrolled_admin(database, "bob@example.com")
    provider_id = add_provider(database)
    change_role(database, ann.user_id, Role.PROVIDER, OPERATOR, provider_id=provider_id)
    assert refusal(authenticate_session, database, ann.token) == "session_invalid"


def test_a_provider_that_is_suspended_only_looks_from_its_next_request_on(database: Database) -> None:
    person = provider_user(database, add_provider(database))
    require(authenticate_session(database, person.token), Permission.OWN_WRITE)
    value(database, "update providers set status = 'suspended'")
    principal = authenticate_session(database, person.token)
    require(principal, Permission.OWN_READ)
    assert refusal(require, principal, Permission.OWN_WRITE) == "permission_missing"
    assert refusal(require, principal, Permission.LEADS_READ) == "permission_missing"


def test_the_request_is_named_in_what_it_does(database: Database) -> None:
    ann = enrolled_admin(database)
    principal = authenticate_session(database, ann.token, request_id="request-9")
    assert principal.actor == user_actor(ann.user_id, "admin", "request-9")
    assert rows(database, "select distinct request_id from audit_log where action like 'session.%%'") == [
        HOME.request_id
    ]
