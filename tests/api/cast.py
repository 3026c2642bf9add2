"""Every visitor who may come to the door, in every state that matters: what the matrix is played with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.api.access import Access, Needs, NeedsOwn, NeedsSession
from fairlead.core.permissions import KEY_SCOPES, Permission, Role, needs_step_up, permissions_of
from fairlead.flows.access.api_keys import create_api_key
from fairlead.flows.access.log_in import log_in
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import anonymous, logged_in, machine
from tests.flows.access.people import HOME, PASSWORD, add_admin, add_provider, enrolled_admin, provider_user, value


@dataclass(frozen=True)
class Visitor:
    """A client, and what is expected of it: `permissions`, or the code that stops it before any of that."""

    arrive: Callable[[], TestClient]
    permissions: frozenset[Permission] = frozenset()
    stopped_by: str | None = None
    is_stepped_up: bool = False
    has_session: bool = True
    is_known: bool = True


def cast(app: FastAPI, database: Database, anchor_id: str) -> Mapping[str, Visitor]:
    """By what they are. `anchor_id` is an active provider with everything; others are of providers with nothing."""
    ann, ben = enrolled_admin(database), enrolled_admin(database, "ben@example.com")
    add_admin(database, "cat@example.com")
    cat = log_in(database, "cat@example.com", PASSWORD, HOME)
    value(database, "update sessions set stepped_up_at = now() - interval '11 minutes' where user_id = %s", ben.user_id)
    sam = provider_user(database, anchor_id)
    eve = provider_user(database, add_provider(database, "Eve"), "sales@eve.example")
    new = provider_user(database, add_provider(database, "New", "pending"), "sales@new.example")
    gone = provider_user(database, add_provider(database, "Gone", "suspended"), "sales@gone.example")
    of_provider = permissions_of(Role.PROVIDER)
    looking = permissions_of(Role.PROVIDER, provider_is_active=False)
    return {
        "anonymous": Visitor(lambda: anonymous(app), stopped_by="session_invalid", has_session=False, is_known=False),
        "a spent token": Visitor(lambda: logged_in(app, "x" * 43), stopped_by="session_invalid", is_known=False),
        "a made-up key": Visitor(
            lambda: machine(app, f"fl_{uuid4().hex}"), stopped_by="api_key_invalid", has_session=False, is_known=False
        ),
        "an operator with a password only": Visitor(lambda: logged_in(app, cat.token), stopped_by="enrolment_required"),
        "an operator": Visitor(lambda: logged_in(app, ben.token), permissions_of(Role.ADMIN)),
        "an operator after a step-up": Visitor(
            lambda: logged_in(app, ann.token), permissions_of(Role.ADMIN), is_stepped_up=True
        ),
        "an operator's key": _key(app, database, Role.ADMIN, user_id=ann.user_id),
        "an intake key": _key(app, database, Role.ADMIN, ["intake:write"], user_id=ann.user_id),
        "a provider": Visitor(lambda: logged_in(app, sam.token), of_provider, is_stepped_up=True),
        "another provider": Visitor(lambda: logged_in(app, eve.token), of_provider, is_stepped_up=True),
        "a pending provider": Visitor(lambda: logged_in(app, new.token), looking, is_stepped_up=True),
        "a suspended provider": Visitor(lambda: logged_in(app, gone.token), looking, is_stepped_up=True),
        "a provider's key": _key(app, database, Role.PROVIDER, provider_id=anchor_id),
        "a provider's reading key": _key(app, database, Role.PROVIDER, ["own:read"], provider_id=anchor_id),
    }


def _key(
    app: FastAPI,
    database: Database,
    role: Role,
    scopes: Sequence[str] = (),
    *,
    user_id: str | None = None,
    provider_id: str | None = None,
) -> Visitor:
    wanted = [str(each) for each in scopes or sorted(KEY_SCOPES[role])]
    made = create_api_key(database, f"{role} {len(wanted)}", wanted, OPERATOR, user_id=user_id, provider_id=provider_id)
    return Visitor(lambda: machine(app, made.text), frozenset(map(Permission, wanted)), has_session=False)


def refusal_of(visitor: Visitor, access: Access) -> str | None:
    """The code with which the visitor is turned away from such a route; None where it is let through."""
    if isinstance(access, Needs | NeedsOwn):
        if visitor.stopped_by is not None:
            return visitor.stopped_by
        if access.permission not in visitor.permissions:
            return "permission_missing"
        needs_proof = needs_step_up(access.permission, is_key=not visitor.has_session) and not visitor.is_stepped_up
        return "step_up_required" if needs_proof else None
    if isinstance(access, NeedsSession):
        if not visitor.is_known:
            return "session_required" if visitor.stopped_by == "api_key_invalid" else "session_invalid"
        return None if visitor.has_session else "session_required"
    return None
