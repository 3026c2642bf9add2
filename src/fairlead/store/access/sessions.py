"""Sessions as rows: found by a hash of their token, live until they end, idle for too long, or grow too old."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows, one_row


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session. Only `token_hash` tells what its token is, and not to people."""

    session_id: str
    user_id: str
    token_hash: bytes = field(repr=False)
    state: str
    created_at: datetime
    last_seen_at: datetime
    idle_expires_at: datetime
    expires_at: datetime
    second_factor_at: datetime | None
    stepped_up_at: datetime | None
    wrong_proofs: int
    ip: str | None = field(repr=False)
    user_agent: str | None = field(repr=False)
    ended_at: datetime | None
    seen_provider_id: str | None = None
    """The provider whose portal its user, an operator, looks at."""

    def is_live(self, now: datetime) -> bool:
        """Whether its token opens anything at that time."""
        return self.ended_at is None and now < self.idle_expires_at and now < self.expires_at


_SESSIONS = """
    select id::text as session_id, user_id::text, token_hash, state, created_at, last_seen_at, idle_expires_at,
           expires_at,
           second_factor_at, stepped_up_at, wrong_proofs, ip, user_agent, ended_at,
           seen_provider_id::text
    from sessions"""


def insert_session(conn: Connection, row: SessionRow) -> None:
    """The session exists. Its id is a new one."""
    conn.execute(
        """
        insert into sessions (id, user_id, token_hash, state, created_at, last_seen_at, idle_expires_at, expires_at,
                              second_factor_at, stepped_up_at, ip, user_agent)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            row.session_id,
            row.user_id,
            row.token_hash,
            row.state,
            row.created_at,
            row.last_seen_at,
            row.idle_expires_at,
            row.expires_at,
            row.second_factor_at,
            row.stepped_up_at,
            row.ip,
            row.user_agent,
        ),
    )


def session_by_token(conn: Connection, token_hash: bytes) -> SessionRow | None:
    """The session with this token, live or not; nothing is locked."""
    return one_row(conn, SessionRow, _SESSIONS + " where token_hash = %s", (token_hash,))


def lock_session(conn: Connection, session_id: str) -> SessionRow | None:
    """The session, its row locked. Needs the lock of its user."""
    return one_row(conn, SessionRow, _SESSIONS + " where id = %s for no key update", (session_id,))


def promote_session(conn: Connection, row: SessionRow) -> None:
    """The session has the token, state and times of `row`, and no wrong proofs. Needs its lock."""
    conn.execute(
        """
        update sessions set token_hash = %s, state = %s, last_seen_at = %s, idle_expires_at = %s, expires_at = %s,
                            second_factor_at = %s, stepped_up_at = %s, wrong_proofs = 0
        where id = %s
        """,
        (
            row.token_hash,
            row.state,
            row.last_seen_at,
            row.idle_expires_at,
            row.expires_at,
            row.second_factor_at,
            row.stepped_up_at,
            row.session_id,
        ),
    )


def count_wrong_proof(conn: Connection, session_id: str) -> int:
    """One more wrong code or password was given in this session; returns how many in a row. Needs its lock."""
    rows = conn.execute(
        "update sessions set wrong_proofs = wrong_proofs + 1 where id = %s returning wrong_proofs", (session_id,)
    ).fetchall()
    return rows[0][0]


def touch_session(conn: Connection, session_id: str, now: datetime, idle_expires_at: datetime) -> None:
    """The session was used then. One that another transaction has locked is left to that."""
    conn.execute(
        """
        update sessions set last_seen_at = %s, idle_expires_at = %s
        where id = (select id from sessions where id = %s and ended_at is null for no key update skip locked)
        """,
        (now, idle_expires_at, session_id),
    )


def set_seen_provider(conn: Connection, session_id: str, provider_id: str | None) -> None:
    """The session's user looks at this provider's portal, or at none. Needs the session's lock."""
    conn.execute("update sessions set seen_provider_id = %s where id = %s", (provider_id, session_id))


def end_session(conn: Connection, user_id: str, session_id: str, why: str, now: datetime) -> bool:
    """The user's session is over; False when it has no such session, or it was over before."""
    done = conn.execute(
        """
        update sessions set ended_at = %s, ended_why = %s
        where id = %s and user_id = %s and ended_at is null and idle_expires_at > %s and expires_at > %s
        """,
        (now, why, session_id, user_id, now, now),
    )
    return done.rowcount == 1


def end_sessions(conn: Connection, user_id: str, why: str, now: datetime, except_session_id: str | None = None) -> int:
    """All sessions of the user, but for that one, are over; returns how many were live. Needs the user's lock."""
    rows = conn.execute(
        """
        update sessions set ended_at = %s, ended_why = %s
        where user_id = %s and ended_at is null and id is distinct from %s
        returning idle_expires_at > %s and expires_at > %s
        """,
        (now, why, user_id, except_session_id, now, now),
    ).fetchall()
    return sum(was_live for (was_live,) in rows)


def live_sessions(conn: Connection, user_id: str, now: datetime) -> Sequence[SessionRow]:
    """The user's sessions that are live at that time, the last used first."""
    return all_rows(
        conn,
        SessionRow,
        _SESSIONS
        + """
        where user_id = %s and ended_at is null and idle_expires_at > %s and expires_at > %s
        order by last_seen_at desc, id
        """,
        (user_id, now, now),
    )


def is_known_address(conn: Connection, user_id: str, ip: str, since: datetime) -> bool:
    """Whether the user logged in from this address completely, at that time or later."""
    row = conn.execute(
        """
        select exists (select from sessions where user_id = %s and ip = %s and state = 'full' and created_at >= %s)
        """,
        (user_id, ip, since),
    ).fetchone()
    assert row is not None, "exists has an answer"
    return bool(row[0])


def delete_old_sessions(conn: Connection, before: datetime) -> int:
    """Sessions that could not be used any more at that time are gone; returns how many they were."""
    return conn.execute("delete from sessions where expires_at < %s", (before,)).rowcount
