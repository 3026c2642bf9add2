"""Asking a server that is not ours whether it is there."""

from __future__ import annotations

import psycopg


def server_version(url: str, *, within_s: int = 5) -> str | None:
    """Return the version of the PostgreSQL at this URL ("16.4"), or None when it cannot be used from here."""
    try:
        with psycopg.connect(url, connect_timeout=within_s) as connection:
            return connection.info.parameter_status("server_version")
    except psycopg.Error:
        return None
