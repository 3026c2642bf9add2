"""What the verbs on sessions share: lifetimes, finding and holding one, counting wrong proofs, exchanging its token."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from fairlead.core.errors import Refused
from fairlead.flows.access.principal import STEP_UP_LASTS, Client, NextStep, next_step_of, user_actor
from fairlead.flows.access.tokens import hash_of, is_same
from fairlead.store.access.sessions import (
    SessionRow,
    count_wrong_proof,
    end_session,
    lock_session,
    promote_session,
    session_by_token,
)
from fairlead.store.access.users import UserRow, lock_user
from fairlead.store.audit.log import AuditEvent, append_audit
from fairlead.store.connection import Connection
from fairlead.store.leads.rows import clock

PENDING_LASTS = timedelta(minutes=10)
IDLE_LASTS = timedelta(hours=1)
SESSION_LASTS = timedelta(hours=24)
MAX_WRONG_PROOFS = 5
MAX_USER_AGENT_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class IssuedSession:
    """A session, and the token that opens it from now on; whatever token it had before opens nothing.

    The token is given here and nowhere else. `next_step` says what has to be done before anything else is open.
    """

    session_id: str
    user_id: str
    role: str
    next_step: NextStep | None
    expires_at: datetime
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LockedSession:
    """A live session and its user, both rows locked, and the time."""

    user: UserRow
    session: SessionRow
    now: datetime

    @property
    def is_stepped_up(self) -> bool:
        """Whether the user has just proven who it is."""
        proven_at = self.session.stepped_up_at
        return proven_at is not None and self.now < proven_at + STEP_UP_LASTS


def session_invalid() -> Refused:
    """No token, a wrong one, and one that opens nothing any more get the same answer."""
    return Refused("session_invalid", "there is no such session: log in")


def hold(conn: Connection, token: str) -> LockedSession:
    """The live session with this token and its active user, both locked, the user first.

    Raises `Refused`: `session_invalid`.
    """
    token_hash = hash_of(token)
    found = session_by_token(conn, token_hash)
    user = None if found is None else lock_user(conn, found.user_id)
    session = None if found is None else lock_session(conn, found.session_id)
    now = clock(conn)
    # The token may have been exchanged while the locks were waited for.
    if user is None or session is None or not is_same(session.token_hash, token_hash):
        raise session_invalid()
    if user.status != "active" or not session.is_live(now):
        raise session_invalid()
    return LockedSession(user, session, now)


def new_session(user: UserRow, session_id: str, token: str, client: Client, now: datetime) -> SessionRow:
    """The session of a user who has just given the right password: open, unless a second factor is needed.

    An admin always needs one, a provider who has enrolled.
    """
    is_open = user.role != "admin" and not user.has_second_factor
    return SessionRow(
        session_id,
        user.user_id,
        hash_of(token),
        "full" if is_open else "password_ok",
        created_at=now,
        last_seen_at=now,
        idle_expires_at=now + (IDLE_LASTS if is_open else PENDING_LASTS),
        expires_at=now + (SESSION_LASTS if is_open else PENDING_LASTS),
        second_factor_at=None,
        stepped_up_at=now if is_open else None,
        wrong_proofs=0,
        ip=client.ip[:45] or None,
        user_agent=client.user_agent[:MAX_USER_AGENT_CHARACTERS] or None,
        ended_at=None,
    )


def issued(user: UserRow, session: SessionRow, token: str) -> IssuedSession:
    """The session with its new token."""
    step = next_step_of(user, session)
    return IssuedSession(session.session_id, user.user_id, user.role, step, session.expires_at, token)


def prove(
    conn: Connection, held: LockedSession, token: str, *, by_second_factor: bool, steps_up: bool = True
) -> IssuedSession:
    """The session is open and stepped up, under this new token; a pending one begins its full life now."""
    session, now = held.session, held.now
    was_pending = session.state == "password_ok"
    after = replace(
        session,
        token_hash=hash_of(token),
        state="full",
        last_seen_at=now,
        idle_expires_at=now + IDLE_LASTS,
        expires_at=now + SESSION_LASTS if was_pending else session.expires_at,
        second_factor_at=now if by_second_factor else session.second_factor_at,
        stepped_up_at=now if steps_up else session.stepped_up_at,
    )
    promote_session(conn, after)
    return issued(held.user, after, token)


def refuse_proof(conn: Connection, held: LockedSession, action: str, request_id: str | None) -> None:
    """A wrong code or password is on record; the fifth in a row ends the session. To be committed, not raised."""
    session, user = held.session, held.user
    count = count_wrong_proof(conn, session.session_id)
    is_over = count >= MAX_WRONG_PROOFS
    if is_over:
        end_session(conn, user.user_id, session.session_id, "too_many_wrong_proofs", held.now)
    new = {"user_id": user.user_id, "wrong_in_a_row": count, "session_ended": is_over}
    actor = user_actor(user.user_id, user.role, request_id)
    append_audit(conn, [AuditEvent(actor, action, "session", session.session_id, new=new)], held.now)
