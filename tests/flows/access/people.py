"""People who log in: operators and providers' users, their telephones' codes, and what refused them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from pyotp.totp import TOTP

from fairlead.core.errors import Refused
from fairlead.core.permissions import Role
from fairlead.delivery.secret_box import SecretBox
from fairlead.flows.access.enrolment import begin_totp_enrolment, confirm_totp_enrolment
from fairlead.flows.access.invitations import create_admin, invite_user
from fairlead.flows.access.log_in import log_in
from fairlead.flows.access.one_time import accept_invite, admit_link, issue_token, use_link
from fairlead.flows.access.principal import Client
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.rows import clock

BOX = SecretBox([bytes(range(32))])
HOME = Client("192.0.2.1", "Browser at home", "request-home")
AWAY = Client("198.51.100.9", "Browser away")
PASSWORD = "mizzen topsail 4711 halyard"
NEW_PASSWORD = "bosun's chair over the side"


@dataclass(frozen=True)
class Person:
    """A user who has logged in; `token` is the session's. Without a second factor `seed` is empty."""

    user_id: str
    email: str
    token: str
    session_id: str
    seed: str = ""
    recovery_codes: tuple[str, ...] = ()


def add_admin(database: Database, email: str = "ann@example.com") -> str:
    """An admin with a password and without a second factor; returns its id."""
    return create_admin(database, email, "Ann Example", OPERATOR, password=PASSWORD).user_id


def enrolled_admin(database: Database, email: str = "ann@example.com") -> Person:
    """An admin who has just set up a second factor."""
    add_admin(database, email)
    return enrol(database, log_in(database, email, PASSWORD, HOME).token, email)


def enrol(database: Database, token: str, email: str) -> Person:
    """The session's user has a second factor, too."""
    begun = begin_totp_enrolment(database, BOX, token, HOME)
    done = confirm_totp_enrolment(database, BOX, token, code(database, begun.seed), HOME)
    session = done.session
    return Person(session.user_id, email, session.token, session.session_id, begun.seed, done.recovery_codes)


def provider_user(database: Database, provider_id: str, email: str = "sales@anchor.example") -> Person:
    """A user of the provider, with an open session and no second factor."""
    user_id = invite_user(database, email, "Sam Sales", Role.PROVIDER, OPERATOR, provider_id=provider_id).user_id
    accept_invite(database, token_for(database, user_id, "invite"), PASSWORD, HOME)
    session = log_in(database, email, PASSWORD, HOME)
    return Person(user_id, email, session.token, session.session_id)


def add_provider(database: Database, name: str = "Anchor", status: str = "active") -> str:
    """A provider; returns its id."""
    return value(
        database,
        """
        insert into providers (id, name, email, email_key, status, created_at)
        values (gen_random_uuid(), %s, lower(%s) || '@example.com', lower(%s) || '@example.com', %s, now())
        returning id::text
        """,
        name,
        name,
        name,
        status,
    )


def token_for(database: Database, user_id: str, purpose: Any) -> str:
    """A one-time token, as a message would bring it."""
    with database.transaction() as conn:
        return issue_token(conn, user_id, purpose, now(database)).token


def reset_password(database: Database, token: str, password: str, client: Client) -> str:
    """What the page of the link does: the link is looked at, then used."""
    return use_link(database, admit_link(database, token, "password_reset", client), password, client)


def code(database: Database, seed: str, steps: int = 0) -> str:
    """What the telephone shows so many steps of 30 seconds from now."""
    return TOTP(seed).at(now(database), counter_offset=steps)


def as_if_long_ago(database: Database) -> None:
    """The codes that were accepted so far are no hindrance to those of this moment."""
    value(database, "update users set totp_last_step = 0 where totp_seed is not null")


def now(database: Database) -> datetime:
    """The database's time."""
    return database.read(clock)


def value(database: Database, statement: str, *values: object) -> Any:
    """The first value of the first row of what the statement gives, None without any."""
    with database.transaction() as conn:
        cursor = conn.execute(statement.encode(), values)
        row = cursor.fetchone() if cursor.description else None
    return None if row is None else row[0]


def rows(database: Database, statement: str, *values: object) -> list[Any]:
    """What the statement finds: the values themselves where a row has one."""
    with database.snapshot() as conn:
        found = conn.execute(statement.encode(), values).fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


def refusal(call: Callable[..., object], *words: Any, **named: Any) -> str:
    """The code with which the call is refused."""
    with pytest.raises(Refused) as caught:
        call(*words, **named)
    return caught.value.code


def actions(database: Database) -> list[str]:
    """What the audit log says was done, in order."""
    return rows(database, "select action from audit_log order by seq")
