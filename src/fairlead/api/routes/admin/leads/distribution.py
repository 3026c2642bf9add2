"""The distribution of a lead: asking for it, how far it has come, and why it went to whom it went."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.concurrency_limits import REPLAYS
from fairlead.api.idempotency import AcceptIdempotencyKey
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.decided_queues import Reason
from fairlead.api.schemas.values import RequestModel, ResponseModel, Uuid
from fairlead.core.errors import Refused
from fairlead.core.explanation import Standing
from fairlead.core.messages import Names
from fairlead.core.model import Level
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.approve_lead import trigger_distribution
from fairlead.flows.explaining.decision_lines import decision_lines, lead_lines, provider_lines, refusal_sentence
from fairlead.flows.explaining.distribution_status import distribution_status
from fairlead.flows.explaining.explain import DecisionStory, LeadStory, ProviderStory, explain_lead, explain_provider

router = Router(prefix="/api/v1/admin/leads", tags=["distribution"])

LeadId = Annotated[Uuid, Path(description="The lead's id.")]
Reader = Annotated[Principal, needs(Permission.LEADS_READ)]
JournalSeq = Annotated[
    int | None,
    Query(ge=1, le=2**53 - 1, description="The decision's entry in the journal of its niche; by default the newest."),
]

_NOT_APPROVED = (
    "lead_distributed",
    "lead_rejected",
    "lead_bad",
    "lead_pending_approval",
    "lead_pending_confirmation",
)
_Lines = Annotated[Sequence[str], Field(description="The same for people, line by line.")]


class DistributionRequest(RequestModel):
    """Why the distribution is asked for."""

    reason: Literal["manual_trigger"]


class DistributionQueued(ResponseModel):
    """The lead's distribution was asked for; the job decides it."""

    lead_id: Uuid
    status: Literal["queued"]
    job_id: int


class DistributionState(ResponseModel):
    """A lead and its last attempt."""

    lead_id: Uuid
    lead_status: str = Field(examples=["distributed"])
    last_attempt_at: datetime | None
    last_attempt_status: Literal["none", "queued", "processing", "success", "partial", "no_eligible", "failed"]
    assignments_created: int = Field(examples=[3])
    start_level_order_position: int | None = Field(
        description="The position of the level that the last decision began with; null before the first decision.",
        examples=[1],
    )
    distribution_attempts: int
    notes: Sequence[str] = Field(description="Why it failed, and what happens next.", examples=[["run 2 of 6 now"]])


class ExplainedRecipient(ResponseModel):
    """Who received the lead at a level, in the order of the choice."""

    assignment_id: Uuid
    subscription_id: Uuid
    provider_id: Uuid
    provider_name: str = Field(examples=["Anchor"])
    served_seq: int
    price_cents: int
    ledger_seq: int
    balance_before_cents: int
    credit_limit_cents: int


class ExplainedRefusal(ResponseModel):
    """Who stood ahead of the last choice and was refused, and why: for lack of money, in decisions of version 2."""

    subscription_id: Uuid
    provider_id: Uuid
    provider_name: str = Field(examples=["Bowline"])
    reason: Reason
    sentence: str = Field(examples=["Available 12.00 EUR, this level costs 15.00 EUR."])
    available_cents: int | None = None
    received_at_level_id: Uuid | None = None


class ExplainedLevel(ResponseModel):
    """What happened at one level."""

    level_id: Uuid
    level_name: str = Field(examples=["gold"])
    order_position: int
    price_cents: int
    price_rule: str | None = Field(examples=["Nights"])
    max_recipients: int
    recipients: Sequence[ExplainedRecipient]
    refused: Sequence[ExplainedRefusal]
    counts: Mapping[str, int] = Field(
        description="How many more were refused, by reason.", examples=[{"level_full": 2}]
    )


class ExplainedDecision(ResponseModel):
    """A decision as the journal has it, with the names that its ids stand for."""

    journal_seq: int
    recorded_at: datetime
    version: Literal[1, 2] = Field(
        default=1,
        description="2 counts the providers that had the lead from an earlier level; 1 listed them among the refused.",
    )
    lead_commitment: str = Field(description="Stands for what the lead said.", examples=["9f86d081884c7d65"])
    attempt: int
    decided_at: datetime
    start_order_position: int | None
    next_start_order_position: int
    outcome: Literal["success", "partial", "no_eligible"]
    levels: Sequence[ExplainedLevel]


class LeadExplanation(ResponseModel):
    """A lead and every decision on it, oldest first."""

    lead_id: Uuid
    niche: str = Field(examples=["hosting"])
    lead_status: str = Field(examples=["distributed"])
    currency: str = Field(examples=["EUR"])
    decisions: Sequence[ExplainedDecision]
    lines: _Lines


class ExplainedStanding(ResponseModel):
    """Where the provider stood at one level."""

    level_id: Uuid
    level_name: str = Field(examples=["gold"])
    subscription_id: Uuid
    received: bool
    assignment_id: Uuid | None
    reason: Reason | None
    sentence: str | None = Field(examples=["Filter: `Cores` is 2, they take 4 or more."])


