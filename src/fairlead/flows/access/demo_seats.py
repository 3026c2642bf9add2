"""Users of the demo: each is logged in anew when it starts, with a password that is written down nowhere."""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from pyotp.totp import TOTP

from fairlead.core.permissions import Role
from fairlead.delivery.secret_box import SecretBox
from fairlead.flows.access.enrolment import begin_totp_enrolment, confirm_totp_enrolment
from fairlead.flows.access.invitations import create_admin, invite_user
from fairlead.flows.access.log_in import log_in
from fairlead.flows.access.one_time import accept_invite, issue_token
from fairlead.flows.access.principal import Client
from fairlead.flows.access.users import find_users, reset_second_factor
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Database
from fairlead.store.leads.rows import clock

OPERATOR_EMAIL = "operator@demo.example"
_HERE = Client("127.0.0.1", "fairlead demo")


@dataclass(frozen=True, slots=True)
class DemoSeat:
    """A user who is logged in. `proof` gives what a step-up asks for: a code of this half minute, or the password."""

    token: str = field(repr=False)
    password: str = field(repr=False)
    seed: str = field(repr=False, default="")

    @property
    def proof(self) -> str:
        """What the user would type when it is asked to prove again who it is."""
        return TOTP(self.seed).now() if self.seed else self.password


def seat_demo_operator(database: Database, box: SecretBox, actor: Actor) -> DemoSeat:
    """The demo's operator is logged in, with a second factor; sessions of an earlier demo are over."""
    known = [each for each in find_users(database, Role.ADMIN) if each.email == OPERATOR_EMAIL]
    if known:
        user_id, invite = known[0].user_id, reset_second_factor(database, known[0].user_id, actor, by_mail=False).invite
    else:
        added = create_admin(database, OPERATOR_EMAIL, "Demo operator", actor)
        user_id, invite = added.user_id, added.invite
    password = secrets.token_urlsafe(24)
    accept_invite(database, _token_for(database, user_id) if invite is None else invite.token, password, _HERE)
    token = log_in(database, OPERATOR_EMAIL, password, _HERE).token
    begun = begin_totp_enrolment(database, box, token, _HERE)
    moment = database.read(clock) - timedelta(seconds=30)  # the code of now is left for a step-up
    done = confirm_totp_enrolment(database, box, token, TOTP(begun.seed).at(moment), _HERE)
    return DemoSeat(done.session.token, password, begun.seed)


def seat_demo_provider(database: Database, provider_id: str, provider_email: str, actor: Actor) -> DemoSeat:
    """A user of the provider is logged in; sessions of an earlier demo are over."""
    email = f"demo+{provider_email}"
    known = [each for each in find_users(database, Role.PROVIDER, provider_id) if each.email == email]
    if known:
        user_id = known[0].user_id
        reset_second_factor(database, user_id, actor, by_mail=False)
    else:
        user_id = invite_user(database, email, "Demo provider", Role.PROVIDER, actor, provider_id=provider_id).user_id
    password = secrets.token_urlsafe(24)
    accept_invite(database, _token_for(database, user_id), password, _HERE)
    return DemoSeat(log_in(database, email, password, _HERE).token, password)


def _token_for(database: Database, user_id: str) -> str:
    return database.run(lambda conn: issue_token(conn, user_id, "invite", clock(conn))).token
