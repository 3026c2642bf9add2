"""Billing details of providers, and what a paper that is issued now says of marketplace and provider."""

from collections.abc import Sequence
from dataclasses import dataclass

from fairlead.core.receipts import Parties, Party
from fairlead.store.arrays import array_text
from fairlead.store.configuration.marketplace import MarketplaceRow
from fairlead.store.connection import Connection
from fairlead.store.typed_rows import one_row

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
    return one_row(
        conn,
        BillingDetails,
        """
        select provider_id::text, legal_name, address, country, tax_id, email
        from billing_details where provider_id = %s
        """,
        (provider_id,),
    )


def write_billing_details(conn: Connection, row: BillingDetails) -> None:
    """The provider's billing details are these. Needs its lock."""
    conn.execute(
        """
        insert into billing_details (provider_id, legal_name, address, country, tax_id, email)
        values (%s, %s, %s, %s, %s, %s)
        on conflict (provider_id) do update
        set legal_name = excluded.legal_name, address = excluded.address, country = excluded.country,
            tax_id = excluded.tax_id, email = excluded.email
        """,
        (row.provider_id, row.legal_name, row.address, row.country, row.tax_id, row.email),
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
