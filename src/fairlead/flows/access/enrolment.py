"""Setting up a second factor: a seed for an authenticator app, a code that shows it arrived, and recovery codes."""

from dataclasses import dataclass, field

from fairlead.core.errors import Refused
from fairlead.delivery.secret_box import SecretBox
from fairlead.flows.access.codes import (
    Enrolment,
    enrolment_of,
    hash_of_recovery_code,
    new_recovery_codes,
    new_seed,
    step_of,
)
from fairlead.flows.access.principal import Client, user_actor
from fairlead.flows.access.second_factor import code_refused, seed_owner
from fairlead.flows.access.session_state import IssuedSession, LockedSession, hold, prove, refuse_proof
from fairlead.flows.access.tokens import new_token
from fairlead.store.access.second_factors import (
    confirm_seed,
    replace_recovery_codes,
    unused_recovery_codes,
    write_pending_seed,
)
from fairlead.store.access.sessions import end_sessions
from fairlead.store.audit.log import AuditEvent, append_audit
from fairlead.store.connection import Connection, Database


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The open session under its new token, and the recovery codes, which are shown now and never again."""

    session: IssuedSession
    recovery_codes: tuple[str, ...] = field(repr=False)


def begin_totp_enrolment(database: Database, box: SecretBox, token: str, client: Client) -> Enrolment:
    """The user has a new seed, sealed, which counts for nothing until `confirm_totp_enrolment`; a second factor that
    it has stays in force until then.

    An admin without one begins right after the password; all others after a step-up.

    Raises `Refused`: `session_invalid`, `second_factor_required` while the code of the present one is outstanding,
    `step_up_required`.
    """
    seed = new_seed()

    def work(conn: Connection) -> Enrolment:
        held = hold(conn, token)
        _check_may_enrol(held)
        user = held.user
        write_pending_seed(conn, user.user_id, box.seal(seed, seed_owner(user.user_id)))
        actor = user_actor(user.user_id, user.role, client.request_id)
        append_audit(conn, [AuditEvent(actor, "second_factor.enrolment_began", "user", user.user_id)], held.now)
        return enrolment_of(seed, user.email)

    return database.run(work)


def confirm_totp_enrolment(database: Database, box: SecretBox, token: str, code: str, client: Client) -> Enrolled:
    """The seed is the user's second factor, ten new recovery codes are its only ones, its other sessions are over, and
    this one is open under a new token. The code is spent.

    The fifth wrong code in a row ends the session. Raises `Refused`: as `begin_totp_enrolment`, `enrolment_not_begun`,
    `code_refused`.
    """
    renewed, codes = new_token(), new_recovery_codes()

    def work(conn: Connection) -> IssuedSession | None:
        held = hold(conn, token)
        _check_may_enrol(held)
        user, now = held.user, held.now
        if user.totp_pending_seed is None:
            raise Refused("enrolment_not_begun", "the enrolment has to be begun first")
        step = step_of(box.open(user.totp_pending_seed, seed_owner(user.user_id)), code, now)
        if step is None:
            refuse_proof(conn, held, "second_factor.refused", client.request_id)
            return None
        confirm_seed(conn, user.user_id, step, now)
        replace_recovery_codes(conn, user.user_id, [hash_of_recovery_code(each) for each in codes], now)
        ended = end_sessions(conn, user.user_id, "second_factor_changed", now, held.session.session_id)
        done = prove(conn, held, renewed, by_second_factor=True)
        actor = user_actor(user.user_id, user.role, client.request_id)
        old, new = {"had_second_factor": user.has_second_factor}, {"ended_sessions": ended}
        event = AuditEvent(actor, "second_factor.enrolled", "user", user.user_id, old=old, new=new)
        append_audit(conn, [event], now)
        return done

    done = database.run(work)
    if done is None:
        raise code_refused()
    return Enrolled(done, codes)


def renew_recovery_codes(database: Database, token: str, client: Client) -> tuple[str, ...]:
    """Ten new recovery codes, shown now and never again, are the user's only ones. After a step-up.

    Raises `Refused`: `session_invalid`, `second_factor_required`, `step_up_required`, `enrolment_required`.
    """
    codes = new_recovery_codes()

    def work(conn: Connection) -> None:
        held = hold(conn, token)
        _check_may_enrol(held)
        user = held.user
        if not user.has_second_factor:
            raise Refused("enrolment_required", "a second factor has to be set up first")
        old = {"unused": unused_recovery_codes(conn, user.user_id)}
        replace_recovery_codes(conn, user.user_id, [hash_of_recovery_code(each) for each in codes], held.now)
        actor = user_actor(user.user_id, user.role, client.request_id)
        event = AuditEvent(actor, "recovery_codes.renewed", "user", user.user_id, old=old, new={"unused": len(codes)})
        append_audit(conn, [event], held.now)

    database.run(work)
    return codes


def _check_may_enrol(held: LockedSession) -> None:
    """A pending session may set up the first second factor; an open one needs a fresh proof."""
    if held.session.state == "password_ok":
        if held.user.has_second_factor:
            raise Refused("second_factor_required", "the second factor is needed first")
    elif not held.is_stepped_up:
        raise Refused("step_up_required", "this needs a fresh proof of who you are")
