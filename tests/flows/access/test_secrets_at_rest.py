"""Reading the whole database gives nothing of use: no password, token, code, seed or key is in it."""

import base64
import logging

import psycopg
import pytest

from fairlead.flows.access.api_keys import authenticate_api_key, create_api_key
from fairlead.flows.access.enrolment import begin_totp_enrolment
from fairlead.flows.access.invitations import create_admin
from fairlead.flows.access.log_in import log_in
from fairlead.flows.access.password_changes import request_password_reset
from fairlead.flows.access.second_factor import confirm_second_factor, step_up
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.delivery.mail_servers import Inbox, mail_server
from tests.flows.access.people import BOX, HOME, PASSWORD, as_if_long_ago, code, enrolled_admin
from tests.flows.access.test_password_changes import SITE, links
from tests.flows.marketplaces import everything
from tests.flows.notifications.stage import settings_for, work_off


def everything_secret(database: Database) -> list[str]:
    """What was given to people in the course of a life: to be found nowhere but with them."""
    ann = enrolled_admin(database)
    as_if_long_ago(database)
    pending = log_in(database, ann.email, PASSWORD, HOME).token
    opened = confirm_second_factor(database, BOX, pending, code(database, ann.seed), HOME).token
    stepped_up = step_up(database, BOX, opened, ann.recovery_codes[0], HOME).token
    begun = begin_totp_enrolment(database, BOX, stepped_up, HOME)
    key = create_api_key(database, "x", ["leads:read"], OPERATOR, user_id=ann.user_id)
    authenticate_api_key(database, key.text, HOME)
    invite = create_admin(database, "bob@example.com", "Bob", OPERATOR).invite
    assert invite is not None
    request_password_reset(database, ann.email, HOME)
    inbox = Inbox()
    with mail_server(inbox) as port:
        work_off(database, settings_for(port, public_url=SITE))
    [link] = links(inbox)
    return [
        PASSWORD,
        ann.token,
        pending,
        opened,
        stepped_up,
        ann.seed,
        begun.seed,
        *ann.recovery_codes,
        *(each.replace("-", "") for each in ann.recovery_codes),
        key.text,
        key.text.split("_")[2],
        invite.token,
        link.partition("#")[2],
    ]


def test_a_dump_holds_no_secret(database: Database) -> None:
    secrets = everything_secret(database)
    dump = "\n".join(line for table in everything(database).values() for line in table).lower()
    assert "ann@example.com" in dump  # it is a dump
    forms = {
        form
        for secret in secrets
        for text in (secret, secret.upper(), secret.lower())
        for form in (text, text.encode().hex(), base64.b64encode(text.encode()).decode().rstrip("="))
    }
    forms |= {base64.b32decode(secret).hex() for secret in secrets if len(secret) == 32 and secret.isupper()}
    assert [form for form in forms if form.lower() in dump] == []


def test_the_log_of_what_was_done_names_no_person(database: Database) -> None:
    everything_secret(database)
    text = "\n".join(everything(database)["audit_log"] + everything(database)["jobs"]).lower()
    assert "session.opened" in text
    for personal in ("ann@", "bob@", "ann example", HOME.ip, HOME.user_agent.lower()):
        assert personal not in text, personal


def test_nothing_is_logged_of_it(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """Not even before the log drops what it does not know."""
    caplog.set_level(logging.DEBUG)
    secrets = everything_secret(database)
    said = "\n".join(str(vars(record)) for record in caplog.records if record.name.startswith("fairlead"))
    assert said
    assert [secret for secret in [*secrets, "ann@example.com"] if secret in said] == []


@pytest.mark.parametrize(
    "statement",
    [
        "update users set password_hash = 'mizzen topsail'",
        "update users set status = 'active', password_hash = null, password_changed_at = null",
        "update users set role = 'provider'",
        "update users set totp_confirmed_at = null",
        "update sessions set state = 'password_ok'",
        "update sessions set token_hash = '\\x00'",
        "update sessions set ended_at = now()",
        "insert into users (id, email, email_key, name, role, provider_id, status, created_at)"
        " select gen_random_uuid(), 'ANN@Example.com', 'another@example.com', name, role, provider_id, 'invited',"
        " created_at from users",
        "insert into users (id, email, email_key, name, role, provider_id, status, created_at)"
        " select gen_random_uuid(), 'another@example.com', email_key, name, role, provider_id, 'invited',"
        " created_at from users",
    ],
)
def test_what_the_tables_refuse(database: Database, statement: str) -> None:
    enrolled_admin(database)
    with pytest.raises(psycopg.IntegrityError), database.transaction() as conn:
        conn.execute(statement.encode())
