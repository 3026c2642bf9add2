"""Message templates as rows: versions that are only ever added."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows, one_row


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """One version of a kind's template, by whom and why. All three parts are None where it says: the default."""

    kind: str
    version: int
    subject: str | None
    html: str | None
    body_text: str | None
    created_at: datetime
    created_by: str
    memo: str | None


_COLUMNS = """
    select kind, version, subject, html, body_text, created_at, created_by, memo from notification_templates"""


def hold_templates(conn: Connection) -> None:
    """No other transaction adds a version until this one ends; reading goes on."""
    conn.execute("lock table notification_templates in share row exclusive mode")


def newest_version(conn: Connection, kind: str) -> TemplateVersion | None:
    """The version that is in use; None where there never was one but the default."""
    return one_row(conn, TemplateVersion, _COLUMNS + " where kind = %s order by version desc limit 1", (kind,))


def template_version(conn: Connection, kind: str, version: int) -> TemplateVersion | None:
    """This version, None when there is none."""
    return one_row(conn, TemplateVersion, _COLUMNS + " where kind = %s and version = %s", (kind, version))


def versions_of(conn: Connection, kind: str) -> list[TemplateVersion]:
    """All versions of the kind, the newest first."""
    return all_rows(conn, TemplateVersion, _COLUMNS + " where kind = %s order by version desc", (kind,))


def insert_version(conn: Connection, new: TemplateVersion) -> None:
    """The version is there, and in use if it is the highest. Needs `hold_templates`."""
    conn.execute(
        """
        insert into notification_templates (kind, version, subject, html, body_text, created_at, created_by, memo)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (new.kind, new.version, new.subject, new.html, new.body_text, new.created_at, new.created_by, new.memo),
    )
