"""Users that are created for a person: the first operator from the command line, others by invitation."""

from dataclasses import dataclass, field

from fairlead.core.entry.mailbox import canonical_mailbox
from fairlead.core.entry.refusal import EntryRefused
from fairlead.core.entry.text import canonical_line
from fairlead.core.errors import BadInput, Refused
from fairlead.core.permissions import Role
from fairlead.flows.access.one_time import OneTimeToken, issue_token
from fairlead.flows.access.passwords import check_password, hash_password
from fairlead.store.access.one_time_tokens import void_tokens
from fairlead.store.access.setup_link import delete_setup_link
from fairlead.store.access.users import UserRow, insert_user, lock_user, user_by_email, write_password
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.rows import ConcurrentChange, lock_providers
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id
from fairlead.store.notifications.outbox import Notification, notify


@dataclass(frozen=True, slots=True)
class AddedUser:
    """A user as the verb left it. `invite` is the way to set a password where no email was sent for that."""

    user_id: str
    status: str
    invite: OneTimeToken | None = None


@dataclass(frozen=True, slots=True)
class WantedUser:
    """A user who is to be there, checked. Without `password_hash` it is invited, `by_mail` or by the token returned."""

    email: str
    name: str
    role: Role
    provider_id: str | None
    password_hash: str | None = field(repr=False)
    by_mail: bool


def create_admin(database: Database, email: str, name: str, actor: Actor, *, password: str | None = None) -> AddedUser:
    """There is an admin with this email: with the password, else invited, with a token that sets one, good for a week.

    An admin that was invited before and has no password yet gets the password, or a new token in place of the old.
    The user sets up a second factor at the first login, before anything else.

    Raises `BadInput` for a malformed email or name and a weak password, and `Refused`: `email_taken`.
    """
    return _add(database, wanted_operator(email, name, password), actor)


def wanted_operator(email: str, name: str, password: str | None) -> WantedUser:
    """An operator with this password, or one that is invited. Takes a while: never under a lock. Raises `BadInput`."""
    address, shown = checked_person(email, name)
    if password is not None:
        check_password(password, address, shown)
    password_hash = None if password is None else hash_password(password)
    return WantedUser(address, shown, Role.ADMIN, None, password_hash, by_mail=False)


def invite_user(
    database: Database, email: str, name: str, role: Role, actor: Actor, *, provider_id: str | None = None
) -> AddedUser:
    """There is an invited user, who will be sent a link that sets a password. `provider_id`: exactly for providers.

    Inviting the same user again sends another link, and the old ones open nothing. Locks the provider, then the user.

    Raises `BadInput`, and `Refused`: `provider_unknown`, `email_taken` when a user with this email is active, disabled,
    or was invited as something else.
    """
    address, shown = checked_person(email, name)
    if role not in (Role.ADMIN, Role.PROVIDER) or (role is Role.PROVIDER) != (provider_id is not None):
        raise BadInput(["role: must be admin, or provider with a provider_id"])
    checked = None if provider_id is None else checked_id(provider_id, "provider")
    return _add(database, WantedUser(address, shown, role, checked, None, by_mail=True), actor)


def hand_over_invitation(database: Database, user_id: str, actor: Actor, *, sends_mail: bool) -> OneTimeToken:
    """The invited user's link, for the operator who hands it over; every earlier link of the user opens nothing.

    Only where no message can bring it (`sends_mail` is False), and only of a user who never logged in: a person who has
    the link becomes that user, so that it must not be a way into another's account. Locks the user. Audited.

    Raises `BadInput`, and `Refused`: `user_unknown`, `invitation_over` for a user who is not waiting for a first login,
    `invitation_by_mail`.
    """
    checked = checked_id(user_id, "user")
    if sends_mail:
        raise Refused("invitation_by_mail", "the invitation is sent by email: invite the user again for another")

    def work(conn: Connection) -> OneTimeToken:
        user = lock_user(conn, checked)
        if user is None:
            raise Refused("user_unknown", f"there is no user {checked}")
        if user.status != "invited" or user.last_login_at is not None:
            raise Refused("invitation_over", "the user is not waiting for a first login")
        now = clock(conn)
        void_tokens(conn, checked, now)
        token = issue_token(conn, checked, "invite", now)
        append_audit(conn, [AuditEvent(actor, "user.invitation_handed_over", "user", checked)], now)
        return token

    return database.run(work)


def _add(database: Database, wanted: WantedUser, actor: Actor) -> AddedUser:
    user_id = new_id(database)
    try:
        return database.run(lambda conn: add_user(conn, user_id, wanted, actor))
    except ConcurrentChange:
        raise email_taken() from None


def add_user(conn: Connection, user_id: str, wanted: WantedUser, actor: Actor) -> AddedUser:
    """The user is there, or the one that was invited before is as wanted. With an operator the set-up link is over.

    Raises `Refused` as `create_admin` and `invite_user`, and `ConcurrentChange` where the email was just taken.
    """
    if wanted.role is Role.ADMIN:
        delete_setup_link(conn)
    if wanted.provider_id is not None and wanted.provider_id not in lock_providers(conn, [wanted.provider_id]):
        raise Refused("provider_unknown", f"there is no provider {wanted.provider_id}")
    found = user_by_email(conn, wanted.email)
    before = None if found is None else lock_user(conn, found.user_id)
    now = clock(conn)
    status = "invited" if wanted.password_hash is None else "active"
    if before is None:
        row = UserRow(
            user_id,
            wanted.email,
            wanted.name,
            wanted.role.value,
            wanted.provider_id,
            None,
            status,
            wanted.password_hash,
            None,
            None,
            None,
            None,
            now,
        )
        insert_user(conn, row)
    else:
        user_id = before.user_id
        _check_is_wanted(before, wanted)
        void_tokens(conn, user_id, now)
        if wanted.password_hash is not None and before.password_hash != wanted.password_hash:
            write_password(conn, user_id, wanted.password_hash, now)
    invite = None
    if status == "invited" and wanted.by_mail:
        notify(conn, [Notification("user_invited", user_id=user_id, correlation_id=actor.request_id)], now)
    elif status == "invited":
        invite = issue_token(conn, user_id, "invite", now)
    new = {"role": wanted.role.value, "provider_id": wanted.provider_id, "status": status}
    action = "user.created" if before is None else "user.invited_again"
    append_audit(conn, [AuditEvent(actor, action, "user", user_id, new=new)], now)
    return AddedUser(user_id, status, invite)


def _check_is_wanted(before: UserRow, wanted: WantedUser) -> None:
    """Raises `Refused` unless this is the user that is wanted, and nothing but the invitation has touched it yet."""
    is_same = (before.role, before.provider_id) == (wanted.role.value, wanted.provider_id)
    done_before = wanted.password_hash is not None and before.password_hash == wanted.password_hash
    if not is_same or (before.status != "invited" and not done_before):
        raise email_taken()


def checked_person(email: str, name: str) -> tuple[str, str]:
    """Email and name as they are stored. Raises `BadInput`, also for an address that no mail can reach."""
    problems: list[str] = []
    address, shown = "", ""
    try:
        address = canonical_mailbox(email).address
    except EntryRefused as refused:
        problems.append(f"email: {refused.message}")
    try:
        shown = canonical_line(name)
    except EntryRefused as refused:
        problems.append(f"name: {refused.message}")
    if problems:
        raise BadInput(problems)
    return address, shown


def email_taken() -> Refused:
    """The refusal of an email that another user has."""
    return Refused("email_taken", "there is a user with this email already")