class ProviderExplanation(ResponseModel):
    """Why one provider did or did not receive the lead, as things stood at its newest decision."""

    lead_id: Uuid
    niche: str = Field(examples=["hosting"])
    lead_status: str = Field(examples=["distributed"])
    currency: str = Field(examples=["EUR"])
    provider_id: Uuid
    provider_name: str = Field(examples=["Anchor"])
    decided_at: datetime
    levels: Sequence[ExplainedStanding]
    levels_not_visited: Sequence[str] = Field(description="Subscribed to, and inactive.", examples=[["silver"]])
    lines: _Lines


@router.post("/{lead_id}/distribute", status_code=202, responses=refuses("lead_unknown", *_NOT_APPROVED))
def distribute_one_lead(
    lead_id: LeadId,
    asked: DistributionRequest,
    operator: Annotated[Principal, needs(Permission.DISTRIBUTION_WRITE)],
    database: MarketplaceDatabase,
    idempotency: AcceptIdempotencyKey,
) -> DistributionQueued:
    """Ask for the distribution of an approved lead, again if no provider bought it: a job will decide it.

    Asked while one waits already, that job is the answer.
    """
    done = trigger_distribution(database, lead_id, operator.actor, idempotency.key_of(operator, asked))
    if done.job_id is None:
        raise Refused("lead_distributed", f"lead {lead_id} is distributed already")
    return DistributionQueued(lead_id=lead_id, status="queued", job_id=done.job_id)


@router.get("/{lead_id}/distribution-status", responses=refuses("lead_unknown"))
def show_distribution_status(lead_id: LeadId, _: Reader, database: MarketplaceDatabase) -> DistributionState:
    """Say how far the lead's distribution has come."""
    return DistributionState.model_validate(distribution_status(database, lead_id))


@router.get(
    "/{lead_id}/explain", responses=refuses("lead_unknown", "provider_unknown", "lead_undecided", "lead_erased")
)
def explain_distribution(
    lead_id: LeadId,
    reader: Reader,
    database: MarketplaceDatabase,
    provider_id: Annotated[Uuid | None, Query(description="Why this provider did or did not receive it.")] = None,
    journal_seq: Annotated[
        int | None,
        Query(ge=1, le=2**53 - 1, description="With `provider_id`: the decision's entry; by default the newest."),
    ] = None,
) -> LeadExplanation | ProviderExplanation:
    """Explain why a lead went to whom it went, level by level; or, with `provider_id`, what came of that provider."""
    if provider_id is None:
        return _explained(explain_lead(database, lead_id))
    with REPLAYS.slot(reader.owner):
        return _standings(explain_provider(database, lead_id, provider_id, journal_seq), provider_id)


def _explained(story: LeadStory) -> LeadExplanation:
    lines = [*lead_lines(story)]
    for number, decision in enumerate(story.decisions, start=1):
        lines += decision_lines(story, decision, number)
    return LeadExplanation(
        lead_id=story.lead.lead_id,
        niche=story.lead.niche_slug,
        lead_status=story.lead.status,
        currency=story.currency,
        decisions=[_decision(story, each) for each in story.decisions],
        lines=[line.text for line in lines],
    )


def _decision(story: LeadStory, decision: DecisionStory) -> ExplainedDecision:
    def named(each: Mapping[str, Any]) -> dict[str, Any]:
        return {**each, "provider_name": story.provider_names.get(each["provider_id"], "")}

    levels = [
        {
            **level,
            "level_name": story.level_names.get(level["level_id"], ""),
            "price_rule": level.get("price_rule", {}).get("name"),
            "recipients": [named(each) for each in level["recipients"]],
            "refused": [{**named(each), "sentence": refusal_sentence(story, each, level)} for each in level["refused"]],
        }
        for level in decision.payload["levels"]
    ]
    recorded = {"journal_seq": decision.seq, "recorded_at": decision.recorded_at}
    return ExplainedDecision.model_validate({**decision.payload, **recorded, "levels": levels})


def _standings(story: ProviderStory, provider_id: str) -> ProviderExplanation:
    return ProviderExplanation(
        lead_id=story.lead.lead_id,
        niche=story.lead.niche_slug,
        lead_status=story.lead.status,
        currency=story.currency,
        provider_id=provider_id,
        provider_name=story.provider_name,
        decided_at=story.decided_at,
        levels=[_standing(level, standing, story.names) for level, standing in story.standings],
        levels_not_visited=[level.name for level in story.unvisited],
        lines=[line.text for line in provider_lines(story)],
    )


def _standing(level: Level, standing: Standing, names: Names) -> ExplainedStanding:
    return ExplainedStanding(
        level_id=level.level_id,
        level_name=level.name,
        subscription_id=standing.subscription_id,
        received=standing.recipient is not None,
        assignment_id=None if standing.recipient is None else standing.recipient.assignment_id,
        reason=None if standing.refusal is None else standing.refusal.reason,
        sentence=None if standing.refusal is None else standing.refusal.sentence(names),
    )
