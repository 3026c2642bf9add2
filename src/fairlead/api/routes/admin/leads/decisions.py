"""A lead's decision as it went, queue by queue; taking it again; and what happened to the lead, in order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.concurrency_limits import REPLAYS
from fairlead.api.idempotency import changes_nothing
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.leads.distribution import JournalSeq
from fairlead.api.schemas.decided_queues import DecidedQueue, shown_queue
from fairlead.api.schemas.values import ResponseModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.explaining.decision_queues import RecordedQueues, recorded_queues
from fairlead.flows.proving.verify_decision import verify_decision
from fairlead.store.connection import Connection
from fairlead.store.leads.messages import LeadMessage as StoredMessage
from fairlead.store.leads.messages import messages_of_lead
from fairlead.store.leads.timeline import lead_timeline
from fairlead.store.leads.views import lead_in_full

router = Router(prefix="/api/v1/admin/leads", tags=["distribution"])

MOST_MESSAGES = 1_000

LeadId = Annotated[Uuid, Path(description="The lead's id.")]
Reader = Annotated[Principal, needs(Permission.LEADS_READ)]


class DecidedQueues(ResponseModel):
    """A decision and the queues that it went through, in the order of its traversal."""

    lead_id: Uuid
    niche: str = Field(examples=["hosting"])
    currency: str = Field(examples=["EUR"])
    journal_seq: int
    journal_seqs: Sequence[int] = Field(description="All decisions of the lead, the oldest first.", examples=[[12]])
    recorded_at: datetime
    hash: str = Field(description="Of the journal's entry.", examples=["0" * 64])
    outcome: Literal["success", "partial", "no_eligible"]
    start_order_position: int | None
    next_start_order_position: int
    is_whole: bool = Field(description="False where the lead's answers are gone: only recorded candidates are named.")
    levels: Sequence[DecidedQueue]


class VerifiedDecision(ResponseModel):
    """What came of taking a decision again, from how its niche stood right before it."""

    lead_id: Uuid
    niche_id: Uuid
    journal_seq: int
    hash: str = Field(description="Of the journal's entry.", examples=["0" * 64])
    holds: bool = Field(description="Whether it came out byte for byte, at its place in the chain of hashes.")
    differences: Sequence[str] = Field(description="What differs, in words; none where it holds.", examples=[[]])
    recipients: int = Field(description="How many providers receive the lead by it.")
    up_to_seq: int = Field(description="The last entry that follows from it.")
    is_whole: bool = Field(
        description="False where the lead's answers were erased: all was taken again that they did not decide."
    )
    verified_at: datetime = Field(description="When it was taken again.")


class LeadEvent(ResponseModel):
    """One thing that happened to a lead. What is null is not part of it."""

    at: datetime
    kind: str = Field(description="What happened.", examples=["decision.recorded"])
    actor: str | None = Field(description="Who did it; null where it followed from something.", examples=["operator"])
    provider_id: Uuid | None = Field(description="The provider that it is about; null where it is about none.")
    provider_name: str | None = Field(
        description="That provider's name; null where there is none.", examples=["Anchor"]
    )
    assignment_id: Uuid | None = Field(description="The assignment that it is about; null where it is about none.")
    amount_cents: int | None = Field(
        description="What a decision charged, or what was refunded, in minor units; null for everything else."
    )
    outcome: str | None = Field(description="Of a decision; null for everything else.", examples=["success"])
    journal_seq: int | None = Field(description="The entry of a decision; null for everything else.")
    count: int | None = Field(
        description="Of a decision its assignments, of messages those sent; null for everything else."
    )
    of_count: int | None = Field(
        description="Of a decision the slots of its levels, of messages all; null for everything else."
    )
    channel: str | None = Field(description="Of messages; null for everything else.", examples=["email"])


class LeadTimeline(ResponseModel):
    """What happened to a lead, the oldest first."""

    lead_id: Uuid
    items: Sequence[LeadEvent]


class LeadMessage(ResponseModel):
    """A message about a lead. Whom it is for is told by the provider's name; null: the lead's consumer."""

    notification_id: Uuid
    kind: str = Field(description="What it tells.", examples=["lead_assigned"])
    channel: str = Field(examples=["email"])
    provider_id: Uuid | None
    provider_name: str | None = Field(examples=["Anchor"])
    state: str = Field(description="`queued`, `sent`, `failed` or `skipped`.", examples=["sent"])
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    last_answer: str | None = Field(examples=["250 queued"])


class LeadMessages(ResponseModel):
    """The messages about a lead."""

    lead_id: Uuid
    items: Sequence[LeadMessage] = Field(description="In the order in which they were to be sent, the first 1,000.")


@router.get("/{lead_id}/queues", responses=refuses("lead_unknown", "lead_undecided"))
def show_decision_queues(
    lead_id: LeadId, reader: Reader, database: MarketplaceDatabase, journal_seq: JournalSeq = None
) -> DecidedQueues:
    """Show the queues that a decision went through: who stood where, who received the lead, why each other did not."""
    with REPLAYS.slot(reader.owner):
        return _shown(recorded_queues(database, lead_id, journal_seq))


@router.post(
    "/{lead_id}/verify",
    responses=refuses("lead_unknown", "lead_undecided"),
    dependencies=[changes_nothing("it only takes a decision again, beside the journal")],
)
def verify_one_decision(
    lead_id: LeadId, reader: Reader, database: MarketplaceDatabase, journal_seq: JournalSeq = None
) -> VerifiedDecision:
    """Take a decision again from the journal, and compare it byte for byte."""
    with REPLAYS.slot(reader.owner):
        done = verify_decision(database, lead_id, journal_seq)
    return VerifiedDecision(
        lead_id=done.lead_id,
        niche_id=done.niche_id,
        journal_seq=done.journal_seq,
        hash=done.hash.hex(),
        holds=done.holds,
        differences=done.differences,
        recipients=done.recipients,
        up_to_seq=done.up_to_seq,
        is_whole=done.is_whole,
        verified_at=done.verified_at,
    )


@router.get("/{lead_id}/timeline", responses=refuses("lead_unknown"))
def show_lead_timeline(lead_id: LeadId, _: Reader, database: MarketplaceDatabase) -> LeadTimeline:
    """Show what happened to a lead, from its creation to the last message about it."""
    found = database.read(lambda conn: lead_timeline(conn, lead_id))
    return LeadTimeline(lead_id=lead_id, items=[LeadEvent.model_validate(each) for each in found])


@router.get("/{lead_id}/messages", responses=refuses("lead_unknown"))
def list_lead_messages(lead_id: LeadId, _: Reader, database: MarketplaceDatabase) -> LeadMessages:
    """List the messages about a lead, to its consumer and to those who bought it, and how far each has come."""

    def work(conn: Connection) -> list[StoredMessage]:
        lead_in_full(conn, lead_id)
        return messages_of_lead(conn, lead_id, MOST_MESSAGES)

    found = database.read(work)
    return LeadMessages(lead_id=lead_id, items=[LeadMessage.model_validate(each) for each in found])


def _shown(story: RecordedQueues) -> DecidedQueues:
    decision = story.decision
    return DecidedQueues(
        lead_id=story.lead.lead_id,
        niche=story.lead.niche_slug,
        currency=story.currency,
        journal_seq=decision.seq,
        journal_seqs=story.decision_seqs,
        recorded_at=story.recorded_at,
        hash=story.hash.hex(),
        outcome=decision.outcome.value,  # pyright: ignore[reportArgumentType]  # never `failed`
        start_order_position=decision.start_order_position,
        next_start_order_position=decision.next_start_order_position,
        is_whole=story.is_whole,
        levels=[shown_queue(story, each) for each in story.levels],
    )
