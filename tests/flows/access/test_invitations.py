"""Letting the first operator in, and others: what an invitation opens, once, and whom it cannot touch."""

import pytest

from fairlead.core.errors import BadInput
from fairlead.core.permissions import Role
from fairlead.flows.access.invitations import create_admin, invite_user
from fairlead.flows.access.log_in import log_in
from fairlead.flows.access.one_time import accept_invite
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.delivery.mail_servers import Inbox, mail_server
from tests.flows.access.people import (
    HOME,
    NEW_PASSWORD,
    PASSWORD,
    actions,
    add_admin,
    add_provider,
    refusal,
    rows,
    token_for,
    value,
)
from tests.flows.access.test_password_changes import SITE, links
from tests.flows.notifications.stage import settings_for, work_off


def test_the_first_operator_has_no_default_password(database: Database) -> None:
    made = create_admin(database, "ann@example.com", "Ann Example", OPERATOR)
    assert made.status == "invited"
    assert made.invite is not None
    assert made.invite.link(SITE) == f"{SITE}/accept-invite#{made.invite.token}"
    assert made.invite.token not in repr(made)
    assert refusal(log_in, database, "ann@example.com", "", HOME) == "login_refused"
    assert accept_invite(database, made.invite.token, PASSWORD, HOME) == made.user_id
    assert log_in(database, "ann@example.com", PASSWORD, HOME).next_step == "enrolment"
    assert actions(database) == ["user.created", "login.refused", "user.invite_accepted", "session.began"]


def test_asking_again_makes_a_new_link_in_place_of_the_old(database: Database) -> None:
    first = create_admin(database, "ann@example.com", "Ann", OPERATOR)
    second = create_admin(database, "ANN@example.com", "Ann", OPERATOR)
    assert first.invite is not None
    assert second.invite is not None
    assert first.user_id == second.user_id
    assert refusal(accept_invite, database, first.invite.token, PASSWORD, HOME) == "token_refused"
    third = create_admin(database, "ann@example.com", "Ann", OPERATOR, password=PASSWORD)
    assert (third.user_id, third.status, third.invite) == (first.user_id, "active", None)
    assert refusal(accept_invite, database, second.invite.token, PASSWORD, HOME) == "token_refused"


def test_who_has_a_password_is_left_alone(database: Database) -> None:
    add_admin(database)
    for password in (None, NEW_PASSWORD):
        assert refusal(create_admin, database, "ann@example.com", "Ann", OPERATOR, password=password) == "email_taken"
    assert refusal(invite_user, database, "ann@example.com", "Ann", Role.ADMIN, OPERATOR) == "email_taken"
    assert log_in(database, "ann@example.com", PASSWORD, HOME).token


def test_a_provider_is_invited_by_mail(database: Database) -> None:
    provider_id = add_provider(database)
    made = invite_user(database, "sales@example.org", "Sam", Role.PROVIDER, OPERATOR, provider_id=provider_id)
    assert made.invite is None
    inbox = Inbox()
    with mail_server(inbox) as port:
        work_off(database, settings_for(port, public_url=SITE))
    assert (inbox.recipients, inbox.messages[0]["To"]) == (["sales@example.org"], "sales@example.org")
    [link] = links(inbox)
    page, _, token = link.partition("#")
    assert page == f"{SITE}/accept-invite"
    accept_invite(database, token, PASSWORD, HOME)
    assert log_in(database, "sales@example.org", PASSWORD, HOME).next_step is None
    assert rows(database, "select provider_id::text, status from users") == [(provider_id, "active")]


def test_inviting_again_sends_another_link(database: Database) -> None:
    made = invite_user(database, "bob@example.com", "Bob", Role.ADMIN, OPERATOR)
    old = token_for(database, made.user_id, "invite")
    assert invite_user(database, "bob@example.com", "Bob", Role.ADMIN, OPERATOR).user_id == made.user_id
    assert refusal(accept_invite, database, old, PASSWORD, HOME) == "token_refused"
    assert rows(database, "select count(*) from notifications where kind = 'user_invited'") == [2]


def test_an_invitation_is_not_turned_into_another(database: Database) -> None:
    provider_id = add_provider(database)
    invite_user(database, "bob@example.com", "Bob", Role.PROVIDER, OPERATOR, provider_id=provider_id)
    assert refusal(create_admin, database, "bob@example.com", "Bob", OPERATOR) == "email_taken"
    other = add_provider(database, "Bowline")
    assert (
        refusal(invite_user, database, "bob@example.com", "Bob", Role.PROVIDER, OPERATOR, provider_id=other)
        == "email_taken"
    )


@pytest.mark.parametrize(("days", "is_good"), [(6.9, True), (7.1, False)])
def test_an_invitation_is_good_for_a_week(database: Database, days: float, is_good: bool) -> None:
    token = token_for(database, invite_user(database, "bob@example.com", "Bob", Role.ADMIN, OPERATOR).user_id, "invite")
    value(
        database,
        """
        update one_time_tokens set created_at = created_at - make_interval(secs => %s),
                                   expires_at = expires_at - make_interval(secs => %s)
        """,
        days * 86_400,
        days * 86_400,
    )
    if is_good:
        accept_invite(database, token, PASSWORD, HOME)
    else:
        assert refusal(accept_invite, database, token, PASSWORD, HOME) == "token_refused"


def test_a_weak_password_leaves_the_invitation_good(database: Database) -> None:
    made = create_admin(database, "ann@example.com", "Ann Example", OPERATOR)
    assert made.invite is not None
    with pytest.raises(BadInput, match="email address or the name"):
        accept_invite(database, made.invite.token, "ann@example.com", HOME)
    accept_invite(database, made.invite.token, PASSWORD, HOME)


@pytest.mark.parametrize("email", ["", "ann", "ann@", "a@b, c@d", "Ann <ann@example.com>", "a@b\n", "x" * 320 + "@y.z"])
def test_what_is_no_email(database: Database, email: str) -> None:
    if email == "a@b\n":
        email = "a@b\nc"
    with pytest.raises(BadInput, match="email"):
        create_admin(database, email, "Ann", OPERATOR)


def test_what_is_no_user(database: Database) -> None:
    with pytest.raises(BadInput, match="name"):
        create_admin(database, "ann@example.com", " \n ", OPERATOR)
    with pytest.raises(BadInput, match="easy to guess"):
        create_admin(database, "ann@example.com", "Ann", OPERATOR, password="password1234")
    with pytest.raises(BadInput, match="role"):
        invite_user(database, "ann@example.com", "Ann", Role.PROVIDER, OPERATOR)
    with pytest.raises(BadInput, match="role"):
        invite_user(database, "ann@example.com", "Ann", Role.SYSTEM, OPERATOR)
    unknown = "01900000-0000-7000-8000-000000000000"
    assert (
        refusal(invite_user, database, "ann@example.com", "Ann", Role.PROVIDER, OPERATOR, provider_id=unknown)
        == "provider_unknown"
    )
    assert rows(database, "select id from users") == []
