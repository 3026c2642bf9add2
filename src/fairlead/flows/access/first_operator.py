"""Letting the first operator in: by a link that only a terminal of the server's machine shows."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fairlead.core.errors import Refused
from fairlead.flows.access.invitations import add_user, email_taken, wanted_operator
from fairlead.flows.access.principal import Client
from fairlead.flows.access.throttle import TOKEN_OF_ADDRESS, give_back, network_of, take
from fairlead.flows.access.tokens import hash_of, is_same, new_token
from fairlead.store.access.setup_link import (
    delete_setup_link,
    has_operator,
    replace_setup_link,
    setup_link,
    spend_setup_link,
)
from fairlead.store.audit.log import Actor
from fairlead.store.configuration.rows import ConcurrentChange
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.leads.rows import clock

LASTS = timedelta(hours=24)
PAGE = "/setup"


@dataclass(frozen=True, slots=True)
class SetupLink:
    """A link that was just made; its token is given here, and nowhere else."""

    token: str = field(repr=False)
    expires_at: datetime

    def address(self, site_url: str) -> str:
        """Where it is used. The token is behind the `#`, so that no browser sends it along and no server logs it."""
        return f"{site_url.rstrip('/')}{PAGE}#{self.token}"


def is_set_up(database: Database) -> bool:
    """Whether there is an operator, and so no way in by a set-up link any more."""
    return database.read(has_operator)


def make_setup_link(database: Database) -> SetupLink | None:
    """There is a link by which the first operator is let in, good once and for a day, and no earlier one is good.

    None, and no link is made, where there is an operator, in whatever state.
    """
    token = new_token()

    def work(conn: Connection) -> SetupLink | None:
        now = clock(conn)
        link = SetupLink(token, now + LASTS)
        # First, because it waits for a transaction in which an earlier link is being used.
        replace_setup_link(conn, hash_of(token), now, link.expires_at)
        if has_operator(conn):
            delete_setup_link(conn)
            return None
        return link

    return database.run(work)


def admit_setup(database: Database, token: str, client: Client) -> None:
    """The attempt counts, and the link is good. Before any work on a password.

    Raises `Throttled`, and `Refused`: `setup_finished` where there is an operator, else `token_refused`.
    """
    token_hash = hash_of(token)

    def work(conn: Connection) -> Refused | None:
        # Not raised here: the attempt has to count.
        take(conn, TOKEN_OF_ADDRESS, network_of(client.ip))
        if has_operator(conn):
            return _finished()
        row = setup_link(conn)
        is_good = row is not None and is_same(row.token_hash, token_hash) and row.expires_at > clock(conn)
        return None if is_good else _refused()

    refused = database.run(work)
    if refused is not None:
        raise refused


def create_first_operator(database: Database, token: str, email: str, name: str, password: str, client: Client) -> str:
    """There is an operator with this password, and the link is gone; returns its id. It is not logged in by this.

    Of several uses at once one succeeds. It is the operator that `fairlead admin create` would have made: the first
    login sets up a second factor. Raises `BadInput` for a malformed email or name and a weak password (the link stays
    good), and `Refused` as `admit_setup`, and `email_taken`, where a provider's user has that email.
    """
    wanted = wanted_operator(email, name, password)
    token_hash, user_id = hash_of(token), new_id(database)

    def work(conn: Connection) -> str:
        is_good = spend_setup_link(conn, token_hash, clock(conn))
        if has_operator(conn):
            raise _finished()
        if not is_good:
            raise _refused()
        give_back(conn, TOKEN_OF_ADDRESS, network_of(client.ip))
        # Last, because it ends with the audit log.
        return add_user(conn, user_id, wanted, Actor("setup link", "system", client.request_id)).user_id

    try:
        return database.run(work)
    except ConcurrentChange:
        raise email_taken() from None


def _finished() -> Refused:
    return Refused("setup_finished", "the marketplace has an operator already: log in")


def _refused() -> Refused:
    return Refused(
        "token_refused",
        "the set-up link has expired, or another one took its place: fairlead admin setup-link makes a new one",
    )
