"""Who may do what: the permissions there are, which role has them, which need a step-up, which a key may carry.

Fixed in code, so that what a role means is reviewed like everything else, and no row can widen it.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Literal


class Role(StrEnum):
    """What a user is to the marketplace. `SYSTEM` is Fairlead itself: no user logs in as that."""

    ADMIN = "admin"
    PROVIDER = "provider"
    SYSTEM = "system"


class Permission(StrEnum):
    """One thing that may be done. `own:*` is about the rows of the user's own provider, and no others."""

    LEADS_READ = "leads:read"
    LEADS_WRITE = "leads:write"
    LEADS_APPROVE = "leads:approve"
    DISTRIBUTION_WRITE = "distribution:write"
    NICHES_READ = "niches:read"
    NICHES_WRITE = "niches:write"
    PROVIDERS_READ = "providers:read"
    PROVIDERS_WRITE = "providers:write"
    MONEY_READ = "money:read"
    MONEY_WRITE = "money:write"
    PAYMENTS_RECORD = "payments:record"
    REPORTS_READ = "reports:read"
    AUDIT_READ = "audit:read"
    EXPORTS_READ = "exports:read"
    EXPORTS_WRITE = "exports:write"
    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    NOTIFICATIONS_READ = "notifications:read"
    NOTIFICATIONS_WRITE = "notifications:write"
    SETTINGS_READ = "settings:read"
    SETTINGS_WRITE = "settings:write"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    INTAKE_WRITE = "intake:write"
    PRIVACY_WRITE = "privacy:write"
    PORTAL_READ = "portal:read"
    OWN_READ = "own:read"
    OWN_WRITE = "own:write"
    OWN_KEYS = "own:keys"


_OF_PROVIDERS = frozenset({Permission.OWN_READ, Permission.OWN_WRITE, Permission.OWN_KEYS})

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission) - _OF_PROVIDERS,
    Role.PROVIDER: _OF_PROVIDERS,
    Role.SYSTEM: frozenset(),
}

CONTACT_DATA: Mapping[Literal["consumer", "provider"], Permission] = {
    "consumer": Permission.LEADS_READ,
    "provider": Permission.PROVIDERS_READ,
}
"""By whose it is: what it takes to see names and addresses. A file for an actor without it holds none."""

STEP_UP_PERMISSIONS = frozenset(
    {
        Permission.MONEY_WRITE,
        Permission.USERS_WRITE,
        Permission.KEYS_WRITE,
        Permission.PRIVACY_WRITE,
        Permission.OWN_KEYS,
    }
)
"""Refunds and adjustments, users and their roles, keys, erasing a person and handing out all that is known of one: only
within minutes of a fresh proof of who it is."""

_FRESH_PROOF_OF_PEOPLE = frozenset({Permission.PAYMENTS_RECORD})
"""The same, where a key that was made for it needs none: to make one took that proof."""

_OF_PEOPLE_ALONE = frozenset(
    {Permission.SETTINGS_WRITE, Permission.USERS_READ, Permission.KEYS_READ, Permission.PORTAL_READ}
)
"""What no program does: among others, to look at pages as a provider sees them."""

KEY_SCOPES: Mapping[Role, frozenset[Permission]] = {
    role: permissions - STEP_UP_PERMISSIONS - _OF_PEOPLE_ALONE for role, permissions in ROLE_PERMISSIONS.items()
}
"""What the key of a user in this role may be made for. A machine cannot step up, so nothing that needs it is here."""


def needs_step_up(permission: Permission, *, is_key: bool) -> bool:
    """Whether this takes a fresh proof of who it is, which a key cannot give.

    >>> needs_step_up(Permission.PAYMENTS_RECORD, is_key=False), needs_step_up(Permission.PAYMENTS_RECORD, is_key=True)
    (True, False)
    """
    return permission in STEP_UP_PERMISSIONS or (permission in _FRESH_PROOF_OF_PEOPLE and not is_key)


def permissions_of(role: Role, *, provider_is_active: bool = True) -> frozenset[Permission]:
    """All that a user in this role may do. One whose provider is pending or suspended can only look.

    >>> sorted(permissions_of(Role.PROVIDER, provider_is_active=False))
    [<Permission.OWN_READ: 'own:read'>]
    """
    permissions = ROLE_PERMISSIONS[role]
    if role is Role.PROVIDER and not provider_is_active:
        return permissions & {Permission.OWN_READ}
    return permissions


def permissions_of_key(
    scopes: Collection[str], role: Role, *, provider_is_active: bool = True
) -> frozenset[Permission]:
    """What a key may do: what it was made for, and of that what its owner may do now and a key may carry at all.

    >>> permissions_of_key(["own:read", "money:write", "gone:read"], Role.PROVIDER)
    frozenset({<Permission.OWN_READ: 'own:read'>})
    """
    allowed = permissions_of(role, provider_is_active=provider_is_active) & KEY_SCOPES[role]
    return frozenset(permission for permission in allowed if permission.value in scopes)


def scope_problems(scopes: Collection[str], role: Role) -> list[str]:
    """What keeps a key of a user in this role from having these scopes, one line each; [] if nothing.

    >>> scope_problems(["own:read"], Role.PROVIDER), scope_problems([], Role.PROVIDER)
    ([], ['scopes: there must be at least one'])
    """
    possible = sorted(permission.value for permission in KEY_SCOPES[role])
    if not scopes:
        return ["scopes: there must be at least one"]
    named = ", ".join(possible) or "none"
    return [
        f"scopes: {scope[:60]!r} is not for a key of this owner; there are {named}"
        for scope in scopes
        if scope not in possible
    ]
