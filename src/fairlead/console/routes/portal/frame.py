"""What every page of the portal has: the frame of the provider who asks, with the leads that it has not seen yet."""

from typing import Annotated, Any, TypeAlias

from fastapi import Response

from fairlead.api.access import OwnProvider, needs_own
from fairlead.console.page import HtmlPage
from fairlead.core.permissions import Permission
from fairlead.store.portal.inbox import unviewed_count

Reader: TypeAlias = Annotated[OwnProvider, needs_own(Permission.OWN_READ)]

INBOX = "/portal/inbox"
MOST_COUNTED = 1_000


def unseen_leads(caller: OwnProvider) -> int:
    """How many bought leads the provider has not opened yet; counting stops at `MOST_COUNTED`."""
    return caller.database.read(lambda conn: unviewed_count(conn, caller.provider_id, MOST_COUNTED))


def render_portal(page: HtmlPage, template: str, caller: OwnProvider, **values: Any) -> Response:
    """The template in the provider's frame. `may_write` is whether the provider may change anything now."""
    return page.render(
        f"portal/{template}",
        caller.principal,
        attention={INBOX: unseen_leads(caller)},
        may_write=Permission.OWN_WRITE in caller.principal.permissions,
        **values,
    )
