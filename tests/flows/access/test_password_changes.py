"""Changing a password, and replacing a forgotten one by a link: what ends with it, and what it does not open."""

import re

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.access.log_in import log_in
from fairlead.flows.access.password_changes import change_password, request_password_reset
from fairlead.flows.access.second_factor import confirm_second_factor
from fairlead.flows.access.session_state import MAX_WRONG_PROOFS
from fairlead.flows.access.sessions import authenticate_session
from fairlead.flows.access.throttle import RESET_OF_ACCOUNT, RESET_OF_ADDRESS
from fairlead.store.connection import Database
from tests.delivery.mail_servers import Inbox, mail_server
from tests.flows.access.people import (
    AWAY,
    BOX,
    HOME,
    NEW_PASSWORD,
    PASSWORD,
    actions,
    add_admin,
    as_if_long_ago,
    code,
    enrolled_admin,
    refusal,
    reset_password,
    rows,
    token_for,
    value,
)
from tests.flows.notifications.mail import text_of
from tests.flows.notifications.stage import settings_for, work_off

SITE = "https://leads.example.com"


def links(inbox: Inbox) -> list[str]:
    """The links of the messages that arrived, in order."""
    return [re.findall(rf"{SITE}/\S+", text_of(message))[0] for message in inbox.messages]


def test_changing_it_ends_every_other_session(database: Database) -> None:
    ann = enrolled_admin(database)
    other = log_in(database, ann.email, PASSWORD, AWAY).token
    reset = token_for(database, ann.user_id, "password_reset")
    renewed = change_password(database, ann.token, PASSWORD, NEW_PASSWORD, HOME)
    assert authenticate_session(database, renewed.token).is_second_factor_done
    for token in (ann.token, other):
        assert refusal(authenticate_session, database, token) == "session_invalid"
    assert refusal(reset_password, database, reset, PASSWORD, HOME) == "token_refused"
    assert refusal(log_in, database, ann.email, PASSWORD, HOME) == "login_refused"
    assert log_in(database, ann.email, NEW_PASSWORD, HOME).next_step == "second_factor"
    assert "user.password_changed" in actions(database)


def test_a_password_does_not_stand_in_for_a_fresh_code(database: Database) -> None:
    ann = enrolled_admin(database)
    value(database, "update sessions set stepped_up_at = stepped_up_at - interval '601 seconds'")
    renewed = change_password(database, ann.token, PASSWORD, NEW_PASSWORD, HOME)
    assert not authenticate_session(database, renewed.token).is_stepped_up


def test_the_present_password_is_needed(database: Database) -> None:
    ann = enrolled_admin(database)
    for _ in range(MAX_WRONG_PROOFS):
        assert refusal(change_password, database, ann.token, "wrong", NEW_PASSWORD, HOME) == "password_refused"
    assert refusal(change_password, database, ann.token, PASSWORD, NEW_PASSWORD, HOME) == "session_invalid"
    assert log_in(database, ann.email, PASSWORD, AWAY).token


def test_a_weak_one_changes_nothing(database: Database) -> None:
    ann = enrolled_admin(database)
    with pytest.raises(BadInput, match="easy to guess"):
        change_password(database, ann.token, PASSWORD, "password1234", HOME)
    assert authenticate_session(database, ann.token).user_id == ann.user_id


def test_an_unfinished_login_changes_nothing(database: Database) -> None:
    enrolled_admin(database)
    token = log_in(database, "ann@example.com", PASSWORD, HOME).token
    assert refusal(change_password, database, token, PASSWORD, NEW_PASSWORD, HOME) == "second_factor_required"


def test_from_forgotten_to_logged_in(database: Database) -> None:
    ann = enrolled_admin(database)
    inbox = Inbox()
    request_password_reset(database, " Ann@Example.com", HOME)
    with mail_server(inbox) as port:
        work_off(database, settings_for(port, public_url=SITE + "/"))
    assert inbox.recipients == ["ann@example.com"]
    [link] = links(inbox)
    page, _, token = link.partition("#")
    assert page == f"{SITE}/reset-password"
    assert inbox.messages[0]["X-Fairlead-Correlation"] == HOME.request_id
    with pytest.raises(BadInput):
        reset_password(database, token, "password1234", HOME)
    assert reset_password(database, token, NEW_PASSWORD, HOME) == ann.user_id
    assert refusal(reset_password, database, token, PASSWORD, HOME) == "token_refused"
    assert refusal(authenticate_session, database, ann.token) == "session_invalid"
    # The second factor is asked for as before: who reads the mail is not in yet.
    as_if_long_ago(database)
    session = log_in(database, ann.email, NEW_PASSWORD, HOME)
    assert session.next_step == "second_factor"
    assert authenticate_session(database, session.token).permissions == frozenset()
    assert confirm_second_factor(database, BOX, session.token, code(database, ann.seed), HOME).next_step is None


