"""The live feed: what happens in the marketplace, as it commits, to operators and to each provider.

docs/reference/live.md says what is sent.
"""

from typing import Annotated, cast

from fastapi import Query, WebSocket

from fairlead.api.bodies import Router
from fairlead.api.live.access import watches
from fairlead.api.live.hub import Hub
from fairlead.api.live.watching import Watching, head_of
from fairlead.api.problems import problem_response
from fairlead.api.resources import resources_of
from fairlead.api.violations import Violation
from fairlead.core.errors import BadInput
from fairlead.flows.live.rights import Audience, Watcher

router = Router(prefix="/api/v1")

LastId = Annotated[str | None, Query(description="The `id` of the last message that the client has.")]


@router.websocket("/admin/live")
async def watch_marketplace(
    websocket: WebSocket, watcher: Annotated[Watcher, watches(Audience.OPERATORS)], last_id: LastId = None
) -> None:
    """Watch every decision, assignment, failure and change of configuration."""
    await _serve(websocket, watcher, last_id)


@router.websocket("/provider/live")
async def watch_own(
    websocket: WebSocket, watcher: Annotated[Watcher, watches(Audience.PROVIDER)], last_id: LastId = None
) -> None:
    """Watch one's own assignments, refunds and subscriptions."""
    await _serve(websocket, watcher, last_id)


async def _serve(websocket: WebSocket, watcher: Watcher, last_id: str | None) -> None:
    database = resources_of(websocket).database
    hub = cast("Hub", websocket.app.state.live)
    watching = Watching(websocket, hub, database, watcher, await head_of(database))
    try:
        await watching.serve(last_id)
    except BadInput as bad:
        detail = bad.problems[0].removeprefix("last_id: ")
        violation = Violation(location="query", pointer="/last_id", code="last_id_unknown", detail=detail)
        await websocket.send_denial_response(problem_response("input_invalid", violations=[violation]))
