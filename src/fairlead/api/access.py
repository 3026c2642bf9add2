"""Who may call a route. Every route declares exactly one of four, and a test fails for one that does not:

    reader: Annotated[Principal, needs(Permission.LEADS_READ)]      a session or a key with this permission
    caller: Annotated[OwnProvider, needs_own(Permission.OWN_READ)]  the same, of a provider's user: its own rows
    opened: Annotated[OpenedSession, needs_session("why")]          a session in whatever state, its own business
    dependencies=[public("why")]                                    every client

What a route declares is what is checked and what the document says of it: there is no second place for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from starlette.requests import HTTPConnection

from fairlead.api.cross_origin import SAFE_METHODS, refuse_cross_origin
from fairlead.api.resources import Resources, resources_of
from fairlead.api.session_cookie import refuse_hidden_proxy, token_of
from fairlead.core.errors import Refused
from fairlead.core.permissions import Permission
from fairlead.flows.access.api_keys import authenticate_api_key
from fairlead.flows.access.principal import Client, Principal, require
from fairlead.flows.access.read_limits import count_from_network, count_own_read, count_read
from fairlead.flows.access.seeing import as_provider_sees
from fairlead.flows.access.session_state import MAX_USER_AGENT_CHARACTERS, session_invalid
from fairlead.flows.access.sessions import authenticate_session
from fairlead.flows.access.throttle import Limit
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Database
from fairlead.telemetry.logs import current_correlation_id


def client_of(request: HTTPConnection) -> Client:
    """Where the request comes from: the peer, or what a trusted proxy says of it."""
    agent = request.headers.get("user-agent", "")[:MAX_USER_AGENT_CHARACTERS]
    printable = "".join(character for character in agent if character.isprintable())
    return Client(request.client.host if request.client else "", printable, current_correlation_id())


async def _client(request: Request) -> Client:
    return client_of(request)


FromClient = Annotated[Client, Depends(_client, scope="function")]
"""For a parameter: where the request comes from."""


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A live session, open or with its second factor outstanding: who is behind it, and its token."""

    principal: Principal
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OwnProvider:
    """A provider's user. `database` is for all that is done on the provider's behalf; nothing else is to be used."""

    principal: Principal
    provider_id: str
    database: Database

    @property
    def actor(self) -> Actor:
        """Who it is, for the audit log."""
        return self.principal.actor


@dataclass(frozen=True, slots=True)
class Needs:
    """Callers with the permission are let through, by session or key; the result is the principal.

    With a limit, no more often than that: what costs the database much.
    """

    permission: Permission
    limit: Limit | None = None

    def __call__(self, request: Request) -> Principal:
        principal = _with_permission(request, self.permission)
        if self.limit is not None:
            count_read(resources_of(request).database, self.limit, principal.actor)
        return principal


@dataclass(frozen=True, slots=True)
class NeedsOwn:
    """Provider users with the permission are let through; the result is the principal and the provider whose rows it
    is.

    With a limit, no more often than that by all of its provider together. `is_shown_to_operators`, for pages: an
    operator who looks at the portal as a provider sees it is let through, too, to read that provider's rows.
    """

    permission: Permission
    limit: Limit | None = None
    is_shown_to_operators: bool = False

    def __call__(self, request: Request) -> OwnProvider:
        principal = _caller_of(request)
        if self.is_shown_to_operators and principal.seen_provider_id is not None:
            return self._as_seen(request, principal, principal.seen_provider_id)
        require(principal, self.permission)
        assert principal.provider_id is not None, "only who belongs to a provider has a permission on its own rows"
        if self.limit is not None:
            count_own_read(resources_of(request).database, self.limit, principal.provider_id)
        # Whatever is done in its name is held to its own rows once more by the database (ADR 12).
        bound = resources_of(request).database.bound_to(principal.provider_id)
        return OwnProvider(principal, principal.provider_id, bound)

    def _as_seen(self, request: Request, looking: Principal, provider_id: str) -> OwnProvider:
        """The provider's rows, for an operator to read: what may be written needs a provider's own user."""
        assert request.method in SAFE_METHODS, "only what is read is shown to operators"
        shown, database = as_provider_sees(looking), resources_of(request).database
        require(shown, self.permission)
        if self.limit is not None:
            count_read(database, self.limit, looking.actor)
        return OwnProvider(shown, provider_id, database.bound_to(provider_id))


