"""Who may watch. A WebSocket route declares its audience, as every other route declares its permission."""

from dataclasses import dataclass
from typing import Any

from fastapi import Depends, WebSocket

from fairlead.api.access import client_of, key_text_of
from fairlead.api.cross_origin import refuse_cross_origin_watcher
from fairlead.api.resources import resources_of
from fairlead.api.session_cookie import token_of
from fairlead.flows.access.api_keys import authenticate_api_key
from fairlead.flows.access.session_state import session_invalid
from fairlead.flows.access.sessions import authenticate_session
from fairlead.flows.live.rights import Audience, Watcher, watcher_of
from fairlead.telemetry.logs import current_correlation_id


@dataclass(frozen=True, slots=True)
class Watches:
    """Before the handshake, callers who may see this feed are let through, by session or key, and from our own pages.

    Watching does not count as using the session: a window that is open all night does not keep it alive.
    """

    audience: Audience

    def __call__(self, websocket: WebSocket) -> Watcher:
        resources = resources_of(websocket)
        key = key_text_of(websocket)
        refuse_cross_origin_watcher(websocket, resources.settings.public_url, by_cookie=key is None)
        if key is not None:
            principal = authenticate_api_key(resources.database, key, client_of(websocket))
        else:
            token = token_of(websocket)
            if token is None:
                raise session_invalid()
            request_id = current_correlation_id()
            principal = authenticate_session(resources.database, token, request_id=request_id, touch=False)
        return watcher_of(resources.database, principal, self.audience)


def watches(audience: Audience) -> Any:
    """The route's audience, for `Annotated[Watcher, watches(...)]`."""
    return Depends(Watches(audience), scope="function")
