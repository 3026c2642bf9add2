"""Limits on guessing and flooding, which hold across processes and never shut an account for good.

Guessing is slowed down by address, and by account and address. The limits of an account alone leave those
addresses out from which its user came before, so that an attacker cannot lock the user out by guessing.
"""

import math
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from fairlead.core.duplicates import keyed_hash
from fairlead.core.entry.mailbox import mailbox_key
from fairlead.core.errors import Refused
from fairlead.store.access.rate_buckets import give_back_token, take_token
from fairlead.store.access.users import UserRow
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.fingerprints import intake_secret


@dataclass(frozen=True, slots=True)
class Limit:
    """So many at once, and then one every so many seconds."""

    name: str
    capacity: int
    seconds_per_token: float


PAYMENT_WEBHOOKS_OF_NETWORK = Limit("payment_webhooks_of_network", 1_000, 1)
LOGIN_OF_ADDRESS = Limit("login_of_address", 30, 10)
LOGIN_OF_PAIR = Limit("login_of_account_and_address", 5, 60)
LOGIN_OF_ACCOUNT = Limit("login_of_account", 20, 30)
CODE_OF_ACCOUNT = Limit("code_of_account", 5, 300)
CODE_OF_PAIR = Limit("code_of_account_and_address", 5, 300)
RESET_OF_ADDRESS = Limit("reset_of_address", 10, 360)
RESET_OF_ACCOUNT = Limit("reset_of_account", 3, 1_200)
REGISTRATION_OF_ADDRESS = Limit("registration_of_address", 5, 720)
TOKEN_OF_ADDRESS = Limit("one_time_token_of_address", 20, 30)
KEY_OF_ADDRESS = Limit("key_of_address", 60, 1)
INTAKE_OF_ADDRESS = Limit("intake_of_address", 20, 30)
CONFIRMATION_OF_MAILBOX = Limit("confirmation_of_mailbox", 3, 1_200)

ADDRESS_IS_KNOWN_FOR = timedelta(days=30)
"""An address from which a user logged in completely is known as the user's for so long."""


class Throttled(Refused):
    """Too many attempts; another may succeed after so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.retry_after_seconds = max(1, math.ceil(seconds))
        super().__init__("too_many_attempts", f"too many attempts: try again in {self.retry_after_seconds} s")


def take(conn: Connection, limit: Limit, *whom: str) -> None:
    """One more is let through for them. Raises `Throttled` when there were too many."""
    seconds = take_token(conn, _bucket(conn, limit, whom), limit.capacity, limit.seconds_per_token)
    if seconds > 0:
        raise Throttled(seconds)


def is_let_through(conn: Connection, limit: Limit, *whom: str) -> bool:
    """One more is let through for them; False when there were too many."""
    return take_token(conn, _bucket(conn, limit, whom), limit.capacity, limit.seconds_per_token) == 0


def give_back(conn: Connection, limit: Limit, *whom: str) -> None:
    """What was let through turned out to be no guess, and does not count."""
    give_back_token(conn, _bucket(conn, limit, whom), limit.seconds_per_token)


def account_of(user: UserRow | None, email: str) -> str:
    """Whom the limits of an account count for: the user that was found, whichever way its address was written.

    Where none was found, the form by which addresses are compared.
    """
    return mailbox_key(email) if user is None else user.user_id


def network_of(ip: str) -> str:
    """What counts as one address: in IPv6 the whole /64, since a single customer is given that many.

    >>> network_of("192.0.2.7"), network_of("2001:db8:1:2:3:4:5:6"), network_of("::ffff:192.0.2.7"), network_of("?")
    ('192.0.2.7', '2001:db8:1:2::/64', '192.0.2.7', '?')
    """
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(ip_network((address, 64), strict=False)) if mapped is None else str(mapped)
    return str(address)


def network_digest(database: Database, ip: str) -> str:
    """The network of the address, to be kept: it tells no address, as that of each could be tried out otherwise."""
    return database.read(lambda conn: _digest(conn, "network", (network_of(ip),)))


def _bucket(conn: Connection, limit: Limit, whom: tuple[str, ...]) -> str:
    """The row's name, which tells neither email nor address, nor that a row of another limit is of the same."""
    return f"{limit.name}:{_digest(conn, limit.name, whom)[:32]}"


def _digest(conn: Connection, purpose: str, whom: tuple[str, ...]) -> str:
    """A hash that nothing but the marketplace's secret makes: there are few addresses of IPv4, and few mailboxes."""
    text = chr(0).join(whom).encode("utf-8", "replace")
    return keyed_hash(intake_secret(conn), {"purpose": purpose, "whom": text.hex()}).hex()
