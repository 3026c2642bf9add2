"""The queues of work, and dead letters: what was given up, until a person has seen to it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.idempotency import AcceptIdempotencyKey
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.changes import Memo
from fairlead.api.schemas.pagination import ByCursor, Page, cursor_after
from fairlead.api.schemas.spans import Before, From
from fairlead.api.schemas.values import RequestModel, ResponseModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.failures import dead_letters as flow
from fairlead.store.failures.dead_letters import DeadLetterFilter, dead_letter_page
from fairlead.store.jobs.queue_views import queue_states

router = Router(prefix="/api/v1/admin", tags=["jobs"])

MOST_AT_ONCE = 200

Queue = Literal["distribute", "dispatch", "email", "webhook", "export"]
LetterId = Annotated[Uuid, Path(description="The dead letter's id.")]
Reader = Annotated[Principal, needs(Permission.JOBS_READ)]
Writer = Annotated[Principal, needs(Permission.JOBS_WRITE)]

_OVERTAKEN = ("lead_distributed", "lead_rejected", "lead_bad", "notification_not_failed", "export_not_failed")


class QueueState(ResponseModel):
    """A queue at this moment."""

    queue: str = Field(examples=["distribute"])
    waiting_count: int = Field(description="Jobs that could be taken now.")
    scheduled_count: int = Field(description="Jobs that wait for their time, as one does whose run failed.")
    running_count: int
    open_dead_letter_count: int
    oldest_waiting_seconds: float | None = Field(
        description="For how long the first of them has waited; null where none waits."
    )
    next_scheduled_at: datetime | None


class Queues(ResponseModel):
    """Every queue, by name."""

    items: Sequence[QueueState]


class DeadLetterSummary(ResponseModel):
    """Work that was given up. It is about a lead, a notification or an export."""

    dead_letter_id: Uuid
    queue: str = Field(examples=["distribute"])
    task: str = Field(examples=["distribute_lead"])
    lead_id: Uuid | None
    notification_id: Uuid | None
    export_id: Uuid | None
    error: str = Field(
        description="The kind of error with which it failed last; nothing personal.",
        examples=["Broken: the books are wrong"],
    )
    attempts: int
    failed_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None = Field(examples=["user:01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"])
    resolution: str | None = Field(description="`retried` or `resolved`; null while it is open.", examples=["retried"])
    memo: str | None = Field(examples=["the form had a mistake"])


class Run(ResponseModel):
    """A run on record."""

    outcome: str = Field(examples=["failed"])
    started_at: datetime | None
    ended_at: datetime
    error: str | None = Field(examples=["Broken: the books are wrong"])


class DeadLetterInFull(DeadLetterSummary):
    """A dead letter, what the job was handed, and the runs that led to it, oldest first."""

    payload: Mapping[str, Any] = Field(examples=[{"lead_id": "01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"}])
    trace: str | None = Field(
        description="Where in the code it happened; null where that is not known.",
        examples=["distribute.py:120 in work"],
    )
    runs: Sequence[Run]


class DeadLetterResolution(RequestModel):
    """Why it needs no further try."""

    memo: Memo


class DeadLetterChoice(RequestModel):
    """Which dead letters."""

    dead_letter_ids: Annotated[Sequence[Uuid], Field(min_length=1, max_length=MOST_AT_ONCE)]


class ResolvedDeadLetter(ResponseModel):
    """A dead letter that is resolved. `took_effect` is false where it was before, and nothing was changed."""

    dead_letter_id: Uuid
    resolution: str = Field(examples=["retried"])
    lead_id: Uuid | None
    notification_id: Uuid | None
    export_id: Uuid | None
    took_effect: bool
    job_id: int | None = Field(description="The job that decides its lead; null where this call asked for none.")


class RefusedDeadLetter(ResponseModel):
    """A dead letter that could not be retried, and why."""

    dead_letter_id: Uuid
    code: str = Field(examples=["lead_distributed"])
    message: str = Field(examples=["the lead has been distributed meanwhile: resolve the dead letter instead"])


class RetriedDeadLetters(ResponseModel):
    """What became of each."""

    closed: Sequence[ResolvedDeadLetter]
    refused: Sequence[RefusedDeadLetter]


@router.get("/queues")
def list_queues(reader: Reader, database: MarketplaceDatabase) -> Queues:
    """Say of every queue what waits, what runs, and for how long the first has waited."""
    return Queues(items=[QueueState.model_validate(each) for each in database.read(queue_states)])


@router.get("/dead-letters")
def list_dead_letters(
    reader: Reader,
    database: MarketplaceDatabase,
    page: ByCursor,
    queue: Queue | None = None,
    state: Literal["open", "resolved"] | None = None,
    lead_id: Annotated[Uuid | None, Query()] = None,
    failed_from: From = None,
    failed_before: Before = None,
) -> Page[DeadLetterSummary]:
    """List dead letters, the newest first. A page may have fewer items than its limit and still a next one."""
    wanted = DeadLetterFilter(queue, None if state is None else state == "open", lead_id, failed_from, failed_before)
    found = database.read(lambda conn: dead_letter_page(conn, wanted, page.after, page.limit))
    items = [DeadLetterSummary.model_validate(each) for each in found.items]
    return Page(items=items, next_cursor=cursor_after(found.next_after))


@router.get("/dead-letters/{dead_letter_id}", responses=refuses("dead_letter_unknown"))
def show_dead_letter(dead_letter_id: LetterId, reader: Reader, database: MarketplaceDatabase) -> DeadLetterInFull:
    """Show one dead letter: what it is about, why it was given up, and the runs that led to it."""
    found = flow.inspect_dead_letter(database, dead_letter_id)
    summary = DeadLetterSummary.model_validate(found.letter).model_dump()
    runs = [Run.model_validate(each) for each in found.attempts]
    return DeadLetterInFull(**summary, payload=found.letter.payload, trace=found.letter.trace, runs=runs)


@router.post("/dead-letters/{dead_letter_id}/retry", responses=refuses("dead_letter_unknown", *_OVERTAKEN))
def retry_one_dead_letter(
    dead_letter_id: LetterId, request: AcceptIdempotencyKey, writer: Writer, database: MarketplaceDatabase
) -> ResolvedDeadLetter:
    """Try again from the beginning what was given up. One that is resolved already is left alone."""
    idempotency = request.key_of(writer)
    return ResolvedDeadLetter.model_validate(
        flow.retry_dead_letter(database, dead_letter_id, writer.actor, idempotency)
    )


@router.post("/dead-letter-retries")
def retry_several_dead_letters(
    asked: DeadLetterChoice, writer: Writer, database: MarketplaceDatabase
) -> RetriedDeadLetters:
    """Try again each of these that is open, in a transaction of its own. Asking twice does it once."""
    return RetriedDeadLetters.model_validate(
        flow.retry_dead_letters(database, list(asked.dead_letter_ids), writer.actor)
    )


@router.post("/dead-letters/{dead_letter_id}/resolve", responses=refuses("dead_letter_unknown"))
def resolve_one_dead_letter(
    dead_letter_id: LetterId, asked: DeadLetterResolution, writer: Writer, database: MarketplaceDatabase
) -> ResolvedDeadLetter:
    """Close a dead letter without trying again, and say why. One that is resolved already keeps how, and why."""
    return ResolvedDeadLetter.model_validate(
        flow.resolve_dead_letter(database, dead_letter_id, asked.memo, writer.actor)
    )
