"""Sessions: who is behind a token, which there are, and ending them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fairlead.core.errors import Refused
from fairlead.flows.access.principal import Client, Principal, principal_of, user_actor
from fairlead.flows.access.session_state import IDLE_LASTS, PENDING_LASTS, hold, session_invalid
from fairlead.flows.access.tokens import hash_of, is_same
from fairlead.store.access.sessions import (
    SessionRow,
    end_session,
    end_sessions,
    live_sessions,
    session_by_token,
    touch_session,
)
from fairlead.store.access.users import lock_user, user_by_id
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id

TOUCHED_AT_MOST_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ListedSession:
    """A live session as its user sees it; `is_current`: the one that asks."""

    session_id: str
    state: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ip: str | None
    user_agent: str | None
    is_current: bool


def authenticate_session(
    database: Database, token: str, *, request_id: str | None = None, touch: bool = True
) -> Principal:
    """Who is behind the token, as the rows say now: a change of role, or the end of the session, holds at once.

    Its being used is noted at most once a minute, which keeps it from running out for idleness; without `touch` never,
    for what asks by itself, such as a live feed that looks whether it may go on.

    Raises `Refused`: `session_invalid`.
    """
    token_hash = hash_of(token)

    def work(conn: Connection) -> Principal:
        session = session_by_token(conn, token_hash)
        user = None if session is None else user_by_id(conn, session.user_id)
        now = clock(conn)
        if session is None or user is None or not is_same(session.token_hash, token_hash):
            raise session_invalid()
        if user.status != "active" or not session.is_live(now):
            raise session_invalid()
        if touch and now - session.last_seen_at >= TOUCHED_AT_MOST_EVERY:
            _touch(conn, session, now)
        return principal_of(user, session, request_id, now)

    return database.run(work)


def _touch(conn: Connection, session: SessionRow, now: datetime) -> None:
    lasts = IDLE_LASTS if session.state == "full" else PENDING_LASTS
    touch_session(conn, session.session_id, now, min(now + lasts, session.expires_at))


def log_out(database: Database, token: str, client: Client) -> None:
    """The token opens nothing any more. One that opened nothing before is left as it was."""

    def work(conn: Connection) -> None:
        try:
            held = hold(conn, token)
        except Refused:
            return
        user, session_id = held.user, held.session.session_id
        end_session(conn, user.user_id, session_id, "logged_out", held.now)
        actor = user_actor(user.user_id, user.role, client.request_id)
        append_audit(conn, [_ended(actor, session_id, user.user_id, "logged_out")], held.now)

    database.run(work)


def list_sessions(database: Database, user_id: str, current_session_id: str | None = None) -> list[ListedSession]:
    """The user's live sessions, the last used first. Raises `BadInput`."""
    checked = checked_id(user_id, "user")

    def work(conn: Connection) -> list[ListedSession]:
        return [
            ListedSession(
                each.session_id,
                each.state,
                each.created_at,
                each.last_seen_at,
                min(each.expires_at, each.idle_expires_at),
                each.ip,
                each.user_agent,
                each.session_id == current_session_id,
            )
            for each in live_sessions(conn, checked, clock(conn))
        ]

    return database.read(work)


def revoke_session(database: Database, user_id: str, session_id: str, actor: Actor) -> None:
    """The user's session is over. Raises `BadInput`, and `Refused`: `session_unknown`, also for another user's."""
    checked_user, checked_session = checked_id(user_id, "user"), checked_id(session_id, "session")

    def work(conn: Connection) -> None:
        lock_user(conn, checked_user)
        now = clock(conn)
        if not end_session(conn, checked_user, checked_session, "revoked", now):
            raise Refused("session_unknown", f"there is no live session {checked_session}")
        append_audit(conn, [_ended(actor, checked_session, checked_user, "revoked")], now)

    database.run(work)


def revoke_sessions(database: Database, user_id: str, actor: Actor, except_session_id: str | None = None) -> int:
    """All sessions of the user, but for that one, are over; returns how many were live.

    Raises `BadInput`, and `Refused`: `user_unknown`.
    """
    checked = checked_id(user_id, "user")

    def work(conn: Connection) -> int:
        if lock_user(conn, checked) is None:
            raise Refused("user_unknown", f"there is no user {checked}")
        now = clock(conn)
        count = end_sessions(conn, checked, "revoked", now, except_session_id)
        if count:
            event = AuditEvent(actor, "sessions.ended", "user", checked, new={"why": "revoked", "count": count})
            append_audit(conn, [event], now)
        return count

    return database.run(work)


def _ended(actor: Actor, session_id: str, user_id: str, why: str) -> AuditEvent:
    return AuditEvent(actor, "session.ended", "session", session_id, new={"user_id": user_id, "why": why})
