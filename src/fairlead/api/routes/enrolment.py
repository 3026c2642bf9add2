"""Setting up one's own second factor, and its recovery codes."""

from fastapi import Request, Response
from pydantic import Field

from fairlead.api.access import FromClient
from fairlead.api.bodies import Router
from fairlead.api.idempotency import refuses_keys
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase, SecretBoxResource
from fairlead.api.routes.session import CODES, Own, SecondFactor
from fairlead.api.schemas.values import ResponseModel
from fairlead.api.session_cookie import give_token
from fairlead.flows.access.enrolment import begin_totp_enrolment, confirm_totp_enrolment, renew_recovery_codes

router = Router(
    prefix="/api/v1/session",
    tags=["session"],
    dependencies=[refuses_keys("each attempt counts, and what is sent again is answered anew")],
)


class Enrolment(ResponseModel):
    """What an authenticator app needs. It counts once a code of it has been confirmed."""

    secret: str = Field(
        description="The secret, for typing it into an authenticator app.", examples=["JBSWY3DPEHPK3PXP"]
    )
    uri: str = Field(examples=["otpauth://totp/Fairlead:ada%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=Fairlead"])
    qr_svg: str = Field(
        description="The same as a picture to scan.", examples=['<svg xmlns="http://www.w3.org/2000/svg"/>']
    )


class RecoveryCodes(ResponseModel):
    """Codes for when the app is lost, each good once. Shown now and never again."""

    recovery_codes: list[str] = Field(examples=[["K7QZP-3MWTD-9XRHC-VB2NF-6JYKA"]])


@router.post("/enrolment", responses=refuses("second_factor_required", "step_up_required", "encryption_keys_missing"))
def begin_enrolment(
    opened: Own, box: SecretBoxResource, database: MarketplaceDatabase, client: FromClient
) -> Enrolment:
    """Begin to set up a second factor. One that is there stays in force until the new one is confirmed."""
    begun = begin_totp_enrolment(database, box, opened.token, client)
    return Enrolment(secret=begun.seed, uri=begun.uri, qr_svg=begun.qr_svg)


@router.post(
    "/enrolment/confirm",
    responses=refuses("second_factor_required", "step_up_required", "enrolment_not_begun", *CODES),
)
def confirm_enrolment(
    asked: SecondFactor,
    response: Response,
    opened: Own,
    box: SecretBoxResource,
    database: MarketplaceDatabase,
    request: Request,
    client: FromClient,
) -> RecoveryCodes:
    """Confirm the second factor with a code of it. The session is open, all others of this user are over."""
    done = confirm_totp_enrolment(database, box, opened.token, asked.code, client)
    give_token(response, request, done.session.token)
    return RecoveryCodes(recovery_codes=list(done.recovery_codes))


@router.post("/recovery-codes", responses=refuses("second_factor_required", "step_up_required", "enrolment_required"))
def renew_codes(opened: Own, database: MarketplaceDatabase, client: FromClient) -> RecoveryCodes:
    """Replace the recovery codes by new ones. The old ones open nothing any more."""
    return RecoveryCodes(recovery_codes=list(renew_recovery_codes(database, opened.token, client)))
