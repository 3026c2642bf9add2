"""Logging in and out, and what users do to their own sessions: second factor, step-up, password, ending them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, cast

from fastapi import Path, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from fairlead.api.access import FromClient, OpenedSession, needs_session, public
from fairlead.api.bodies import Router
from fairlead.api.concurrency_limits import password_slot
from fairlead.api.idempotency import refuses_keys
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase, SecretBoxResource
from fairlead.api.schemas.mail_language import MailLanguage
from fairlead.api.schemas.values import Email, Line, Password, RequestModel, ResponseModel, Uuid
from fairlead.api.session_cookie import give_token, take_token_back, token_of
from fairlead.core.permissions import Role
from fairlead.flows.access.log_in import admit_log_in, finish_log_in
from fairlead.flows.access.own_language import change_own_language, read_own_language
from fairlead.flows.access.password_changes import change_password
from fairlead.flows.access.principal import Principal, require_open
from fairlead.flows.access.second_factor import confirm_second_factor, step_up
from fairlead.flows.access.session_state import IssuedSession
from fairlead.flows.access.sessions import (
    authenticate_session,
    list_sessions,
    log_out,
    revoke_session,
    revoke_sessions,
)
from fairlead.store.connection import Database

router = Router(
    prefix="/api/v1/session",
    tags=["session"],
    dependencies=[refuses_keys("each attempt counts, and what is sent again is answered anew")],
)

Code = Annotated[Line, Field(min_length=6, max_length=40, examples=["123456"])]

Own = Annotated[OpenedSession, needs_session("what users do to their own session")]
_UNFINISHED = ("second_factor_required", "enrolment_required")
CODES = ("code_refused", "too_many_attempts", "encryption_keys_missing")


class Login(RequestModel):
    """An email address and its password."""

    email: Email
    password: Password


class SecondFactor(RequestModel):
    """A code of the authenticator app, or one of the recovery codes."""

    code: Code


class StepUpProof(RequestModel):
    """A code; for a user without a second factor, the password."""

    proof: Annotated[Line, Field(min_length=1, max_length=256, examples=["123456"])]


class PasswordChange(RequestModel):
    """The password that is known, and the one that replaces it."""

    current_password: Password
    new_password: Password


class OwnSession(ResponseModel):
    """Who is logged in. The session's token is in the cookie, and nowhere else."""

    user_id: Uuid
    session_id: Uuid
    role: Role
    provider_id: Uuid | None = Field(description="Whose portal this is; null for an operator.")
    next_step: Literal["second_factor", "enrolment"] | None = Field(
        description="What has to be done before anything else is open; null when it is."
    )
    permissions: list[str] = Field(examples=[["leads:read"]])
    stepped_up_until: datetime | None = Field(
        description="Until when what needs a fresh proof is open; null where it is not."
    )


class LiveSession(ResponseModel):
    """One of the user's sessions."""

    session_id: Uuid
    state: Literal["password_ok", "full"]
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime = Field(description="When it ends if it is not used.")
    ip: str | None = Field(examples=["203.0.113.7"])
    user_agent: str | None = Field(examples=["Mozilla/5.0"])
    is_current: bool


class LiveSessions(ResponseModel):
    """All of them, the last used first."""

    items: Sequence[LiveSession]


class ChosenLanguage(RequestModel):
    """In which language the user wants to be written to."""

    language: MailLanguage | None = Field(description="Null: as its provider is, or in English.")


class OwnLanguage(ResponseModel):
    """In which language the user is written to."""

    language: MailLanguage | None = Field(description="Null where none was chosen: as its provider is, or English.")


class SessionsEnded(ResponseModel):
    """How many sessions were ended."""

    ended: int


@router.post(
    "",
    dependencies=[public("logging in is how a user authenticates")],
    responses=refuses("login_refused", "too_many_attempts"),
)
async def begin_session(
    asked: Login,
    request: Request,
    response: Response,
    database: MarketplaceDatabase,
    client: FromClient,
) -> OwnSession:
    """Log in with email and password. The answer sets the cookie; `next_step` says what is still outstanding.

    A wrong password, an unknown address and a disabled user get the same answer after the same work.
    """
    # Whatever session the browser had is not continued: a token that an attacker planted there is worthless.
    attempt = await run_in_threadpool(admit_log_in, database, asked.email, client)
    async with password_slot(request, "login"):
        done = await run_in_threadpool(finish_log_in, database, attempt, asked.password, client)
    return await run_in_threadpool(given_session, response, request, database, done)


@router.get("")
def show_session(opened: Own) -> OwnSession:
    """Say who is logged in, and what is still outstanding."""
    return _own(opened.principal)


