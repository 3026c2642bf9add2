"""People who can log in, as operators see to them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.idempotency import refuses_keys
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase, ServerSettings
from fairlead.api.schemas.changes import Name
from fairlead.api.schemas.pagination import ByCursor, Page
from fairlead.api.schemas.values import Email, RequestModel, ResponseModel, Uuid
from fairlead.core.permissions import Permission, Role
from fairlead.flows.access.invitations import hand_over_invitation, invite_user
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.sessions import revoke_sessions
from fairlead.flows.access.users import (
    ListedUser,
    UserSearch,
    change_role,
    disable_user,
    enable_user,
    find_user,
    page_of_users,
    reset_second_factor,
)

router = Router(prefix="/api/v1/admin/users", tags=["users"])

Reader = Annotated[Principal, needs(Permission.USERS_READ)]
Editor = Annotated[Principal, needs(Permission.USERS_WRITE)]
UserId = Annotated[Uuid, Path()]
Status = Literal["invited", "active", "disabled"]
UserRole = Literal["admin", "provider"]


class NewUser(RequestModel):
    """Whom to send a link that sets a password. `provider_id` is whose portal it is for: exactly for providers."""

    email: Email
    name: Annotated[Name, Field(examples=["Ada Example"])]
    role: UserRole
    provider_id: Uuid | None = None


class NewRole(RequestModel):
    """The role that a user is given.

    `provider_id` is the provider whose portal they use; only with the role `provider`.
    """

    role: UserRole
    provider_id: Uuid | None = None


class UserInvited(ResponseModel):
    """The user who was sent a link, good for a week."""

    user_id: Uuid
    status: Status


class InvitationLink(ResponseModel):
    """The link that sets an invited user's password, shown once."""

    path: str = Field(
        description="Where it is on this site; what stands behind the `#` is a secret.",
        examples=["/accept-invite#x4yK2mQ8vT1nB7cZ5sW9dR3fG6hJ0lPaE"],
        repr=False,
    )
    expires_at: datetime = Field(description="Until when it is good.")


class UserState(ResponseModel):
    """A user: a person who can log in."""

    user_id: Uuid
    email: str = Field(examples=["ada@example.com"])
    name: str = Field(examples=["Ada Example"])
    role: UserRole
    provider_id: Uuid | None = Field(description="Whose portal it is; null for an operator.")
    status: Status
    has_second_factor: bool
    last_login_at: datetime | None
    created_at: datetime


class UserChanged(ResponseModel):
    """The user after a change, and what ended with that."""

    user_id: Uuid
    role: UserRole
    status: Status
    took_effect: bool = Field(description="False where it was so before.")
    ended_sessions: int
    revoked_keys: int


class UserSessionsEnded(ResponseModel):
    """How many sessions were ended."""

    ended: int


@router.get("")
def list_users(
    page: ByCursor,
    _: Reader,
    database: MarketplaceDatabase,
    role: Annotated[UserRole | None, Query()] = None,
    status: Annotated[Status | None, Query()] = None,
    provider_id: Annotated[Uuid | None, Query()] = None,
) -> Page[UserState]:
    """List who can log in, the newest first."""
    wanted = UserSearch(None if role is None else Role(role), status, provider_id)
    items, cursor = page.cut(page_of_users(database, wanted, page.after_id, page.probe), _position)
    return Page[UserState](items=_shown(items), next_cursor=cursor)


@router.post("", status_code=201, responses=refuses("email_taken", "provider_unknown"))
def invite_one_user(asked: NewUser, editor: Editor, database: MarketplaceDatabase) -> UserInvited:
    """A new user is sent a link to set a password. Sent again, it is a new link, and the first stops working."""
    done = invite_user(database, asked.email, asked.name, Role(asked.role), editor.actor, provider_id=asked.provider_id)
    return UserInvited.model_validate(done)


@router.get("/{user_id}", responses=refuses("user_unknown"))
def show_user(user_id: UserId, _: Reader, database: MarketplaceDatabase) -> UserState:
    """Show a user."""
    return UserState.model_validate(find_user(database, user_id))


@router.put("/{user_id}/role", responses=refuses("user_unknown", "provider_unknown", "own_role", "last_admin"))
def change_user_role(user_id: UserId, asked: NewRole, editor: Editor, database: MarketplaceDatabase) -> UserChanged:
    """The user has this role. Its sessions are over and its keys revoked."""
    done = change_role(database, user_id, Role(asked.role), editor.actor, provider_id=asked.provider_id)
    return UserChanged.model_validate(done)


@router.post("/{user_id}/disable", responses=refuses("user_unknown", "own_user", "last_admin"))
def disable_one_user(user_id: UserId, editor: Editor, database: MarketplaceDatabase) -> UserChanged:
    """The user cannot log in. Its sessions are over, its links open nothing, its keys are revoked."""
    return UserChanged.model_validate(disable_user(database, user_id, editor.actor))


@router.post("/{user_id}/enable", responses=refuses("user_unknown"))
def enable_one_user(user_id: UserId, editor: Editor, database: MarketplaceDatabase) -> UserChanged:
    """The user, disabled before, can log in as before, or be invited again where it never had a password."""
    return UserChanged.model_validate(enable_user(database, user_id, editor.actor))


@router.post("/{user_id}/reset-second-factor", responses=refuses("user_unknown", "user_disabled", "own_second_factor"))
def reset_user_second_factor(user_id: UserId, editor: Editor, database: MarketplaceDatabase) -> UserChanged:
    """The user has neither second factor nor password nor session, and is sent a link to begin again."""
    return UserChanged.model_validate(reset_second_factor(database, user_id, editor.actor))


@router.post(
    "/{user_id}/invitation-link",
    dependencies=[refuses_keys("the link is shown once: ask again for another")],
    responses=refuses("user_unknown", "invitation_over", "invitation_by_mail"),
)
def hand_over_link(
    user_id: UserId, editor: Editor, database: MarketplaceDatabase, settings: ServerSettings
) -> InvitationLink:
    """Give the link of an invited user to you, to hand it over: only where the server sends no mail.

    Every earlier link of the user opens nothing.
    """
    done = hand_over_invitation(database, user_id, editor.actor, sends_mail=settings.sends_mail)
    return InvitationLink(path=done.path, expires_at=done.expires_at)


@router.delete("/{user_id}/sessions", responses=refuses("user_unknown"))
def end_user_sessions(user_id: UserId, editor: Editor, database: MarketplaceDatabase) -> UserSessionsEnded:
    """All sessions of the user are over."""
    return UserSessionsEnded(ended=revoke_sessions(database, user_id, editor.actor))


def _position(user: ListedUser) -> tuple[datetime, str]:
    return user.created_at, user.user_id


def _shown(users: Sequence[ListedUser]) -> list[UserState]:
    return [UserState.model_validate(each) for each in users]
