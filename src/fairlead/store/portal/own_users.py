"""Who can log in for a provider, as it may see that: nothing of how they prove who they are."""

from dataclasses import dataclass, field
from datetime import datetime

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class OwnUser:
    """A user of the provider."""

    user_id: str
    email: str = field(repr=False)
    name: str = field(repr=False)
    status: str
    has_second_factor: bool
    last_login_at: datetime | None
    created_at: datetime


def users_of_provider(conn: Connection, provider_id: str) -> list[OwnUser]:
    """The provider's users, by email."""
    return all_rows(
        conn,
        OwnUser,
        """
        select id::text as user_id, email, name, status, totp_confirmed_at is not null as has_second_factor,
               last_login_at, created_at
        from users where provider_id = %s and role = 'provider' order by lower(email)
        """,
        (provider_id,),
    )