@router.delete(
    "",
    status_code=204,
    response_class=Response,
    dependencies=[public("a client without a session is logged out already")],
)
def end_session(request: Request, response: Response, database: MarketplaceDatabase, client: FromClient) -> None:
    """Log out: the session is over and the cookie is taken back. Doing so twice is no mistake."""
    if (token := token_of(request)) is not None:
        log_out(database, token, client)
    take_token_back(response, request)


@router.post("/second-factor", responses=refuses("second_factor_done", "enrolment_required", *CODES))
def give_second_factor(
    asked: SecondFactor,
    request: Request,
    response: Response,
    opened: Own,
    box: SecretBoxResource,
    database: MarketplaceDatabase,
    client: FromClient,
) -> OwnSession:
    """Finish the login with a code of the app, or a recovery code. The fifth wrong one ends the session."""
    done = confirm_second_factor(database, box, opened.token, asked.code, client)
    return given_session(response, request, database, done)


@router.post("/step-up", responses=refuses("second_factor_required", *CODES))
async def prove_again(
    asked: StepUpProof,
    request: Request,
    response: Response,
    opened: Own,
    box: SecretBoxResource,
    database: MarketplaceDatabase,
    client: FromClient,
) -> OwnSession:
    """Prove again who you are: for ten minutes the session may do what is dangerous. The fifth wrong proof ends it."""
    async with password_slot(request, "session"):
        done = await run_in_threadpool(step_up, database, box, opened.token, asked.proof, client)
    return await run_in_threadpool(given_session, response, request, database, done)


@router.post("/password", responses=refuses("second_factor_required", "password_refused"))
async def replace_password(
    asked: PasswordChange,
    request: Request,
    response: Response,
    opened: Own,
    database: MarketplaceDatabase,
    client: FromClient,
) -> OwnSession:
    """Change the password. All other sessions of this user are over."""
    passwords = asked.current_password, asked.new_password
    async with password_slot(request, "session"):
        done = await run_in_threadpool(change_password, database, opened.token, *passwords, client)
    return await run_in_threadpool(given_session, response, request, database, done)


@router.get("/language", responses=refuses(*_UNFINISHED))
def show_own_language(opened: Own, database: MarketplaceDatabase) -> OwnLanguage:
    """Show in which language the user is written to."""
    language = read_own_language(database, _finished(opened))
    return OwnLanguage(language=cast("MailLanguage | None", language))


@router.put("/language", responses=refuses(*_UNFINISHED))
def choose_own_language(asked: ChosenLanguage, opened: Own, database: MarketplaceDatabase) -> OwnLanguage:
    """Choose in which language the user is written to, from the next message on."""
    user_id = _finished(opened)
    language = change_own_language(database, user_id, asked.language, opened.principal.actor)
    return OwnLanguage(language=cast("MailLanguage | None", language))


@router.get("/all", responses=refuses(*_UNFINISHED))
def list_own_sessions(opened: Own, database: MarketplaceDatabase) -> LiveSessions:
    """List the user's own sessions."""
    user_id = _finished(opened)
    found = list_sessions(database, user_id, opened.principal.session_id)
    return LiveSessions(items=[LiveSession.model_validate(each) for each in found])


@router.delete("/others", responses=refuses(*_UNFINISHED))
def end_other_sessions(opened: Own, database: MarketplaceDatabase) -> SessionsEnded:
    """End all other sessions of the user."""
    user_id = _finished(opened)
    return SessionsEnded(ended=revoke_sessions(database, user_id, opened.principal.actor, opened.principal.session_id))


@router.delete(
    "/all/{session_id}",
    status_code=204,
    response_class=Response,
    responses=refuses("session_unknown", *_UNFINISHED),
)
def end_one_session(session_id: Annotated[Uuid, Path()], opened: Own, database: MarketplaceDatabase) -> None:
    """End one of the user's own sessions. Another user's is answered like one that does not exist."""
    revoke_session(database, _finished(opened), session_id, opened.principal.actor)


def _finished(opened: OpenedSession) -> str:
    """The user, once its login is finished. Raises `Refused`: what is still outstanding."""
    require_open(opened.principal)
    assert opened.principal.user_id is not None, "a session is a user's"
    return opened.principal.user_id


def given_session(response: Response, request: Request, database: Database, done: IssuedSession) -> OwnSession:
    """The browser has the session, and the answer says whose it is and what is outstanding."""
    give_token(response, request, done.token)
    return _own(authenticate_session(database, done.token, touch=False))


def _own(principal: Principal) -> OwnSession:
    return OwnSession(
        user_id=principal.user_id or "",
        session_id=principal.session_id or "",
        role=Role(principal.actor.role),
        provider_id=principal.provider_id,
        next_step=principal.next_step,
        permissions=sorted(permission.value for permission in principal.permissions),
        stepped_up_until=principal.stepped_up_until if principal.is_stepped_up else None,
    )
