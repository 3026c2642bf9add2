"""The marketplace's logo: a small picture, kept in the database and shown on its pages."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from fairlead.core.errors import BadInput
from fairlead.core.picture import NoPicture, Picture, read_picture
from fairlead.flows.configuration.versions import require_version, setting_version
from fairlead.flows.input_types import canonical_memo
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.marketplace import LogoRow, delete_logo, logo_row, write_logo
from fairlead.store.configuration.rows import DEFAULT_CURRENCY, lock_marketplace
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock

_LOGO = "marketplace_logo"


@dataclass(frozen=True, slots=True)
class Logo:
    """The logo as it is, and its opaque version; all else is None without one."""

    digest: str | None
    media_type: str | None
    size_bytes: int | None
    changed_at: datetime | None
    version: str
    took_effect: bool = False


def read_logo(database: Database) -> Logo:
    """The marketplace's logo now."""
    return _logo(database.read(logo_row))


def change_logo(
    database: Database,
    content: bytes | None,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> Logo:
    """The picture is the marketplace's logo; None: it has none. Only its kind is told from the bytes, none is changed.

    Locks the marketplace's row. Raises `BadInput` for what is no small PNG, JPEG or WebP picture, and `Refused`:
    `version_conflict`.
    """
    memo = canonical_memo(memo)
    picture = None if content is None else _picture(content)
    digest = None if content is None else hashlib.sha256(content).digest()

    def work(conn: Connection) -> Logo:
        lock_marketplace(conn, DEFAULT_CURRENCY, may_change=False)
        before = logo_row(conn)
        if (None if before is None else before.digest) == (None if digest is None else digest.hex()):
            return _logo(before)
        require_version(expected_version, _logo(before).version, "the logo")
        now = clock(conn)
        if content is None or picture is None or digest is None:
            delete_logo(conn)
        else:
            write_logo(conn, content, digest, picture.media_type, now)
        after = logo_row(conn)
        event = AuditEvent(
            actor, "marketplace.logo_changed", "marketplace", "*", _audited(before), _audited(after), memo
        )
        append_audit(conn, [event], now)
        return _logo(after, took_effect=True)

    return database.run(work)


def _picture(content: bytes) -> Picture:
    try:
        return read_picture(content)
    except NoPicture as error:
        raise BadInput([f"image: {error}"]) from None


def _audited(row: LogoRow | None) -> dict[str, object]:
    return {"logo": None} if row is None else {"logo": row.digest, "media_type": row.media_type}


def _logo(row: LogoRow | None, *, took_effect: bool = False) -> Logo:
    version = setting_version(_LOGO, "*", {"digest": None if row is None else row.digest})
    if row is None:
        return Logo(None, None, None, None, version, took_effect)
    return Logo(row.digest, row.media_type, row.size_bytes, row.changed_at, version, took_effect)
