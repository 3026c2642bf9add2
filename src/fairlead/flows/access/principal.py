"""Who asks: a person with a session, or a machine with a key, and what it may do."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from fairlead.core.errors import Refused
from fairlead.core.permissions import Permission, Role, needs_step_up, permissions_of
from fairlead.store.access.sessions import SessionRow
from fairlead.store.access.users import UserRow
from fairlead.store.audit.log import Actor

STEP_UP_LASTS = timedelta(minutes=10)

NextStep = Literal["second_factor", "enrolment"]
"""What stands between a right password and an open session: a code, or enrolling first."""


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from. `ip` is the peer's, or what a trusted proxy says; never what a client says itself."""

    ip: str
    user_agent: str = ""
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, as of `authenticated_at`. Exactly one of `session_id` and `key_id` is given.

    `permissions` are all there are: none while `next_step` is outstanding. `provider_id` is the provider whose rows
    `own:*` is about. `stepped_up_until` is in the past, or None, where a dangerous action needs a fresh proof first.
    `email` is the user's, for its own pages, and goes to no log.
    """

    actor: Actor
    user_id: str | None
    provider_id: str | None
    permissions: frozenset[Permission]
    is_second_factor_done: bool
    stepped_up_until: datetime | None
    authenticated_at: datetime
    session_id: str | None = None
    key_id: str | None = None
    next_step: NextStep | None = None
    email: str | None = field(default=None, repr=False)
    seen_provider_id: str | None = None
    """The provider whose portal an operator looks at in this session; for pages to read, and for nothing else."""

    @property
    def owner(self) -> str:
        """Whose sessions and keys these are: what each may have one of at a time, it has one of by all of them."""
        return self.user_id or self.provider_id or self.actor.name

    @property
    def is_stepped_up(self) -> bool:
        """Whether it has just proven who it is."""
        return self.stepped_up_until is not None and self.authenticated_at < self.stepped_up_until


def require(principal: Principal, permission: Permission) -> None:
    """The principal may do that now.

    Raises `Refused`: `second_factor_required` or `enrolment_required` while the session is not open,
    `permission_missing`, or `step_up_required` when it may but has to prove first who it is.
    """
    require_open(principal)
    if permission not in principal.permissions:
        raise Refused("permission_missing", f"this needs the permission {permission.value}")
    if needs_step_up(permission, is_key=principal.key_id is not None) and not principal.is_stepped_up:
        raise Refused(
            "step_up_required", "this needs a fresh proof of who you are: a code, or the password without one"
        )


def require_open(principal: Principal) -> None:
    """The principal's login is finished. Raises `Refused`: `second_factor_required` or `enrolment_required`."""
    if principal.next_step == "second_factor":
        raise Refused("second_factor_required", "the second factor is needed first")
    if principal.next_step == "enrolment":
        raise Refused("enrolment_required", "a second factor has to be set up first")


def user_actor(user_id: str, role: str, request_id: str | None = None) -> Actor:
    """The user as audit entries name it: by id, since nothing personal goes there."""
    return Actor(f"user:{user_id}", role, request_id)


def is_of_user(actor: Actor, user_id: str) -> bool:
    """Whether the actor is that user."""
    return actor.name == f"user:{user_id}"


def next_step_of(user: UserRow, session: SessionRow) -> NextStep | None:
    """What has to be done before the session is open; None when it is."""
    if session.state == "full":
        return None
    return "second_factor" if user.has_second_factor else "enrolment"


def principal_of(user: UserRow, session: SessionRow, request_id: str | None, now: datetime) -> Principal:
    """Who is behind a live session."""
    role, next_step = Role(user.role), next_step_of(user, session)
    permissions = permissions_of(role, provider_is_active=user.provider_status == "active")
    return Principal(
        actor=user_actor(user.user_id, user.role, request_id),
        user_id=user.user_id,
        provider_id=user.provider_id,
        permissions=frozenset() if next_step is not None else permissions,
        is_second_factor_done=session.second_factor_at is not None,
        stepped_up_until=None if session.stepped_up_at is None else session.stepped_up_at + STEP_UP_LASTS,
        authenticated_at=now,
        session_id=session.session_id,
        next_step=next_step,
        email=user.email,
        seen_provider_id=session.seen_provider_id if role is Role.ADMIN else None,
    )
