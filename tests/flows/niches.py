"""A niche with a form of every field type, for tests that bring leads in."""

import json
from collections.abc import Sequence
from typing import Any

from fairlead.core.configuration_entries import niche_payload
from fairlead.core.journal import JournalEntryKind
from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from fairlead.store.journal import append_configuration, lock_niches
from fairlead.store.leads.rows import clock

FIELDS: Sequence[dict[str, Any]] = (
    {"key": "age", "label": "Age", "type": "number", "required": True},
    {"key": "city", "label": "City", "type": "text"},
    {"key": "job", "label": "Job", "type": "select", "options": ["nurse", "teacher"]},
    {"key": "pets", "label": "Pets", "type": "multi-select", "options": ["cat", "dog"]},
    {"key": "owner", "label": "Owner", "type": "boolean"},
)


def add_niche(database: Database, slug: str = "moving", fields: Sequence[dict[str, Any]] = FIELDS) -> str:
    """The niche is there, in the table and in its journal; its id."""
    schema = {"version": 1, "fields": list(fields)}
    with database.transaction() as conn:
        niche_id, now = new_id(conn), clock(conn)
        conn.execute(
            "insert into niches (id, slug, name, form_schema, created_at) values (%s, %s, %s, %s, %s)",
            (niche_id, slug, slug, json.dumps(schema), now),
        )
        contents = [(JournalEntryKind.NICHE, niche_payload(slug, slug, True, schema))]
        append_configuration(conn, lock_niches(conn, [niche_id])[niche_id], contents, now)
    return niche_id


def stored_leads(database: Database, columns: str = "attributes") -> list[Any]:
    """The leads in the order of their ids; bare values where one column is asked for."""
    with database.snapshot() as conn:
        rows = conn.execute(f"select {columns} from leads order by id").fetchall()  # pyright: ignore
    return [row[0] if len(row) == 1 else row for row in rows]


def audited(database: Database, action: str) -> list[Any]:
    """What the audit log says of an action, oldest first."""
    with database.snapshot() as conn:
        rows = conn.execute("select new from audit_log where action = %s order by seq", (action,)).fetchall()
    return [row[0] for row in rows]
