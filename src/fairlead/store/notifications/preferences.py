"""What a provider wants to be told, as its row says."""

from collections.abc import Mapping
from typing import Any

from psycopg.types.json import Jsonb

from fairlead.store.connection import Connection
from fairlead.store.row_counts import change_rows


def preferences_of(conn: Connection, provider_id: str) -> dict[str, Any]:
    """The preferences of a provider that exists, by kind and channel; {} where it wants to be told everything."""
    rows = conn.execute("select notification_preferences from providers where id = %s", (provider_id,)).fetchall()
    return rows[0][0]


def write_preferences(conn: Connection, provider_id: str, preferences: Mapping[str, Mapping[str, bool]]) -> None:
    """The provider has these preferences. Needs its lock."""
    statement = "update providers set notification_preferences = %s where id = %s"
    change_rows(conn, "providers_with_preferences_are_there", 1, statement, (Jsonb(dict(preferences)), provider_id))
