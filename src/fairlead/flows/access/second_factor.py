"""Giving the second factor: to finish a login, and to prove again who it is before something dangerous."""

from fairlead.core.errors import Refused
from fairlead.delivery.secret_box import SecretBox
from fairlead.flows.access.codes import hash_of_recovery_code, is_totp_code, step_of
from fairlead.flows.access.passwords import is_password
from fairlead.flows.access.principal import Client, user_actor
from fairlead.flows.access.session_state import (
    IssuedSession,
    LockedSession,
    hold,
    prove,
    refuse_proof,
    session_invalid,
)
from fairlead.flows.access.throttle import (
    ADDRESS_IS_KNOWN_FOR,
    CODE_OF_ACCOUNT,
    CODE_OF_PAIR,
    give_back,
    network_of,
    take,
)
from fairlead.flows.access.tokens import hash_of, new_token
from fairlead.store.access.second_factors import spend_recovery_code, spend_step
from fairlead.store.access.sessions import is_known_address, session_by_token
from fairlead.store.access.users import user_by_id
from fairlead.store.audit.log import AuditEvent, append_audit
from fairlead.store.connection import Connection, Database


def code_refused() -> Refused:
    """A wrong code, one that was used before, and one that has run out get the same answer."""
    return Refused("code_refused", "the code is not right, or was used before")


def seed_owner(user_id: str) -> str:
    """What a user's sealed seed is bound to."""
    return f"totp:{user_id}"


def confirm_second_factor(database: Database, box: SecretBox, token: str, code: str, client: Client) -> IssuedSession:
    """The session whose password was right is open, under a new token. `code`: of the app, or a recovery code.

    Each code is taken once, ever, also of two requests at the same moment; one of the app within 30 s of its time. The
    fifth wrong one in a row ends the session.

    Raises `Throttled`, and `Refused`: `session_invalid`, `enrolment_required` without a second factor,
    `second_factor_done`, `code_refused`.
    """
    renewed = new_token()

    def work(conn: Connection) -> IssuedSession | None:
        held = hold(conn, token)
        if not held.user.has_second_factor:
            raise Refused("enrolment_required", "a second factor has to be set up first")
        if held.session.state == "full":
            raise Refused("second_factor_done", "the second factor was given already")
        return _prove_by_code(conn, box, held, code, renewed, client)

    return _answer(database.run(work))


def step_up(database: Database, box: SecretBox, token: str, proof: str, client: Client) -> IssuedSession:
    """For ten minutes the session may do what needs a fresh proof, under a new token.

    `proof`: a code, or the password where the user has no second factor. The fifth wrong one in a row ends the session.

    Raises `Throttled`, and `Refused`: `session_invalid`, `second_factor_required` while the login is not finished,
    `code_refused`.
    """
    renewed = new_token()
    password_hash = _password_to_check(database, token)
    # Checked with no transaction open; only for those who have nothing better.
    is_right = password_hash is not None and is_password(password_hash, proof)

    def work(conn: Connection) -> IssuedSession | None:
        held = hold(conn, token)
        if held.session.state != "full":
            raise Refused("second_factor_required", "the login has to be finished first")
        if held.user.has_second_factor:
            return _prove_by_code(conn, box, held, proof, renewed, client)
        if not is_right or held.user.password_hash != password_hash:
            refuse_proof(conn, held, "step_up.refused", client.request_id)
            return None
        return _prove(conn, held, renewed, client, "password")

    return _answer(database.run(work))


def _password_to_check(database: Database, token: str) -> str | None:
    """The hash of the password of a user without a second factor; None for all others."""

    def work(conn: Connection) -> str | None:
        session = session_by_token(conn, hash_of(token))
        user = None if session is None else user_by_id(conn, session.user_id)
        if user is None:
            raise session_invalid()
        return None if user.has_second_factor else user.password_hash

    return database.run(work)


def _prove_by_code(
    conn: Connection, box: SecretBox, held: LockedSession, code: str, renewed: str, client: Client
) -> IssuedSession | None:
    """The code is spent and the session proven; None, and the attempt is on record, when it is not right."""
    # 120 bits need no limit, and stay a way in while an attacker who knows the password uses up the limit on codes.
    if not is_totp_code(code):
        if not spend_recovery_code(conn, held.user.user_id, hash_of_recovery_code(code), held.now):
            refuse_proof(conn, held, "second_factor.refused", client.request_id)
            return None
        return _prove(conn, held, renewed, client, "recovery_code")
    user_id, network = held.user.user_id, network_of(client.ip)
    is_known = is_known_address(conn, user_id, client.ip, held.now - ADDRESS_IS_KNOWN_FOR)
    limit, whom = (CODE_OF_PAIR, (user_id, network)) if is_known else (CODE_OF_ACCOUNT, (user_id,))
    take(conn, limit, *whom)
    assert held.user.totp_seed is not None, "its second factor was asked for"
    step = step_of(box.open(held.user.totp_seed, seed_owner(user_id)), code, held.now)
    if step is None or not spend_step(conn, user_id, step):
        refuse_proof(conn, held, "second_factor.refused", client.request_id)
        return None
    give_back(conn, limit, *whom)
    return _prove(conn, held, renewed, client, "totp")


def _prove(conn: Connection, held: LockedSession, renewed: str, client: Client, by: str) -> IssuedSession:
    done = prove(conn, held, renewed, by_second_factor=by != "password")
    user, session = held.user, held.session
    action = "session.opened" if session.state == "password_ok" else "session.stepped_up"
    actor = user_actor(user.user_id, user.role, client.request_id)
    new = {"user_id": user.user_id, "by": by}
    append_audit(conn, [AuditEvent(actor, action, "session", session.session_id, new=new)], held.now)
    return done


def _answer(done: IssuedSession | None) -> IssuedSession:
    if done is None:
        raise code_refused()
    return done
