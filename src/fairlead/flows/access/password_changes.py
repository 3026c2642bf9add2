"""Changing a password that is known, and asking for a link to replace one that is not."""

from fairlead.core.errors import Refused
from fairlead.flows.access.passwords import check_password, hash_password, is_password
from fairlead.flows.access.principal import Client, user_actor
from fairlead.flows.access.session_state import (
    IssuedSession,
    hold,
    prove,
    refuse_proof,
    session_invalid,
)
from fairlead.flows.access.throttle import (
    RESET_OF_ACCOUNT,
    RESET_OF_ADDRESS,
    account_of,
    is_let_through,
    network_of,
    take,
)
from fairlead.flows.access.tokens import hash_of, new_token
from fairlead.store.access.one_time_tokens import void_tokens
from fairlead.store.access.sessions import end_sessions, session_by_token
from fairlead.store.access.users import UserRow, user_by_email, user_by_id, write_password
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.notifications.outbox import Notification, notify


def change_password(
    database: Database, token: str, current_password: str, new_password: str, client: Client
) -> IssuedSession:
    """The user has the new password, its other sessions and its unused links are over, this one has a new token.

    The fifth wrong current password in a row ends the session. Raises `BadInput` for a weak new one, and `Refused`:
    `session_invalid`, `second_factor_required` while the login is not finished, `password_refused`.
    """
    renewed = new_token()
    user = database.run(lambda conn: _user_of_session(conn, token))
    check_password(new_password, user.email, user.name)
    is_right = is_password(user.password_hash, current_password)
    password_hash = hash_password(new_password) if is_right else None

    def work(conn: Connection) -> IssuedSession | None:
        held = hold(conn, token)
        if held.session.state != "full":
            raise Refused("second_factor_required", "the login has to be finished first")
        if password_hash is None or held.user.password_hash != user.password_hash:
            refuse_proof(conn, held, "password_change.refused", client.request_id)
            return None
        write_password(conn, user.user_id, password_hash, held.now)
        void_tokens(conn, user.user_id, held.now)
        ended = end_sessions(conn, user.user_id, "password_changed", held.now, held.session.session_id)
        # Where there is a second factor, the password alone is no step-up.
        done = prove(conn, held, renewed, by_second_factor=False, steps_up=not held.user.has_second_factor)
        actor = user_actor(user.user_id, user.role, client.request_id)
        event = AuditEvent(actor, "user.password_changed", "user", user.user_id, new={"ended_sessions": ended})
        append_audit(conn, [event], held.now)
        return done

    done = database.run(work)
    if done is None:
        raise Refused("password_refused", "the current password is not right")
    return done


def _user_of_session(conn: Connection, token: str) -> UserRow:
    session = session_by_token(conn, hash_of(token))
    user = None if session is None else user_by_id(conn, session.user_id)
    if session is None or user is None or not session.is_live(clock(conn)):
        raise session_invalid()
    return user


def request_password_reset(database: Database, email: str, client: Client) -> None:
    """An active user with this email will be sent a link that replaces its password, good for an hour.

    The answer does not tell whether there is such a user; its route sees to it that its time does not either. At most
    three an hour to a user; what is above that is let go. Raises `Throttled` for an address that asks too often.
    """
    database.run(lambda conn: _queue_reset(conn, email, client))


def _queue_reset(conn: Connection, email: str, client: Client) -> None:
    take(conn, RESET_OF_ADDRESS, network_of(client.ip))
    user = user_by_email(conn, email)
    is_wanted = is_let_through(conn, RESET_OF_ACCOUNT, account_of(user, email))
    is_of_user = user is not None and user.status == "active"
    now = clock(conn)
    if user is not None and is_of_user and is_wanted:
        notify(conn, [Notification("password_reset", user_id=user.user_id, correlation_id=client.request_id)], now)
    actor = Actor("anonymous", "system", client.request_id)
    new = {"will_be_sent": is_of_user and is_wanted}
    entity_id = "unknown" if user is None else user.user_id
    append_audit(conn, [AuditEvent(actor, "user.password_reset_requested", "user", entity_id, new=new)], now)
