"""Every form that a niche ever had, as rows that are only ever added. The highest version is the niche's form."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from fairlead.core.canonical import JsonObject
from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows, one_row


@dataclass(frozen=True, slots=True)
class FormSchemaVersion:
    """A form that a niche has or had, by whom and why."""

    niche_id: str
    version: int
    form_schema: JsonObject
    created_at: datetime
    created_by: str
    memo: str | None


_COLUMNS = "select niche_id::text, version, form_schema, created_at, created_by, memo from form_schema_versions"


def add_form_schemas(
    conn: Connection, forms: Sequence[tuple[str, JsonObject]], created_by: str, memo: str | None, now: datetime
) -> None:
    """Each niche's form (by niche id) is its newest version. Needs the niches' locks, or that they are new."""
    conn.cursor().executemany(
        """
        insert into form_schema_versions (niche_id, version, form_schema, created_at, created_by, memo)
        select %(niche)s, coalesce(max(version), 0) + 1, %(form)s, %(now)s, %(by)s, %(memo)s
        from form_schema_versions where niche_id = %(niche)s
        """,
        [
            {"niche": niche_id, "form": Jsonb(form), "now": now, "by": created_by, "memo": memo}
            for niche_id, form in forms
        ],
    )


def newest_form_schema(conn: Connection, niche_id: str) -> FormSchemaVersion | None:
    """The version that is in use; None for a niche without any."""
    return one_row(
        conn, FormSchemaVersion, _COLUMNS + " where niche_id = %s order by version desc limit 1", (niche_id,)
    )


def form_schema_at(conn: Connection, niche_id: str, version: int) -> FormSchemaVersion | None:
    """This version; None when there is none."""
    return one_row(conn, FormSchemaVersion, _COLUMNS + " where niche_id = %s and version = %s", (niche_id, version))


def form_schemas_of(conn: Connection, niche_id: str) -> list[FormSchemaVersion]:
    """All versions of the niche's form, the newest first."""
    return all_rows(conn, FormSchemaVersion, _COLUMNS + " where niche_id = %s order by version desc", (niche_id,))
