"""What a refund gives back in a niche: the provider's turn, and the lead's place in its limits (entries of `return`).

A turn that is given back is as if that lead had not been received: the subscription stands where its last lead puts it
of those whose turn was not given back, or among those never served. One that was served again since stands where that
later lead put it, so no refund puts a subscription before the place that it had (R5, R12). At a weighted level the
stride that the lead was charged is taken off its pass (R15). The order in which refunds are made does not matter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairlead.core.canonical import JsonObject
from fairlead.core.journal import UnreadableEntry


@dataclass(frozen=True, slots=True)
class RefundPolicy:
    """What a refund gives back in a niche besides the money. Nothing, unless an operator says so."""

    returns_turn: bool = False
    leaves_limits: bool = False

    @property
    def gives_back(self) -> bool:
        """Whether it gives back anything."""
        return self.returns_turn or self.leaves_limits


@dataclass(frozen=True, slots=True)
class TurnGivenBack:
    """The subscription stands at `served_seq` from now on; None: among those never served.

    `weight` is the one at which the lead was charged, where its level was weighted: its stride is taken off again.
    """

    subscription_id: str
    served_seq: int | None
    weight: int | None = None


@dataclass(frozen=True, slots=True)
class Return:
    """What one refund gives back in one niche.

    `opened_subscription_ids` are those of the provider that a limit had shut, and which are asked anew. A refund that
    leaves a limit of the provider over all niches has such an entry in each niche where one of them is.
    """

    assignment_id: str
    provider_id: str
    turn: TurnGivenBack | None
    leaves_limits: bool
    opened_subscription_ids: Sequence[str]


def return_payload(given_back: Return) -> JsonObject:
    """The payload of a `return` entry. What is not given back is left out.

    >>> return_payload(Return("a", "p", TurnGivenBack("s", None), False, ()))
    {'assignment_id': 'a', 'provider_id': 'p', 'turn': {'subscription_id': 's', 'served_seq': None}}
    """
    payload: dict[str, object] = {"assignment_id": given_back.assignment_id, "provider_id": given_back.provider_id}
    if given_back.turn is not None:
        turn = given_back.turn
        payload["turn"] = {
            "subscription_id": turn.subscription_id,
            "served_seq": turn.served_seq,
            **({} if turn.weight is None else {"weight": turn.weight}),
        }
    if given_back.leaves_limits:
        payload["opened"] = sorted(given_back.opened_subscription_ids)
    return payload


def return_from_payload(payload: Mapping[str, Any]) -> Return:
    """The return that `return_payload` wrote. Raises `UnreadableEntry` for one that gives nothing back.

    >>> given_back = Return("a", "p", None, True, ["s", "t"])
    >>> return_from_payload(return_payload(given_back)) == given_back
    True
    """
    if "turn" not in payload and "opened" not in payload:
        raise UnreadableEntry("it gives nothing back")
    told = payload.get("turn")
    turn = None if told is None else TurnGivenBack(told["subscription_id"], told["served_seq"], told.get("weight"))
    opened = payload.get("opened")
    return Return(payload["assignment_id"], payload["provider_id"], turn, opened is not None, opened or [])
