"""Billing details of providers, and what a paper that is issued now says of marketplace and provider."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from psycopg.rows import class_row

from fairlead.core.money.receipts import Parties, Party
from fairlead.store.arrays import array_text
from fairlead.store.configuration.marketplace import MarketplaceRow
from fairlead.store.connection import Connection

UNNAMED = "Fairlead"
"""What papers call a marketplace that was not named yet."""


@dataclass(frozen=True, slots=True)
class BillingDetails:
    """What papers say of a provider."""

    provider_id: str
    legal_name: str
    address: str
    country: str
    tax_id: str | None = None
    email: str | None = None


def billing_details(conn: Connection, provider_id: str) -> BillingDetails | None:
    """The provider's; None until they are given. Final only under the provider's lock, under which all change them."""
    return billing_details_of(conn, [provider_id]).get(provider_id)


def billing_details_of(conn: Connection, provider_ids: Sequence[str]) -> dict[str, BillingDetails]:
    """By provider id, the details of those that have given them. Final only under the providers' locks."""
    with conn.cursor(row_factory=class_row(BillingDetails)) as cursor:
        cursor.execute(
            """
            select provider_id::text, legal_name, address, country, tax_id, email
            from billing_details where provider_id = any(%s::uuid[])
            """,
            (array_text(provider_ids),),
        )
        return {row.provider_id: row for row in cursor}


def write_billing_details(conn: Connection, rows: Sequence[BillingDetails]) -> None:
    """The providers' billing details are these. Needs the providers' locks."""
    if not rows:
        return
    columns = [[getattr(row, each.name) for row in rows] for each in fields(BillingDetails)]
    conn.execute(
        """
        insert into billing_details (provider_id, legal_name, address, country, tax_id, email)
        select * from unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
        on conflict (provider_id) do update
        set legal_name = excluded.legal_name, address = excluded.address, country = excluded.country,
            tax_id = excluded.tax_id, email = excluded.email
        """,
        columns,
    )


def parties_now(conn: Connection, market: MarketplaceRow, provider_ids: Sequence[str]) -> dict[str, Parties]:
    """By provider id, what a paper that is issued now says of it and of the marketplace."""
    issuer = Party(market.name or UNNAMED, market.legal_name, market.address, market.country, market.tax_id)
    rows = conn.execute(
        """
        select p.id::text, p.name, d.legal_name, d.address, d.country, d.tax_id, d.email
        from providers p left join billing_details d on d.provider_id = p.id
        where p.id = any(%s::uuid[])
        """,
        (array_text(provider_ids),),
    ).fetchall()
    return {provider_id: Parties(issuer, Party(*said)) for provider_id, *said in rows}
