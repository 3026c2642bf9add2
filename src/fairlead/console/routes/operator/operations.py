"""What is stuck: queues and their ages, the workers that see to them, and what was given up."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase, ServerSettings
from fairlead.api.routes.admin.operations import jobs
from fairlead.api.schemas.pagination import ByCursor
from fairlead.api.schemas.values import Uuid
from fairlead.console.operator.dead_letter_words import cause_of
from fairlead.console.operator.filtered import address_with, chips
from fairlead.console.operator.jobs_in_words import queue_words, task_words
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.texts import translated
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.maintenance.worker_states import read_worker_states

router = APIRouter(route_class=PageRoute, include_in_schema=False)

JobsReader = Annotated[Principal, needs(Permission.JOBS_READ)]


@router.get("/operations")
def show_operations(
    reader: JobsReader, page: PageOfRequest, database: MarketplaceDatabase, settings: ServerSettings
) -> Response:
    """Every queue: what waits, for how long, and what was given up; and who is at work on that."""
    found = read_worker_states(database, settings.heartbeat_timeout_seconds)
    return page.render(
        "operator/operations.html",
        reader,
        queues=jobs.list_queues(reader, database).items,
        queue_words=queue_words,
        workers=[
            (each, [(task_words(task), count) for task, count in each.worker.in_hand.items()]) for each in found.workers
        ],
        alive_count=found.alive_count,
        timeout_seconds=settings.heartbeat_timeout_seconds,
        left_behind=[(task_words(each.task), each.job_count) for each in found.left_behind],
    )


@router.get("/operations/dead-letters")
def show_dead_letters(
    reader: JobsReader,
    page: PageOfRequest,
    database: MarketplaceDatabase,
    wanted: ByCursor,
    queue: jobs.Queue | None = None,
    state: Literal["open", "resolved", "all"] = "open",
) -> Response:
    """Work that was given up, the newest first."""
    shown = None if state == "all" else state
    found = jobs.list_dead_letters(reader, database, wanted, queue, shown)
    path, chosen = "/operations/dead-letters", {"queue": queue, "state": state}
    more = found.next_cursor and address_with(path, **chosen, cursor=found.next_cursor)
    return page.render(
        "operator/dead-letters.html",
        reader,
        letters=found.items,
        queue_words=queue_words,
        cause_of=cause_of,
        chips=[
            (translated("Queue"), queue_words(value), without)
            for _, value, without in chips(path, {"queue": queue, "state": state})
            if value == queue
        ],
        state=state,
        states=[(each, address_with(path, queue=queue, state=each)) for each in ("open", "resolved", "all")],
        next_address=more,
    )


@router.get("/operations/dead-letters/{dead_letter_id}")
def show_dead_letter(
    dead_letter_id: Annotated[Uuid, Path()], reader: JobsReader, page: PageOfRequest, database: MarketplaceDatabase
) -> Response:
    """Why it was given up, and what can be done about it."""
    letter = jobs.show_dead_letter(dead_letter_id, reader, database)
    return page.render(
        "operator/dead-letter.html",
        reader,
        letter=letter,
        queue_words=queue_words,
        task_words=task_words,
        cause_of=cause_of,
    )
