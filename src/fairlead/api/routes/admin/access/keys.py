"""API keys as operators see to them: their own machines', and any provider's."""

from datetime import datetime
from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.keys import KeyCreated, KeyItem, LifetimeDays, key_created
from fairlead.api.schemas.pagination import ByCursor, Page
from fairlead.api.schemas.values import RequestModel, Uuid
from fairlead.core.entry.types import Line
from fairlead.core.permissions import Permission
from fairlead.flows.access.api_keys import (
    MAX_NAME_CHARACTERS,
    ListedKey,
    create_api_key,
    page_of_api_keys,
    revoke_api_key,
)
from fairlead.flows.access.principal import Principal

router = Router(prefix="/api/v1/admin/keys", tags=["keys"])

Reader = Annotated[Principal, needs(Permission.KEYS_READ)]
Editor = Annotated[Principal, needs(Permission.KEYS_WRITE)]
KeyName = Annotated[str, Line(MAX_NAME_CHARACTERS), Field(examples=["forms on the site"])]


class NewKey(RequestModel):
    """What a key is for, and what it may do of what its owner may: exactly one user or one provider."""

    name: KeyName
    scopes: Annotated[list[Permission], Field(min_length=1, max_length=len(Permission), examples=[["leads:read"]])]
    user_id: Annotated[Uuid | None, Field(description="Its owner, as `GET /api/v1/session` names you.")] = None
    provider_id: Annotated[Uuid | None, Field(description="Its owner, in place of a user.", examples=[None])] = None
    lifetime_days: LifetimeDays | None = Field(
        default=None, description="For how many days the key is good; null for one that does not run out."
    )


class KeyState(KeyItem):
    """A key as operators see it: also whose it is, and who made it."""

    name: str = Field(examples=["forms on the site"])
    scopes: list[str] = Field(examples=[["leads:read"]])
    user_id: Uuid | None
    provider_id: Uuid | None
    created_by: str = Field(examples=["user:01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"])


@router.get("")
def list_keys(
    page: ByCursor,
    _: Reader,
    database: MarketplaceDatabase,
    user_id: Annotated[Uuid | None, Query()] = None,
    provider_id: Annotated[Uuid | None, Query()] = None,
    with_revoked: Annotated[bool, Query(description="Also those that open nothing any more.")] = False,
) -> Page[KeyState]:
    """List the keys, the newest first."""
    found = page_of_api_keys(
        database,
        user_id=user_id,
        provider_id=provider_id,
        show_all=with_revoked,
        before_id=page.after_id,
        limit=page.probe,
    )
    items, cursor = page.cut(found, _position)
    return Page[KeyState](items=[KeyState.model_validate(each) for each in items], next_cursor=cursor)


@router.post("", status_code=201, responses=refuses("user_unknown", "provider_unknown", "encryption_keys_missing"))
def create_key(asked: NewKey, editor: Editor, database: MarketplaceDatabase) -> KeyCreated:
    """There is the key. Only this answer holds it; asked for again there is another one."""
    done = create_api_key(
        database,
        asked.name,
        [scope.value for scope in asked.scopes],
        editor.actor,
        user_id=asked.user_id,
        provider_id=asked.provider_id,
        lifetime_days=asked.lifetime_days,
    )
    return key_created(done)


@router.delete("/{key_id}", status_code=204, response_class=Response, responses=refuses("api_key_unknown"))
def revoke_key(key_id: Annotated[Uuid, Path()], editor: Editor, database: MarketplaceDatabase) -> None:
    """The key opens nothing any more. Doing so twice is no mistake."""
    revoke_api_key(database, key_id, editor.actor)


def _position(key: ListedKey) -> tuple[datetime, str]:
    return key.created_at, key.key_id
