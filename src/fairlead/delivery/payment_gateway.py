"""The port to what collects money: a gateway is told what to collect, and says what became of it.

An adapter calls its gateway and nothing else: it knows no table, and is never called within a transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fairlead.core.payments import GatewayReport


class GatewayUnavailable(Exception):
    """The gateway gave no answer that could be used: what was asked may have been done."""


class EventRefused(Exception):
    """What came as a gateway's webhook is not signed by it, or is no event."""


@dataclass(frozen=True, slots=True)
class PaymentToCollect:
    """What is to be collected. `request_id` is ours, and makes every call repeatable; it was asked about
    `ask_count` times before.
    """

    request_id: str
    amount_cents: int
    currency: str
    checkout_reference: str | None = None
    ask_count: int = 0


@dataclass(frozen=True, slots=True)
class Checkout:
    """A page on which the payment is made, and what the gateway calls it."""

    reference: str
    url: str


class PaymentGateway(Protocol):
    """What collects money."""

    @property
    def name(self) -> str:
        """As payments name it, for ever."""
        ...

    def open_checkout(self, payment: PaymentToCollect, return_url: str) -> Checkout:
        """There is a page of the gateway's that collects the payment. A repetition gives the same page.

        Raises `GatewayUnavailable`.
        """
        ...

    def look_up(self, payment: PaymentToCollect) -> Sequence[GatewayReport]:
        """What the gateway says of the payment now; nothing where it knows none. Raises `GatewayUnavailable`."""
        ...

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> Sequence[GatewayReport]:
        """What a webhook of the gateway's says, its signature checked on the body as it came. Raises `EventRefused`."""
        ...
