"""Who may watch, at the beginning and again and again: a right that is lost closes the feed within seconds."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from fairlead.core.errors import Refused
from fairlead.core.permissions import Permission, Role, permissions_of, permissions_of_key
from fairlead.flows.access.principal import Principal, require
from fairlead.store.connection import Database
from fairlead.store.live.rights import AccessState, standings


class Audience(StrEnum):
    """Which feed it is."""

    OPERATORS = "operators"
    PROVIDER = "provider"


NEEDED = {
    Audience.OPERATORS: (Permission.LEADS_READ, Permission.REPORTS_READ),
    Audience.PROVIDER: (Permission.OWN_READ,),
}


class Lost(StrEnum):
    """Why a client may not watch any more: it is not logged in now, or may not see this."""

    LOGIN = "login"
    PERMISSION = "permission"


@dataclass(frozen=True, slots=True)
class Watcher:
    """A client that watches, by which session or key. `provider_id` is whose rows are shown, None to operators."""

    audience: Audience
    owner: str
    provider_id: str | None
    session_id: str | None
    key_id: str | None

    @property
    def watcher_id(self) -> str:
        """Of the session or the key."""
        found = self.session_id or self.key_id
        assert found is not None, "a principal has exactly one of them"
        return found


def watcher_of(database: Database, principal: Principal, audience: Audience) -> Watcher:
    """The principal as a watcher of that feed, which it may see now. A suspended provider is shown nothing live.

    Raises `Refused` as `require` does, and `Unavailable`.
    """
    for permission in NEEDED[audience]:
        require(principal, permission)
    watcher = Watcher(
        audience,
        principal.user_id or principal.provider_id or principal.actor.name,
        principal.provider_id if audience is Audience.PROVIDER else None,
        principal.session_id,
        principal.key_id,
    )
    # Asked in the way in which it will be asked from now on, so that no client is let in only to be shown out.
    lost = lost_rights(database, [watcher]).get(watcher.watcher_id)
    if lost is Lost.PERMISSION:
        raise Refused("permission_missing", "the live feed is for providers that are not suspended")
    if lost is Lost.LOGIN:
        raise Refused("session_invalid", "there is no such session: log in")
    return watcher


def lost_rights(database: Database, watchers: Collection[Watcher]) -> dict[str, Lost]:
    """Which of the watchers may not go on, and why, by session or key; one query, and none counts as active by it.

    A session id or key id stands for one audience only. Raises `Unavailable`: then that is not known.
    """
    session_ids = [each.session_id for each in watchers if each.session_id is not None]
    key_ids = [each.key_id for each in watchers if each.key_id is not None]
    found = database.run(lambda conn: standings(conn, session_ids, key_ids))
    lost = {each.watcher_id: _lost(each, found.get(each.watcher_id)) for each in watchers}
    return {watcher_id: why for watcher_id, why in lost.items() if why is not None}


def _lost(watcher: Watcher, standing: AccessState | None) -> Lost | None:
    if standing is None or not standing.is_live or not _authenticates(standing):
        return Lost.LOGIN
    if not standing.is_open:
        return Lost.PERMISSION
    if watcher.audience is Audience.PROVIDER and (
        standing.provider_id != watcher.provider_id or standing.provider_status == "suspended"
    ):
        return Lost.PERMISSION
    has_all = _permissions(standing) >= {*NEEDED[watcher.audience]}
    return None if has_all else Lost.PERMISSION


def _authenticates(standing: AccessState) -> bool:
    """As authentication has it: a key outlives the reset of its user's second factor, a session does not."""
    if standing.scopes is None:
        return standing.user_status == "active"
    return standing.user_role is None or standing.user_status in ("active", "invited")


def _permissions(standing: AccessState) -> frozenset[Permission]:
    role = Role.PROVIDER if standing.user_role is None else Role(standing.user_role)
    is_active = standing.provider_status == "active"
    if standing.scopes is None:
        return permissions_of(role, provider_is_active=is_active)
    return permissions_of_key(standing.scopes, role, provider_is_active=is_active)
