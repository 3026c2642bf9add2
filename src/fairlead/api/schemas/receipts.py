"""Receipts, credit notes and billing details as answers show them."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import Field

from fairlead.api.schemas.by_sequence import cursor_before
from fairlead.api.schemas.currency import Currency
from fairlead.api.schemas.pagination import Page
from fairlead.api.schemas.values import RequestModel, ResponseModel, Uuid
from fairlead.core.entry.types import Address, Country, Email, Name, TaxId
from fairlead.core.money.receipts import CONTACT_NAMES, PaidBy, Party, ReceiptKind
from fairlead.core.permissions import CONTACT_DATA, Permission
from fairlead.flows.configuration.billing_details import SeenDetails, WantedDetails
from fairlead.store.exports.columns import WITHHELD
from fairlead.store.keyset import KeysetPage
from fairlead.store.money.receipts import ReceiptRow

ReceiptNumber = Annotated[int, Path(ge=1, le=2**63 - 1, description="The number of the receipt or credit note.")]


class PaperParty(ResponseModel):
    """Whom a paper names, as it was when the paper was issued; null where it had not said so.

    Of a provider all but name and country is `withheld` from a key that may not see names and addresses.
    """

    name: str = Field(description="What its pages called it.", examples=["Anchor"])
    legal_name: str | None = Field(
        description="The name that papers are made out to; null where none was given.", examples=["Anchor Hosting GmbH"]
    )
    address: str | None = Field(
        description="The postal address but for the country, on one line or several; null where none was given.",
        examples=["Kai 4\n20457 Hamburg"],
    )
    country: str | None = Field(description="ISO 3166's code; null where none was given.", examples=["DE"])
    tax_id: str | None = Field(
        description="What its tax office knows it by; null where none was given.", examples=["DE123456789"]
    )
    email: str | None = Field(
        description="Where it wants papers; null where it did not say.", examples=["books@anchor.example"]
    )


class ReceiptItem(ResponseModel):
    """A receipt of a deposit, or a credit note that takes one back."""

    number: int = Field(description="Its number in the marketplace, from 1 without gaps.", examples=[17])
    kind: ReceiptKind
    provider_id: Uuid
    payment_id: Uuid = Field(description="The deposit's payment, as the ledger names it.")
    gateway: str = Field(
        description="Where the deposit was made: a payment gateway, or `bank_transfer`, `cash` or `other`.",
        examples=["stripe"],
    )
    paid_by: PaidBy = Field(
        description="How the deposit was made: `checkout` on a page of the gateway, `auto_top_up` by charging a saved "
        "method, `recorded_by_key` or `recorded_by_operator` elsewhere."
    )
    corrects_number: int | None = Field(description="The receipt that a credit note takes back; null for a receipt.")
    corrected_by: int | None = Field(description="The credit note that took it back; null where none did.")
    issued_at: datetime = Field(description="When it was issued.")
    currency: Currency
    gross_cents: int = Field(description="What was paid, in minor units.", examples=[11_900])
    net_cents: int = Field(description="What of that is no tax, in minor units.", examples=[10_000])
    tax_rate_basis_points: int | None = Field(
        description="The tax rate in hundredths of a percent; null where the marketplace named no tax.",
        examples=[1_900],
    )
    tax_cents: int = Field(description="What of the amount is tax, in minor units.", examples=[1_900])


class ReceiptInFull(ReceiptItem):
    """A receipt or credit note with whom it names."""

    issuer: PaperParty = Field(description="The marketplace, as it was then.")
    recipient: PaperParty = Field(description="The provider, as it was then.")
    sha256: str = Field(description="SHA-256 of all that it says, in hexadecimal; the audit log has the same.")


class NewBillingDetails(RequestModel):
    """What papers are to say of the provider from now on."""

    legal_name: Name = Field(description="The name that papers are made out to.", examples=["Anchor Hosting GmbH"])
    address: Address = Field(
        description="The postal address but for the country, on one line or several.", examples=["Kai 4\n20457 Hamburg"]
    )
    country: Country = Field(description="ISO 3166's code.", examples=["DE"])
    tax_id: TaxId | None = Field(default=None, description="Null: none.", examples=["DE123456789"])
    email: Email | None = Field(
        default=None, description="Where papers are wanted; null: not said.", examples=["books@anchor.example"]
    )

    @property
    def wanted(self) -> WantedDetails:
        """As the flow takes it."""
        return WantedDetails(self.legal_name, self.address, self.country, self.tax_id, self.email)


class BillingDetailsState(ResponseModel):
    """What papers say of the provider; null until it is given."""

    legal_name: str | None = Field(
        description="The name that papers are made out to; null where none was given.", examples=["Anchor Hosting GmbH"]
    )
    address: str | None = Field(
        description="The postal address but for the country; null where none was given.",
        examples=["Kai 4\n20457 Hamburg"],
    )
    country: str | None = Field(description="ISO 3166's code; null where none was given.", examples=["DE"])
    tax_id: str | None = Field(
        description="What its tax office knows it by; null where none was given.", examples=["DE123456789"]
    )
    email: str | None = Field(
        description="Where papers are wanted; null where that was not said.", examples=["books@anchor.example"]
    )
    version: str = Field(description="For If-Match.", examples=["9f2c4e6a8b0d1f3a5c7e9b1d3f5a7c9e"])


def receipts_shown(found: KeysetPage[ReceiptRow, int]) -> Page[ReceiptItem]:
    """The papers as one page."""
    items = [ReceiptItem.model_validate(each) for each in found.items]
    return Page[ReceiptItem](items=items, next_cursor=cursor_before(found.next_after))


def receipt_shown(row: ReceiptRow, permissions: frozenset[Permission] | None = None) -> ReceiptInFull:
    """The paper in full, for a reader with these permissions; None: for the provider itself."""
    item = ReceiptItem.model_validate(row).model_dump()
    parties = row.parties
    recipient = parties.recipient
    if permissions is not None and CONTACT_DATA["provider"] not in permissions:
        recipient = replace(recipient, **{name: WITHHELD for name in CONTACT_NAMES if getattr(recipient, name)})
    return ReceiptInFull(**item, issuer=_party(parties.issuer), recipient=_party(recipient), sha256=row.sha256.hex())


def details_shown(seen: SeenDetails) -> BillingDetailsState:
    """The billing details as they are shown."""
    names = ("legal_name", "address", "country", "tax_id", "email")
    said = {name: None if seen.row is None else getattr(seen.row, name) for name in names}
    return BillingDetailsState(**said, version=seen.version)


def _party(party: Party) -> PaperParty:
    return PaperParty.model_validate(party)
