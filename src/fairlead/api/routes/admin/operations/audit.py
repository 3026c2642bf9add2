"""What was done, by whom, and from what to what."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.pagination import MOST_ITEMS, Page
from fairlead.api.schemas.spans import Before, From
from fairlead.api.schemas.values import NAME_PATTERN, ResponseModel, Slug, Uuid, pattern_with_message
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.store.audit.pages import audit_page
from fairlead.store.audit.sources import AuditFilter

router = Router(prefix="/api/v1/admin/audit-events", tags=["audit"])

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
EVENT_CURSOR = pattern_with_message(
    f"^(log:[0-9]{{1,18}}|journal:{_UUID}:[0-9]{{1,18}}:(-1|[0-9]{{1,18}}))$",
    "Input should be a cursor that a page before gave, or the id of an event",
)
# No `@`: what is looked for is kept with the export, and an email address must not be.
AUDIT_NAME = pattern_with_message(
    "^[A-Za-z0-9][A-Za-z0-9:._-]{0,99}$", "Input should be 1 to 100 of A-Z, a-z, 0-9 and : . _ -"
)
AUDIT_PREFIX = pattern_with_message(
    "^[a-z][a-z0-9_.]{0,63}$", "Input should be an action such as lead.approved, or how it begins"
)


class AuditEventItem(ResponseModel):
    """One thing that was done, and nothing personal. What a decision did is an event for each part of it."""

    event_id: str = Field(description="The event's id, which never changes.", examples=["log:12"])
    source: Literal["audit_log", "niche_journal"]
    niche_id: Uuid | None = Field(description="Null where it is in the audit log.")
    seq: int = Field(description="Its number in the audit log, or that of its entry in the niche's journal.")
    actor: str = Field(examples=["user:01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"])
    actor_role: str = Field(examples=["admin"])
    action: str = Field(examples=["lead.approved"])
    entity: str = Field(examples=["lead"])
    entity_id: str = Field(examples=["01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"])
    old: Any = Field(description="What it was.", examples=[{"status": "pending_approval"}])
    new: Any = Field(description="What it is since.", examples=[{"status": "approved"}])
    memo: str | None = Field(examples=["agreed on the telephone"])
    created_at: datetime
    request_id: str | None = Field(examples=["01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"])


async def _wanted(
    actor: Annotated[str | None, Query(pattern=AUDIT_NAME, examples=["operator"])] = None,
    action: Annotated[
        str | None,
        Query(
            pattern=AUDIT_PREFIX,
            description="How it begins: `lead.` for all about leads.",
        ),
    ] = None,
    entity: Annotated[str | None, Query(pattern=NAME_PATTERN, description="A kind of thing.")] = None,
    entity_id: Annotated[
        str | None, Query(pattern=AUDIT_NAME, description="With `entity`: only about this one.")
    ] = None,
    niche: Annotated[Slug | None, Query(description="What its journal says; the audit log is of no niche.")] = None,
    created_from: From = None,
    created_before: Before = None,
) -> AuditFilter:
    return AuditFilter(actor, action, entity, entity_id, niche, created_from, created_before)


WantedEvents = Annotated[AuditFilter, Depends(_wanted, scope="function")]
"""For a route about audit events: the parameters that choose among them."""


@router.get("")
def list_audit_events(
    reader: Annotated[Principal, needs(Permission.AUDIT_READ)],
    database: MarketplaceDatabase,
    wanted: WantedEvents,
    cursor: Annotated[
        str | None, Query(pattern=EVENT_CURSOR, description="`next_cursor` of the page before, or an event's id.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ITEMS, description="At most so many items.")] = 50,
) -> Page[AuditEventItem]:
    """List what was done, the newest first. A page may have fewer items than its limit and still a next one."""
    found = database.read(lambda conn: audit_page(conn, wanted, cursor, limit))
    return Page(items=[AuditEventItem.model_validate(each) for each in found.items], next_cursor=found.next_after)
