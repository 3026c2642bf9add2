"""Taking leads in from outside: from partners with a key, and from any page's form, whose sender confirms by email."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path, Response
from pydantic import Field

from fairlead.api.access import FromClient, needs, public
from fairlead.api.bodies import Router
from fairlead.api.idempotency import AcceptIdempotencyKey, refuses_keys
from fairlead.api.openapi import refuses
from fairlead.api.problems import problem_response
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.lead_values import LeadDetails
from fairlead.api.schemas.mail_language import MailLanguage
from fairlead.api.schemas.values import Line, RequestModel, ResponseModel, Slug, Timestamp, Uuid, pattern_with_message
from fairlead.api.violations import Violation
from fairlead.core.form import FieldType
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.throttle import INTAKE_OF_ADDRESS
from fairlead.flows.erasure.own_erasure import erase_request
from fairlead.flows.intake.confirmation import confirm_lead
from fairlead.flows.intake.lead import GivenConsent, IntakeLead, LeadDuplicate
from fairlead.flows.intake.own_request import RequestState, request_token, show_request, withdraw_request
from fairlead.flows.intake.public_form import read_public_form
from fairlead.flows.intake.take_in import public_sender, take_in_lead

router = Router(prefix="/api/v1", tags=["intake"])

_Page = Annotated[
    Line,
    Field(
        pattern=pattern_with_message(
            r"^https?://[^\s\x00-\x1f\x7f]+$", "Input should be an address that begins with http:// or https://"
        ),
        max_length=2_000,
    ),
]


class PublicConsent(RequestModel):
    """What the consumer agreed to, word by word. From where and with which browser, the request says."""

    text: Annotated[
        str,
        Field(
            pattern=pattern_with_message(
                r"^[^\x00]*[^\s\x00][^\x00]*$", "Input should be text that is not blank, without NUL characters"
            ),
            min_length=1,
            max_length=10_000,
        ),
        Field(examples=["I want to be called about an offer."]),
    ]
    consented_at: Timestamp | None = Field(default=None, description="When; just now if it is not said.")
    source_url: _Page | None = Field(
        default=None,
        description="The page on which the consumer agreed.",
        examples=["https://moving.example.com/offer"],
    )
    certificate_url: _Page | None = Field(
        default=None, description="A third party's certificate of it.", examples=["https://certificates.example.com/1"]
    )


class PartnerConsent(PublicConsent):
    """What the consumer agreed to, and from where, as the partner saw it."""

    ip: Annotated[Line, Field(min_length=2, max_length=45, examples=["203.0.113.7"])] | None = None
    user_agent: Annotated[Line, Field(min_length=1, max_length=500, examples=["Mozilla/5.0"])] | None = None


class PartnerLead(LeadDetails):
    """A lead that a partner sends."""

    niche: Slug = Field(examples=["hosting"])
    consent: PartnerConsent | None = None


class PublicLead(LeadDetails):
    """A lead that a form sends for the consumer who filled it in.

    It needs an email address, at which it is confirmed.
    """

    niche: Slug = Field(examples=["hosting"])
    consent: PublicConsent
    language: MailLanguage | None = Field(
        default=None, description="The language in which the consumer is written to; English if it is not said."
    )


class EarlierLead(ResponseModel):
    """The lead that this one repeats. Its id is told only to who sent that one too, with the same key."""

    matched_fields: Sequence[str] = Field(examples=[["contact_email"]])
    created_at: datetime
    lead_id: Uuid | None


class LeadTakenIn(ResponseModel):
    """A lead that was taken in, and the earlier one that it repeats where the niche only flags that."""

    lead_id: Uuid
    status: Literal["pending_approval", "approved"]
    duplicate_of: EarlierLead | None


class LeadToConfirm(ResponseModel):
    """A lead that was taken in, and counts once it is confirmed by the link in a message to its email address."""

    lead_id: Uuid
    status: Literal["pending_confirmation"]


class Confirmation(RequestModel):
    """What the link in the message holds behind its `#`."""

    token: Annotated[Line, Field(min_length=1, max_length=200, examples=["Zk3v9Q0s6Wb1nT5yR8uXc2La7Jd4Hf0Pe"])]


class ConsumerLink(RequestModel):
    """A consumer's link to its request."""

    token: Annotated[Line, Field(min_length=1, max_length=200, examples=["Zk3v9Q0s6Wb1nT5yR8uXc2La7Jd4Hf0Pe"])] = Field(
        description="What it holds behind its `#`."
    )


