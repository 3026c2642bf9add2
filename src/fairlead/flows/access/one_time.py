"""One-time links: an invitation or a password reset, each a token that sets one user's password, once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from fairlead.core.errors import Refused
from fairlead.flows.access.passwords import check_password, hash_password
from fairlead.flows.access.principal import Client, user_actor
from fairlead.flows.access.throttle import TOKEN_OF_ADDRESS, give_back, network_of, take
from fairlead.flows.access.tokens import hash_of, new_token
from fairlead.store.access.one_time_tokens import insert_token, spend_token, token_row, void_tokens
from fairlead.store.access.sessions import end_sessions
from fairlead.store.access.users import UserRow, lock_user, user_by_id, write_password
from fairlead.store.audit.log import AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock

Purpose = Literal["invite", "password_reset"]

LASTS: Mapping[Purpose, timedelta] = {"invite": timedelta(days=7), "password_reset": timedelta(hours=1)}
_STATUS: Mapping[Purpose, str] = {"invite": "invited", "password_reset": "active"}
_PAGE: Mapping[Purpose, str] = {"invite": "accept-invite", "password_reset": "reset-password"}
_ACTION: Mapping[Purpose, str] = {"invite": "user.invite_accepted", "password_reset": "user.password_reset"}


@dataclass(frozen=True, slots=True)
class OneTimeToken:
    """A token that was just issued; it is given here, and nowhere else."""

    token: str = field(repr=False)
    purpose: Purpose
    expires_at: datetime

    @property
    def path(self) -> str:
        """The page where it is used. Behind the `#`, so that no browser sends it along and no server logs it."""
        return f"/{_PAGE[self.purpose]}#{self.token}"

    def link(self, site_url: str) -> str:
        """The address of that page on a site."""
        return site_url.rstrip("/") + self.path


@dataclass(frozen=True, slots=True)
class GoodLink:
    """A token that was good when it was looked at, and whose it is."""

    token_hash: bytes = field(repr=False)
    purpose: Purpose
    user: UserRow


def issue_token(
    conn: Connection, user_id: str, purpose: Purpose, now: datetime, asked_at: datetime | None = None
) -> OneTimeToken:
    """The user has one more token, good for a week (invite) or an hour (reset) from when it was asked for."""
    token = OneTimeToken(new_token(), purpose, (asked_at or now) + LASTS[purpose])
    insert_token(conn, hash_of(token.token), user_id, purpose, now, token.expires_at)
    return token


def accept_invite(database: Database, token: str, password: str, client: Client) -> str:
    """The invited user can log in with this password; returns its id. It is not logged in by this.

    Of several uses at once one succeeds. Raises `BadInput` for a weak password (the token stays good), `Throttled`, and
    `Refused`: `token_refused`.
    """
    return use_link(database, admit_link(database, token, "invite", client), password, client)


def admit_link(database: Database, token: str, purpose: Purpose, client: Client) -> GoodLink:
    """The attempt counts, and the link is good. Raises `Throttled`, and `Refused`: `token_refused`.

    Before any work on a password.
    """
    token_hash = hash_of(token)
    user = database.run(lambda conn: _user_of(conn, token_hash, purpose, client))
    if user is None:
        raise _refused()
    return GoodLink(token_hash, purpose, user)


def use_link(database: Database, link: GoodLink, password: str, client: Client) -> str:
    """What the link is for is done: its user has this password; returns its id. Raises as `accept_invite`."""
    token_hash, purpose, user = link.token_hash, link.purpose, link.user
    check_password(password, user.email, user.name)
    # Only for a client with a valid token: no other can keep the server busy.
    password_hash = hash_password(password)

    def work(conn: Connection) -> str:
        locked = lock_user(conn, user.user_id)
        now = clock(conn)
        if locked is None or locked.status != _STATUS[purpose] or not spend_token(conn, token_hash, purpose, now):
            raise _refused()
        write_password(conn, user.user_id, password_hash, now)
        void_tokens(conn, user.user_id, now)
        ended = end_sessions(conn, user.user_id, "password_changed", now)
        give_back(conn, TOKEN_OF_ADDRESS, network_of(client.ip))
        actor = user_actor(user.user_id, user.role, client.request_id)
        event = AuditEvent(actor, _ACTION[purpose], "user", user.user_id, new={"ended_sessions": ended})
        append_audit(conn, [event], now)
        return user.user_id

    return database.run(work)


def _user_of(conn: Connection, token_hash: bytes, purpose: Purpose, client: Client) -> UserRow | None:
    """Whose token it is, None when it is not good. Not raised: the attempt has to count."""
    take(conn, TOKEN_OF_ADDRESS, network_of(client.ip))
    row = token_row(conn, token_hash, purpose)
    user = None if row is None else user_by_id(conn, row.user_id)
    if row is None or user is None or user.status != _STATUS[purpose]:
        return None
    return user if row.used_at is None and row.expires_at > clock(conn) else None


def _refused() -> Refused:
    return Refused("token_refused", "the link was used, has expired, or never was one: ask for another")
