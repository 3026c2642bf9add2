"""The port to what collects money: a gateway is told what to collect, and says what became of it.

An adapter calls its gateway and nothing else: it knows no table, and is never called within a transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fairlead.core.money.payments import GatewayReport


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


@dataclass(frozen=True, slots=True)
class MethodToSave:
    """A payment method that a provider is to save. `setup_id` is ours, and makes every call repeatable."""

    setup_id: str
    currency: str
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class SavedMethod:
    """A payment method that can be charged without its owner: what the gateway calls it, and what its owner does."""

    reference: str
    label: str


@dataclass(frozen=True, slots=True)
class SavingState:
    """How far saving a method has come: the method once it is saved; over without one where it will not be."""

    method: SavedMethod | None = None
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class ChargeToMake:
    """What is to be charged to a saved method. `request_id` is ours: a repetition with it charges nothing more."""

    request_id: str
    amount_cents: int
    currency: str
    method_reference: str
    ask_count: int = 0


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

    def open_saving(self, saving: MethodToSave, return_url: str) -> Checkout:
        """There is a page of the gateway's on which a payment method is saved. A repetition gives the same page.

        Raises `GatewayUnavailable`.
        """
        ...

    def look_up_saving(self, saving: MethodToSave) -> SavingState:
        """Whether the method is saved by now. Raises `GatewayUnavailable`."""
        ...

    def charge(self, charge: ChargeToMake) -> GatewayReport:
        """The amount is charged to the saved method, once, without its owner; or the gateway says why not.

        Raises `GatewayUnavailable`: it may have been charged, and a repetition says so.
        """
        ...

    def look_up_charge(self, charge: ChargeToMake) -> Sequence[GatewayReport]:
        """What the gateway says of the charge, and charges nothing; nothing where it knows none.

        Raises `GatewayUnavailable`.
        """
        ...

    def forget_method(self, method_reference: str) -> None:
        """The gateway keeps the method no more. Raises `GatewayUnavailable`."""
        ...

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> Sequence[GatewayReport]:
        """What a webhook of the gateway's says, its signature checked on the body as it came. Raises `EventRefused`."""
        ...