class LeadConfirmed(ResponseModel):
    """A lead that is confirmed, `was_already` before."""

    lead_id: Uuid
    was_already: bool
    request_token: str = Field(
        description="What a link to the consumer's request holds behind its `#`; the message on its way has another.",
        examples=["Zk3v9Q0s6Wb1nT5yR8uXc2La7Jd4Hf0Pe"],
    )


class ConsumerRequestRecipient(ResponseModel):
    """A company that has the request."""

    name: str = Field(examples=["Example Services Ltd"])
    email: str = Field(description="At which it is reached.", examples=["sales@example.com"])
    received_at: datetime = Field(description="When it received the request.")


class ConsumerRequest(ResponseModel):
    """How far a consumer's request has come, and who has it."""

    state: RequestState = Field(
        description="One that is not passed on is `being_checked` for 14 days, whatever was decided."
    )
    niche_name: str = Field(examples=["Hosting"])
    sent_at: datetime = Field(description="When the form was sent.")
    confirmed_at: datetime | None
    withdrawn_at: datetime | None = Field(description="When its consumer withdrew it; null before.")
    may_withdraw: bool = Field(description="Whether it can be withdrawn and is not yet.")
    recipients: Sequence[ConsumerRequestRecipient] = Field(description="Who has it, the first recipient first.")


class WithdrawnLead(ResponseModel):
    """A request that is withdrawn."""

    was_already: bool = Field(description="Whether it had been before.")
    was_passed_on: bool = Field(description="Whether companies have it: they are told.")


class ErasedRequest(ResponseModel):
    """A request that is erased."""

    was_passed_on: bool = Field(description="Whether companies have it: they are told to erase it, too.")
    told_count: int = Field(description="How many they are.", examples=[2])


class PublicFormField(ResponseModel):
    """A question of the form."""

    key: str = Field(examples=["cores"])
    label: str = Field(examples=["Virtual cores"])
    type: FieldType
    required: bool
    options: Sequence[str] = Field(description="The possible answers, where there is a list of them.")


class PublicFormDocument(ResponseModel):
    """What a niche asks of consumers."""

    niche: str = Field(examples=["hosting"])
    name: str = Field(examples=["Hosting"])
    fields: Sequence[PublicFormField]
    most_recipients: int = Field(description="How many providers can get a lead at most.", examples=[9])


@router.post(
    "/leads",
    status_code=201,
    response_model=LeadTakenIn,
    responses=refuses("niche_unknown", "niche_inactive", "lead_duplicate"),
)
def take_in_partners_lead(
    asked: PartnerLead,
    sender: Annotated[Principal, needs(Permission.INTAKE_WRITE)],
    database: MarketplaceDatabase,
    client: FromClient,
    idempotency: AcceptIdempotencyKey,
) -> LeadTakenIn | Response:
    """Send a lead: it is pending approval, or approved at once where the niche has partners' leads so.

    One that repeats an earlier lead by the niche's rule is refused or flagged, as the rule says. The refusal names the
    fields in `errors`, and has the member `duplicate_of`, as an answer to a flagged one has.
    """
    try:
        done = take_in_lead(
            database, _lead(asked, asked.consent), "key", sender.actor, client, idempotency.key_of(sender, asked)
        )
    except LeadDuplicate as refused:
        return _duplicate(refused)
    return LeadTakenIn.model_validate(done)


@router.get(
    "/public/forms/{slug}",
    dependencies=[public("forms are filled in by people who are known nowhere")],
    responses=refuses("niche_unknown", "niche_inactive"),
)
def show_public_form(
    slug: Annotated[Slug, Path(description="The niche's slug.")], database: MarketplaceDatabase
) -> PublicFormDocument:
    """Show what a niche asks of consumers, for a page that asks it. Only of niches that let the public in."""
    form = read_public_form(database, slug)
    return PublicFormDocument(
        niche=form.niche_slug,
        name=form.niche_name,
        fields=[
            PublicFormField(
                key=each.key, label=each.label, type=each.type, required=each.required, options=each.options
            )
            for each in form.fields
        ],
        most_recipients=form.most_recipients,
    )


