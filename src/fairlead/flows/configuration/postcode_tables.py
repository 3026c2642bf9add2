"""Postcode tables: loading one, and asking them for a filter that is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from fairlead.core.errors import BadInput
from fairlead.core.filters.distances import Place
from fairlead.core.filters.postcode_tables import (
    PostcodeTableContent,
    is_table_name,
    places_of,
    read_postcode_table,
)
from fairlead.flows.configuration.versions import Changed
from fairlead.flows.input_types import canonical_memo
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.postcode_tables import (
    PostcodeTableRow,
    add_postcode_table,
    newest_postcode_table,
    postcode_table_content,
    postcode_table_rows,
)
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock


@dataclass(frozen=True, slots=True)
class StoredPostcodeTables:
    """The tables that were loaded, as a transaction sees them. Each version is read once: it may be megabytes.

    `planned` are versions, by name and number, that the transaction is going to load.
    """

    conn: Connection
    planned: Mapping[tuple[str, int], PostcodeTableContent] = field(
        default_factory=dict[tuple[str, int], PostcodeTableContent]
    )
    _read: dict[tuple[str, int], Mapping[str, Place]] = field(
        default_factory=dict[tuple[str, int], Mapping[str, Place]], init=False
    )

    def version(self, name: str, version: int | None) -> int | None:
        """The version itself where the table has it; without one the newest; None where there is none."""
        planned = [each for other, each in self.planned if other == name and version in (None, each)]
        found = newest_postcode_table(self.conn, name, version)
        return max([*planned, *([] if found is None else [found.version])], default=None)

    def place(self, name: str, version: int, postcode: str) -> Place | None:
        """The place of a postcode, by its key."""
        return self._places(name, version).get(postcode)

    def between(self, name: str, version: int, south: float, north: float) -> Mapping[str, Place]:
        """The postcodes between two latitudes, both included, with their places."""
        places = self._places(name, version)
        return {code: place for code, place in places.items() if south <= place.latitude <= north}

    def _places(self, name: str, version: int) -> Mapping[str, Place]:
        if (name, version) not in self._read:
            planned = self.planned.get((name, version))
            text = postcode_table_content(self.conn, name, version) if planned is None else planned.text
            self._read[name, version] = places_of(text)
        return self._read[name, version]


def list_postcode_tables(database: Database) -> Sequence[PostcodeTableRow]:
    """Every version of every table, by name, the newest first."""
    return database.read(postcode_table_rows)


def load_postcode_table(
    database: Database, name: str, text: str, actor: Actor, *, memo: str | None = None
) -> Changed[PostcodeTableRow]:
    """The table's newest version is this one: lines of a postcode, its latitude and its longitude.

    What the newest version has already changes nothing. Filters that name the table go on with the version that they
    were written with. Raises `BadInput` with every line that is wrong, up to a bound.
    """
    memo = canonical_memo(memo)
    if not is_table_name(name):
        raise BadInput(["name: 1 to 50 small letters, digits and hyphens, beginning with a letter or digit"])
    content = read_postcode_table(text)

    def work(conn: Connection, _: Sequence[str]) -> Changed[PostcodeTableRow]:
        before = newest_postcode_table(conn, name)
        if before is not None and before.content_sha256 == content.sha256:
            return Changed(before, str(before.version), took_effect=False)
        now = clock(conn)
        row, event = write_postcode_table(conn, name, 1 if before is None else before.version + 1, content, actor, now)
        append_audit(conn, [replace(event, memo=memo)], now)
        return Changed(row, str(row.version), took_effect=True)

    return with_niche_locks(database, work)


def write_postcode_table(
    conn: Connection, name: str, version: int, content: PostcodeTableContent, actor: Actor, now: datetime
) -> tuple[PostcodeTableRow, AuditEvent]:
    """The version, which is new, is there; and what the audit log has to say of it, which the caller appends."""
    row = PostcodeTableRow(name, version, content.postcode_count, content.sha256, now)
    add_postcode_table(conn, row, content.text)
    new = {"version": version, "postcode_count": row.postcode_count, "content_sha256": row.content_sha256}
    return row, AuditEvent(actor, "postcode_table.loaded", "postcode_table", f"{name}/{version}", None, new)
