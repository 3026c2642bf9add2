"""Databases as a hosted server gives them: owned by an ordinary role, which may make roles or may not."""

from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg

from tests.conftest import drop_unused_portal_roles


@contextmanager
def owned_database(server_url: str, *, may_create_roles: bool) -> Generator[str]:
    """The URL of an empty database, as its owner; both are gone afterwards."""
    name, password = f"owned_{uuid4().hex[:12]}", uuid4().hex
    right = "createrole" if may_create_roles else "nocreaterole"
    server = urlsplit(server_url)
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"create role {name} login {right} password '{password}'".encode())
        conn.execute(f"create database {name} owner {name}".encode())
        try:
            yield f"postgresql://{name}:{password}@{server.hostname}:{server.port}/{name}"
        finally:
            conn.execute(f"drop database {name} with (force)".encode())
            drop_unused_portal_roles(conn)
            conn.execute(f"drop role {name}".encode())


def as_superuser(server_url: str, database_url: str) -> str:
    """The URL of that database as the server's superuser."""
    return server_url.rsplit("/", 1)[0] + "/" + database_url.rsplit("/", 1)[1]