@dataclass(frozen=True, slots=True)
class NeedsSession:
    """Let through is every live session, also one whose second factor is outstanding; a key is not."""

    why: str

    def __call__(self, request: Request) -> OpenedSession:
        if key_text_of(request) is not None:
            raise Refused("session_required", "this is about a session: an API key has none")
        return _session_of(request, resources_of(request))


@dataclass(frozen=True, slots=True)
class Public:
    """Every client is let through; writes from other sites' pages only with `from_anywhere`.

    With a limit, no more often than that from one network: `count` is called before anything of a request is read, so
    that the misshapen ones count, too.
    """

    why: str
    from_anywhere: bool = False
    limit: Limit | None = None

    def count(self, request: Request) -> None:
        """One more of its network's is let through. Raises `Throttled` when there were too many."""
        if self.limit is not None:
            count_from_network(resources_of(request).database, self.limit, client_of(request).ip)

    def __call__(self, request: Request) -> None:
        if not self.from_anywhere and request.method not in SAFE_METHODS:
            refuse_cross_origin(request, resources_of(request).settings.public_url)
            refuse_hidden_proxy(request)


Access: TypeAlias = Needs | NeedsOwn | NeedsSession | Public


def needs(permission: Permission, limit: Limit | None = None) -> Any:
    """The route's permission, for `Annotated[Principal, needs(...)]`, and how often each may ask."""
    return Depends(Needs(permission, limit), scope="function")


def needs_own(permission: Permission, limit: Limit | None = None) -> Any:
    """The same on the caller's own rows, for `Annotated[OwnProvider, needs_own(...)]`."""
    return Depends(NeedsOwn(permission, limit), scope="function")


def needs_own_page(permission: Permission, limit: Limit | None = None) -> Any:
    """The same for a page, which an operator may look at as the provider sees it."""
    return Depends(NeedsOwn(permission, limit, is_shown_to_operators=True), scope="function")


def needs_session(why: str) -> Any:
    """For `Annotated[OpenedSession, needs_session(...)]`: what users do to their own session."""
    return Depends(NeedsSession(why), scope="function")


def public(why: str, *, from_anywhere: bool = False, limit: Limit | None = None) -> Any:
    """For a route's `dependencies`: why it needs no authentication, and how often each network may call it."""
    return Depends(Public(why, from_anywhere, limit), scope="function")


def declared_access(dependant: Dependant) -> Iterator[Access]:
    """What a route declares, wherever among its dependencies."""
    if isinstance(dependant.call, Access):
        yield dependant.call
    for each in dependant.dependencies:
        yield from declared_access(each)


def _with_permission(request: Request, permission: Permission) -> Principal:
    principal = _caller_of(request)
    require(principal, permission)
    return principal


def _caller_of(request: Request) -> Principal:
    resources = resources_of(request)
    key = key_text_of(request)
    if key is not None:
        return authenticate_api_key(resources.database, key, client_of(request))
    return _session_of(request, resources).principal


def _session_of(request: Request, resources: Resources) -> OpenedSession:
    token = token_of(request)
    if token is None:
        raise session_invalid()
    # A cookie comes along whichever page asks; a key does not. Such a page sees no answer, but could use up a limit.
    refuse_cross_origin(request, resources.settings.public_url)
    refuse_hidden_proxy(request)
    principal = authenticate_session(resources.database, token, request_id=current_correlation_id())
    return OpenedSession(principal, token)


def key_text_of(request: HTTPConnection) -> str | None:
    """What the header Authorization holds, None without one. Where it is there, the cookie counts for nothing."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, credentials = header.partition(" ")
    # Whatever is no key is refused as a wrong one, and counted as one.
    is_key = scheme.lower() == "bearer" and credentials.isascii() and credentials.isprintable()
    return credentials.strip() if is_key else ""
