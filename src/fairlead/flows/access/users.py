"""Users as operators see to them: their list, their role, their second factor, whether they can log in at all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fairlead.core.errors import BadInput, Refused
from fairlead.core.permissions import Role
from fairlead.flows.access.one_time import OneTimeToken, issue_token
from fairlead.flows.access.principal import is_of_user
from fairlead.store.access.api_keys import revoke_keys_of_user
from fairlead.store.access.one_time_tokens import void_tokens
from fairlead.store.access.sessions import end_sessions
from fairlead.store.access.users import (
    UserRow,
    list_users,
    lock_admins,
    lock_user,
    user_by_email,
    user_by_id,
    users_page,
    write_back_to_invited,
    write_role,
    write_status,
)
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.rows import lock_providers
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id
from fairlead.store.notifications.outbox import Notification, notify


@dataclass(frozen=True, slots=True)
class ListedUser:
    """A user as operators see it."""

    user_id: str
    email: str
    name: str
    role: str
    provider_id: str | None
    status: str
    has_second_factor: bool
    last_login_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class UserSearch:
    """Which users are wanted; None: all."""

    role: Role | None = None
    status: str | None = None
    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class UserChange:
    """A user as the verb left it, and what ended with that. `invite`: the way back in, where no email was sent."""

    user_id: str
    role: str
    status: str
    took_effect: bool
    ended_sessions: int = 0
    revoked_keys: int = 0
    invite: OneTimeToken | None = None


def find_users(database: Database, role: Role | None = None, provider_id: str | None = None) -> list[ListedUser]:
    """The users (in that role, of that provider), by email. Raises `BadInput`."""
    checked = None if provider_id is None else checked_id(provider_id, "provider")
    with database.snapshot() as conn:
        return [_listed(each) for each in list_users(conn, None if role is None else role.value, checked)]


def page_of_users(database: Database, wanted: UserSearch, before_id: str | None, limit: int) -> list[ListedUser]:
    """The next users before that one, the newest first, at most so many."""
    role = None if wanted.role is None else wanted.role.value
    found = database.read(
        lambda conn: users_page(conn, role, wanted.status, wanted.provider_id, before_id, limit),
    )
    return [_listed(each) for each in found]


def find_user(database: Database, id_or_email: str) -> ListedUser:
    """The user with this id or email. Raises `BadInput`, and `Refused`: `user_unknown`."""
    with database.snapshot() as conn:
        if "@" in id_or_email:
            found = user_by_email(conn, id_or_email.strip())
        else:
            found = user_by_id(conn, checked_id(id_or_email, "user"))
    if found is None:
        raise Refused("user_unknown", "there is no such user")
    return _listed(found)


def change_role(
    database: Database, user_id: str, role: Role, actor: Actor, *, provider_id: str | None = None
) -> UserChange:
    """The user has this role, its sessions are over and its keys revoked. `provider_id`: exactly for providers.

    Locks the provider, then the admins, then the user. Raises `BadInput`, and `Refused`: `user_unknown`,
    `provider_unknown`, `own_role`, `last_admin`.
    """
    if role not in (Role.ADMIN, Role.PROVIDER) or (role is Role.PROVIDER) != (provider_id is not None):
        raise BadInput(["role: must be admin, or provider with a provider_id"])
    checked_provider = None if provider_id is None else checked_id(provider_id, "provider")

    def change(conn: Connection, before: UserRow, now: datetime) -> UserChange | None:
        if (before.role, before.provider_id) == (role.value, checked_provider):
            return None
        write_role(conn, before.user_id, role.value, checked_provider)
        ended = end_sessions(conn, before.user_id, "role_changed", now)
        revoked = revoke_keys_of_user(conn, before.user_id, actor.name, now)
        return UserChange(before.user_id, role.value, before.status, True, ended, revoked)

    def prepare(conn: Connection) -> None:
        if checked_provider is not None and checked_provider not in lock_providers(conn, [checked_provider]):
            raise Refused("provider_unknown", f"there is no provider {checked_provider}")

    return _change(database, user_id, actor, "user.role_changed", "own_role", change, prepare)


def disable_user(database: Database, user_id: str, actor: Actor) -> UserChange:
    """The user cannot log in; its sessions are over, its links open nothing, its keys are revoked.

    Locks the admins, then the user. Raises `BadInput`, and `Refused`: `user_unknown`, `own_user`, `last_admin`.
    """

    def change(conn: Connection, before: UserRow, now: datetime) -> UserChange | None:
        if before.status == "disabled":
            return None
        write_status(conn, before.user_id, "disabled")
        void_tokens(conn, before.user_id, now)
        ended = end_sessions(conn, before.user_id, "disabled", now)
        revoked = revoke_keys_of_user(conn, before.user_id, actor.name, now)
        return UserChange(before.user_id, before.role, "disabled", True, ended, revoked)

    return _change(database, user_id, actor, "user.disabled", "own_user", change)


def enable_user(database: Database, user_id: str, actor: Actor) -> UserChange:
    """The user, disabled before, can log in as before, or be invited again where it never had a password.

    Raises `BadInput`, and `Refused`: `user_unknown`.
    """

    def change(conn: Connection, before: UserRow, _now: datetime) -> UserChange | None:
        if before.status != "disabled":
            return None
        status = "invited" if before.password_hash is None else "active"
        write_status(conn, before.user_id, status)
        return UserChange(before.user_id, before.role, status, True)

    return _change(database, user_id, actor, "user.enabled", None, change)


def reset_second_factor(database: Database, user_id: str, actor: Actor, *, by_mail: bool = True) -> UserChange:
    """The user has neither second factor nor password nor session: it begins again, as one who was just invited.

    A lost second factor takes the same proof as the first one did: a person who has the password alone must not be the
    one to enrol. With `by_mail` the user is sent a link, else the answer holds a token for it. Its keys stay.

    Locks the admins, then the user. Raises `BadInput`, and `Refused`: `user_unknown`, `user_disabled`,
    `own_second_factor`: another admin has to do it.
    """

    def change(conn: Connection, before: UserRow, now: datetime) -> UserChange | None:
        if before.status == "disabled":
            raise Refused("user_disabled", "the user is disabled")
        write_back_to_invited(conn, before.user_id)
        void_tokens(conn, before.user_id, now)
        ended = end_sessions(conn, before.user_id, "second_factor_changed", now)
        invite = None
        if by_mail:
            notify(conn, [Notification("user_invited", user_id=before.user_id, correlation_id=actor.request_id)], now)
        else:
            invite = issue_token(conn, before.user_id, "invite", now)
        return UserChange(before.user_id, before.role, "invited", True, ended, 0, invite)

    return _change(database, user_id, actor, "second_factor.reset", "own_second_factor", change)


def _change(
    database: Database,
    user_id: str,
    actor: Actor,
    action: str,
    own_code: str | None,
    change: Callable[[Connection, UserRow, datetime], UserChange | None],
    prepare: Callable[[Connection], None] | None = None,
) -> UserChange:
    """The user is as `change` made it under its lock; None from that: it was so already.

    `own_code`: the refusal of doing it to oneself. The last admin cannot be removed either, except by reset: that one
    comes back.
    """
    checked = checked_id(user_id, "user")
    if own_code is not None and is_of_user(actor, checked):
        raise Refused(own_code, "users cannot do this to themselves: another operator has to")

    def work(conn: Connection) -> UserChange:
        if prepare is not None:
            prepare(conn)
        admins = lock_admins(conn)
        before = lock_user(conn, checked)
        if before is None:
            raise Refused("user_unknown", f"there is no user {checked}")
        now = clock(conn)
        done = change(conn, before, now)
        if done is None:
            return UserChange(checked, before.role, before.status, took_effect=False)
        if admins == [checked] and (done.role, done.status) not in (("admin", "active"), ("admin", "invited")):
            raise Refused("last_admin", "this is the last admin who can log in")
        event = AuditEvent(actor, action, "user", checked, old=_state(before.role, before.status), new=_new(done))
        append_audit(conn, [event], now)
        return done

    return database.run(work)


def _state(role: str, status: str) -> Mapping[str, object]:
    return {"role": role, "status": status}


def _new(done: UserChange) -> Mapping[str, object]:
    ended = {"ended_sessions": done.ended_sessions, "revoked_keys": done.revoked_keys}
    return {**_state(done.role, done.status), **ended}


def _listed(row: UserRow) -> ListedUser:
    return ListedUser(
        row.user_id,
        row.email,
        row.name,
        row.role,
        row.provider_id,
        row.status,
        row.has_second_factor,
        row.last_login_at,
        row.created_at,
    )
