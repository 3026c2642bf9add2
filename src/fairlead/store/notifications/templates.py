"""Message templates as rows: versions that are only ever added."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows, one_row


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """One version of a kind's template in a language, by whom and why. All three parts are None where it says: the
    default."""

    kind: str
    language: str
    version: int
    subject: str | None
    html: str | None
    body_text: str | None
    created_at: datetime
    created_by: str
    memo: str | None


_COLUMNS = """
    select kind, language, version, subject, html, body_text, created_at, created_by, memo
    from notification_templates"""


def hold_templates(conn: Connection) -> None:
    """No other transaction adds a version until this one ends; reading goes on."""
    conn.execute("lock table notification_templates in share row exclusive mode")


_OF_ONE = " where kind = %s and language = %s"


def newest_version(conn: Connection, kind: str, language: str) -> TemplateVersion | None:
    """The version that is in use; None where there never was one but the default."""
    return one_row(conn, TemplateVersion, _COLUMNS + _OF_ONE + " order by version desc limit 1", (kind, language))


def template_version(conn: Connection, kind: str, language: str, version: int) -> TemplateVersion | None:
    """This version, None when there is none."""
    return one_row(conn, TemplateVersion, _COLUMNS + _OF_ONE + " and version = %s", (kind, language, version))


def versions_of(conn: Connection, kind: str, language: str) -> list[TemplateVersion]:
    """All versions of the kind in that language, the newest first."""
    return all_rows(conn, TemplateVersion, _COLUMNS + _OF_ONE + " order by version desc", (kind, language))


def insert_version(conn: Connection, new: TemplateVersion) -> None:
    """The version is there, and in use if it is the highest. Needs `hold_templates`."""
    conn.execute(
        """
        insert into notification_templates (kind, language, version, subject, html, body_text, created_at,
                                            created_by, memo)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            new.kind,
            new.language,
            new.version,
            new.subject,
            new.html,
            new.body_text,
            new.created_at,
            new.created_by,
            new.memo,
        ),
    )
