"""Receipts of deposits, and the credit notes that take one back: what they say, and the tax that an amount contains."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from fairlead.core.canonical import JsonObject, canonical_json, timestamp_text

ReceiptKind: TypeAlias = Literal["receipt", "credit_note"]

PaidBy: TypeAlias = Literal["checkout", "auto_top_up", "recorded_by_key", "recorded_by_operator"]
"""How a deposit was made: on a gateway's page, by charging a saved method, or elsewhere and recorded here."""

FULL_RATE = 10_000
"""A hundred percent, in basis points."""


def contained_tax(gross_cents: int, rate_basis_points: int | None) -> int:
    """What of the amount is tax, in cents, rounded half up; without a rate nothing.

    The amount is what was paid: tax is in it, never on top. `receipts.receipts_tax_is_contained` says the same.

    >>> contained_tax(11_900, 1_900), contained_tax(1, 1_900), contained_tax(100, None)
    (1900, 0, 0)
    >>> contained_tax(3, 10_000)
    2
    """
    if rate_basis_points is None:
        return 0
    parts = FULL_RATE + rate_basis_points
    return (2 * gross_cents * rate_basis_points + parts) // (2 * parts)


@dataclass(frozen=True, slots=True)
class Party:
    """Whom a paper is of, as it is to be printed: `name` is what its pages call it; None where it said nothing."""

    name: str
    legal_name: str | None = None
    address: str | None = None
    country: str | None = None
    tax_id: str | None = None
    email: str | None = None


CONTACT_NAMES = ("legal_name", "address", "tax_id", "email")
"""What of a provider as a party is contact data: a key that may not see names and addresses is not given it."""


@dataclass(frozen=True, slots=True)
class Parties:
    """Who issued a paper, and to whom, as they were then."""

    issuer: Party
    recipient: Party

    def document(self) -> JsonObject:
        """As it is stored with the paper."""
        return asdict(self)


def parties_of(document: Mapping[str, Any]) -> Parties:
    """The parties that `Parties.document` wrote."""
    return Parties(Party(**document["issuer"]), Party(**document["recipient"]))


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt, or a credit note that takes the receipt `corrects_number` back, whole.

    `gross_cents` is what was paid, `tax_cents` the tax in it; without a rate the marketplace names no tax.
    """

    number: int
    kind: ReceiptKind
    provider_id: str
    payment_id: str
    corrects_number: int | None
    issued_at: datetime
    currency: str
    gross_cents: int
    tax_rate_basis_points: int | None
    tax_cents: int
    parties: Parties

    @property
    def net_cents(self) -> int:
        """What is left without the tax."""
        return self.gross_cents - self.tax_cents

    def digest(self) -> bytes:
        """SHA-256 of all that it says."""
        said = {
            "number": self.number,
            "kind": self.kind,
            "provider_id": self.provider_id,
            "payment_id": self.payment_id,
            "corrects_number": self.corrects_number,
            "issued_at": timestamp_text(self.issued_at),
            "currency": self.currency,
            "gross_cents": self.gross_cents,
            "tax_rate_basis_points": self.tax_rate_basis_points,
            "tax_cents": self.tax_cents,
            "parties": self.parties.document(),
        }
        return hashlib.sha256(canonical_json(said)).digest()
