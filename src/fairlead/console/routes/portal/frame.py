"""What every page of the portal has: the frame of the provider who asks, with the leads that it has not seen yet."""

from typing import Annotated, Any, TypeAlias

from fastapi import Response

from fairlead.api.access import OwnProvider, needs_own_page
from fairlead.console.page import HtmlPage
from fairlead.core.permissions import Permission
from fairlead.flows.access.read_limits import PREVIEWS_OF_PROVIDER
from fairlead.flows.configuration.own_provider import read_own_profile
from fairlead.store.portal.inbox import unviewed_count

Reader: TypeAlias = Annotated[OwnProvider, needs_own_page(Permission.OWN_READ)]
ActivityReader: TypeAlias = Annotated[OwnProvider, needs_own_page(Permission.OWN_READ, PREVIEWS_OF_PROVIDER)]

INBOX = "/portal/inbox"
MOST_COUNTED = 1_000


def unseen_leads(caller: OwnProvider) -> int:
    """How many bought leads the provider has not opened yet; counting stops at `MOST_COUNTED`."""
    return caller.database.read(lambda conn: unviewed_count(conn, caller.provider_id, MOST_COUNTED))


def render_portal(page: HtmlPage, template: str, caller: OwnProvider, **values: Any) -> Response:
    """The template in the provider's frame. `may_write` is whether the provider may change anything now.

    `seen_provider`: its name, for an operator who looks at the portal as this provider sees it; None for its own users.
    """
    is_seen = caller.principal.seen_provider_id is not None
    return page.render(
        f"portal/{template}",
        caller.principal,
        attention={INBOX: unseen_leads(caller)},
        seen_provider=read_own_profile(caller.database, caller.provider_id).row.name if is_seen else None,
        may_write=Permission.OWN_WRITE in caller.principal.permissions,
        **values,
    )
