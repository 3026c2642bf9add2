"""What somebody does before they can log in: accepting an invitation, replacing a lost password, registering."""

from typing import Annotated, Literal

from fastapi import Response
from pydantic import Field

from fairlead.api.access import FromClient, public
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.password_turns import in_turn
from fairlead.api.resources import Marketplace
from fairlead.api.shapes.changes import Name
from fairlead.api.shapes.values import Answer, Asked, Email, Password, in_words
from fairlead.flows.access.one_time import accept_invite, reset_password
from fairlead.flows.access.password_changes import request_password_reset
from fairlead.flows.access.registration import register_provider

router = Router(
    prefix="/api/v1/accounts", tags=["accounts"], dependencies=[public("nobody here can log in yet"), in_turn]
)

Token = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        pattern=in_words(r"^[!-~]+$", "Input should be printable ASCII without spaces"),
        description="What stands behind the # of the link.",
        examples=["x4yK2mQ8vT1nB7cZ5sW9dR3fG6hJ0lPaE"],
        repr=False,
    ),
]


class PasswordByLink(Asked):
    """The token of a link that was sent, and the password to log in with from now on."""

    token: Token
    password: Password


class ForgottenPassword(Asked):
    """Whose password is lost."""

    email: Email


class Registration(Asked):
    """A provider that wants to buy leads."""

    email: Email
    name: Annotated[Name, Field(examples=["Anchor Hosting"])]


class Accepted(Answer):
    """The same whatever comes of it: it does not tell whether the address is known."""

    status: Literal["accepted"]


_ACCEPTED = Accepted(status="accepted")


@router.post(
    "/accept-invitation",
    status_code=204,
    response_class=Response,
    responses=refuses("token_refused", "too_many_attempts"),
)
def accept_invitation(asked: PasswordByLink, client: FromClient, database: Marketplace) -> None:
    """Whoever was invited can log in with this password. The link opens nothing any more."""
    accept_invite(database, asked.token, asked.password, client)


@router.post("/request-password-reset", status_code=202, responses=refuses("too_many_attempts"))
def ask_for_password_reset(asked: ForgottenPassword, client: FromClient, database: Marketplace) -> Accepted:
    """An active user with this address will be sent a link, good for an hour."""
    request_password_reset(database, asked.email, client)
    return _ACCEPTED


@router.post(
    "/reset-password",
    status_code=204,
    response_class=Response,
    responses=refuses("token_refused", "too_many_attempts"),
)
def reset_forgotten_password(asked: PasswordByLink, client: FromClient, database: Marketplace) -> None:
    """The user has this password, and all its sessions and other links are over."""
    reset_password(database, asked.token, asked.password, client)


@router.post("/register", status_code=202, responses=refuses("too_many_attempts"))
def register(asked: Registration, client: FromClient, database: Marketplace) -> Accepted:
    """A provider that is not known yet waits for its approval, and its address will be sent a link to log in."""
    register_provider(database, asked.email, asked.name, client)
    return _ACCEPTED
