"""Providers that register themselves: no caller learns who is here or takes what is not theirs, operators decide."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fairlead.core.errors import BadInput
from fairlead.core.permissions import Permission, Role
from fairlead.flows.access.invitations import invite_user
from fairlead.flows.access.log_in import log_in
from fairlead.flows.access.one_time import accept_invite
from fairlead.flows.access.principal import Client, require
from fairlead.flows.access.registration import register_provider
from fairlead.flows.access.sessions import authenticate_session
from fairlead.flows.access.throttle import REGISTRATION_OF_ADDRESS
from fairlead.flows.configuration.provider_status import approve_provider
from fairlead.store.audit.log import OPERATOR, Actor
from fairlead.store.connection import Database
from tests.delivery.mail_servers import Inbox, mail_server
from tests.flows.access.people import HOME, PASSWORD, actions, add_admin, refusal, rows, token_for, value
from tests.flows.marketplaces import HOSTING, declare, provider_id
from tests.flows.notifications.mail import text_of
from tests.flows.notifications.stage import settings_for, work_off


def test_from_registering_to_buying(database: Database) -> None:
    register_provider(database, "sales@capstan.example", "Capstan Ltd", HOME)
    assert rows(database, "select name, status from providers") == [("Capstan Ltd", "pending")]
    [(user_id, own_provider_id)] = rows(database, "select id::text, provider_id::text from users")
    assert rows(database, "select kind from notifications") == ["user_invited"]
    accept_invite(database, token_for(database, user_id, "invite"), PASSWORD, HOME)
    token = log_in(database, "sales@capstan.example", PASSWORD, HOME).token
    assert authenticate_session(database, token).permissions == {Permission.OWN_READ}
    assert approve_provider(database, own_provider_id, OPERATOR).took_effect
    assert not approve_provider(database, own_provider_id, OPERATOR).took_effect
    require(authenticate_session(database, token), Permission.OWN_WRITE)
    assert actions(database).count("provider.approved") == 1


WORDS = "Your parcel waits at https://eve.example/pay"


def _register_words(database: Database, client: Client) -> None:
    register_provider(database, "victim@stranger.example", WORDS, client)


def _invite_with_words(database: Database, client: Client) -> None:
    actor = Actor("anonymous", "system", client.request_id)
    invite_user(database, "victim@stranger.example", WORDS, Role.ADMIN, actor)


def _invite_colleague_with_words(database: Database, client: Client) -> None:
    declare(database, HOSTING)
    own = provider_id(database, "anchor@example.com")
    actor = Actor("anonymous", "system", client.request_id)
    invite_user(database, "victim@stranger.example", WORDS, Role.PROVIDER, actor, provider_id=own)


@pytest.mark.parametrize("ask", [_register_words, _invite_with_words, _invite_colleague_with_words])
def test_a_mail_to_an_unconfirmed_address_holds_nothing_that_was_typed_beside_it(
    database: Database, ask: Callable[[Database, Client], None]
) -> None:
    ask(database, replace(HOME, request_id="eve.example-pay-now"))
    inbox = Inbox()
    with mail_server(inbox) as port:
        work_off(database, settings_for(port, public_url="https://leads.example.com"))
    [number] = [at for at, recipient in enumerate(inbox.recipients) if recipient == "victim@stranger.example"]
    raw, message = inbox.raw[number], inbox.messages[number]
    assert message["To"] == "victim@stranger.example"
    assert b"eve.example" not in raw
    assert not any("eve" in text_of(message) or "parcel" in str(part) for part in message.walk())
    assert "accept-invite#" in text_of(message)


def test_a_known_address_is_left_alone_and_not_given_away(database: Database) -> None:
    declare(database, HOSTING)
    add_admin(database, "ann@example.com")
    before = actions(database)
    for email in ("ANCHOR@example.com", "ann@example.com"):
        register_provider(database, email, "Somebody else", HOME)
    assert actions(database) == before
    assert rows(database, "select count(*) from users") == [1]
    assert rows(database, "select count(*) from providers") == [2]


def test_an_address_does_not_register_for_ever(database: Database) -> None:
    for number in range(REGISTRATION_OF_ADDRESS.capacity):
        register_provider(database, f"sales{number}@example.com", "Somebody", HOME)
    assert refusal(register_provider, database, "sales@example.com", "Somebody", HOME) == "too_many_attempts"
    assert rows(database, "select count(*) from providers") == [REGISTRATION_OF_ADDRESS.capacity]


def test_what_cannot_be_registered(database: Database) -> None:
    with pytest.raises(BadInput) as caught:
        register_provider(database, "nobody", "", HOME)
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["email", "name"]


def test_approving_reaches_the_niches_that_it_subscribed_in(database: Database) -> None:
    """The fixture's sweep replays the journal: it must say what the row says."""
    declare(database, HOSTING)
    declare(database, '[[provider]]\nemail = "anchor@example.com"\nstatus = "pending"')
    before = value(database, "select journal_seq from niches")
    assert approve_provider(database, provider_id(database, "anchor@example.com"), OPERATOR).took_effect
    assert rows(database, "select payload ->> 'status' from niche_journal where seq > %s", before) == ["active"]


def test_approving_does_not_undo_a_suspension(database: Database) -> None:
    declare(database, HOSTING)
    anchor = provider_id(database, "anchor@example.com")
    declare(database, '[[provider]]\nemail = "anchor@example.com"\nstatus = "suspended"')
    assert refusal(approve_provider, database, anchor, OPERATOR) == "provider_status"
    unknown = "01900000-0000-7000-8000-000000000000"
    assert refusal(approve_provider, database, unknown, OPERATOR) == "provider_unknown"
