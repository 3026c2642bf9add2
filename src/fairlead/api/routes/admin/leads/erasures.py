"""Personal data of consumers: showing what an erasure would take away, erasing a lead or a person, what was erased."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, ClassVar, Literal

from fastapi import Path
from pydantic import Field, JsonValue

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.idempotency import AcceptIdempotencyKey, changes_nothing, refuses_keys
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.pagination import ByCursor, Page
from fairlead.api.schemas.values import RequestModel, ResponseModel, Slug, Uuid
from fairlead.core.entry.types import Line
from fairlead.core.erasure_terms import ErasureOrigin, ErasureReason, ErasureScope
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.erasure.erase import erase_lead, erase_person
from fairlead.flows.erasure.person_file import person_file
from fairlead.flows.erasure.preview import preview_lead, preview_person
from fairlead.flows.erasure.records import erasure_page, lead_erasures
from fairlead.store.leads.rows import LeadStatus

router = Router(prefix="/api/v1/admin", tags=["personal data"])

Reader = Annotated[Principal, needs(Permission.LEADS_READ)]
Auditor = Annotated[Principal, needs(Permission.AUDIT_READ)]
Eraser = Annotated[Principal, needs(Permission.PRIVACY_WRITE)]
LeadId = Annotated[Uuid, Path(description="The lead's id.")]
OperatorsReason = Literal["consumer_request", "consent_withdrawn", "unlawful", "test_data", "no_longer_needed"]

_EACH_TIME = refuses_keys("each time is on record")
_AGAIN = refuses_keys("what is erased is erased once: sent again, it finds nothing left")


class LeadErasure(RequestModel):
    """Why something is erased, as one of a few: it is on record, and nothing personal may be."""

    reason: OperatorsReason = Field(description="Why.", examples=["consumer_request"])


class PersonChoice(RequestModel):
    """Whose leads are meant."""

    person: Annotated[str, Line(320)] = Field(
        description="A whole email address or telephone number, however it is written.", examples=["ann@example.com"]
    )


class PersonErasure(PersonChoice, LeadErasure):
    """Whose leads are erased, and why."""


class LeadToErase(ResponseModel):
    """A lead, how much of what would go with its erasure, and what would stay."""

    lead_id: Uuid
    niche: Slug = Field(examples=["hosting"])
    status: LeadStatus = Field(description="How far it has come.")
    created_at: datetime = Field(description="When it came in.")
    erased_at: datetime | None = Field(description="When it was erased; null where it is not.")
    answers: int = Field(description="Answers that would go.", examples=[4])
    contact_fields: int = Field(description="Contact fields and texts of where it came from that would go.")
    consents: int = Field(description="Consents that would go.", examples=[1])
    links: int = Field(description="Links of its consumer that would work no more.", examples=[1])
    notes: int = Field(description="Notes of reviewers and providers that would go.", examples=[0])
    waiting_messages: int = Field(description="Messages that would not be sent any more.", examples=[0])
    decisions: int = Field(description="Decisions, which stay.", examples=[1])
    paid_cents: int = Field(description="What was paid for it, which stays, in minor units.", examples=[2500])
    buyer_names: Sequence[str] = Field(description="Who bought it, and would be told to erase it.")


class ErasurePreview(ResponseModel):
    """What an erasure would do."""

    leads: Sequence[LeadToErase] = Field(description="By id; of a person with many leads the first 1,000.")
    export_files: int = Field(description="Files of exports that would be dropped, since they may name the person.")


class ErasedLead(ResponseModel):
    """A lead that is erased."""

    lead_id: Uuid
    was_already: bool = Field(description="It had been before, and nothing was changed.")
    was_sold: bool = Field(description="Providers have bought it: its decision and what they paid stay.")
    told_count: int = Field(description="How many providers are told to erase it, too.", examples=[2])


class ErasedPerson(ResponseModel):
    """The leads of a person that are erased by this request."""

    lead_ids: Sequence[Uuid] = Field(description="Empty where none was left.")
    told_count: int = Field(description="How many times providers are told to erase one, too.", examples=[2])


class PersonData(ResponseModel):
    """All that is held of a person, as one moment has it."""

    is_personal: ClassVar[bool] = True

    file_id: Uuid = Field(description="By which the audit log names it.")
    made_at: datetime = Field(description="When it was put together.")
    is_whole: bool = Field(description="False where there are more than 1,000 leads: the first are given.")
    leads: Sequence[dict[str, JsonValue]] = Field(
        description="Each lead with its answers, contact data, consents, who received it and when, and messages."
    )


class ErasureNotice(ResponseModel):
    """That a provider that bought the lead was told to erase it, too: by one channel, how far that has come."""

    provider_id: Uuid
    provider_name: str = Field(description="The provider's name.", examples=["Anchor Hosting"])
    channel: Literal["email", "webhook"] = Field(description="How it was told.")
    state: Literal["queued", "sent", "failed", "skipped"] = Field(description="How far the notice has come.")
    sent_at: datetime | None = Field(description="When it was taken by the other side; null before.")


class LeadErasureRecord(ResponseModel):
    """What was erased of a lead, when, by whom and why. Nothing personal."""

    erasure_id: Uuid = Field(description="The erasure's id.")
    lead_id: Uuid
    scope: ErasureScope = Field(description="All that is personal, or by retention a part of it.")
    erased_at: datetime = Field(description="When it was erased.")
    erased_by: str = Field(
        description="Who erased it, or `consumer`, or `fairlead` by retention.",
        examples=["user:01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"],
    )
    origin: ErasureOrigin = Field(description="At whose wish.")
    reason: ErasureReason = Field(description="Why.")
    status_before: LeadStatus = Field(description="What the lead was right before.")


class LeadErasures(ResponseModel):
    """What was erased of a lead, and who was told."""

    lead_id: Uuid
    items: Sequence[LeadErasureRecord] = Field(description="The oldest first; empty where nothing was.")
    notices: Sequence[ErasureNotice] = Field(description="By provider; empty where none bought it.")


@router.get("/leads/{lead_id}/erasure/preview", responses=refuses("lead_unknown"))
def preview_lead_erasure(lead_id: LeadId, _reader: Reader, database: MarketplaceDatabase) -> ErasurePreview:
    """Show what erasing the lead would take away, and what would stay. Changes nothing."""
    return ErasurePreview.model_validate(preview_lead(database, lead_id))


@router.get("/leads/{lead_id}/erasures", responses=refuses("lead_unknown"))
def show_lead_erasures(lead_id: LeadId, _reader: Reader, database: MarketplaceDatabase) -> LeadErasures:
    """Show what was erased of the lead, and whether those who bought it have been told."""
    return LeadErasures.model_validate(lead_erasures(database, lead_id))


@router.post("/leads/{lead_id}/erase", responses=refuses("lead_unknown"))
def erase_one_lead(
    lead_id: LeadId,
    asked: LeadErasure,
    eraser: Eraser,
    database: MarketplaceDatabase,
    idempotency: AcceptIdempotencyKey,
) -> ErasedLead:
    """Erase all personal data of a lead, for good. One that is not sold is closed, and never will be sold.

    Decisions and payments stay, without saying whose lead it was. Providers that bought it are told to erase it, too.
    Doing so again changes nothing.
    """
    key = idempotency.key_of(eraser, asked)
    return ErasedLead.model_validate(erase_lead(database, lead_id, asked.reason, eraser.actor, key))


@router.post("/persons/erasure/preview", dependencies=[changes_nothing("it only shows")])
def preview_person_erasure(asked: PersonChoice, _reader: Reader, database: MarketplaceDatabase) -> ErasurePreview:
    """Show what erasing all leads with this email address or telephone number would take away. Changes nothing."""
    return ErasurePreview.model_validate(preview_person(database, asked.person))


@router.post("/persons/erase", dependencies=[_AGAIN])
def erase_leads_of_person(asked: PersonErasure, eraser: Eraser, database: MarketplaceDatabase) -> ErasedPerson:
    """Erase all leads with this email address or telephone number, however it was written, as erasing one does."""
    return ErasedPerson.model_validate(erase_person(database, asked.person, asked.reason, eraser.actor))


@router.post("/persons/data", dependencies=[_EACH_TIME])
def show_data_of_person(asked: PersonChoice, eraser: Eraser, database: MarketplaceDatabase) -> PersonData:
    """Give all that is held of a person, for the person: leads, answers, consents, who received them, messages sent.

    Each time is in the audit log, by the leads' ids. Nothing of the answer is kept.
    """
    return PersonData.model_validate(person_file(database, asked.person, eraser.actor))


@router.get("/erasures")
def list_erasures(_auditor: Auditor, database: MarketplaceDatabase, keyset: ByCursor) -> Page[LeadErasureRecord]:
    """List what was erased, when, by whom and why, the newest first. Nothing personal."""
    found = erasure_page(database, keyset.after, keyset.probe)
    items, next_cursor = keyset.cut(found, lambda each: (each.erased_at, each.erasure_id))
    return Page[LeadErasureRecord](
        items=[LeadErasureRecord.model_validate(each) for each in items], next_cursor=next_cursor
    )
