"""What a decision knows while it goes from level to level: the lead, the balances, and who has received it so far."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from fairlead.core.model import Balance, Lead


class Balances(Protocol):
    """What providers can pay with. A mapping of all that are asked for is one."""

    def __getitem__(self, provider_id: str, /) -> Balance:
        """The provider's balance."""
        ...


@dataclass(slots=True)
class DecisionState:
    """The state of one decision. `received_at` holds the level at which each recipient's provider was chosen.

    `last_served_seq` is the niche's counter; each recipient takes the next one (R5).
    """

    seq: int
    decided_at: datetime
    lead: Lead
    balances: Balances
    last_served_seq: int
    received_at: dict[str, str] = field(default_factory=dict[str, str])