def test_nothing_tells_whether_there_is_such_a_user(database: Database) -> None:
    add_admin(database)
    value(database, "update users set status = 'disabled'")
    for email in ("ann@example.com", "nobody@example.com"):
        request_password_reset(database, email, HOME)
    assert rows(database, "select id from notifications") == []
    assert actions(database)[-2:] == ["user.password_reset_requested"] * 2


def test_a_mailbox_is_not_flooded(database: Database) -> None:
    add_admin(database)
    for _ in range(RESET_OF_ACCOUNT.capacity + 2):
        request_password_reset(database, "ann@example.com", HOME)
    assert rows(database, "select count(*) from notifications") == [RESET_OF_ACCOUNT.capacity]


def test_an_address_does_not_ask_for_ever(database: Database) -> None:
    for number in range(RESET_OF_ADDRESS.capacity):
        request_password_reset(database, f"user{number}@example.com", HOME)
    assert refusal(request_password_reset, database, "ann@example.com", HOME) == "too_many_attempts"


@pytest.mark.parametrize(("seconds", "is_good"), [(3_590, True), (3_601, False)])
def test_a_link_is_good_for_an_hour(database: Database, seconds: int, is_good: bool) -> None:
    token = token_for(database, add_admin(database), "password_reset")
    value(
        database,
        """
        update one_time_tokens set created_at = created_at - make_interval(secs => %s),
                                   expires_at = expires_at - make_interval(secs => %s)
        """,
        seconds,
        seconds,
    )
    if is_good:
        reset_password(database, token, NEW_PASSWORD, HOME)
    else:
        assert refusal(reset_password, database, token, NEW_PASSWORD, HOME) == "token_refused"


def test_a_message_that_comes_too_late_is_not_sent(database: Database) -> None:
    add_admin(database)
    request_password_reset(database, "ann@example.com", HOME)
    value(database, "update notifications set created_at = created_at - interval '61 minutes'")
    inbox = Inbox()
    with mail_server(inbox) as port:
        work_off(database, settings_for(port, public_url=SITE))
    assert inbox.messages == []
    assert rows(database, "select state, last_answer from notifications") == [
        ("skipped", "it was not sent in time: it has to be asked for again")
    ]
    assert rows(database, "select token_hash from one_time_tokens") == []


def test_a_user_who_was_disabled_meanwhile_is_not_told(database: Database) -> None:
    add_admin(database)
    request_password_reset(database, "ann@example.com", HOME)
    value(database, "update users set status = 'disabled'")
    inbox = Inbox()
    with mail_server(inbox) as port:
        work_off(database, settings_for(port, public_url=SITE))
    assert inbox.messages == []
    assert rows(database, "select last_answer from notifications") == ["the user cannot log in"]


def test_without_a_public_address_there_is_no_link(database: Database) -> None:
    add_admin(database)
    request_password_reset(database, "ann@example.com", HOME)
    work_off(database, settings_for())
    assert rows(database, "select state from notifications") == ["skipped"]
    assert "FAIRLEAD_PUBLIC_URL" in rows(database, "select last_answer from notifications")[0]


def test_every_attempt_to_send_has_a_good_link_until_one_is_used(database: Database) -> None:
    """The first message was taken, though the answer was lost: whichever of both is opened works."""
    add_admin(database)
    request_password_reset(database, "ann@example.com", HOME)
    inbox = Inbox()
    with mail_server(inbox) as port:
        work_off(database, settings_for(port, public_url=SITE))
        value(database, "update notifications set state = 'queued', sent_at = null, enqueued_at = null")
        work_off(database, settings_for(port, public_url=SITE))
    first, second = (link.partition("#")[2] for link in links(inbox))
    assert first != second
    reset_password(database, first, NEW_PASSWORD, HOME)
    assert refusal(reset_password, database, second, PASSWORD, HOME) == "token_refused"


def test_the_purposes_are_not_mixed(database: Database) -> None:
    token = token_for(database, add_admin(database), "invite")
    assert refusal(reset_password, database, token, NEW_PASSWORD, HOME) == "token_refused"


def test_tokens_are_not_tried_for_ever(database: Database) -> None:
    codes = [refusal(reset_password, database, "x" * 43, NEW_PASSWORD, HOME) for _ in range(21)]
    # What is refused as unknown undoes nothing of the limit.
    assert codes[-1] == "too_many_attempts"
    assert codes[0] == "token_refused"
