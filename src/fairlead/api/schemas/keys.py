"""API keys, as operators and providers are shown them."""

from datetime import datetime
from typing import Annotated, ClassVar, TypeAlias

from pydantic import Field

from fairlead.api.schemas.values import Int, ResponseModel, Uuid
from fairlead.flows.access.api_keys import MAX_LIFETIME_DAYS, CreatedKey

Prefix: TypeAlias = Annotated[str, Field(description="The part that is no secret.", examples=["4qz7m2xk6h3d"])]

LifetimeDays: TypeAlias = Annotated[Int, Field(ge=1, le=MAX_LIFETIME_DAYS, examples=[365])]
"""For how long a key opens anything."""


class KeyCreated(ResponseModel):
    """A key that was just made. It is shown now, and to a repetition of the request; never again."""

    holds_secret: ClassVar[bool] = True

    key_id: Uuid
    prefix: Prefix
    expires_at: datetime | None
    key: str = Field(
        description="All of it, for `Authorization: Bearer`.", examples=["fl_4qz7m2xk6h3d_..."], repr=False
    )


class KeyItem(ResponseModel):
    """A key as it is, without what opens anything."""

    key_id: Uuid
    prefix: Prefix
    name: str = Field(examples=["our CRM"])
    scopes: list[str] = Field(examples=[["own:read"]])
    created_at: datetime
    last_used_at: datetime | None = Field(
        description="When it was last used, to the minute; null before the first time."
    )
    expires_at: datetime | None
    revoked_at: datetime | None


def key_created(done: CreatedKey) -> KeyCreated:
    """The one answer that holds the key."""
    return KeyCreated(key_id=done.key_id, prefix=done.prefix, expires_at=done.expires_at, key=done.text)
