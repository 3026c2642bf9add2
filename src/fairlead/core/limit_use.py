"""How much of each limit is used: what is shown of it wherever it stands. A decision does not ask here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fairlead.core.limits import Cap, Counter, parse_limits


@dataclass(frozen=True, slots=True)
class LimitUse:
    """A limit that is set, what is used of its window, and when that window opened and the next one does.

    None stands for no beginning and no end. Lowering a limit takes nothing back: more may be used than it.
    """

    cap: Cap
    limit: int
    used: int
    opened_at: datetime | None
    closes_at: datetime | None

    @property
    def left(self) -> int:
        """What one may still receive of it before the window turns: leads, or cents."""
        return max(0, self.limit - self.used)


def limit_uses(text: str | None, counters: Sequence[Counter]) -> tuple[LimitUse, ...]:
    """The limits of the document in their order; `counters` has one for each of their periods.

    >>> from fairlead.core.local_time import Period
    >>> day = Counter("provider", "p", Period.DAY, None, None, lead_count=4, spent_cents=400)
    >>> uses = limit_uses('{"leads_per_day":3,"spend_cents_per_day":900}', [day])
    >>> [(each.cap.name, each.used, each.left) for each in uses]
    [('leads_per_day', 4, 0), ('spend_cents_per_day', 400, 500)]
    """
    if text is None:
        return ()
    of_period = {counter.period: counter for counter in counters}
    found: list[LimitUse] = []
    for cap, limit in parse_limits(text):
        counter = of_period[cap.period]
        found.append(LimitUse(cap, limit, counter.used(cap), counter.opened_at, counter.closes_at))
    return tuple(found)