@router.post(
    "/public/leads",
    status_code=202,
    dependencies=[
        public("forms are filled in by people who are known nowhere", from_anywhere=True, limit=INTAKE_OF_ADDRESS)
    ],
    responses=refuses("niche_unknown", "niche_inactive", "too_many_attempts"),
)
def take_in_public_lead(
    asked: PublicLead, database: MarketplaceDatabase, client: FromClient, idempotency: AcceptIdempotencyKey
) -> LeadToConfirm:
    """Send a lead from a form, from any site's page: its email address is asked to confirm it within seven days.

    The answer is the same whether or not the consumer sent a lead before. Only for niches that let the public in.
    """
    sender, key = public_sender(client), idempotency.key_of_public(client, asked)
    done = take_in_lead(database, _lead(asked, asked.consent), "public", sender, client, key)
    return LeadToConfirm.model_validate(done)


@router.post(
    "/public/leads/confirm",
    dependencies=[public("the link proves access to the mailbox that it was sent to", from_anywhere=True)],
    responses=refuses("token_refused", "too_many_attempts"),
)
def confirm_public_lead(
    asked: Confirmation, database: MarketplaceDatabase, client: FromClient, idempotency: AcceptIdempotencyKey
) -> LeadConfirmed:
    """Confirm a lead: it is pending approval. Doing so twice is no mistake."""
    key = idempotency.key_of_public(client, asked)
    done = confirm_lead(database, asked.token, client, key)
    return LeadConfirmed(lead_id=done.lead_id, was_already=done.was_already, request_token=request_token(asked.token))


@router.post(
    "/public/leads/state",
    dependencies=[
        public("the link proves access to the mailbox that it was sent to", from_anywhere=True),
        refuses_keys("each attempt counts"),
    ],
    responses=refuses("token_refused", "too_many_attempts"),
)
def show_own_request(asked: ConsumerLink, database: MarketplaceDatabase, client: FromClient) -> ConsumerRequest:
    """Show how far a consumer's request has come, and which companies have it."""
    return ConsumerRequest.model_validate(show_request(database, asked.token, client))


@router.post(
    "/public/leads/withdraw",
    dependencies=[public("the link proves access to the mailbox that it was sent to", from_anywhere=True)],
    responses=refuses("token_refused", "too_many_attempts"),
)
def withdraw_own_request(
    asked: ConsumerLink, database: MarketplaceDatabase, client: FromClient, idempotency: AcceptIdempotencyKey
) -> WithdrawnLead:
    """Withdraw a consumer's request: it is never sold from now on. Companies that have it already are told.

    Doing so twice is no mistake.
    """
    key = idempotency.key_of_public(client, asked)
    return WithdrawnLead.model_validate(withdraw_request(database, asked.token, client, key))


@router.post(
    "/public/leads/erase",
    dependencies=[public("the link proves access to the mailbox that it was sent to", from_anywhere=True)],
    responses=refuses("token_refused", "too_many_attempts"),
)
def erase_own_request(
    asked: ConsumerLink, database: MarketplaceDatabase, client: FromClient, idempotency: AcceptIdempotencyKey
) -> ErasedRequest:
    """Erase all personal data of a consumer's request, for good: answers, contact data, consent, and the link itself.

    It is never sold from now on. Companies that have it already are told to erase it, too. That there was a request,
    when it was sold and for how much stays on record, without saying whose it was.
    """
    key = idempotency.key_of_public(client, asked)
    return ErasedRequest.model_validate(erase_request(database, asked.token, client, key))


def _lead(asked: PartnerLead | PublicLead, consent: PublicConsent | None) -> IntakeLead:
    given = None if consent is None else GivenConsent(**consent.model_dump())
    language = asked.language if isinstance(asked, PublicLead) else None
    return IntakeLead(asked.niche, asked.attributes, asked.details, given, language)


def _duplicate(refused: LeadDuplicate) -> Response:
    earlier = EarlierLead.model_validate(refused.earlier)
    violations = [
        Violation(
            location="body",
            pointer="/" + name.replace(".", "/", 1),
            code="lead_duplicate",
            detail="another lead has the same",
        )
        for name in earlier.matched_fields
    ]
    return problem_response(
        refused.code, str(refused), violations, more={"duplicate_of": earlier.model_dump(mode="json")}
    )
