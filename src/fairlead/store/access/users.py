"""Users as rows: who can log in, with which role, and what their second factor is.

A user's row lock comes after those of providers and before those of its sessions. A flow that changes what a user may
do or how it proves who it is, holds that lock.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from psycopg import errors

from fairlead.core.entry.mailbox import mailbox_key
from fairlead.store.configuration.rows import ConcurrentChange
from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows, one_row

_USER = re.compile(r"user:(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
"""The name of an actor that is a user."""


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user, and the status of its provider where it has one. What is secret or personal is not in its repr."""

    user_id: str
    email: str = field(repr=False)
    name: str = field(repr=False)
    role: str
    provider_id: str | None
    provider_status: str | None
    status: str
    password_hash: str | None = field(repr=False)
    totp_seed: bytes | None = field(repr=False)
    totp_pending_seed: bytes | None = field(repr=False)
    totp_confirmed_at: datetime | None
    last_login_at: datetime | None
    created_at: datetime

    @property
    def has_second_factor(self) -> bool:
        """Whether logging in takes more than the password."""
        return self.totp_seed is not None


_USERS = """
    select u.id::text as user_id, u.email, u.name, u.role, u.provider_id::text, p.status as provider_status, u.status,
           u.password_hash, u.totp_seed,
           u.totp_pending_seed, u.totp_confirmed_at, u.last_login_at, u.created_at
    from users u left join providers p on p.id = u.provider_id"""


def insert_user(conn: Connection, row: UserRow) -> None:
    """The user exists, without a second factor.

    Raises `ConcurrentChange` when another transaction has just taken the email.
    """
    changed_at = None if row.password_hash is None else row.created_at
    try:
        conn.execute(
            """
            insert into users (id, email, email_key, name, role, provider_id, status, password_hash,
                               password_changed_at, created_at)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (
                row.user_id,
                row.email,
                mailbox_key(row.email),
                row.name,
                row.role,
                row.provider_id,
                row.status,
                row.password_hash,
                changed_at,
                row.created_at,
            ),
        )
    except errors.UniqueViolation:
        raise ConcurrentChange from None


def user_by_id(conn: Connection, user_id: str) -> UserRow | None:
    """The user with this id; nothing is locked."""
    return one_row(conn, UserRow, _USERS + " where u.id = %s", (user_id,))


def actor_names(conn: Connection, actors: Iterable[str]) -> dict[str, str]:
    """What people call those of the actors that are users: by the actor's name."""
    found = [_USER.fullmatch(each) for each in {*actors}]
    ids = [each["id"] for each in found if each is not None]
    rows = conn.execute("select 'user:' || id::text, name from users where id = any(%s::uuid[])", (ids,))
    return dict(rows.fetchall())


def user_by_email(conn: Connection, email: str) -> UserRow | None:
    """The user with this mailbox, however it is written; nothing is locked.

    Of several from before mailboxes were compared it is the one whose address is written like this, else the oldest.
    """
    return one_row(
        conn,
        UserRow,
        _USERS
        + """
        where u.email_key = %(key)s or lower(u.email) = lower(%(email)s)
        order by lower(u.email) = lower(%(email)s) desc limit 1
        """,
        {"key": mailbox_key(email), "email": email.strip()},
    )


def lock_user(conn: Connection, user_id: str) -> UserRow | None:
    """The user, its row locked; None when there is none. Locked first and then read, so that nothing read is stale."""
    if conn.execute("select from users where id = %s for no key update", (user_id,)).fetchone() is None:
        return None
    return user_by_id(conn, user_id)


def lock_admins(conn: Connection) -> list[str]:
    """The ids of the admins who can log in, their rows locked in ascending order: none of them goes meanwhile.

    Locked first and then read: one who was waited for may be an admin no longer.
    """
    conn.execute("select from users where role = 'admin' and status = 'active' order by id for no key update")
    rows = conn.execute("select id::text from users where role = 'admin' and status = 'active' order by id").fetchall()
    return [row[0] for row in rows]


def list_users(conn: Connection, role: str | None = None, provider_id: str | None = None) -> list[UserRow]:
    """The users (in that role, of that provider), by email."""
    return all_rows(
        conn,
        UserRow,
        _USERS
        + """
        where (%(role)s::text is null or u.role = %(role)s)
          and (%(provider_id)s::uuid is null or u.provider_id = %(provider_id)s)
        order by lower(u.email)
        """,
        {"role": role, "provider_id": provider_id},
    )


def users_page(
    conn: Connection,
    role: str | None,
    status: str | None,
    provider_id: str | None,
    before_id: str | None,
    limit: int,
) -> list[UserRow]:
    """The next users (in that role and status, of that provider) before that one, the newest first: by id, a UUIDv7."""
    return all_rows(
        conn,
        UserRow,
        _USERS
        + """
        where (%(before)s::uuid is null or u.id < %(before)s::uuid)
          and (%(role)s::text is null or u.role = %(role)s)
          and (%(status)s::text is null or u.status = %(status)s)
          and (%(provider)s::uuid is null or u.provider_id = %(provider)s::uuid)
        order by u.id desc limit %(limit)s
        """,
        {"before": before_id, "role": role, "status": status, "provider": provider_id, "limit": limit},
    )


def write_password(conn: Connection, user_id: str, password_hash: str, now: datetime) -> None:
    """The user has this password and can log in. Needs its lock."""
    conn.execute(
        "update users set password_hash = %s, password_changed_at = %s, status = 'active' where id = %s",
        (password_hash, now, user_id),
    )


def write_rehash(conn: Connection, user_id: str, password_hash: str) -> None:
    """The same password under today's parameters. Needs the user's lock."""
    conn.execute("update users set password_hash = %s where id = %s", (password_hash, user_id))


def write_login(conn: Connection, user_id: str, now: datetime) -> None:
    """The user gave the right password then. Needs its lock."""
    conn.execute("update users set last_login_at = %s where id = %s", (now, user_id))


def write_role(conn: Connection, user_id: str, role: str, provider_id: str | None) -> None:
    """The user has this role. Needs its lock."""
    conn.execute("update users set role = %s, provider_id = %s where id = %s", (role, provider_id, user_id))


def write_status(conn: Connection, user_id: str, status: str) -> None:
    """The user is in this status, its password as it was. Needs its lock."""
    conn.execute("update users set status = %s where id = %s", (status, user_id))


def write_back_to_invited(conn: Connection, user_id: str) -> None:
    """The user is as one who was just invited: no password and no second factor. Needs its lock."""
    conn.execute(
        """
        update users set status = 'invited', password_hash = null, password_changed_at = null, totp_seed = null,
                         totp_pending_seed = null, totp_confirmed_at = null, totp_last_step = null
        where id = %s
        """,
        (user_id,),
    )
    conn.execute("delete from recovery_codes where user_id = %s", (user_id,))
