"""What users do before they can log in: accepting an invitation, replacing a lost password, registering."""

from typing import Annotated, Literal

from fastapi import Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from fairlead.api.access import FromClient, public
from fairlead.api.bodies import Router
from fairlead.api.concurrency_limits import constant_time, password_slot
from fairlead.api.idempotency import refuses_keys
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.changes import Name
from fairlead.api.schemas.values import Email, Password, RequestModel, ResponseModel, pattern_with_message
from fairlead.flows.access.one_time import Purpose, admit_link, use_link
from fairlead.flows.access.password_changes import request_password_reset
from fairlead.flows.access.principal import Client
from fairlead.flows.access.registration import register_provider
from fairlead.store.connection import Database

router = Router(
    prefix="/api/v1/accounts",
    tags=["accounts"],
    dependencies=[
        public("these users cannot log in yet"),
        refuses_keys("each attempt counts, and the answer is the same whatever comes of it"),
    ],
)

Token = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        pattern=pattern_with_message(r"^[!-~]+$", "Input should be printable ASCII without spaces"),
        description="What stands behind the # of the link.",
        examples=["x4yK2mQ8vT1nB7cZ5sW9dR3fG6hJ0lPaE"],
        repr=False,
    ),
]


class PasswordByLink(RequestModel):
    """The token of a link that was sent, and the password to log in with from now on."""

    token: Token
    password: Password


class ForgottenPassword(RequestModel):
    """Whose password is lost."""

    email: Email


class Registration(RequestModel):
    """A provider that wants to buy leads."""

    email: Email
    name: Annotated[Name, Field(examples=["Anchor Hosting"])]


class Accepted(ResponseModel):
    """The same whatever comes of it: it does not tell whether the address is known."""

    status: Literal["accepted"]


_ACCEPTED = Accepted(status="accepted")


@router.post(
    "/accept-invitation",
    status_code=204,
    response_class=Response,
    responses=refuses("token_refused", "too_many_attempts"),
)
async def accept_invitation(
    asked: PasswordByLink, request: Request, client: FromClient, database: MarketplaceDatabase
) -> None:
    """The invited user can log in with this password. The link cannot be used again."""
    await _set_password(asked, "invite", request, client, database)


@router.post("/request-password-reset", status_code=202, responses=refuses("too_many_attempts"))
async def ask_for_password_reset(
    asked: ForgottenPassword, client: FromClient, database: MarketplaceDatabase
) -> Accepted:
    """An active user with this address will be sent a link, good for an hour."""
    async with constant_time():
        await run_in_threadpool(request_password_reset, database, asked.email, client)
    return _ACCEPTED


@router.post(
    "/reset-password",
    status_code=204,
    response_class=Response,
    responses=refuses("token_refused", "too_many_attempts"),
)
async def reset_forgotten_password(
    asked: PasswordByLink, request: Request, client: FromClient, database: MarketplaceDatabase
) -> None:
    """The user has this password, and all its sessions and other links are over."""
    await _set_password(asked, "password_reset", request, client, database)


@router.post("/register", status_code=202, responses=refuses("too_many_attempts"))
async def register(asked: Registration, client: FromClient, database: MarketplaceDatabase) -> Accepted:
    """A provider that is not known yet waits for its approval, and its address will be sent a link to log in."""
    async with constant_time():
        await run_in_threadpool(register_provider, database, asked.email, asked.name, client)
    return _ACCEPTED


async def _set_password(
    asked: PasswordByLink, purpose: Purpose, request: Request, client: Client, database: Database
) -> None:
    link = await run_in_threadpool(admit_link, database, asked.token, purpose, client)
    async with password_slot(request, "one-time link"):
        await run_in_threadpool(use_link, database, link, asked.password, client)
