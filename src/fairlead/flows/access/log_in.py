"""Logging in with email and password: the first step, and for providers without a second factor the only one."""

from dataclasses import dataclass, field
from datetime import datetime

from fairlead.core.errors import Refused
from fairlead.flows.access.passwords import hash_password, is_password, needs_rehash
from fairlead.flows.access.principal import Client, user_actor
from fairlead.flows.access.session_state import IssuedSession, issued, new_session
from fairlead.flows.access.throttle import (
    ADDRESS_IS_KNOWN_FOR,
    LOGIN_OF_ACCOUNT,
    LOGIN_OF_ADDRESS,
    LOGIN_OF_PAIR,
    account_of,
    give_back,
    is_let_through,
    network_of,
    take,
)
from fairlead.flows.access.tokens import new_token
from fairlead.store.access.sessions import insert_session, is_known_address
from fairlead.store.access.users import UserRow, lock_user, user_by_email, write_login, write_rehash
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.leads.rows import clock


@dataclass(frozen=True, slots=True)
class LogInAttempt:
    """An attempt that was let through. `is_crowded`: it is one of too many at this account.

    `is_suspect`: that, and from an address that its user never came from.
    """

    user: UserRow | None = field(repr=False)
    account: str = field(repr=False)
    network: str
    is_crowded: bool
    is_suspect: bool


def admit_log_in(database: Database, email: str, client: Client) -> LogInAttempt:
    """The attempt counts. Raises `Throttled` for an address that tries too often: before any work on a password."""
    return database.run(lambda conn: _admit(conn, email, client))


def log_in(database: Database, email: str, password: str, client: Client) -> IssuedSession:
    """`admit_log_in` and then `finish_log_in`. Raises as they do."""
    return finish_log_in(database, admit_log_in(database, email, client), password, client)


def finish_log_in(database: Database, attempt: LogInAttempt, password: str, client: Client) -> IssuedSession:
    """There is a session under a new token; its `next_step` says whether it is open yet.

    Raises `Refused`: `login_refused` for an unknown email, a wrong password, and a user who was not activated or was
    disabled alike, after the same work. While an account is guessed
    at from many addresses, one that its user never came from gets in with a second factor only, so that guessing helps
    no user and locks out no user who has one. The password is checked with no transaction open.
    """
    user = attempt.user
    is_right = is_password(None if user is None else user.password_hash, password)
    rehashed = None
    if is_right and user is not None and user.password_hash is not None and needs_rehash(user.password_hash):
        rehashed = hash_password(password)
    session_id, token = new_id(database), new_token()

    def work(conn: Connection) -> IssuedSession | None:
        locked = None if user is None else lock_user(conn, user.user_id)
        now = clock(conn)
        if not is_right or user is None or locked is None or not _may_enter(locked, user, attempt):
            _record_refusal(conn, locked, client, now)
            return None
        session = new_session(locked, session_id, token, client, now)
        insert_session(conn, session)
        if rehashed is not None:
            write_rehash(conn, locked.user_id, rehashed)
        write_login(conn, locked.user_id, now)
        _forgive(conn, attempt)
        actor = user_actor(locked.user_id, locked.role, client.request_id)
        new = {"user_id": locked.user_id, "state": session.state}
        append_audit(conn, [AuditEvent(actor, "session.began", "session", session_id, new=new)], now)
        return issued(locked, session, token)

    done = database.run(work)
    if done is None:
        raise Refused(
            "login_refused", "the email or the password is wrong, or the account is being guessed at: wait a while"
        )
    return done


def _admit(conn: Connection, email: str, client: Client) -> LogInAttempt:
    """Addresses before accounts: a client that its address locks out uses up nothing of the account's limit."""
    network = network_of(client.ip)
    take(conn, LOGIN_OF_ADDRESS, network)
    user = user_by_email(conn, email)
    account = account_of(user, email)
    take(conn, LOGIN_OF_PAIR, account, network)
    is_crowded = not is_let_through(conn, LOGIN_OF_ACCOUNT, account)
    is_known = user is not None and is_known_address(conn, user.user_id, client.ip, clock(conn) - ADDRESS_IS_KNOWN_FOR)
    return LogInAttempt(user, account, network, is_crowded, is_crowded and not is_known)


def _may_enter(locked: UserRow, checked: UserRow, attempt: LogInAttempt) -> bool:
    """Whether the right password is enough for a session: its user is still the one whose password was checked."""
    if locked.status != "active" or locked.password_hash != checked.password_hash:
        return False
    return locked.has_second_factor or not attempt.is_suspect


def _forgive(conn: Connection, attempt: LogInAttempt) -> None:
    """What the attempt took is there again, and no more than that."""
    give_back(conn, LOGIN_OF_ADDRESS, attempt.network)
    give_back(conn, LOGIN_OF_PAIR, attempt.account, attempt.network)
    if not attempt.is_crowded:
        give_back(conn, LOGIN_OF_ACCOUNT, attempt.account)


def _record_refusal(conn: Connection, user: UserRow | None, client: Client, now: datetime) -> None:
    actor = Actor("anonymous", "system", client.request_id)
    append_audit(conn, [AuditEvent(actor, "login.refused", "user", "unknown" if user is None else user.user_id)], now)
