"""The marketplace's row beside its currency, and its logo."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import LiteralString

from fairlead.store.connection import Connection
from fairlead.store.lookups import marketplace_currency
from fairlead.store.typed_rows import one_row


@dataclass(frozen=True, slots=True)
class MarketplaceRow:
    """What holds for the whole marketplace; None: not chosen yet. Its papers name it by the last five but the rate."""

    currency: str
    name: str | None
    timezone: str | None
    min_deposit_cents: int | None = None
    max_deposit_cents: int | None = None
    legal_name: str | None = None
    address: str | None = None
    country: str | None = None
    tax_id: str | None = None
    tax_rate_basis_points: int | None = None


@dataclass(frozen=True, slots=True)
class LogoRow:
    """A logo without its bytes; `digest` is the SHA-256 of these, in hexadecimal."""

    digest: str
    media_type: str
    size_bytes: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class LogoContent:
    """A logo's bytes, and what they are."""

    content: bytes = field(repr=False)
    media_type: str


@dataclass(frozen=True, slots=True)
class IdentityRow:
    """What the marketplace is called, and the digest of its logo; None for each that it does not have."""

    name: str | None
    logo_digest: str | None


_ROW: LiteralString = """
    select currency, name, timezone, min_deposit_cents, max_deposit_cents, legal_name, address, country, tax_id,
           tax_rate_basis_points
    from marketplace"""


def marketplace_row(conn: Connection) -> MarketplaceRow:
    """The marketplace as it is; EUR and no more until something of it was declared."""
    row = one_row(conn, MarketplaceRow, _ROW)
    return row or MarketplaceRow(marketplace_currency(conn), None, None)


def write_marketplace(conn: Connection, row: MarketplaceRow) -> None:
    """The marketplace is like this; its currency stays as it is. Needs its lock."""
    conn.execute(
        """
        update marketplace
        set name = %s, timezone = %s, min_deposit_cents = %s, max_deposit_cents = %s, legal_name = %s, address = %s,
            country = %s, tax_id = %s, tax_rate_basis_points = %s
        """,
        (
            row.name,
            row.timezone,
            row.min_deposit_cents,
            row.max_deposit_cents,
            row.legal_name,
            row.address,
            row.country,
            row.tax_id,
            row.tax_rate_basis_points,
        ),
    )


def marketplace_identity(conn: Connection) -> IdentityRow:
    """What pages show of the marketplace."""
    row = one_row(
        conn,
        IdentityRow,
        """
        select (select name from marketplace) as name,
               (select encode(sha256, 'hex') from marketplace_logo) as logo_digest
        """,
    )
    assert row is not None, "it has no table of its own"
    return row


def logo_row(conn: Connection) -> LogoRow | None:
    """The logo without its bytes; None without one."""
    return one_row(
        conn,
        LogoRow,
        """
        select encode(sha256, 'hex') as digest, media_type, octet_length(content) as size_bytes, changed_at
        from marketplace_logo
        """,
    )


def logo_content(conn: Connection, digest: bytes) -> LogoContent | None:
    """The logo with this digest; None where it is another by now."""
    return one_row(conn, LogoContent, "select content, media_type from marketplace_logo where sha256 = %s", (digest,))


def write_logo(conn: Connection, content: bytes, digest: bytes, media_type: str, now: datetime) -> None:
    """This is the logo. Needs the marketplace's lock."""
    conn.execute(
        """
        insert into marketplace_logo (content, sha256, media_type, changed_at) values (%s, %s, %s, %s)
        on conflict (is_only_row) do update
        set content = excluded.content, sha256 = excluded.sha256, media_type = excluded.media_type,
            changed_at = excluded.changed_at
        """,
        (content, digest, media_type, now),
    )


def delete_logo(conn: Connection) -> None:
    """There is no logo. Needs the marketplace's lock."""
    conn.execute("delete from marketplace_logo")
