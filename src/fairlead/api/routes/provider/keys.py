"""A provider's own API keys. All of this takes a fresh proof of who it is, which a key cannot give."""

from typing import Annotated, Literal, TypeAlias

from fastapi import Path, Query, Response
from pydantic import Field

from fairlead.api.access import OwnProvider, needs_own
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.schemas.keys import KeyCreated, KeyItem, LifetimeDays, key_created
from fairlead.api.schemas.pagination import ByCursor, Page
from fairlead.api.schemas.values import RequestModel, Uuid
from fairlead.core.entry.types import Line
from fairlead.core.permissions import Permission
from fairlead.flows.access.api_keys import (
    MAX_NAME_CHARACTERS,
    create_api_key,
    page_of_api_keys,
    revoke_api_key,
)

router = Router(prefix="/api/v1/provider/keys", tags=["provider: access"])

KeyHolder = Annotated[OwnProvider, needs_own(Permission.OWN_KEYS)]

Scope: TypeAlias = Literal["own:read", "own:write"]


class NewOwnKey(RequestModel):
    """What the key is for, what it may do, and for how long."""

    name: Annotated[str, Line(MAX_NAME_CHARACTERS), Field(examples=["our CRM"])]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=10, examples=[["own:read"]])]
    lifetime_days: LifetimeDays | None = Field(
        default=None, description="For how many days the key is good; null for one that does not run out."
    )


@router.get("")
def list_own_keys(
    page: ByCursor, caller: KeyHolder, with_revoked: Annotated[bool, Query(description="Also those.")] = False
) -> Page[KeyItem]:
    """List the provider's keys, the newest first."""
    found = page_of_api_keys(
        caller.database,
        user_id=None,
        provider_id=caller.provider_id,
        show_all=with_revoked,
        before_id=page.after_id,
        limit=page.probe,
    )
    items, next_cursor = page.cut(found, lambda key: (key.created_at, key.key_id))
    return Page(items=[KeyItem.model_validate(each) for each in items], next_cursor=next_cursor)


@router.post("", status_code=201, responses=refuses("provider_unknown", "encryption_keys_missing"))
def create_own_key(asked: NewOwnKey, caller: KeyHolder) -> KeyCreated:
    """Create a key of the provider. It acts for the provider, whichever of its users made the key."""
    done = create_api_key(
        caller.database,
        asked.name,
        [*asked.scopes],
        caller.actor,
        provider_id=caller.provider_id,
        lifetime_days=asked.lifetime_days,
    )
    return key_created(done)


@router.delete("/{key_id}", status_code=204, response_class=Response, responses=refuses("api_key_unknown"))
def revoke_own_key(key_id: Annotated[Uuid, Path()], caller: KeyHolder) -> None:
    """Revoke a key: it opens nothing any more. Doing so twice is no mistake."""
    revoke_api_key(caller.database, key_id, caller.actor, provider_id=caller.provider_id)
