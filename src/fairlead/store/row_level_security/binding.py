"""Binding a transaction to a provider: the role that it runs as, and for whom."""

from typing import Any

import psycopg
from psycopg import errors, sql

from fairlead.core.errors import Unavailable


class PortalRole:
    """The role that providers' transactions run as: looked up once, shared by all threads of a process."""

    def __init__(self) -> None:
        self.name: str | None = None

    def find(self, conn: psycopg.Connection[tuple[Any, ...]]) -> str:
        """The role's name, known from now on. Raises `Unavailable` where it was never made."""
        try:
            row = conn.execute("select role_name from portal_role").fetchone()
        except errors.UndefinedTable:
            row = None
        if row is None:
            raise _portal_role_missing()
        self.name = str(row[0])
        return self.name

    def bind(self, conn: psycopg.Connection[tuple[Any, ...]], name: str, provider_id: str) -> None:
        """Until this transaction ends it is the portal's, on behalf of that provider. Raises `Unavailable`.

        Both are commands, not queries: the isolation level can still be chosen after them. One round trip.
        """
        role, provider = sql.Identifier(name), sql.Literal(provider_id)
        try:
            with conn.pipeline():
                conn.execute(sql.SQL("set local role {}").format(role), prepare=False)
                conn.execute(sql.SQL("set local fairlead.provider_id = {}").format(provider), prepare=False)
        except (errors.InvalidParameterValue, errors.InsufficientPrivilege) as error:
            self.name = None  # it may have been made anew meanwhile, under another name
            raise _portal_role_missing() from error


def _portal_role_missing() -> Unavailable:
    return Unavailable(
        "the database role that providers' requests run in is missing: `fairlead status` says what to do"
    )
