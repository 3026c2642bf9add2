"""Letting the first operator in, by the link that the server's terminal shows."""

from typing import Annotated

from fastapi import Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from fairlead.api.access import FromClient, public
from fairlead.api.bodies import Router
from fairlead.api.concurrency_limits import password_slot
from fairlead.api.idempotency import refuses_keys
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.accounts import Token
from fairlead.api.routes.session import OwnSession, given_session
from fairlead.api.schemas.changes import Name
from fairlead.api.schemas.values import Email, Password, RequestModel
from fairlead.flows.access.first_operator import admit_setup, create_first_operator
from fairlead.flows.access.log_in import log_in

router = Router(
    prefix="/api/v1/setup",
    tags=["setup"],
    dependencies=[refuses_keys("the link works once: sent again, it is refused")],
)


class FirstOperator(RequestModel):
    """The token of the set-up link, and who operates the marketplace."""

    token: Token
    email: Email
    name: Annotated[Name, Field(examples=["Ada Example"])]
    password: Password


@router.post(
    "/operator",
    status_code=201,
    dependencies=[public("the token of the link is a secret that works once, while there is no operator")],
    responses=refuses("token_refused", "setup_finished", "email_taken", "login_refused", "too_many_attempts"),
)
async def add_first_operator(
    asked: FirstOperator, request: Request, response: Response, database: MarketplaceDatabase, client: FromClient
) -> OwnSession:
    """There is an operator, logged in but for the second factor, which comes next. Of two at once one wins."""
    await run_in_threadpool(admit_setup, database, asked.token, client)
    async with password_slot(request, "one-time link"):
        await run_in_threadpool(
            create_first_operator, database, asked.token, asked.email, asked.name, asked.password, client
        )
        done = await run_in_threadpool(log_in, database, asked.email, asked.password, client)
    return await run_in_threadpool(given_session, response, request, database, done)
