"""API keys: machines that act within scopes, for a user or a provider, until they are revoked."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fairlead.core.entry.refusal import EntryRefused
from fairlead.core.entry.text import canonical_line
from fairlead.core.errors import BadInput, Refused
from fairlead.core.permissions import Role, permissions_of_key, scope_problems
from fairlead.flows.access.principal import Client, Principal
from fairlead.flows.access.throttle import KEY_OF_ADDRESS, network_of, take
from fairlead.flows.access.tokens import hash_of, is_same, key_of, new_key
from fairlead.store.access.api_keys import (
    ApiKeyRow,
    insert_key,
    key_by_prefix,
    keys_page,
    list_keys,
    lock_key,
    touch_key,
    write_revoked,
)
from fairlead.store.access.users import lock_user
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.rows import lock_providers
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id

MAX_NAME_CHARACTERS = 100
MAX_LIFETIME_DAYS = 3_650
TOUCHED_AT_MOST_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A key that was just made. `text` is the whole of it, given here and never again."""

    key_id: str
    prefix: str
    expires_at: datetime | None
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key as a list shows it. `prefix` is the part of it that is no secret."""

    key_id: str
    prefix: str
    name: str
    scopes: tuple[str, ...]
    user_id: str | None
    provider_id: str | None
    created_by: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


def create_api_key(
    database: Database,
    name: str,
    scopes: list[str],
    actor: Actor,
    *,
    user_id: str | None = None,
    provider_id: str | None = None,
    lifetime_days: int | None = None,
) -> CreatedKey:
    """There is a key of that user, or of that provider, which may do what `scopes` say and its owner may.

    What needs a step-up is never within reach of a key. Without `lifetime_days` (1 to 3,650) it does not expire. Locks
    the owner. Raises `BadInput`, and `Refused`: `user_unknown` (also for one that is disabled), `provider_unknown`.
    """
    if (user_id is None) == (provider_id is None):
        raise BadInput(["owner: must be one user or one provider"])
    checked_user = None if user_id is None else checked_id(user_id, "user")
    checked_provider = None if provider_id is None else checked_id(provider_id, "provider")
    shown, unique = _checked(name, lifetime_days), tuple(sorted({*scopes}))
    key_id, key = new_id(database), new_key()

    def work(conn: Connection) -> CreatedKey:
        role = _role_of_owner(conn, checked_user, checked_provider)
        if problems := scope_problems(unique, role):
            raise BadInput(problems)
        now = clock(conn)
        expires_at = None if lifetime_days is None else now + timedelta(days=lifetime_days)
        row = ApiKeyRow(
            key_id=key_id,
            prefix=key.prefix,
            secret_hash=hash_of(key.secret),
            name=shown,
            scopes=unique,
            user_id=checked_user,
            provider_id=checked_provider,
            created_by=actor.name,
            created_at=now,
            last_used_at=None,
            expires_at=expires_at,
            revoked_at=None,
        )
        insert_key(conn, row)
        owner = {"user_id": checked_user, "provider_id": checked_provider}
        new = {"prefix": key.prefix, "scopes": list(unique)} | owner
        append_audit(conn, [AuditEvent(actor, "api_key.created", "api_key", key_id, new=new)], now)
        return CreatedKey(key_id, key.prefix, expires_at, key.text)

    return database.run(work)


def list_api_keys(
    database: Database, *, user_id: str | None = None, provider_id: str | None = None, show_all: bool = False
) -> list[ListedKey]:
    """The keys (of that user, of that provider), the newest first; with `show_all` also those that were revoked."""
    checked_user = None if user_id is None else checked_id(user_id, "user")
    checked_provider = None if provider_id is None else checked_id(provider_id, "provider")
    with database.snapshot() as conn:
        return [_listed(row) for row in list_keys(conn, checked_user, checked_provider, show_all=show_all)]


def page_of_api_keys(
    database: Database,
    *,
    user_id: str | None,
    provider_id: str | None,
    show_all: bool,
    before_id: str | None,
    limit: int,
) -> list[ListedKey]:
    """The next keys before that one, the newest first, at most so many; else as `list_api_keys`."""
    found = database.read(
        lambda conn: keys_page(conn, user_id, provider_id, show_all=show_all, before_id=before_id, limit=limit)
    )
    return [_listed(row) for row in found]


def revoke_api_key(database: Database, key_id: str, actor: Actor, *, provider_id: str | None = None) -> bool:
    """The key opens nothing any more; False when it did not before. With `provider_id` only a key of that provider.

    Raises `BadInput`, and `Refused`: `api_key_unknown`, also for one of another provider.
    """
    checked = checked_id(key_id, "API key")
    checked_provider = None if provider_id is None else checked_id(provider_id, "provider")

    def work(conn: Connection) -> bool:
        row = lock_key(conn, checked, checked_provider)
        if row is None:
            raise Refused("api_key_unknown", f"there is no API key {checked}")
        if row.revoked_at is not None:
            return False
        now = clock(conn)
        write_revoked(conn, checked, actor.name, now)
        append_audit(conn, [AuditEvent(actor, "api_key.revoked", "api_key", checked, new={"prefix": row.prefix})], now)
        return True

    return database.run(work)


def authenticate_api_key(database: Database, text: str, client: Client) -> Principal:
    """Who is behind the key, as the rows say now. Its being used is noted at most once a minute.

    Raises `Throttled` for an address that tries wrong keys too often, and `Refused`: `api_key_invalid` for whatever
    opens nothing: malformed, unknown, wrong, revoked, expired, or of a user who is disabled.
    """
    given = key_of(text)
    found = database.run(lambda conn: _usable(conn, given.prefix, hash_of(given.secret), client)) if given else None
    if found is None:
        database.run(lambda conn: take(conn, KEY_OF_ADDRESS, network_of(client.ip)))
        raise Refused("api_key_invalid", "the API key is not valid")
    return found


def _usable(conn: Connection, prefix: str, secret_hash: bytes, client: Client) -> Principal | None:
    row = key_by_prefix(conn, prefix)
    # As much work for a prefix that no key has.
    is_right = is_same(bytes(32) if row is None else row.secret_hash, secret_hash)
    now = clock(conn)
    if row is None or not is_right or row.revoked_at is not None:
        return None
    if (row.expires_at is not None and row.expires_at <= now) or not _has_standing(row):
        return None
    if row.last_used_at is None or now - row.last_used_at >= TOUCHED_AT_MOST_EVERY:
        touch_key(conn, row.key_id, now)
    role = Role.PROVIDER if row.user_role is None else Role(row.user_role)
    permissions = permissions_of_key(row.scopes, role, provider_is_active=row.provider_status == "active")
    return Principal(
        actor=Actor(f"key:{row.prefix}", role.value, client.request_id),
        user_id=row.user_id,
        provider_id=row.provider_id,
        permissions=permissions,
        is_second_factor_done=False,
        stepped_up_until=None,
        authenticated_at=now,
        key_id=row.key_id,
    )


def _has_standing(row: ApiKeyRow) -> bool:
    """A user who has to begin again after a lost second factor keeps its keys, one who is disabled does not."""
    return row.user_id is None or row.user_status in ("active", "invited")


def _role_of_owner(conn: Connection, user_id: str | None, provider_id: str | None) -> Role:
    if provider_id is not None:
        if provider_id not in lock_providers(conn, [provider_id]):
            raise Refused("provider_unknown", f"there is no provider {provider_id}")
        return Role.PROVIDER
    user = None if user_id is None else lock_user(conn, user_id)
    if user is None or user.status == "disabled":
        raise Refused("user_unknown", f"there is no user {user_id} who can have a key")
    return Role(user.role)


def _checked(name: str, lifetime_days: int | None) -> str:
    """The name as it is stored."""
    problems: list[str] = []
    shown = ""
    try:
        shown = canonical_line(name, MAX_NAME_CHARACTERS)
    except EntryRefused as refused:
        problems.append(f"name: {refused.message}")
    if lifetime_days is not None and not 1 <= lifetime_days <= MAX_LIFETIME_DAYS:
        problems.append(f"lifetime_days: must be between 1 and {MAX_LIFETIME_DAYS}")
    if problems:
        raise BadInput(problems)
    return shown


def _listed(row: ApiKeyRow) -> ListedKey:
    return ListedKey(
        row.key_id,
        row.prefix,
        row.name,
        row.scopes,
        row.user_id,
        row.provider_id,
        row.created_by,
        row.created_at,
        row.last_used_at,
        row.expires_at,
        row.revoked_at,
    )
